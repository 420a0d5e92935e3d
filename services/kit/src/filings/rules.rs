//! What a filing must satisfy. Pure; days are counted since 1970-01-01.

use minsheng_catalogue::{Areas, Catalogue, Denominator, Entry, Form, Measure, PRIMARY_MEASURE};
use minsheng_proto::returns::v1 as pb;

use crate::{error::Violations, values::divisions::AreaCode};

/// The figures of a return.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) numerator: Option<f64>,
    pub(super) denominator: Option<f64>,
    pub(super) value: Option<f64>,
}

/// Finds a commitment that this service takes filings for.
pub(super) fn commitment_of<'a>(
    catalogue: &'a Catalogue,
    id: &str,
    service: &str,
    violations: &mut Violations,
) -> Option<&'a Entry> {
    let Some(entry) = catalogue.entry(id) else {
        violations.add("commitment", "UNKNOWN_COMMITMENT", "is not in the catalogue", "承诺事项目录中没有");
        return None;
    };
    let keeper = &entry.commitment.service;
    if keeper != service {
        violations.add(
            "commitment",
            "OTHER_DEPARTMENT",
            format!("is kept by the service {keeper}"),
            format!("由 {keeper} 服务受理"),
        );
    }
    Some(entry)
}

/// Checks that the area lies where the commitment applies.
pub(super) fn check_scope(entry: &Entry, area: AreaCode, violations: &mut Violations) {
    violations.require(
        minsheng_catalogue::in_scope(area.as_str(), &entry.commitment.scope),
        "area",
        "OUT_OF_SCOPE",
        "the commitment does not apply there",
        "该承诺事项不适用于此地区",
    );
}

/// Finds the measure that a return names.
pub(super) fn measure_of<'a>(entry: &'a Entry, name: &str, violations: &mut Violations) -> Option<&'a Measure> {
    let name = if name.is_empty() { PRIMARY_MEASURE } else { name };
    let measure = entry.measures.iter().find(|measure| measure.name == name);
    violations.require(
        measure.is_some(),
        "measure",
        "UNKNOWN_MEASURE",
        "is not a measure of the commitment",
        "该承诺事项没有此指标",
    );
    measure
}

/// Checks the figures by the measure's form: a figure, a share, or a ratio.
pub(super) fn check_figures(
    measure: &Measure,
    unit: &str,
    figures: Figures,
    divisions: Option<usize>,
    violations: &mut Violations,
) {
    let known = &measure.unit.en;
    if unit != known {
        violations.add("unit", "WRONG_UNIT", format!("must be {known}"), format!("单位应为 {known}"));
    }
    let Figures { numerator, denominator, value } = figures;
    check_divisions(divisions, figures, violations);
    if value.is_some() == (numerator.is_some() || denominator.is_some()) {
        violations.add(
            "value",
            "ONE_KIND_OF_FIGURE",
            "give either the value or numerator and denominator",
            "数值与分子分母须且仅须填报一种",
        );
        return;
    }
    match measure.form {
        Form::Figure => violations.require(
            denominator.is_none(),
            "denominator",
            "NOT_A_RATE",
            "a count has no denominator",
            "计数指标没有分母",
        ),
        Form::Share | Form::Ratio => violations.require(
            value.is_some() || (numerator.is_some() && (denominator.is_some() || measure.known_whole.is_some())),
            "denominator",
            "MISSING_DENOMINATOR",
            "a rate needs numerator and denominator",
            "比率指标须同时填报分子和分母",
        ),
    }
    // 0 of 0 says that nobody was eligible. Of a share the numerator is not above its denominator anyway.
    if measure.form == Form::Ratio {
        violations.require(
            denominator != Some(0.0) || numerator.is_none_or(|numerator| numerator <= 0.0),
            "denominator",
            "NOTHING_TO_DIVIDE_BY",
            "must not be 0 where the numerator is not",
            "分子不为0时分母不得为0",
        );
    }
    if measure.form == Form::Share {
        if let (Some(numerator), Some(denominator)) = (numerator, denominator) {
            violations.require(
                numerator <= denominator,
                "numerator",
                "ABOVE_DENOMINATOR",
                "is above the denominator",
                "分子大于分母",
            );
        }
        violations.require(
            value.is_none_or(|value| (0.0..=100.0).contains(&value)),
            "value",
            "OUT_OF_RANGE",
            "a share lies between 0 and 100 percent",
            "占比应在0至100之间",
        );
    }
    violations.require(
        value.is_none_or(|value| value >= 0.0),
        "value",
        "OUT_OF_RANGE",
        "must not be negative",
        "不得为负数",
    );
}

/// Counts the divisions of an area, where the catalogue says that they are what a measure is a share of.
pub(super) fn divisions_of(entry: &Entry, measure: &Measure, area: AreaCode) -> Option<usize> {
    let Some(Denominator::Divisions(levels)) = &measure.known_whole else { return None };
    Some(Areas::of_the_region().count_divisions(area.as_str(), levels, &entry.commitment.scope))
}

/// Checks a figure against the number of divisions, which no filer changes.
fn check_divisions(divisions: Option<usize>, figures: Figures, violations: &mut Violations) {
    let Some(number) = divisions else { return };
    #[expect(clippy::cast_precision_loss, reason = "there are some thousands of divisions")]
    let whole = number as f64;
    let differs = figures.denominator.is_some_and(|denominator| (denominator - whole).abs() > f64::EPSILON);
    if differs {
        violations.add(
            "denominator",
            "KNOWN_OTHERWISE",
            format!("is {number} by the division table"),
            format!("按区划表应为 {number}"),
        );
    } else if figures.numerator.is_some_and(|numerator| numerator > whole) {
        violations.add(
            "numerator",
            "ABOVE_DENOMINATOR",
            format!("is above {number}, the number of divisions"),
            format!("超过区划数 {number}"),
        );
    }
}

/// Checks that a month of which figures are filed has begun.
pub(super) fn check_month(month_from: i64, today: i64, violations: &mut Violations) {
    violations.require(month_from <= today, "month", "IN_FUTURE", "has not begun", "月份尚未开始");
}

/// Checks that a filing says which officer made it.
pub(super) fn check_officer(filed_by: &str, violations: &mut Violations) {
    violations.require(
        !filed_by.is_empty(),
        "filed_by",
        "OFFICER_REQUIRED",
        "the officer who files it is required",
        "须填填报人",
    );
}

/// Checks that an officer may approve what another one filed.
pub(super) fn check_approval(filed_by: &str, officer: &str) -> Result<(), Violations> {
    let mut violations = Violations::new();
    violations.require(
        !filed_by.is_empty(),
        "officer",
        "FILER_UNKNOWN",
        "nobody knows who filed it: it is filed again before it is approved",
        "填报人不明，须重新填报后方可审核",
    );
    violations.require(
        filed_by != officer,
        "officer",
        "FILER_CANNOT_APPROVE",
        "filed it: another officer approves",
        "填报人不能审核自己的报送",
    );
    violations.into_result(())
}

/// Checks that a step that is under way or done says since when, and one that is done on what ground.
pub(super) fn check_step(
    state: pb::MilestoneState,
    happened_on: Option<i64>,
    evidence: &str,
    violations: &mut Violations,
) {
    let done = state == pb::MilestoneState::Done;
    violations.require(
        happened_on.is_some() || !(done || state == pb::MilestoneState::UnderWay),
        "happened_on",
        "REQUIRED_FOR_STATE",
        "is required for what is under way or done",
        "推进中或已完成的事项须填日期",
    );
    violations.require(
        !done || !evidence.trim().is_empty(),
        "evidence",
        "REQUIRED_FOR_STATE",
        "is required for what is done",
        "已完成的事项须填依据",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A measure in percent of the shipped catalogue, in a form.
    fn measure(form: Form) -> Measure {
        let percent = |measure: &&Measure| measure.unit.en == "percent";
        let found = Catalogue::shipped().entries.iter().flat_map(|entry| &entry.measures).find(percent);
        Measure { form, ..found.expect("a share").clone() }
    }

    fn reasons(
        form: Form,
        unit: &str,
        numerator: Option<f64>,
        denominator: Option<f64>,
        value: Option<f64>,
    ) -> Vec<&'static str> {
        let measure = measure(form);
        let mut violations = Violations::new();
        check_figures(&measure, unit, Figures { numerator, denominator, value }, None, &mut violations);
        violations.iter().map(|violation| violation.reason).collect()
    }

    #[test]
    fn a_numerator_above_its_denominator_is_refused_for_a_share_and_allowed_for_a_ratio() {
        assert_eq!(reasons(Form::Share, "percent", Some(11.0), Some(10.0), None), ["ABOVE_DENOMINATOR"]);
        assert!(reasons(Form::Share, "percent", Some(10.0), Some(10.0), None).is_empty());
        assert!(reasons(Form::Ratio, "percent", Some(11.0), Some(10.0), None).is_empty());
    }

    #[test]
    fn a_ratio_of_something_to_nothing_is_refused_and_nothing_to_nothing_says_that_nobody_was_eligible() {
        assert_eq!(reasons(Form::Ratio, "percent", Some(5.0), Some(0.0), None), ["NOTHING_TO_DIVIDE_BY"]);
        assert_eq!(reasons(Form::Share, "percent", Some(5.0), Some(0.0), None), ["ABOVE_DENOMINATOR"]);
        for form in [Form::Ratio, Form::Share] {
            assert!(reasons(form, "percent", Some(0.0), Some(0.0), None).is_empty(), "{form:?}");
        }
        assert!(reasons(Form::Ratio, "percent", Some(0.0), Some(5.0), None).is_empty());
    }

    #[test]
    fn a_rate_without_a_denominator_and_a_count_with_one_are_refused() {
        assert_eq!(reasons(Form::Share, "percent", Some(1.0), None, None), ["MISSING_DENOMINATOR"]);
        assert_eq!(reasons(Form::Figure, "percent", Some(1.0), Some(2.0), None), ["NOT_A_RATE"]);
    }

    #[test]
    fn counties_are_as_many_as_the_division_table_says_whoever_files() {
        let entry = Catalogue::shipped().entry("telemedicine").expect("an entry");
        let cases = [
            ("540100", Some(8.0), Some(8.0), None),
            ("540100", Some(5.0), None, None),
            ("540100", Some(9.0), None, Some("ABOVE_DENOMINATOR")),
            ("540100", Some(1.0), Some(1.0), Some("KNOWN_OTHERWISE")),
            ("540102", Some(1.0), Some(1.0), None),
        ];
        for (area, numerator, denominator, expected) in cases {
            let divisions = divisions_of(entry, entry.primary(), AreaCode::parse(area).expect("in the table"));
            let mut violations = Violations::new();
            let figures = Figures { numerator, denominator, value: None };
            check_figures(entry.primary(), "percent", figures, divisions, &mut violations);
            let found = violations.iter().map(|violation| violation.reason).next();
            assert_eq!(found, expected, "{area}: {numerator:?} of {denominator:?}");
        }
    }

    #[test]
    fn another_officer_than_the_filer_approves() {
        let reason = |filed_by, officer| {
            let refused = check_approval(filed_by, officer).err();
            refused.and_then(|found| found.iter().next().map(|violation| violation.reason))
        };
        assert_eq!(reason("0107", "0231"), None);
        assert_eq!(reason("0107", "0107"), Some("FILER_CANNOT_APPROVE"));
        assert_eq!(reason("", "0231"), Some("FILER_UNKNOWN"));
        let mut violations = Violations::new();
        check_officer("", &mut violations);
        assert_eq!(violations.iter().map(|violation| violation.field.as_str()).collect::<Vec<_>>(), ["filed_by"]);
    }

    #[test]
    fn a_value_and_a_numerator_together_or_neither_are_refused() {
        assert_eq!(reasons(Form::Figure, "percent", Some(1.0), None, Some(1.0)), ["ONE_KIND_OF_FIGURE"]);
        assert_eq!(reasons(Form::Figure, "percent", None, None, None), ["ONE_KIND_OF_FIGURE"]);
    }

    #[test]
    fn a_published_share_lies_between_0_and_100() {
        assert!(reasons(Form::Share, "percent", None, None, Some(95.0)).is_empty());
        assert_eq!(reasons(Form::Share, "percent", None, None, Some(100.1)), ["OUT_OF_RANGE"]);
    }

    #[test]
    fn another_unit_than_the_catalogues_is_refused() {
        assert_eq!(reasons(Form::Figure, "people", Some(1.0), None, None), ["WRONG_UNIT"]);
    }

    #[test]
    fn an_area_outside_the_scope_is_refused_and_a_county_inside_it_is_not() {
        let entry = Catalogue::shipped().entry("three-day-registration").expect("an entry");
        for (code, expected) in [("540100", 0), ("540102", 0), ("540200", 1), ("540000", 1)] {
            let mut violations = Violations::new();
            check_scope(entry, AreaCode::parse(code).expect("in the table"), &mut violations);
            assert_eq!(violations.iter().count(), expected, "{code}");
        }
    }

    #[test]
    fn a_commitment_is_looked_up_in_the_catalogue_that_is_given() {
        let mut own = Catalogue::shipped().as_ref().clone();
        let mut entry = own.entries[0].clone();
        entry.commitment.id = "next-years".to_owned();
        own.entries = vec![entry];
        let reasons = |id: &str| {
            let mut violations = Violations::new();
            commitment_of(&own, id, &own.entries[0].commitment.service, &mut violations);
            violations.iter().map(|violation| violation.reason).collect::<Vec<_>>()
        };
        assert!(reasons("next-years").is_empty());
        assert_eq!(reasons("elder-meal-points"), ["UNKNOWN_COMMITMENT"]);
    }

    #[test]
    fn a_commitment_of_another_department_is_named_with_its_service() {
        let mut violations = Violations::new();
        commitment_of(Catalogue::shipped(), "elder-meal-points", "health", &mut violations);
        assert!(violations.to_string().contains("community"), "{violations}");
    }
}
