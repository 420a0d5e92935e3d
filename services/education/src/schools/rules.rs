//! What a school's record must satisfy. Pure.

use minsheng_kit::{
    error::Violations,
    values::divisions::{AreaCode, Divisions},
};
use minsheng_proto::education::v1 as pb;

/// The nursery figures of a school.
#[derive(Clone, Copy, Debug, Default)]
pub struct NurseryFigures {
    /// Classes for children of two to three years.
    pub classes: i64,
    /// Places in them.
    pub places: i64,
    /// Children in them.
    pub children: i64,
}

/// Checks that only a kindergarten has a nursery, and that children, places and classes of it agree.
///
/// Law: 学前教育法 lets kindergartens open classes for children from two years on; no other school may.
pub fn check_nursery(stage: pb::SchoolStage, nursery: NurseryFigures, violations: &mut Violations) {
    let NurseryFigures { classes, places, children } = nursery;
    if stage != pb::SchoolStage::Kindergarten {
        for (field, figure) in
            [("nursery_classes", classes), ("nursery_places", places), ("nursery_children", children)]
        {
            violations.require(
                figure == 0,
                field,
                "NOT_A_KINDERGARTEN",
                "only kindergartens have nursery classes",
                "只有幼儿园可设托班",
            );
        }
        return;
    }
    violations.require(
        children <= places,
        "nursery_children",
        "MORE_CHILDREN_THAN_PLACES",
        "exceeds the nursery places",
        "托班幼儿数超过托位数",
    );
    violations.require(
        places == 0 || classes > 0,
        "nursery_places",
        "NO_NURSERY_CLASS",
        "there are places but no nursery class",
        "有托位但没有托班",
    );
}

/// Checks the days of a school's life; days are counted since 1970-01-01.
pub fn check_days(opened_on: Option<i64>, closed_on: Option<i64>, violations: &mut Violations) {
    match (opened_on, closed_on) {
        (Some(opened), Some(closed)) => violations.require(
            closed > opened,
            "closed_on",
            "BEFORE_OPENING",
            "is not later than the first day of teaching",
            "停办日期不晚于开办日期",
        ),
        (None, Some(_)) => violations.add(
            "closed_on",
            "NEVER_OPENED",
            "a school that never opened cannot close; withdraw the record instead",
            "未开办的学校不能停办，请撤回该记录",
        ),
        _ => {}
    }
}

/// Checks that a school which is still being built has no pupils and no large classes.
pub fn check_pupils(opened_on: Option<i64>, pupils: i64, large_classes: i64, violations: &mut Violations) {
    violations.require(
        opened_on.is_some() || pupils == 0,
        "pupils",
        "NOT_OPENED",
        "a school that has not opened has no pupils",
        "尚未开办的学校没有在校生",
    );
    violations.require(
        large_classes == 0 || pupils > 0,
        "large_classes",
        "NO_PUPILS",
        "there are classes above the limit but no pupils",
        "有大班额但没有在校生",
    );
}

/// Checks what a school says of the border against the table of divisions.
pub(super) fn check_border(area: &str, border: bool, violations: &mut Violations) {
    let county = AreaCode::parse(area).ok().and_then(AreaCode::county);
    violations.require(
        county.is_none_or(|county| Divisions::get().is_border(county) == border),
        "border",
        "NOT_AS_DIVISION",
        "does not agree with the table of divisions",
        "与区划表中的边境县标识不一致",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(check: impl FnOnce(&mut Violations)) -> Vec<&'static str> {
        let mut violations = Violations::new();
        check(&mut violations);
        violations.iter().map(|violation| violation.reason).collect()
    }

    fn nursery(stage: pb::SchoolStage, classes: i64, places: i64, children: i64) -> Vec<&'static str> {
        reasons(|v| check_nursery(stage, NurseryFigures { classes, places, children }, v))
    }

    #[test]
    fn only_kindergartens_have_nursery_classes() {
        let not = "NOT_A_KINDERGARTEN";
        assert_eq!(nursery(pb::SchoolStage::Primary, 1, 20, 18), [not, not, not]);
        assert!(nursery(pb::SchoolStage::Primary, 0, 0, 0).is_empty());
        assert!(nursery(pb::SchoolStage::Kindergarten, 1, 20, 18).is_empty());
    }

    #[test]
    fn a_nursery_holds_no_more_children_than_places_and_has_a_class_for_them() {
        assert!(nursery(pb::SchoolStage::Kindergarten, 1, 20, 20).is_empty());
        assert_eq!(nursery(pb::SchoolStage::Kindergarten, 1, 20, 21), ["MORE_CHILDREN_THAN_PLACES"]);
        assert_eq!(nursery(pb::SchoolStage::Kindergarten, 0, 20, 0), ["NO_NURSERY_CLASS"]);
    }

    #[test]
    fn a_school_closes_after_it_opened() {
        for (opened, closed, expected) in [
            (Some(10), Some(11), None),
            (Some(10), Some(10), Some("BEFORE_OPENING")),
            (Some(10), Some(9), Some("BEFORE_OPENING")),
            (None, Some(9), Some("NEVER_OPENED")),
            (None, None, None),
            (Some(10), None, None),
        ] {
            assert_eq!(reasons(|v| check_days(opened, closed, v)).first().copied(), expected, "{opened:?} {closed:?}");
        }
    }

    #[test]
    fn a_school_that_is_being_built_has_no_pupils() {
        assert_eq!(reasons(|v| check_pupils(None, 1, 0, v)), ["NOT_OPENED"]);
        assert!(reasons(|v| check_pupils(None, 0, 0, v)).is_empty());
        assert_eq!(reasons(|v| check_pupils(Some(1), 0, 2, v)), ["NO_PUPILS"]);
    }
}
