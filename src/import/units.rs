//! A return's unit as people write it: the catalogue has a word for it in each language, the contract takes the English.

use minsheng_catalogue::PRIMARY_MEASURE;
use prost_reflect::{DynamicMessage, Value};

use crate::{catalogue, registers::Register};

/// Puts the catalogue's English word in the place of its Chinese one; anything else stays for the service to judge.
pub(super) fn in_the_catalogue_s_words(register: &Register, message: &mut DynamicMessage) {
    if register.collection != "returns" {
        return;
    }
    let Ok(catalogue) = catalogue::get() else { return };
    let text = |field: &str| {
        message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let (unit, measure) = (text("unit"), text("measure"));
    let measure = if measure.is_empty() { PRIMARY_MEASURE } else { &measure };
    let known = catalogue
        .entry(&text("commitment"))
        .and_then(|entry| entry.measures.iter().find(|known| known.name == *measure))
        .filter(|known| known.unit.zh == unit);
    if let Some(known) = known {
        message.set_field_by_name("unit", Value::String(known.unit.en.clone()));
    }
}
