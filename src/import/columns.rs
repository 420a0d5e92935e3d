//! The columns of a register: the labelled fields of its resource, those of its members' message behind them.

use minsheng_proto::{label_zh, message_option_string};
use prost_reflect::{Cardinality, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

/// Where a column's values go.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Header in Chinese.
    pub zh: String,
    /// Header in English: the field's name in words.
    pub en: String,
    /// The field.
    pub field: FieldDescriptor,
    /// The list whose members have the field; none for the record itself.
    pub list: Option<FieldDescriptor>,
    /// True when a value must stand there.
    pub required: bool,
}

/// The columns of a register.
#[derive(Clone, Debug)]
pub struct Columns(Vec<Column>);

/// Words with which a field's comment says that the server decides it.
const OUTPUT_ONLY: [&str; 2] = ["Output only", "output only"];

impl Columns {
    /// Finds the columns of a resource; what only the server decides is none.
    pub fn of(resource: &MessageDescriptor) -> Self {
        let mut columns = Vec::new();
        for field in resource.fields() {
            let Some(zh) = label_zh(&field) else { continue };
            if is_output_only(&field) {
                continue;
            }
            if let (Kind::Message(member), true) = (field.kind(), field.cardinality() == Cardinality::Repeated) {
                let title = message_option_string(&member, "title_zh").unwrap_or_else(|| zh.clone());
                for inner in member.fields() {
                    let Some(label) = label_zh(&inner) else { continue };
                    columns.push(Column {
                        zh: format!("{title}·{label}"),
                        en: format!("{} {}", words(field.name()), words(inner.name())),
                        required: is_required(&inner),
                        field: inner,
                        list: Some(field.clone()),
                    });
                }
            } else {
                columns.push(Column { required: is_required(&field), zh, en: words(field.name()), list: None, field });
            }
        }
        Self(columns)
    }

    /// Returns all columns in order.
    pub fn iter(&self) -> impl Iterator<Item = &Column> {
        self.0.iter()
    }

    /// Finds a column by what a header says: Chinese, English, the field's own name, or both languages together.
    pub fn find(&self, header: &str) -> Option<&Column> {
        let header = header.trim().trim_end_matches('*').trim();
        self.0.iter().find(|column| column.answers_to(header)).or_else(|| {
            let (zh, en) = header.split_once('/')?;
            self.0.iter().find(|column| column.answers_to(zh.trim()) || column.answers_to(en.trim()))
        })
    }

    /// Finds the column that a violation's path such as `members[1].resident_id` or `month.year` speaks of.
    pub fn of_path(&self, path: &str) -> Option<&Column> {
        let mut names = path.split('.').map(|part| part.split('[').next().unwrap_or(part));
        let first = names.next()?;
        let inside = names.next();
        self.0.iter().find(|column| match &column.list {
            Some(list) => list.name() == first && inside == Some(column.field.name()),
            None => column.field.name() == first,
        })
    }
}

impl Column {
    fn answers_to(&self, header: &str) -> bool {
        self.zh == header
            || self.en.eq_ignore_ascii_case(header)
            || self.header() == header
            || (self.list.is_none() && self.field.name() == header)
    }

    /// Returns the header in both languages.
    pub fn header(&self) -> String {
        format!("{} / {}", self.zh, self.en)
    }
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn comment(field: &FieldDescriptor) -> Option<String> {
    let file = field.parent_file();
    let found = file
        .file_descriptor_proto()
        .source_code_info
        .as_ref()?
        .location
        .iter()
        .find(|location| location.path == field.path())?;
    found.leading_comments.clone()
}

/// Reports whether the contract lets only the server write a field.
fn is_output_only(field: &FieldDescriptor) -> bool {
    comment(field).is_some_and(|text| OUTPUT_ONLY.iter().any(|words| text.contains(words)))
}

/// Reports whether the contract's rules refuse a record without the field.
fn is_required(field: &FieldDescriptor) -> bool {
    let Some(extension) = minsheng_proto::descriptors().get_extension_by_name("buf.validate.field") else {
        return false;
    };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registers;

    fn columns(register: &str) -> Columns {
        Columns::of(&registers::find(register).expect("a register").resource)
    }

    #[test]
    fn a_header_is_found_in_either_language_and_in_both_together() {
        let columns = columns("schools");
        for header in ["学段", "stage", "Stage", "学段 / stage", "学段*"] {
            assert_eq!(
                columns.find(header).map(|column| column.field.name().to_owned()),
                Some("stage".to_owned()),
                "{header}"
            );
        }
        assert!(columns.find("学号").is_none());
    }

    #[test]
    fn what_the_server_decides_is_no_column() {
        let columns = columns("assistance_households");
        assert!(columns.find("月救助金额(分)").is_none() && columns.find("meta").is_none());
    }

    #[test]
    fn members_of_a_household_are_columns_of_their_own() {
        let columns = columns("assistance_households");
        let column = columns.find("家庭成员·公民身份号码").expect("a column");
        assert_eq!(column.list.as_ref().map(|list| list.name().to_owned()), Some("members".to_owned()));
        assert_eq!(columns.of_path("members[2].resident_id").map(|found| found.zh.clone()), Some(column.zh.clone()));
    }

    #[test]
    fn columns_that_must_be_filled_in_are_known() {
        let columns = columns("schools");
        let required = |header: &str| columns.find(header).expect("a column").required;
        assert!(required("学校名称") && required("学段") && required("区划代码"));
        assert!(!required("编号") && !required("停办日期"));
    }
}
