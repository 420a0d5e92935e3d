//! A resource message as the kit sees it: name, area, meta, and a mask that says which fields an update changes.

use std::collections::BTreeSet;

use minsheng_proto::{Validate, common::v1 as pb};

use super::Declared;
use crate::error::Violations;

/// The way to the envelope of a register's resource: `name` = 1, `area` = 2, `meta` = 3.
///
/// Implemented for the register by [`register_api!`](crate::register_api).
pub trait Envelope {
    /// Collection of the register in resource names, as `enrolments`.
    const COLLECTION: &'static str;
    /// Field of the resource in the requests of its contract, as `school`: what is wrong with a resource is reported
    /// under it, but for the items of uploads and batches, which are reported as they stand.
    const FIELD: &'static str;
    /// The contract's resource message.
    type Resource: prost::Message + prost::Name + Default + Clone + PartialEq + Validate;

    /// Returns the name, `collection/id`.
    fn name(resource: &Self::Resource) -> &str;
    /// Returns the division.
    fn area(resource: &Self::Resource) -> &str;
    /// Puts name, area and meta on.
    fn set_envelope(resource: &mut Self::Resource, name: String, area: String, meta: pb::RecordMeta);
}

/// Reports whether an update with this mask means a field: an absent mask means every field.
pub(super) fn selects(mask: Option<&prost_types::FieldMask>, field: &str) -> bool {
    mask.is_none_or(|mask| mask.paths.is_empty() || mask.paths.iter().any(|path| path == field || path == "*"))
}

/// Takes the fields that the mask names from `new` and the others from `old`.
///
/// An absent mask takes every field. The envelope is never taken; the area may be named, for whoever asks it to stay.
pub(super) fn merged<D: Declared<Resource: Clone>>(
    old: &D::Resource,
    new: &D::Resource,
    mask: Option<&prost_types::FieldMask>,
) -> Result<D::Resource, Violations> {
    let mut violations = Violations::new();
    let paths: BTreeSet<&str> = mask.iter().flat_map(|mask| mask.paths.iter().map(String::as_str)).collect();
    for path in paths.into_iter().filter(|path| !D::FIELDS.contains(path) && !matches!(*path, "*" | "area")) {
        violations.add(
            "update_mask",
            "UNKNOWN_PATH",
            format!("{path} is not a field that can be updated"),
            format!("{path} 不是可更新的字段"),
        );
    }
    let mut merged = old.clone();
    for field in D::FIELDS.iter().filter(|field| selects(mask, field)) {
        D::take_field(field, new, &mut merged);
    }
    violations.into_result(merged)
}

/// Checks that an enumeration's field is set to a value of the contract; notes a violation otherwise.
pub fn enum_field<T: TryFrom<i32> + Default>(field: &str, number: i32, violations: &mut Violations) -> T {
    match T::try_from(number) {
        Ok(value) if number != 0 => value,
        _ => {
            violations.add(field, "NOT_IN_CODE_LIST", "is not a value of the code list", "取值不在代码表内");
            T::default()
        }
    }
}

/// Returns a stored enumeration's number as the contract's; 0 for one that no enumeration has.
pub fn enum_number(stored: i64) -> i32 {
    i32::try_from(stored).unwrap_or_default()
}
