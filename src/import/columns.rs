//! The columns of a register: the labelled fields of its resource, those of its members' message behind them.

use minsheng_proto::Register;
use prost_reflect::{FieldDescriptor, Kind};

use super::declared::{COLUMNS, Declared};

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

impl Columns {
    /// Returns the columns of a register.
    pub fn of(register: &Register) -> Self {
        let declared = COLUMNS.iter().find(|(collection, _)| *collection == register.collection);
        let column = |declared: &Declared| {
            let list = register.resource.get_field_by_name(declared.list);
            let field = match list.as_ref().map(FieldDescriptor::kind) {
                Some(Kind::Message(member)) => member.get_field_by_name(declared.field)?,
                _ => register.resource.get_field_by_name(declared.field)?,
            };
            let en =
                list.iter().map(FieldDescriptor::name).chain([field.name()]).map(words).collect::<Vec<_>>().join(" ");
            Some(Column { zh: declared.zh.to_owned(), en, required: declared.required, field, list })
        };
        Self(declared.iter().flat_map(|(_, columns)| columns.iter()).filter_map(column).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registers;

    fn columns(register: &str) -> Columns {
        Columns::of(registers::find(register).expect("a register"))
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
    fn every_declared_column_is_a_field_of_its_register() {
        for register in registers::all() {
            let (_, declared) = COLUMNS.iter().find(|(name, _)| *name == register.collection).expect("declared");
            assert_eq!(Columns::of(register).iter().count(), declared.len(), "{}", register.collection);
        }
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
