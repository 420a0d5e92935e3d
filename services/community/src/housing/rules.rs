//! What the numbers of homes must satisfy. Pure.

use minsheng_kit::error::Violations;

/// Homes of a project by stage. Each number counts from the project's beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stages {
    /// Planned.
    pub planned: i64,
    /// Started, those finished included.
    pub started: i64,
    /// Acquired instead of built.
    pub acquired: i64,
    /// Finished; a home that was acquired counts once it is fit to live in.
    pub completed: i64,
    /// Let or sold.
    pub let_or_sold: i64,
}

impl Stages {
    /// Returns the homes that exist or are being built: what the commitment of the year counts.
    pub fn raised(self) -> i64 {
        self.started.saturating_add(self.acquired)
    }

    /// Reports whether more homes are raised than were planned. A plan is a floor, so this is no violation; the service
    /// notes it in its log, because a slip of the pen looks the same.
    pub fn exceeds_plan(self) -> bool {
        self.raised() > self.planned
    }
}

/// On which day the numbers of a content were counted; days since 1970-01-01.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// The day that the content names; on a change that names none, the day of the content before.
    pub on: Option<i64>,
    /// The day from which the request asks the content to be true; on a correction, that of the content before.
    pub asked_for: i64,
    /// The day from which the content before is true; absent for a new project.
    pub before: Option<i64>,
}

impl Counted {
    /// Returns the day from which the numbers are true: that on which they were counted. Notes a violation where
    /// request and content name two days, or the day lies in the future.
    pub fn true_from(self, today: i64, violations: &mut Violations) -> i64 {
        let Self { on, asked_for, before } = self;
        // What only repeats the day of the content before names none.
        let Some(on) = on.filter(|on| before != Some(*on)) else { return asked_for };
        violations.require(on <= today, "counted_on", "IN_FUTURE", "lies in the future", "统计日期不得晚于当日");
        violations.require(
            asked_for == on || before == Some(asked_for) && on > asked_for,
            "counted_on",
            "NOT_THE_EFFECTIVE_DAY",
            "is another day than effective_on; name one of the two",
            "与生效日期不一致，请只填其一",
        );
        on
    }
}

/// Checks that no later stage holds more homes than the one before.
pub fn check_stages(stages: Stages, violations: &mut Violations) {
    violations.require(
        stages.completed <= stages.raised(),
        "units_completed",
        "MORE_THAN_RAISED",
        "is more than the homes started and acquired",
        "竣工套数多于开工与收购套数之和",
    );
    violations.require(
        stages.let_or_sold <= stages.completed,
        "units_let",
        "MORE_THAN_COMPLETED",
        "is more than the homes finished",
        "配租配售套数多于竣工套数",
    );
}

/// Checks a further state of a project against the one before: what was started, acquired or finished stays so.
pub fn check_progress(before: Stages, after: Stages, violations: &mut Violations) {
    let numbers = [
        ("units_started", before.started, after.started),
        ("units_acquired", before.acquired, after.acquired),
        ("units_completed", before.completed, after.completed),
    ];
    for (field, before, after) in numbers {
        violations.require(
            after >= before,
            field,
            "STAGE_RUNS_BACK",
            "is less than in the state before; correct that one instead, without a day",
            "少于此前数值；如属更正，请不填生效日期",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(planned: i64, started: i64, acquired: i64, completed: i64, let_or_sold: i64) -> Stages {
        Stages { planned, started, acquired, completed, let_or_sold }
    }

    fn reasons(check: impl FnOnce(&mut Violations)) -> Vec<(String, &'static str)> {
        let mut violations = Violations::new();
        check(&mut violations);
        violations.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
    }

    #[test]
    fn no_stage_holds_more_homes_than_the_one_before() {
        for (stages, expected) in [
            (stages(100, 60, 40, 100, 100), vec![]),
            (stages(0, 0, 0, 0, 0), vec![]),
            (stages(100, 60, 0, 61, 0), vec!["MORE_THAN_RAISED"]),
            (stages(100, 60, 0, 10, 11), vec!["MORE_THAN_COMPLETED"]),
            (stages(100, 1, 1, 3, 4), vec!["MORE_THAN_RAISED", "MORE_THAN_COMPLETED"]),
            (stages(100, i64::MAX, 1, i64::MAX, 0), vec![]),
        ] {
            let found: Vec<_> = reasons(|v| check_stages(stages, v)).into_iter().map(|(_, reason)| reason).collect();
            assert_eq!(found, expected, "{stages:?}");
        }
    }

    #[test]
    fn numbers_are_true_from_the_day_on_which_they_were_counted() {
        for (on, asked_for, before, expected) in [
            // A new project: its own day is asked for, or today, or the request's.
            (Some(150), 150, None, Ok(150)),
            (None, 200, None, Ok(200)),
            (None, 120, None, Ok(120)),
            (Some(150), 120, None, Err("NOT_THE_EFFECTIVE_DAY")),
            (Some(201), 201, None, Err("IN_FUTURE")),
            // A change from a day on, the content naming none, the former or the same.
            (None, 180, Some(150), Ok(180)),
            (Some(150), 180, Some(150), Ok(180)),
            (Some(180), 180, Some(150), Ok(180)),
            (Some(170), 180, Some(150), Err("NOT_THE_EFFECTIVE_DAY")),
            // A correction; a later day makes it a change from then on, with an earlier one it begins earlier.
            (Some(150), 150, Some(150), Ok(150)),
            (Some(180), 150, Some(150), Ok(180)),
            (Some(140), 140, Some(150), Ok(140)),
            (Some(140), 150, Some(150), Err("NOT_THE_EFFECTIVE_DAY")),
        ] {
            let mut violations = Violations::new();
            let from = Counted { on, asked_for, before }.true_from(200, &mut violations);
            let found = violations.iter().map(|violation| violation.reason).next().map_or(Ok(from), Err);
            assert_eq!(found, expected, "{on:?} {asked_for} {before:?}");
        }
    }

    #[test]
    fn more_homes_than_planned_are_no_violation_but_noticed() {
        let above = stages(100, 90, 20, 0, 0);
        assert!(above.exceeds_plan() && reasons(|v| check_stages(above, v)).is_empty());
        assert!(!stages(110, 90, 20, 0, 0).exceeds_plan());
    }

    #[test]
    fn a_stage_never_runs_backwards_but_homes_may_fall_vacant_and_plans_may_shrink() {
        let before = stages(100, 60, 10, 40, 30);
        assert!(reasons(|v| check_progress(before, stages(80, 60, 10, 41, 20), v)).is_empty());
        let back = reasons(|v| check_progress(before, stages(100, 59, 9, 39, 30), v));
        assert_eq!(back.len(), 3);
        assert_eq!(back[0], ("units_started".to_owned(), "STAGE_RUNS_BACK"));
    }
}
