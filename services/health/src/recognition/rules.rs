//! What makes a result recognisable, what a decision must say, and which items count. Pure.
//!
//! The basis is 国卫医发〔2022〕6号 and 国卫医政发〔2024〕37号. Days are counted since 1970-01-01, both ends included.

use std::collections::{BTreeMap, BTreeSet};

use minsheng_kit::{
    error::Violations,
    register::Period,
    values::{
        divisions::{AreaCode, CountyCode, Divisions},
        identifiers::LoincCode,
    },
};
use minsheng_proto::health::v1 as pb;

use crate::schema::{QualityCertificateRecord, RecognitionItemRecord, ResultDecisionRecord};

/// Digits in a row from which a free text may name a person: a telephone number has 11, an identity number 17 or 18.
const DIGITS_OF_A_PERSON: usize = 11;

/// What an item of a list says on the days of one of its states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedState {
    /// Id of the item.
    pub item: String,
    /// Days of the state.
    pub days: Period,
    /// False on the days on which the record has ended; it then repeats what it said last.
    pub in_force: bool,
    /// Whose list it is: the region's holds everywhere, an addition of a prefecture or county there.
    pub area: AreaCode,
    /// First day in the list.
    pub from: i64,
    /// Last day, when known.
    pub to: Option<i64>,
    /// Days for which a result is normally reused; 0 where it never is and the doctor alone decides.
    pub window_days: i64,
}

impl ListedState {
    /// Reports whether the item stands in the list of a county on a day.
    fn stands(&self, county: CountyCode, day: i64) -> bool {
        self.in_force
            && self.days.contains(day)
            && self.area.contains(county)
            && self.from <= day
            && self.to.is_none_or(|last| day <= last)
    }
}

/// A period in which an institution holds a passed certificate for an item, with one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertifiedPeriod {
    /// Where it vouches.
    pub scope: pb::RecognitionScope,
    /// County of the institution.
    pub county: CountyCode,
    /// First day.
    pub from: i64,
    /// Last day.
    pub to: i64,
}

/// Who may use a result, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Day of the test.
    pub performed_on: i64,
    /// Day of the visit.
    pub on: i64,
    /// County of the institution that would use it.
    pub receiving: CountyCode,
    /// True when the performing institution was in operation on the day of the test, and the receiving one on that of
    /// the visit.
    pub in_operation: bool,
    /// True when, on the day of the visit, the result comes from an institution of a lower grade, where recognition
    /// goes upward only.
    pub downward: bool,
}

/// How a result stands, seen from an institution that may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// One of the institutions was not in operation on its day.
    NotInOperation,
    /// The item was not in the receiving institution's list on the day of the test.
    ItemNotListed,
    /// The institution held no valid certificate on the day of the test.
    NoCertificate,
    /// The widest certificate of that day does not reach the receiving institution.
    OutOfScope(CertifiedPeriod),
    /// A certificate vouches for it, but recognition goes upward only and it comes from a lower grade.
    LowerGrade(CertifiedPeriod),
    /// A certificate vouches for it, but on the day of the visit it is older than the item's window.
    WindowPassed(CertifiedPeriod),
    /// This certificate, the widest that reaches, vouches for it.
    Recognisable(CertifiedPeriod),
}

/// Judges a result by the list and the certificates of the day of the test, and by the window that the item has on the
/// day of the visit. Of an item that left the list meanwhile, the last window counts.
pub fn standing(listed: &[ListedState], certified: &[CertifiedPeriod], visit: Visit) -> Standing {
    let Visit { performed_on, on, receiving, in_operation, downward } = visit;
    if !in_operation {
        return Standing::NotInOperation;
    }
    let of_the_test = listed.iter().filter(|state| state.stands(receiving, performed_on));
    let Some(item) = of_the_test.max_by_key(|state| state.from) else {
        return Standing::ItemNotListed;
    };
    let begun = listed.iter().filter(|state| state.item == item.item && state.days.from <= on);
    let window_days = begun.max_by_key(|state| state.days.from).map_or(item.window_days, |state| state.window_days);
    let held = |certificate: &&CertifiedPeriod| certificate.from <= performed_on && performed_on <= certificate.to;
    // The contract numbers the scopes from the widest to the narrowest.
    let widest = |certificate: &&CertifiedPeriod| certificate.scope as i32;
    let reaching = certified.iter().filter(held).filter(|held| reaches(held.scope, held.county, receiving));
    if let Some(certificate) = reaching.min_by_key(widest) {
        return if downward {
            Standing::LowerGrade(*certificate)
        } else if window_passed(window_days, performed_on, on) {
            Standing::WindowPassed(*certificate)
        } else {
            Standing::Recognisable(*certificate)
        };
    }
    certified
        .iter()
        .filter(held)
        .min_by_key(widest)
        .map_or(Standing::NoCertificate, |certificate| Standing::OutOfScope(*certificate))
}

/// Reports whether a certificate held in a county vouches for results in another: nation and region everywhere in the
/// region, prefecture and county within their own.
pub fn reaches(scope: pb::RecognitionScope, certified: CountyCode, receiving: CountyCode) -> bool {
    match scope {
        pb::RecognitionScope::Nation | pb::RecognitionScope::Region => true,
        pb::RecognitionScope::Prefecture => certified.prefecture() == receiving.prefecture(),
        pb::RecognitionScope::County => certified == receiving,
        pb::RecognitionScope::Unspecified => false,
    }
}

/// Returns the mark that a report may carry (互认标识): `全国HR`, `藏HR`, `拉萨HR`, `当雄县HR`.
pub fn mark(scope: pb::RecognitionScope, county: CountyCode) -> String {
    let divisions = Divisions::get();
    match scope {
        pb::RecognitionScope::Nation => "全国HR".to_owned(),
        pb::RecognitionScope::Region => "藏HR".to_owned(),
        pb::RecognitionScope::Prefecture => {
            let name = divisions.name_zh(county.prefecture());
            let short = name.strip_suffix("地区").or_else(|| name.strip_suffix('市')).unwrap_or(name);
            format!("{short}HR")
        }
        pb::RecognitionScope::County => format!("{}HR", divisions.name_zh(county)),
        pb::RecognitionScope::Unspecified => String::new(),
    }
}

/// Reports whether a result is older than the item's window; the doctor may still use it. What has no window, as the
/// blood group before a transfusion, is never reused by itself, not on the same day either.
pub fn window_passed(window_days: i64, performed_on: i64, on: i64) -> bool {
    window_days <= 0 || on - performed_on > window_days
}

/// Returns the day on which a failed round takes a certificate's mark away: the first day of the earliest failed round
/// that began later and within the certificate's time. A round passed afterwards is a certificate of its own.
pub fn failed_on(valid_from: i64, valid_to: i64, failed: impl IntoIterator<Item = i64>) -> Option<i64> {
    failed.into_iter().filter(|day| valid_from < *day && *day <= valid_to).min()
}

/// Returns the day from which a failed round takes marks away: the first one of its own on which its record says so;
/// none where there is no such day.
pub fn fails_on(valid_from: i64, valid_to: i64, said: Period) -> Option<i64> {
    said.intersection(Period { from: valid_from, until: valid_to + 1 }).map(|days| days.from)
}

/// Checks what a decision must say. The receiving doctor decides: no rule here asks whether the result was
/// recognisable, only whether what was decided is explained (国卫医发〔2022〕6号: the reason is noted in the record).
pub fn check_decision(
    decision: pb::RecognitionDecision,
    reason: pb::ReexaminationReason,
    explanation: &str,
    violations: &mut Violations,
) {
    let given = reason != pb::ReexaminationReason::Unspecified;
    match decision {
        pb::RecognitionDecision::NotRecognised => violations.require(
            given,
            "reason",
            "REASON_REQUIRED",
            "is required when the result was not recognised",
            "未互认须填写复检原因",
        ),
        pb::RecognitionDecision::Recognised => violations.require(
            !given,
            "reason",
            "REASON_OF_REPETITION",
            "belongs to a repetition; the result was recognised",
            "已互认的结果不填复检原因",
        ),
        pb::RecognitionDecision::Unspecified => {}
    }
    violations.require(
        reason != pb::ReexaminationReason::OtherNecessary || !explanation.trim().is_empty(),
        "explanation",
        "EXPLANATION_REQUIRED",
        "is required for another necessity",
        "其他确需须填写说明",
    );
    let mut digits = explanation.split(|character: char| !character.is_ascii_digit());
    violations.require(
        digits.all(|run| run.len() < DIGITS_OF_A_PERSON),
        "explanation",
        "PERSONAL_DATA",
        "must not hold the number of a person",
        "说明中不得出现个人号码",
    );
}

/// A state in force of a certificate, for the count of items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCertificate {
    /// Id of the certificate.
    pub id: String,
    /// Days of the state.
    pub days: Period,
    /// Id of the institution.
    pub institution: String,
    /// Code of the item.
    pub item_code: String,
    /// Whether the round was passed.
    pub passed: bool,
    /// First day.
    pub from: i64,
    /// Last day.
    pub to: i64,
}

/// Days on which an institution is in operation, for the count of items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatingInstitution {
    /// Its id.
    pub id: String,
    /// Its county.
    pub county: CountyCode,
    /// First day in operation.
    pub from: i64,
    /// Last day in operation, when known.
    pub to: Option<i64>,
}

/// Lists the items really recognisable in an area on a day: at least `minimum` institutions of the area, in operation,
/// where the item is in the list and has a window, hold a valid passed certificate that no later round took away. Rows
/// of the list alone never count.
pub fn recognisable_items(
    listed: &[(String, ListedState)],
    certificates: &[HeldCertificate],
    institutions: &[OperatingInstitution],
    area: AreaCode,
    on: i64,
    minimum: usize,
) -> BTreeSet<String> {
    let active = |code: &str, county: CountyCode| {
        listed.iter().any(|(listed, state)| listed == code && state.window_days > 0 && state.stands(county, on))
    };
    let taken_away = |held: &HeldCertificate| {
        let failed = certificates
            .iter()
            .filter(|other| (&other.institution, &other.item_code) == (&held.institution, &held.item_code))
            .filter(|other| !other.passed && other.id != held.id)
            .filter_map(|other| fails_on(other.from, other.to, other.days));
        failed_on(held.from, held.to, failed).is_some_and(|day| day <= on)
    };
    let open: BTreeMap<&str, CountyCode> = institutions
        .iter()
        .filter(|institution| area.contains(institution.county))
        .filter(|institution| institution.from <= on && institution.to.is_none_or(|last| on <= last))
        .map(|institution| (institution.id.as_str(), institution.county))
        .collect();
    let mut holders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let valid = |held: &&HeldCertificate| held.passed && held.days.contains(on) && held.from <= on && on <= held.to;
    for held in certificates.iter().filter(valid) {
        let county = open.get(held.institution.as_str());
        if county.is_some_and(|county| active(&held.item_code, *county)) && !taken_away(held) {
            holders.entry(&held.item_code).or_default().insert(&held.institution);
        }
    }
    let enough = holders.into_iter().filter(|(_, holders)| holders.len() >= minimum);
    enough.map(|(code, _)| code.to_owned()).collect()
}

/// Checks the days of an item in the list and its code.
pub(super) fn check_item(item: &RecognitionItemRecord, violations: &mut Violations) {
    violations.require(
        item.active_to.is_none_or(|last| last >= item.active_from),
        "active_to",
        "BEFORE_START",
        "lies before the first day in the list",
        "失效日期早于生效日期",
    );
    if !item.loinc.is_empty()
        && let Err(error) = LoincCode::parse(&item.loinc)
    {
        violations.add("loinc", error.reason(), error.to_string(), error.message_zh());
    }
}

/// Checks the days of a certificate, and that it stays that of its institution and item.
pub(super) fn check_certificate(
    certificate: &QualityCertificateRecord,
    previous: Option<&QualityCertificateRecord>,
    violations: &mut Violations,
) {
    let fixed = |was: &QualityCertificateRecord| {
        was.institution == certificate.institution && was.item_code == certificate.item_code
    };
    violations.require(
        previous.is_none_or(fixed),
        "item_code",
        "INSTITUTION_AND_ITEM_FIXED",
        "cannot become of another institution or item; withdraw the certificate and record another one",
        "机构和项目不可更改，请撤回后重新登记",
    );
    violations.require(
        !violations.is_empty() || certificate.valid_to >= certificate.valid_from,
        "valid_to",
        "BEFORE_START",
        "lies before the first day",
        "有效期止早于有效期起",
    );
}

/// Checks that a decision is on a result of another institution, and was made when the result was there.
pub(super) fn check_parties_and_days(decision: &ResultDecisionRecord, violations: &mut Violations) {
    violations.require(
        decision.performing_institution != decision.receiving_institution,
        "receiving_institution",
        "OWN_RESULT",
        "decides on a result of its own; only results of other institutions are recognised",
        "互认针对其他机构的结果",
    );
    violations.require(
        decision.decided_on >= decision.performed_on,
        "decided_on",
        "BEFORE_TEST",
        "lies before the day of the test",
        "决定日期早于检查日期",
    );
}

#[cfg(test)]
#[path = "rules/tests.rs"]
mod tests;
