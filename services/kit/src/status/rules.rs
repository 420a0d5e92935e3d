//! Says in both languages what of its contract's own rules a message breaks, with the value that is wrong.
//!
//! The contract's validation says that a value is wrong in words for whoever wrote the rule. Here the rule is read from
//! the descriptors again, only where it is broken, and said as the registers say theirs. A personal value is never
//! repeated: a refusal ends in a caller's log.

use minsheng_proto::{Validate, descriptors, is_personal};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value};

use crate::error::Violations;

/// Reason of whatever breaks a rule of the contract.
pub(crate) const CONTRACT_RULE: &str = "CONTRACT_RULE";

/// Characters of a value that are repeated at the most.
const QUOTED: usize = 60;
/// Digits in a row from which on a value may be somebody's number, whatever its field says: a telephone has eleven.
const SOMEBODYS_NUMBER: usize = 11;

/// Checks a message by the rules of its contract, all violations at once.
pub fn validate<M: Validate + prost::Name>(message: &M) -> Result<(), Violations> {
    check(message, |_| true)
}

/// As [`validate`], leaving out what lies inside a field.
pub fn validate_outside<M: Validate + prost::Name>(message: &M, part: &str) -> Result<(), Violations> {
    check(message, |field| field.strip_prefix(part).is_none_or(|rest| !rest.starts_with('.')))
}

fn check<M: Validate + prost::Name>(message: &M, counts: impl Fn(&str) -> bool) -> Result<(), Violations> {
    let mut found = Violations::new();
    let mut sent = None;
    // Only a message with a zero byte is walked: one with U+0000, a double, or a zero that is said.
    if message.encode_to_vec().contains(&0) {
        sent = Some(decoded(message));
        let texts = sent.iter().flatten().flat_map(|message| texts_with_nul(message, ""));
        for path in texts.filter(|path| counts(path)) {
            found.add(path, "NUL_CHARACTER", "holds the character U+0000", "含有 U+0000 字符");
        }
    }
    let Err(error) = message.validate() else { return found.into_result(()) };
    let mut required: Option<String> = None;
    for violation in error.violations() {
        let path = violation.field_path();
        if !counts(&path) || required.as_ref() == Some(&path) {
            continue;
        }
        let sent = sent.get_or_insert_with(|| decoded(message));
        let broken = sent.as_ref().and_then(|sent| Broken::find(sent, &path));
        let words = broken.and_then(|broken| broken.words(violation.rule_id()));
        let words = words.unwrap_or_else(|| {
            let text = violation.message();
            let text = if text.is_empty() { violation.rule_id() } else { text };
            (text.to_owned(), "不符合接口规范".to_owned())
        });
        if words.0 == REQUIRED.0 {
            // Whatever else an absent value breaks says nothing more.
            required = Some(path.clone());
        }
        found.add(path, CONTRACT_RULE, words.0, words.1);
    }
    found.into_result(())
}

/// Lists the paths of texts that hold U+0000: PostgreSQL keeps none, and SQLite would keep what nobody sees.
fn texts_with_nul(message: &DynamicMessage, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |path: String, value: &Value| match value {
        Value::String(text) if text.contains('\0') => found.push(path),
        Value::Message(message) => found.extend(texts_with_nul(message, &format!("{path}."))),
        _ => {}
    };
    for (field, value) in message.fields() {
        let path = format!("{prefix}{}", field.name());
        match value {
            Value::List(values) => {
                values.iter().enumerate().for_each(|(index, value)| note(format!("{path}[{index}]"), value));
            }
            value => note(path, value),
        }
    }
    found
}

fn decoded<M: prost::Name>(message: &M) -> Option<DynamicMessage> {
    let descriptor = descriptors().get_message_by_name(&M::full_name())?;
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).ok()
}

const REQUIRED: (&str, &str) = ("is required", "必填");

/// A field that breaks a rule.
struct Broken {
    field: FieldDescriptor,
    value: Value,
    personal: bool,
}

impl Broken {
    /// Follows a path, as `returns[3].month.year`.
    fn find(message: &DynamicMessage, path: &str) -> Option<Self> {
        let (segment, rest) = path.split_once('.').map_or((path, None), |(segment, rest)| (segment, Some(rest)));
        let (name, index) = match segment.split_once('[') {
            Some((name, index)) => (name, Some(index.strip_suffix(']')?.parse::<usize>().ok()?)),
            None => (segment, None),
        };
        let field = message.descriptor().get_field_by_name(name)?;
        let value = message.get_field(&field).into_owned();
        let value = match index {
            Some(index) => value.as_list()?.get(index)?.clone(),
            None => value,
        };
        let personal = is_personal(&field);
        match rest {
            Some(rest) => {
                let inner = Self::find(value.as_message()?, rest)?;
                Some(Self { personal: personal || inner.personal, ..inner })
            }
            None => Some(Self { field, value, personal }),
        }
    }

    /// Returns what the rule asks and what stands there instead, in English and in Chinese; `None` for a rule that no
    /// contract of ours has.
    fn words(&self, rule: &str) -> Option<(String, String)> {
        let (family, kind) = rule.split_once('.').unwrap_or((rule, ""));
        let empty = match &self.value {
            Value::String(text) => text.is_empty(),
            Value::EnumNumber(number) => *number == 0,
            Value::List(items) => items.is_empty(),
            _ => family == "required",
        };
        if empty {
            return Some((REQUIRED.0.to_owned(), REQUIRED.1.to_owned()));
        }
        let bound = |name: &str| bound(&self.field, family, name);
        let (english, chinese) = match (family, kind) {
            ("string", "uuid") => ("must be a UUID".to_owned(), "须为UUID".to_owned()),
            ("string", "pattern") => {
                let Value::String(pattern) = bound("pattern")? else { return None };
                wanted(&pattern).unwrap_or_else(|| (format!("must match {pattern}"), format!("须符合格式 {pattern}")))
            }
            ("string", "min_len" | "max_len") => {
                let (most, count) = (number(&bound(kind)?)?, self.value.as_str()?.chars().count());
                let (english, chinese) = if kind == "max_len" { ("at most", "最多") } else { ("at least", "至少") };
                return Some((
                    format!("must have {english} {most} characters, not {count}"),
                    format!("{chinese} {most} 个字符，现为 {count} 个"),
                ));
            }
            ("repeated", "min_items" | "max_items") => {
                let (most, count) = (number(&bound(kind)?)?, self.value.as_list()?.len());
                let (english, chinese) =
                    if kind == "max_items" { ("at most", "最多") } else { ("at least", "至少") };
                return Some((
                    format!("must have {english} {most} items, not {count}"),
                    format!("{chinese} {most} 条，现为 {count} 条"),
                ));
            }
            ("enum", _) => ("must be a value of the code list".to_owned(), "须为代码表内的值".to_owned()),
            (_, "finite") => ("must be a finite number".to_owned(), "须为有限数".to_owned()),
            (_, "gte_lte") => {
                let (least, most) = (number(&bound("gte")?)?, number(&bound("lte")?)?);
                (format!("must lie between {least} and {most}"), format!("须在 {least} 至 {most} 之间"))
            }
            (_, "gte") => {
                let least = number(&bound("gte")?)?;
                (format!("must not be below {least}"), format!("不得小于 {least}"))
            }
            (_, "lte") => {
                let most = number(&bound("lte")?)?;
                (format!("must not be above {most}"), format!("不得大于 {most}"))
            }
            _ => return None,
        };
        Some(match self.quoted() {
            Some(value) => (format!("{english}, not {value}"), format!("{chinese}，现为 {value}")),
            None => (english, chinese),
        })
    }

    /// Returns the value as it is repeated, unless it is personal or may be somebody's number.
    fn quoted(&self) -> Option<String> {
        if self.personal {
            return None;
        }
        match &self.value {
            Value::String(text) => {
                let longest = text.split(|character: char| !character.is_ascii_digit()).map(str::len).max();
                if longest.unwrap_or_default() >= SOMEBODYS_NUMBER {
                    return None;
                }
                let start: String = text.chars().take(QUOTED).collect();
                let more = if start.len() < text.len() { "…" } else { "" };
                Some(format!("{start:?}{more}"))
            }
            value => number(value),
        }
    }
}

/// Writes a number.
fn number(value: &Value) -> Option<String> {
    match value {
        Value::I32(number) | Value::EnumNumber(number) => Some(number.to_string()),
        Value::I64(number) => Some(number.to_string()),
        Value::U32(number) => Some(number.to_string()),
        Value::U64(number) => Some(number.to_string()),
        Value::F32(number) => Some(number.to_string()),
        Value::F64(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Reads from the contract what a rule of a field compares with, as `gte` of `int32`.
fn bound(field: &FieldDescriptor, family: &str, name: &str) -> Option<Value> {
    let extension = descriptors().get_extension_by_name("buf.validate.field")?;
    let mut rules = field.options().get_extension(&extension).into_owned();
    let of = |message: &Value, name: &str| {
        let message = message.as_message()?;
        let set = message.has_field_by_name(name);
        message.get_field_by_name(name).filter(|_| set).map(std::borrow::Cow::into_owned)
    };
    // What is said of each item of a list stands one step further in.
    if field.is_list() && !matches!(field.kind(), Kind::Message(_)) && family != "repeated" {
        rules = of(&of(&rules, "repeated")?, "items")?;
    }
    of(&of(&rules, family)?, name)
}

/// Returns what a pattern wants, as "6 digits"; `None` where it has more than classes, literals and numbers of them.
fn wanted(pattern: &str) -> Option<(String, String)> {
    let whole = pattern.strip_prefix('^')?.strip_suffix('$')?;
    let optional = whole.strip_prefix('(').and_then(|inner| inner.strip_suffix(")?"));
    let mut rest = optional.unwrap_or(whole);
    let (mut english, mut chinese) = (Vec::new(), Vec::new());
    let mut may_be_empty = optional.is_some();
    while !rest.is_empty() {
        if let Some(class) = rest.strip_prefix('[') {
            let (class, behind) = class.split_once(']')?;
            let (count, behind) = Count::read(behind)?;
            let (one, other) = characters(class)?;
            english.push(format!("{} {one}", count.english));
            chinese.push(format!("{}{other}", count.chinese));
            may_be_empty |= count.none;
            rest = behind;
        } else {
            let end = rest.find('[').unwrap_or(rest.len());
            let (literal, behind) = rest.split_at(end);
            if literal.contains(['\\', '(', ')', '|', '?', '*', '+', '.', '{']) {
                return None;
            }
            english.push(format!("`{literal}`"));
            chinese.push(format!("“{literal}”"));
            rest = behind;
        }
    }
    let (mut english, mut chinese) =
        (format!("must be {}", english.join(", then ")), format!("须为{}", chinese.join("加")));
    if may_be_empty {
        english.push_str(", or empty");
        chinese.push_str("，或为空");
    }
    Some((english, chinese))
}

/// How many characters of a class a pattern wants.
struct Count {
    english: String,
    chinese: String,
    none: bool,
}

impl Count {
    /// Reads a number of characters off the front of what stands behind a class.
    fn read(behind: &str) -> Option<(Self, &str)> {
        let count = |english: &str, chinese: &str, none| Self {
            english: english.to_owned(),
            chinese: chinese.to_owned(),
            none,
        };
        if let Some(rest) = behind.strip_prefix('+') {
            return Some((count("one or more", "一个或多个", false), rest));
        }
        if let Some(rest) = behind.strip_prefix('*') {
            return Some((count("any number of", "任意个", true), rest));
        }
        let Some(braces) = behind.strip_prefix('{') else {
            return Some((count("one of the", "一个", false), behind));
        };
        let (inside, rest) = braces.split_once('}')?;
        let count = match inside.split_once(',') {
            Some((least, most)) => count(&format!("{least} to {most}"), &format!(" {least} 至 {most} 个"), false),
            None => count(inside, &format!(" {inside} 个"), false),
        };
        Some((count, rest))
    }
}

/// Returns the names of a class's characters, as "digits or `X`".
fn characters(class: &str) -> Option<(String, String)> {
    let mut rest = class;
    let (mut english, mut chinese) = (Vec::new(), Vec::new());
    for (range, one, other) in [
        ("A-Za-z", "letters", "字母"),
        ("A-Z", "upper-case letters", "大写字母"),
        ("a-z", "lower-case letters", "小写字母"),
        ("0-9", "digits", "数字"),
    ] {
        if let Some(behind) = rest.strip_prefix(range) {
            english.push(one.to_owned());
            chinese.push(other.to_owned());
            rest = behind;
        }
    }
    for character in rest.chars() {
        // A hyphen stands at the end, or it would be a range.
        if character == '^' || character == '\\' || (character == '-' && !rest.ends_with('-')) {
            return None;
        }
        english.push(format!("`{character}`"));
        chinese.push(format!("“{character}”"));
    }
    Some((listed(english, ", ", " or ")?, listed(chinese, "、", "或")?))
}

/// Joins words, the last one by another conjunction.
fn listed(mut words: Vec<String>, between: &str, before_last: &str) -> Option<String> {
    let last = words.pop()?;
    Some(if words.is_empty() { last } else { format!("{}{before_last}{last}", words.join(between)) })
}

#[cfg(test)]
mod tests {
    use minsheng_proto::{common::v1 as common, returns::v1 as pb, social_security::v1 as social};

    use super::*;

    fn said<M: Validate + prost::Name>(message: &M) -> Vec<String> {
        let Err(found) = validate(message) else { return Vec::new() };
        found.iter().map(|v| format!("{}: {} / {}", v.field, v.description, v.description_zh)).collect()
    }

    #[test]
    fn what_is_absent_is_said_to_be_required_and_nothing_else() {
        let filed = pb::Return { name: "returns/a".to_owned(), ..pb::Return::default() };
        assert_eq!(
            said(&filed),
            ["area", "commitment", "month", "unit", "source"].map(|field| format!("{field}: is required / 必填"))
        );
        let context = common::QuestionContext { case_number: "1".to_owned(), officer: "2".to_owned(), purpose: 0 };
        assert_eq!(said(&context), ["purpose: is required / 必填"]);
    }

    #[test]
    fn a_wrong_value_is_repeated_beside_what_is_wanted() {
        let filed = pb::Return {
            name: "returns/a b".to_owned(),
            area: "5401".to_owned(),
            commitment: "Meals".to_owned(),
            month: Some(common::YearMonth { year: 26, month: 13 }),
            numerator: Some(-1.0),
            value: Some(f64::NAN),
            unit: "x".repeat(70),
            source: "s".to_owned(),
            confidence: 9,
            ..pb::Return::default()
        };
        assert_eq!(
            said(&filed),
            [
                "name: must be `returns/`, then 1 to 128 letters, digits, `.`, `_` or `-`, or empty, not \"returns/a b\" \
                 / 须为“returns/”加 1 至 128 个字母、数字、“.”、“_”或“-”，或为空，现为 \"returns/a b\"",
                "area: must be 6 digits, not \"5401\" / 须为 6 个数字，现为 \"5401\"",
                "commitment: must be one or more lower-case letters, digits or `-`, not \"Meals\" \
                 / 须为一个或多个小写字母、数字或“-”，现为 \"Meals\"",
                "numerator: must not be below 0, not -1 / 不得小于 0，现为 -1",
                "value: must be a finite number, not NaN / 须为有限数，现为 NaN",
                "unit: must have at most 64 characters, not 70 / 最多 64 个字符，现为 70 个",
                "confidence: must be a value of the code list, not 9 / 须为代码表内的值，现为 9",
                "month.year: must lie between 1900 and 2200, not 26 / 须在 1900 至 2200 之间，现为 26",
                "month.month: must lie between 1 and 12, not 13 / 须在 1 至 12 之间，现为 13",
            ]
        );
    }

    #[test]
    fn a_zero_character_is_refused_in_every_text_and_its_field_named() {
        let context = common::QuestionContext {
            case_number: "1\0".to_owned(),
            officer: "2".to_owned(),
            purpose: common::Purpose::ResultRecognition.into(),
        };
        assert_eq!(said(&context), ["case_number: holds the character U+0000 / 含有 U+0000 字符"]);
        let member = social::HouseholdMember { resident_id: "\0".to_owned(), ..Default::default() };
        let household = social::AssistanceHousehold {
            members: vec![social::HouseholdMember::default(), member],
            ..Default::default()
        };
        let found = said(&household);
        assert_eq!(found[0], "members[1].resident_id: holds the character U+0000 / 含有 U+0000 字符");
    }

    #[test]
    fn a_personal_value_is_not_repeated_wherever_it_stands() {
        let secret = "54010219500101123";
        let asked =
            common::ListAccessesRequest { resident_id: secret.to_owned(), ..common::ListAccessesRequest::default() };
        let enrolment = social::Enrolment { resident_id: secret.to_owned(), ..social::Enrolment::default() };
        let request = social::CreateEnrolmentRequest { enrolment: Some(enrolment), ..Default::default() };
        for (found, field) in [(said(&asked), "resident_id"), (said(&request), "enrolment.resident_id")] {
            let wanted =
                format!("{field}: must be 17 digits, then one of the digits or `X` / 须为 17 个数字加一个数字或“X”");
            assert!(found.contains(&wanted), "{found:?}");
            assert!(!found.concat().contains(&secret[..6]), "{found:?}");
        }
    }

    #[test]
    fn a_number_that_may_be_somebodys_is_not_repeated_in_any_field() {
        let asked = pb::ListReturnsRequest { area: "540102195001011234".to_owned(), ..Default::default() };
        assert_eq!(said(&asked), ["area: must be 6 digits / 须为 6 个数字"]);
    }

    #[test]
    fn every_pattern_of_the_contracts_is_put_into_words() {
        let mut patterns = 0;
        for message in descriptors().all_messages().filter(|message| message.full_name().starts_with("minsheng.")) {
            for field in message.fields() {
                let Some(Value::String(pattern)) = bound(&field, "string", "pattern") else { continue };
                patterns += 1;
                assert!(wanted(&pattern).is_some(), "{}: {pattern}", field.full_name());
            }
        }
        assert!(patterns > 40, "{patterns}");
    }

    #[test]
    fn every_rule_of_the_contracts_is_put_into_words() {
        const KNOWN: [&str; 12] = [
            "required",
            "string.uuid",
            "string.min_len",
            "string.max_len",
            "string.pattern",
            "enum.defined_only",
            "enum.not_in",
            "repeated.min_items",
            "repeated.max_items",
            "int.gte",
            "int.lte",
            "double.finite",
        ];
        let field_rules = descriptors().get_extension_by_name("buf.validate.field").expect("the rules");
        let mut unknown = Vec::new();
        for message in descriptors().all_messages().filter(|message| message.full_name().starts_with("minsheng.")) {
            for field in message.fields() {
                let rules = field.options().get_extension(&field_rules).into_owned();
                let rules = rules.as_message().expect("a message");
                for (family, rule) in rules.fields().collect::<Vec<_>>() {
                    let family_name = family.name().replace("int32", "int").replace("int64", "int");
                    let Some(inner) = rule.as_message() else {
                        if !KNOWN.contains(&family_name.as_str()) {
                            unknown.push(format!("{}: {family_name}", field.full_name()));
                        }
                        continue;
                    };
                    for (one, _) in inner.fields() {
                        let name = format!("{family_name}.{}", one.name());
                        let known = KNOWN.contains(&name.as_str())
                            || name == "repeated.items"
                            || (family_name == "double" && matches!(one.name(), "gte" | "lte"));
                        if !known {
                            unknown.push(format!("{}: {name}", field.full_name()));
                        }
                    }
                }
            }
        }
        assert!(unknown.is_empty(), "`words` does not know {unknown:#?}");
    }
}
