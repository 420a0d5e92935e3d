//! What an enrolment must satisfy, and the department's rules of medical insurance. Pure.

mod change;
pub mod critical_illness;
pub mod waiting;

use chrono::NaiveDate;
use minsheng_kit::{
    error::Violations,
    values::{
        calendar::day_of_epoch,
        divisions::{CountyCode, Divisions},
    },
};
use minsheng_proto::social_security::v1 as pb;

pub use change::check_change;

/// First two digits of the region's divisions.
const REGION_PREFIX: &str = "54";

/// What an application consists of; days are counted since 1970-01-01.
#[derive(Clone, Copy, Debug)]
pub struct Application {
    /// The scheme.
    pub scheme: pb::Scheme,
    /// By what title.
    pub entry_kind: pb::EntryKind,
    /// Day of the application.
    pub applied_on: i64,
    /// What was decided.
    pub decision: pb::EnrolmentDecision,
    /// Day of the decision.
    pub decided_on: Option<i64>,
    /// Why it was refused.
    pub refusal_reason: pb::RefusalReason,
    /// First day of cover.
    pub covered_from: Option<i64>,
    /// Last day of cover.
    pub covered_to: Option<i64>,
    /// Who pays.
    pub premium_payer: pb::PremiumPayer,
}

/// Reports whether a scheme is open to people who enter by a title.
///
/// Whoever works flexibly chooses the employees' or the residents' scheme (国办发〔2024〕38号) and may join maternity
/// insurance through the employees' medical scheme; unemployment and work-injury insurance belong to employment
/// (社会保险法 33, 44). Residents' schemes take everybody whom no employer insures, wherever they are registered.
pub fn is_open_to(scheme: pb::Scheme, entry_kind: pb::EntryKind) -> bool {
    use pb::{EntryKind as Entry, Scheme};
    match scheme {
        Scheme::EmployeePension | Scheme::EmployeeMedical | Scheme::Maternity => {
            matches!(entry_kind, Entry::Employment | Entry::FlexibleEmployment)
        }
        Scheme::ResidentPension | Scheme::ResidentMedical => entry_kind != Entry::Employment,
        Scheme::Unemployment | Scheme::WorkInjury => entry_kind == Entry::Employment,
        Scheme::Unspecified => false,
    }
}

/// Checks an application, its decision and the cover that came of it.
///
/// Only who was admitted must fit the scheme: that somebody did not is a reason to refuse, and the refusal is a
/// record like any other.
pub fn check_application(application: &Application, today: i64, violations: &mut Violations) {
    let Application { applied_on, decided_on, covered_from, covered_to, .. } = *application;
    violations.require(applied_on <= today, "applied_on", "IN_FUTURE", "lies in the future", "申请日期不得晚于当日");
    if let Some(decided_on) = decided_on {
        violations.require(
            decided_on >= applied_on,
            "decided_on",
            "BEFORE_APPLICATION",
            "lies before the day of the application",
            "办结日期早于申请日期",
        );
        violations.require(
            decided_on <= today,
            "decided_on",
            "IN_FUTURE",
            "lies in the future",
            "办结日期不得晚于当日",
        );
    }
    if let (Some(from), Some(to)) = (covered_from, covered_to) {
        violations.require(
            to >= from,
            "covered_to",
            "BEFORE_COVER",
            "lies before the first day of cover",
            "参保截止日期早于起始日期",
        );
    }
    check_decision(application, violations);
    violations.require(
        application.premium_payer != pb::PremiumPayer::Employer || application.entry_kind == pb::EntryKind::Employment,
        "premium_payer",
        "NO_EMPLOYER",
        "only who enters by the place of work has an employer that pays",
        "非就业地参保不由单位缴费",
    );
}

/// Checks that a decision has what belongs to it and nothing else.
fn check_decision(application: &Application, violations: &mut Violations) {
    use pb::{EnrolmentDecision as Decision, RefusalReason};
    let decision = application.decision;
    if decision == Decision::Unspecified {
        return;
    }
    let (admitted, refused) = (decision == Decision::Admitted, decision == Decision::Refused);
    let mut belongs = |is: bool, must: bool, field: &str, missing_zh: &str, odd_zh: &str| {
        if must && !is {
            violations.add(field, "REQUIRED_BY_DECISION", "is required by the decision", missing_zh);
        } else if is && !must {
            violations.add(field, "NOT_OF_DECISION", "does not belong to the decision", odd_zh);
        }
    };
    belongs(
        application.decided_on.is_some(),
        admitted || refused,
        "decided_on",
        "已办结须填办结日期",
        "办理中不填办结日期",
    );
    belongs(
        application.refusal_reason != RefusalReason::Unspecified,
        refused,
        "refusal_reason",
        "不予受理须填原因",
        "未拒绝的申请不填拒绝原因",
    );
    belongs(application.covered_from.is_some(), admitted, "covered_from", "受理须填参保起始", "未受理不填参保起始");
    if application.covered_to.is_some() && application.covered_from.is_none() {
        violations.add("covered_to", "NOT_OF_DECISION", "does not belong to the decision", "未受理不填参保截止");
    }
    let (scheme, entry_kind) = (application.scheme, application.entry_kind);
    let said = scheme != pb::Scheme::Unspecified && entry_kind != pb::EntryKind::Unspecified;
    violations.require(
        !admitted || !said || is_open_to(scheme, entry_kind),
        "entry_kind",
        "SCHEME_NOT_OPEN",
        "is no title by which people enter this scheme",
        "该险种不适用此参保方式",
    );
}

/// Reports whether the registered residence lies outside the county of the record.
///
/// `registration` is a code of the day `on` or of any earlier list. A prefecture's code counts as here when the
/// county lies in it, because it does not say more. Nothing is answered for a code of the region that no list has,
/// or whose place went to neighbours unknown.
pub fn is_registered_elsewhere(registration: &str, county: CountyCode, on: NaiveDate) -> Option<bool> {
    if !registration.starts_with(REGION_PREFIX) {
        return Some(true);
    }
    let places = Divisions::get().resolve_historic(registration, on)?;
    Some(!places.iter().any(|place| place.contains(county)))
}

/// Compares the registered residence with the county of the record; notes a violation when no list knows that area.
pub(super) fn registered_elsewhere(
    area: &str,
    registration_area: &str,
    applied_on: i64,
    violations: &mut Violations,
) -> bool {
    let county = CountyCode::parse(area).ok();
    let elsewhere = county
        .zip(day_of_epoch(applied_on))
        .and_then(|(county, on)| is_registered_elsewhere(registration_area, county, on));
    violations.require(
        elsewhere.is_some(),
        "registration_area",
        "UNKNOWN_DIVISION",
        "is in no list of the region's divisions, or names a county that was divided among its neighbours",
        "不在本区历年区划代码表内，或原县已并入多个邻县",
    );
    elsewhere.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use minsheng_kit::values::calendar::epoch_day;
    use pb::{
        EnrolmentDecision as Decision, EntryKind as Entry, PremiumPayer as Payer, RefusalReason as Reason, Scheme,
    };

    use super::*;

    const TODAY: i64 = 100;

    fn admitted() -> Application {
        Application {
            scheme: Scheme::ResidentMedical,
            entry_kind: Entry::ResidencePermit,
            applied_on: 10,
            decision: Decision::Admitted,
            decided_on: Some(15),
            refusal_reason: Reason::Unspecified,
            covered_from: Some(20),
            covered_to: Some(30),
            premium_payer: Payer::Self_,
        }
    }

    fn refused(reason: Reason) -> Application {
        Application {
            decision: Decision::Refused,
            refusal_reason: reason,
            covered_from: None,
            covered_to: None,
            ..admitted()
        }
    }

    fn pending() -> Application {
        Application { decision: Decision::Pending, decided_on: None, ..refused(Reason::Unspecified) }
    }

    fn broken(application: &Application) -> Vec<(String, &'static str)> {
        let mut violations = Violations::new();
        check_application(application, TODAY, &mut violations);
        violations.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
    }

    fn names<'a>(found: &'a [(String, &'static str)]) -> Vec<(&'a str, &'static str)> {
        found.iter().map(|(field, reason)| (field.as_str(), *reason)).collect()
    }

    #[test]
    fn whole_applications_pass() {
        for application in [admitted(), refused(Reason::Incomplete), pending()] {
            assert!(broken(&application).is_empty(), "{application:?}");
        }
    }

    #[test]
    fn a_refusal_for_the_registered_residence_is_recorded_not_blocked() {
        assert!(broken(&refused(Reason::HouseholdRegistration)).is_empty());
    }

    #[test]
    fn a_decision_has_what_belongs_to_it_and_nothing_else() {
        for (application, expected) in [
            (
                Application { decided_on: None, covered_from: None, covered_to: None, ..admitted() },
                vec![("decided_on", "REQUIRED_BY_DECISION"), ("covered_from", "REQUIRED_BY_DECISION")],
            ),
            (
                Application { refusal_reason: Reason::Incomplete, ..admitted() },
                vec![("refusal_reason", "NOT_OF_DECISION")],
            ),
            (refused(Reason::Unspecified), vec![("refusal_reason", "REQUIRED_BY_DECISION")]),
            (
                Application { covered_from: Some(20), ..refused(Reason::NotEligible) },
                vec![("covered_from", "NOT_OF_DECISION")],
            ),
            (Application { decided_on: Some(15), ..pending() }, vec![("decided_on", "NOT_OF_DECISION")]),
            (Application { covered_to: Some(15), ..pending() }, vec![("covered_to", "NOT_OF_DECISION")]),
        ] {
            assert_eq!(names(&broken(&application)), expected, "{application:?}");
        }
    }

    #[test]
    fn days_follow_each_other_and_what_is_decided_lies_not_in_the_future() {
        for (application, expected) in [
            (Application { decided_on: Some(9), ..admitted() }, ("decided_on", "BEFORE_APPLICATION")),
            (Application { decided_on: Some(TODAY + 1), ..admitted() }, ("decided_on", "IN_FUTURE")),
            (Application { applied_on: TODAY + 1, ..pending() }, ("applied_on", "IN_FUTURE")),
            (Application { covered_to: Some(19), ..admitted() }, ("covered_to", "BEFORE_COVER")),
        ] {
            assert_eq!(names(&broken(&application)), [expected], "{application:?}");
        }
        // Next year's premium is paid in advance.
        assert!(broken(&Application { covered_from: Some(TODAY + 9), covered_to: None, ..admitted() }).is_empty());
    }

    #[test]
    fn who_works_flexibly_chooses_between_the_employees_and_the_residents_scheme() {
        use Entry::{Employment, FlexibleEmployment, HouseholdRegistration, ResidencePermit};
        for (scheme, open_to) in [
            (Scheme::EmployeePension, vec![Employment, FlexibleEmployment]),
            (Scheme::EmployeeMedical, vec![Employment, FlexibleEmployment]),
            (Scheme::ResidentPension, vec![HouseholdRegistration, ResidencePermit, FlexibleEmployment]),
            (Scheme::ResidentMedical, vec![HouseholdRegistration, ResidencePermit, FlexibleEmployment]),
            (Scheme::Unemployment, vec![Employment]),
            (Scheme::WorkInjury, vec![Employment]),
            (Scheme::Maternity, vec![Employment, FlexibleEmployment]),
        ] {
            let open: Vec<Entry> = [HouseholdRegistration, ResidencePermit, Employment, FlexibleEmployment]
                .into_iter()
                .filter(|entry| is_open_to(scheme, *entry))
                .collect();
            assert_eq!(open, open_to, "{scheme:?}");
        }
    }

    #[test]
    fn who_does_not_fit_a_scheme_is_not_admitted_but_may_be_refused() {
        let wrong = Application { scheme: Scheme::WorkInjury, ..admitted() };
        assert_eq!(names(&broken(&wrong)), [("entry_kind", "SCHEME_NOT_OPEN")]);
        assert!(broken(&Application { scheme: Scheme::WorkInjury, ..refused(Reason::NotEligible) }).is_empty());
    }

    #[test]
    fn an_employer_pays_only_for_its_employees() {
        let wrong = Application { premium_payer: Payer::Employer, ..admitted() };
        assert_eq!(names(&broken(&wrong)), [("premium_payer", "NO_EMPLOYER")]);
    }

    #[test]
    fn a_registered_residence_is_compared_by_place_not_by_code() {
        let on = NaiveDate::from_ymd_opt(2025, 9, 1).expect("a day");
        assert_eq!(epoch_day(on), 20_332);
        for (registration, county, elsewhere) in [
            ("540102", "540102", Some(false)),
            ("540121", "540102", Some(true)),
            // 堆龙德庆县 became the district 540103 in 2015.
            ("540125", "540103", Some(false)),
            ("540125", "540102", Some(true)),
            // Registered in Lhasa, the county is not said.
            ("540100", "540103", Some(false)),
            ("510104", "540102", Some(true)),
            // Dissolved among neighbours, and a code that no list has.
            ("542135", "540102", None),
            ("549999", "540102", None),
        ] {
            let county = CountyCode::parse(county).expect("a county");
            assert_eq!(is_registered_elsewhere(registration, county, on), elsewhere, "{registration}");
        }
    }
}
