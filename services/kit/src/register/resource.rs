//! A resource message as the kit sees it: name, area, meta, and a mask that says which fields an update changes.

use std::collections::HashSet;

use minsheng_proto::{Validate, common::v1 as pb, descriptors};
use prost_reflect::{DynamicMessage, prost::Message as _};

use crate::error::{Error, Violations};

/// Fields below this number are the envelope: name, area, meta.
const FIRST_OWN_FIELD: u32 = 10;

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
pub(super) fn merged<M: prost::Message + prost::Name + Default>(
    old: &M,
    new: &M,
    mask: Option<&prost_types::FieldMask>,
) -> Result<M, Error> {
    let descriptor =
        descriptors().get_message_by_name(&M::full_name()).ok_or_else(|| Error::internal("unknown message"))?;
    let decode = |message: &M| {
        DynamicMessage::decode(descriptor.clone(), message.encode_to_vec().as_slice()).map_err(Error::internal)
    };
    let (mut merged, new) = (decode(old)?, decode(new)?);
    let paths: HashSet<&str> = mask.iter().flat_map(|mask| mask.paths.iter().map(String::as_str)).collect();
    let mut violations = Violations::new();
    for path in &paths {
        let own = descriptor.get_field_by_name(path).is_some_and(|field| field.number() >= FIRST_OWN_FIELD);
        if !own && *path != "*" && *path != "area" {
            violations.add(
                "update_mask",
                "UNKNOWN_PATH",
                format!("{path} is not a field that can be updated"),
                format!("{path} 不是可更新的字段"),
            );
        }
    }
    violations.into_result(())?;
    for field in descriptor.fields().filter(|field| field.number() >= FIRST_OWN_FIELD) {
        if selects(mask, field.name()) {
            if new.has_field(&field) {
                merged.set_field(&field, new.get_field(&field).into_owned());
            } else {
                merged.clear_field(&field);
            }
        }
    }
    M::decode(merged.encode_to_vec().as_slice()).map_err(Error::internal)
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
