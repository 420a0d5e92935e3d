//! Values that no field takes, found by what the contract says of the field.

use minsheng_proto::{Reference, Register, descriptors, is_personal, is_set};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value};

use super::{TODAY, day};
use crate::wire::date_value;

/// A record of which one field is wrong.
pub(super) struct Bad {
    /// Path of the field, as `members[0].relation`.
    pub(super) path: String,
    pub(super) what: &'static str,
    /// The rule that it breaks.
    pub(super) reason: &'static str,
    pub(super) record: DynamicMessage,
}

const DATE: &str = "minsheng.common.v1.Date";
const MONTH: &str = "minsheng.common.v1.YearMonth";
/// A number that no enumeration of the contracts has.
const NO_VALUE: i32 = 9_999;
/// Characters of a text that no field takes.
const TOO_LONG: usize = 5_000;
/// A county in which no record of the case lies.
const OTHER_COUNTY: &str = "540102";
/// The reason of whatever breaks a rule of the contract.
const CONTRACT: &str = "CONTRACT_RULE";

/// Returns records that are each wrong in one field, from a good one.
pub(super) fn bad_records(record: &DynamicMessage, register: &Register, in_county: bool) -> Vec<Bad> {
    let mut bad = of_message(record);
    let mut put = |field: &str, what: &'static str, reason: &'static str, value: &str| {
        let mut record = record.clone();
        record.set_field_by_name(field, Value::String(value.to_owned()));
        bad.push(Bad { path: field.to_owned(), what, reason, record });
    };
    let named = |id: &str| format!("{}/{id}", register.collection);
    put("name", "a name of another collection", CONTRACT, "nowhere/x");
    put("name", "a name with a space", CONTRACT, &named("a b"));
    put("name", "an id that is too long", CONTRACT, &named(&"x".repeat(129)));
    put("area", "an area that is malformed", CONTRACT, "5401");
    put("area", "an area that does not exist", "DIVISION_CODE_UNKNOWN", "549999");
    if in_county {
        put("area", "a prefecture where a county is required", "WRONG_LEVEL", "540100");
    }
    for Reference { field, collection, .. } in &register.references {
        put(field, "a malformed reference", "NOT_A_REFERENCE", "a b");
        put(field, "a reference to another collection", "NOT_A_REFERENCE", "nowhere/x");
        put(field, "a reference that names nothing", "NO_SUCH_RECORD", &format!("{collection}/nothing-there"));
        if register.resource.get_field_by_name(field).is_some_and(|field| is_set(&field, "same_county")) {
            put("area", "another county than that of what is named", "OTHER_COUNTY", OTHER_COUNTY);
        }
    }
    bad
}

fn of_message(message: &DynamicMessage) -> Vec<Bad> {
    let mut found = Vec::new();
    for field in message.descriptor().fields().filter(|field| !is_set(field, "output_only")) {
        let mut put = |what: &'static str, reason: &'static str, value: Option<Value>| {
            let mut record = message.clone();
            match value {
                Some(value) => record.set_field(&field, value),
                None => record.clear_field(&field),
            }
            found.push(Bad { path: field.name().to_owned(), what, reason, record });
        };
        if is_required(&field) {
            put("nothing where something is required", CONTRACT, None);
        }
        if field.is_list() {
            found.extend(of_first_item(message, &field));
            continue;
        }
        for (what, reason, value) in bad_values(&field, &message.get_field(&field)) {
            put(what, reason, Some(value));
        }
    }
    found
}

/// Returns the messages whose first item of a list is wrong in one field.
fn of_first_item(message: &DynamicMessage, field: &FieldDescriptor) -> Vec<Bad> {
    let items = message.get_field(field).into_owned();
    let first = items.as_list().and_then(|items| items.first()?.as_message().cloned());
    let bad = first.iter().flat_map(of_message).map(|bad| {
        let mut record = message.clone();
        if let Some(item) = record.get_field_mut(field).as_list_mut().and_then(|items| items.first_mut()) {
            *item = Value::Message(bad.record);
        }
        Bad { path: format!("{}[0].{}", field.name(), bad.path), record, ..bad }
    });
    bad.collect()
}

/// A value, what it is, and the rule that it breaks.
type BadValue = (&'static str, &'static str, Value);

fn bad_values(field: &FieldDescriptor, good: &Value) -> Vec<BadValue> {
    match field.kind() {
        Kind::Enum(_) => vec![("a number that is no value", CONTRACT, Value::EnumNumber(NO_VALUE))],
        Kind::Message(message) if message.full_name() == DATE => {
            let tomorrow = || ("tomorrow", "IN_FUTURE", date_value(day(TODAY + 1)));
            let month = part(&message, &[("year", 2025), ("month", 13), ("day", 1)]);
            let mut bad = vec![
                ("30 February", "NO_SUCH_DAY", no_day()),
                ("a thirteenth month", CONTRACT, month),
                ("a day without a year", CONTRACT, part(&message, &[("month", 1), ("day", 1)])),
            ];
            bad.extend(is_set(field, "not_after_today").then(tomorrow));
            bad
        }
        Kind::Message(message) if message.full_name() == MONTH => {
            vec![("a thirteenth month", CONTRACT, part(&message, &[("year", 2025), ("month", 13)]))]
        }
        Kind::String => bad_texts(field, good.as_str().unwrap_or_default()),
        _ => bad_numbers(field),
    }
}

fn bad_texts(field: &FieldDescriptor, good: &str) -> Vec<BadValue> {
    let text = |text: String| Value::String(text);
    let mut bad = vec![
        ("a text that is too long", CONTRACT, text("9".repeat(TOO_LONG))),
        ("U+0000", "NUL_CHARACTER", text(format!("{good}\0"))),
    ];
    if is_personal(field) && good.len() == 18 {
        let (number, check) = good.split_at(17);
        let other = if check == "0" { '1' } else { '0' };
        bad.push(("a wrong check digit", "IDENTIFIER_CHECK_CHARACTER", text(format!("{number}{other}"))));
    }
    bad
}

fn bad_numbers(field: &FieldDescriptor) -> Vec<BadValue> {
    let beside = |rule: &str, step: i64| {
        let number = bound(field, rule)?.checked_add(step)?;
        match field.kind() {
            Kind::Int32 => Some(Value::I32(i32::try_from(number).ok()?)),
            Kind::Int64 => Some(Value::I64(number)),
            _ => Some(Value::F64(f64::from(i32::try_from(number).ok()?))),
        }
    };
    let mut bad = Vec::new();
    bad.extend(beside("gte", -1).map(|value| ("a number that is too small", CONTRACT, value)));
    bad.extend(beside("lte", 1).map(|value| ("a number that is too large", CONTRACT, value)));
    if matches!(field.kind(), Kind::Double) {
        bad.push(("no number", CONTRACT, Value::F64(f64::NAN)));
    }
    bad
}

/// Returns 30 February as the value of a field.
pub(super) fn no_day() -> Value {
    let date = descriptors().get_message_by_name(DATE).expect("in the contract");
    part(&date, &[("year", 2025), ("month", 2), ("day", 30)])
}

fn part(message: &prost_reflect::MessageDescriptor, parts: &[(&str, i32)]) -> Value {
    let mut value = DynamicMessage::new(message.clone());
    for (field, number) in parts {
        value.set_field_by_name(field, Value::I32(*number));
    }
    Value::Message(value)
}

/// Returns, for each field that the register decides, a value that differs from the record's.
pub(super) fn chosen_by_caller(record: &DynamicMessage) -> Vec<(FieldDescriptor, Value)> {
    let decided = record.descriptor().fields().filter(|field| is_set(field, "output_only")).collect::<Vec<_>>();
    let chosen = decided.into_iter().filter_map(|field| {
        let value = match (record.get_field(&field).into_owned(), field.kind()) {
            (Value::Bool(there), _) => Value::Bool(!there),
            (Value::I32(there), _) => Value::I32(there + 987),
            (Value::I64(there), _) => Value::I64(there + 987),
            (Value::String(_), _) => Value::String("chosen by the caller".to_owned()),
            (Value::EnumNumber(there), Kind::Enum(kind)) => {
                let other = kind.values().map(|value| value.number()).find(|number| *number != 0 && *number != there);
                Value::EnumNumber(other?)
            }
            (Value::Message(_), Kind::Message(message)) if message.full_name() == DATE => {
                part(&message, &[("year", 2025), ("month", 1), ("day", 31)])
            }
            _ => return None,
        };
        Some((field, value))
    });
    chosen.collect()
}

/// Reads a rule of a field, as `max_len` of `string`.
fn rule(field: &FieldDescriptor, family: &str, name: &str) -> Option<Value> {
    let extension = descriptors().get_extension_by_name("buf.validate.field")?;
    let of = |message: &Value, name: &str| {
        let message = message.as_message()?;
        let value = message.get_field_by_name(name).filter(|_| message.has_field_by_name(name));
        value.map(std::borrow::Cow::into_owned)
    };
    let rules = field.options().get_extension(&extension).into_owned();
    let family = of(&rules, family)?;
    if name.is_empty() { Some(family) } else { of(&family, name) }
}

/// Reads a bound of a number.
fn bound(field: &FieldDescriptor, name: &str) -> Option<i64> {
    let family = match field.kind() {
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Double => "double",
        _ => return None,
    };
    match rule(field, family, name)? {
        Value::I32(bound) => Some(bound.into()),
        Value::I64(bound) => Some(bound),
        #[expect(clippy::cast_possible_truncation, reason = "the bounds of the contracts are whole")]
        Value::F64(bound) => Some(bound as i64),
        _ => None,
    }
}

/// Reports whether the contract refuses the field where it is absent.
fn is_required(field: &FieldDescriptor) -> bool {
    let set = |family, name| rule(field, family, name);
    let pattern = set("string", "pattern").and_then(|pattern| pattern.as_str().map(str::to_owned));
    let not_zero = set("enum", "not_in").is_some_and(|values| values.as_list().is_some_and(|list| !list.is_empty()));
    set("required", "").is_some_and(|required| required.as_bool() == Some(true))
        || not_zero
        || set("string", "min_len").is_some()
        || set("repeated", "min_items").is_some()
        || pattern.is_some_and(|pattern| !pattern.ends_with(")?$") && !pattern.ends_with("*$"))
        || bound(field, "gte").is_some_and(|least| least > 0)
}
