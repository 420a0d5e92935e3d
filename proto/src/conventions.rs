//! Reads what the contracts say about themselves: labels, datasets, titles.

use prost_reflect::{EnumValueDescriptor, FieldDescriptor, MessageDescriptor, Value};

use crate::{descriptors, registers::snake_case};

/// A dataset that a contract declares.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Its name, as `health.institutions`.
    pub name: String,
    /// The message that is its row.
    pub row: MessageDescriptor,
}

/// Lists the datasets of the contracts, by name.
///
/// `returns`, `milestones` and `parameters` stand here once, without a service: every service keeps its own under its
/// own name.
pub fn datasets() -> Vec<Dataset> {
    let mut found: Vec<Dataset> = descriptors()
        .all_messages()
        .filter_map(|row| message_option_string(&row, "dataset").map(|name| Dataset { name, row }))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Returns an option of a message that is a string, by its name in `minsheng.common.v1`.
pub fn message_option_string(message: &MessageDescriptor, option: &str) -> Option<String> {
    let extension = descriptors().get_extension_by_name(&format!("minsheng.common.v1.{option}"))?;
    match message.options().get_extension(&extension).into_owned() {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Returns an option of a field that is a string, by its name in `minsheng.common.v1`.
pub(crate) fn field_option_string(field: &FieldDescriptor, option: &str) -> Option<String> {
    let extension = descriptors().get_extension_by_name(&format!("minsheng.common.v1.{option}"))?;
    match field.options().get_extension(&extension).into_owned() {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Reports whether an option of `minsheng.common.v1` that is true or false is set on a field.
pub fn is_set(field: &FieldDescriptor, option: &str) -> bool {
    descriptors()
        .get_extension_by_name(&format!("minsheng.common.v1.{option}"))
        .is_some_and(|extension| matches!(field.options().get_extension(&extension).into_owned(), Value::Bool(true)))
}

/// Returns the number that an option of `minsheng.common.v1` gives a field; nothing where it is not set.
pub fn number_of(field: &FieldDescriptor, option: &str) -> Option<u32> {
    let extension = descriptors().get_extension_by_name(&format!("minsheng.common.v1.{option}"))?;
    match field.options().get_extension(&extension).into_owned() {
        Value::I32(number) => u32::try_from(number).ok().filter(|number| *number > 0),
        _ => None,
    }
}

/// Returns the Chinese label of a field.
pub fn label_zh(field: &FieldDescriptor) -> Option<String> {
    field_option_string(field, "label_zh")
}

/// Returns the Chinese label of a value of an enumeration.
pub fn value_label_zh(value: &EnumValueDescriptor) -> Option<String> {
    let extension = descriptors().get_extension_by_name("minsheng.common.v1.value_label_zh")?;
    match value.options().get_extension(&extension).into_owned() {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Reports whether a field holds personal data.
pub fn is_personal(field: &FieldDescriptor) -> bool {
    is_set(field, "personal")
}

/// Lists the fields of a message that carry a Chinese label, in the order of their numbers: those that a person fills
/// in.
pub fn fields_with_labels(message: &MessageDescriptor) -> Vec<(FieldDescriptor, String)> {
    message.fields().filter_map(|field| label_zh(&field).map(|label| (field, label))).collect()
}

/// Returns the name of an enumeration's value without the prefix that the style guide asks for; nothing for
/// `UNSPECIFIED`.
pub fn short_value_name(value: &EnumValueDescriptor) -> Option<String> {
    if value.number() == 0 {
        return None;
    }
    let prefix = snake_case(value.parent_enum().name()).to_uppercase();
    Some(value.name().strip_prefix(&format!("{prefix}_")).unwrap_or(value.name()).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dataset_row_is_flat_and_every_dataset_has_one_name() {
        let all = datasets();
        for pair in all.windows(2) {
            assert_ne!(pair[0].name, pair[1].name);
        }
        for dataset in all {
            for field in dataset.row.fields() {
                assert!(!field.is_list(), "{} of {} repeats", field.name(), dataset.name);
                if let prost_reflect::Kind::Message(inner) = field.kind() {
                    assert_eq!(inner.full_name(), "minsheng.common.v1.Date", "{}", field.full_name());
                }
                assert!(!is_personal(&field), "{} is personal and in a dataset", field.full_name());
            }
        }
    }

    #[test]
    fn an_enumeration_value_loses_its_prefix() {
        let kinds = descriptors().get_enum_by_name("minsheng.community.v1.ServicePointKind").expect("in the contract");
        let names: Vec<_> = kinds.values().filter_map(|value| short_value_name(&value)).collect();
        assert_eq!(names[0], "ELDER_MEAL_POINT");
        assert_eq!(value_label_zh(&kinds.get_value(1).expect("in the contract")).as_deref(), Some("老年助餐点"));
    }
}
