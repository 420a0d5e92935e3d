//! The columns of imported files: of each register the labelled fields that a caller fills in, those of a list's members
//! as columns of their own.

use std::fmt::Write as _;

use minsheng_proto::{Register, descriptors, is_set, label_zh, message_option_string};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};

/// Returns the file of all registers' columns.
pub(crate) fn written(registers: &[Register]) -> String {
    let mut text = concat!(
        "// Written by `just gen` from the contracts: change them instead.\n\n",
        "//! The columns of each register's files, as its contract declares them.\n\n",
        "/// A column that a person fills in.\n",
        "pub(super) struct Declared {\n",
        "    /// The list whose members have the field; empty for a field of the record itself.\n",
        "    pub(super) list: &'static str,\n",
        "    /// The field.\n",
        "    pub(super) field: &'static str,\n",
        "    /// Header in Chinese.\n",
        "    pub(super) zh: &'static str,\n",
        "    /// True when a value must stand there.\n",
        "    pub(super) required: bool,\n",
        "}\n\n",
        "/// The columns by collection.\n",
        "pub(super) const COLUMNS: &[(&str, &[Declared])] = &[\n",
    )
    .to_owned();
    for register in registers {
        let _ = writeln!(text, "(\"{}\", &[", register.collection);
        for field in register.resource.fields().filter(|field| !is_set(field, "output_only")) {
            let Some(zh) = label_zh(&field) else { continue };
            match field.kind() {
                Kind::Message(member) if field.is_list() => {
                    let title = message_option_string(&member, "title_zh").unwrap_or(zh);
                    for inner in member.fields() {
                        let Some(label) = label_zh(&inner) else { continue };
                        column(&mut text, field.name(), &inner, &format!("{title}·{label}"));
                    }
                }
                _ => column(&mut text, "", &field, &zh),
            }
        }
        text.push_str("]),\n");
    }
    text.push_str("];\n");
    text
}

fn column(text: &mut String, list: &str, field: &FieldDescriptor, zh: &str) {
    let required = must_be_filled_in(field);
    let _ = writeln!(
        text,
        "Declared {{ list: \"{list}\", field: \"{}\", zh: \"{zh}\", required: {required} }},",
        field.name()
    );
}

/// Reports whether the contract's rules refuse a record without the field.
fn must_be_filled_in(field: &FieldDescriptor) -> bool {
    let Some(extension) = descriptors().get_extension_by_name("buf.validate.field") else { return false };
    let options = field.options();
    if !options.has_extension(&extension) {
        return false;
    }
    let value = options.get_extension(&extension);
    let Some(rules) = value.as_message() else { return false };
    if set(rules, "required").is_some_and(|value| value.as_bool() == Some(true)) {
        return true;
    }
    match field.kind() {
        Kind::String => set(rules, "string").as_deref().and_then(Value::as_message).is_some_and(|rules| {
            let least = set(rules, "min_len").and_then(|value| value.as_u64());
            // A pattern that an empty text does not match asks for one.
            let pattern = set(rules, "pattern").and_then(|value| value.as_str().map(str::to_owned));
            least.is_some_and(|least| least > 0)
                || pattern.is_some_and(|pattern| !pattern.ends_with(")?$") && !pattern.ends_with("*$"))
        }),
        Kind::Enum(_) => {
            let rules = set(rules, "enum");
            rules.as_deref().and_then(Value::as_message).is_some_and(|rules| rules.has_field_by_name("not_in"))
        }
        _ => false,
    }
}

/// Returns a field of a rule when it is set.
fn set<'a>(rules: &'a DynamicMessage, name: &str) -> Option<std::borrow::Cow<'a, Value>> {
    rules.has_field_by_name(name).then(|| rules.get_field_by_name(name)).flatten()
}
