//! What `just gen` writes of a register, and the small ways that it uses.

use chrono::Datelike as _;
use minsheng_proto::common::v1 as pb;
use uuid::Uuid;

use super::{Head, RuleContext, Table, month_start};
pub use super::{
    dates::{date, day, optional_day, required_day},
    natural_key::natural_key,
    resource::{enum_field, enum_number},
};
use crate::{
    error::{Error, Violations},
    values::{
        calendar::{day_of_epoch, epoch_day},
        identifiers::ResidentId,
    },
};

/// Longest id of a record.
const LONGEST_ID: usize = 128;

/// The ways between a register's resource, the record of its state and the dataset's row, as they follow from its contract.
pub trait Declared: Table {
    /// The contract's resource message.
    type Resource;
    /// The dataset's row message.
    type Row;

    /// The resource's own fields, without its envelope.
    const FIELDS: &'static [&'static str];

    /// Takes a field from one resource into another, absent or not; returns false where there is no own field of the name.
    fn take_field(field: &str, from: &Self::Resource, to: &mut Self::Resource) -> bool;

    /// Makes the state that a head names out of what a caller says. What the register decides is left empty.
    fn read(resource: &Self::Resource, head: Head, context: RuleContext<'_>, violations: &mut Violations) -> Self;

    /// Makes the resource, without its envelope. Persons are masked unless `reveal` is set.
    fn resource(&self, context: RuleContext<'_>, reveal: bool) -> Result<Self::Resource, Error>;

    /// Makes the dataset's row of the columns that it has under the same names.
    fn row(&self) -> Self::Row;

    /// Returns the records of other registers that the state names.
    fn references(&self) -> Vec<Named<'_>>;

    /// Returns the id that the content itself gives a record, where the contract says that the server makes it of the
    /// natural key.
    fn natural_id(resource: &Self::Resource, context: RuleContext<'_>) -> Option<String>;

    /// Clears the fields of a resource that the register decides.
    fn clear_decided(resource: &mut Self::Resource);

    /// Takes from a resource what the register decided.
    fn restore_decided(&mut self, resource: &Self::Resource);
}

/// A record of another register that a state names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// The field that names it.
    pub field: &'static str,
    /// Collection of its register.
    pub collection: &'static str,
    /// Whether it lies in the state's own county.
    pub same_county: bool,
    /// Its id.
    pub id: &'a str,
}

/// A person as a record keeps one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Identity number, sealed.
    pub sealed: Vec<u8>,
    /// Keyed blind index.
    pub index: Vec<u8>,
    /// Pseudonym in the datasets.
    pub pseudonym: String,
}

/// Reads an identity number; nothing is kept of one that is none, and the violation is noted.
pub fn person(seal: &str, field: &str, number: &str, context: RuleContext<'_>, violations: &mut Violations) -> Person {
    match ResidentId::parse(number, context.today) {
        Ok(resident) => Person {
            sealed: context.keys.seal(seal, resident.expose().as_bytes()),
            index: context.keys.blind(&resident),
            pseudonym: context.keys.pseudonym(&resident),
        },
        Err(error) => {
            violations.add(field, error.reason(), error.to_string(), error.message_zh());
            Person::default()
        }
    }
}

/// Returns a kept identity number, masked unless `reveal` is set.
pub fn shown_person(seal: &str, sealed: &[u8], context: RuleContext<'_>, reveal: bool) -> Result<String, Error> {
    let number = context.keys.open_resident(seal, sealed)?;
    if reveal {
        return Ok(number.to_string());
    }
    Ok(ResidentId::parse_stored(&number).map_err(Error::internal)?.to_string())
}

/// Reads a reference, `{collection}/{id}` or the id alone, as the id; notes a violation otherwise.
pub fn reference_id(field: &str, collection: &str, reference: &str, violations: &mut Violations) -> String {
    let id = id_within(collection, reference);
    let well_formed = !id.is_empty()
        && id.len() <= LONGEST_ID
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !well_formed {
        let (description, zh) = (format!("must be {collection}/{{id}}"), format!("须为 {collection}/{{id}}"));
        violations.add(field, "NOT_A_REFERENCE", description, zh);
    }
    id.to_owned()
}

/// Reads a reference, `{collection}/{id}` or the id alone, as `{collection}/{id}`; notes a violation otherwise.
pub fn whole_reference(field: &str, collection: &str, given: &str, violations: &mut Violations) -> String {
    reference(collection, &reference_id(field, collection, given, violations))
}

/// Writes a reference, `{collection}/{id}`.
pub fn reference(collection: &str, id: &str) -> String {
    format!("{collection}/{id}")
}

/// Returns a month as a part of a natural key.
pub fn month_part(month: &pb::YearMonth) -> String {
    format!("{:04}-{:02}", month.year, month.month)
}

/// Returns a day as a part of a natural key; nothing where it is none.
pub fn day_part(date: &pb::Date) -> Option<String> {
    Some(day(date)?.to_string())
}

/// Makes the id of a record that a person and other parts tell from others: a digest under the department's key, because
/// ids stand in names and case numbers.
pub fn key_of_person(number: &str, parts: &[&str], context: RuleContext<'_>) -> Option<String> {
    let resident = ResidentId::parse(number, context.today).ok()?;
    let key = [&context.keys.blind(&resident), format!("/{}", parts.join("/")).as_bytes()].concat();
    Some(Uuid::new_v5(&Uuid::NAMESPACE_OID, &key).simple().to_string())
}

/// Requires that a day is not after today; returns it.
pub fn not_after_today<D: Copy + Into<Option<i64>>>(
    field: &str,
    day: D,
    context: RuleContext<'_>,
    violations: &mut Violations,
) -> D {
    let after = day.into().is_some_and(|day| day > epoch_day(context.today));
    violations.require(!after, field, "IN_FUTURE", "lies in the future", "日期晚于今天");
    day
}

/// Reports whether every day that was read is one, so that rules may compare them.
pub fn days_read(violations: &Violations) -> bool {
    !violations.iter().any(|violation| matches!(violation.reason, "NO_SUCH_DAY" | "REQUIRED"))
}

/// Returns the id of a reference that is kept with its collection.
pub fn id_within<'a>(collection: &str, reference: &'a str) -> &'a str {
    reference.strip_prefix(collection).and_then(|rest| rest.strip_prefix('/')).unwrap_or(reference)
}

/// Reads a month that must be there, as its first day; notes a violation otherwise and returns 0.
pub fn required_month(field: &str, month: Option<&pb::YearMonth>, violations: &mut Violations) -> i64 {
    month.and_then(month_start).unwrap_or_else(|| {
        violations.add(field, "NO_SUCH_MONTH", "is not a month of the calendar", "月份不存在");
        0
    })
}

/// Makes the contract's month of its first day.
pub fn month(first: i64) -> Option<pb::YearMonth> {
    let first = day_of_epoch(first)?;
    Some(pb::YearMonth { year: first.year(), month: i32::try_from(first.month()).ok()? })
}

/// Returns a contract's date as a stored day.
pub fn stored_day(date: Option<&pb::Date>) -> Option<i64> {
    date.and_then(day).map(epoch_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_with_or_without_the_collection_and_survives_the_way_back() {
        let longest = "x".repeat(LONGEST_ID);
        for (given, id) in [("service_points/m1", "m1"), ("m1", "m1"), (longest.as_str(), longest.as_str())] {
            let mut violations = Violations::new();
            let read = reference_id("service_point", "service_points", given, &mut violations);
            assert_eq!(read, id);
            assert_eq!(reference_id("p", "service_points", &reference("service_points", &read), &mut violations), id);
            assert!(violations.is_empty());
        }
    }

    #[test]
    fn what_names_another_collection_is_refused() {
        let too_long = "x".repeat(LONGEST_ID + 1);
        for given in ["schools/m1", "service_points/", "service_points/a b", "service_points/a/b", &too_long] {
            let mut violations = Violations::new();
            reference_id("service_point", "service_points", given, &mut violations);
            assert_eq!(violations.iter().map(|v| v.reason).collect::<Vec<_>>(), ["NOT_A_REFERENCE"], "{given}");
        }
    }

    #[test]
    fn a_month_is_kept_as_its_first_day() {
        let mut violations = Violations::new();
        let kept = required_month("month", Some(&pb::YearMonth { year: 2025, month: 8 }), &mut violations);
        assert_eq!(date(kept), Some(pb::Date { year: 2025, month: 8, day: 1 }));
        assert_eq!(month(kept), Some(pb::YearMonth { year: 2025, month: 8 }));
        required_month("month", Some(&pb::YearMonth { year: 2025, month: 13 }), &mut violations);
        required_month("month", None, &mut violations);
        assert_eq!(violations.iter().map(|v| v.reason).collect::<Vec<_>>(), ["NO_SUCH_MONTH"; 2]);
    }
}
