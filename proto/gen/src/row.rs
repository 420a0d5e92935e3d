//! The row of a register's dataset: which fields and columns it has, under which numbers, and its message.
//!
//! The row is a contract of its own: a number that was given stays, whatever becomes of the resource.

use std::fmt::Write as _;

use minsheng_proto::{
    Register,
    common::v1::{Column, ColumnType},
    is_personal, number_of,
};
use prost_reflect::{FieldDescriptor, Kind};

use crate::{
    fields::{field_comment, is_optional},
    rust::wrapped,
};

/// A field of the row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RowField {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) holds: Holds,
    pub(crate) optional: bool,
    /// The register's `row` fills it; no column of the name is copied.
    pub(crate) computed: bool,
    says: String,
}

/// What a field of the row holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    Integer,
    Boolean,
    Double,
    Date,
    /// A number of the enumeration of this full name.
    Enumeration(String),
}

/// Returns the fields of the row of a register's dataset, by their numbers.
pub(crate) fn fields(register: &Register) -> Vec<RowField> {
    let of_resource = register.resource.fields().filter_map(|field| of_field(register, &field));
    let computed = register.columns.iter().filter_map(of_column);
    let mut fields: Vec<RowField> = of_resource.chain(computed).collect();
    fields.sort_by_key(|field| field.number);
    for pair in fields.windows(2) {
        let clash = pair[0].number == pair[1].number || pair[0].name == pair[1].name;
        assert!(!clash, "{}: {} and {} of the row clash", register.collection, pair[0].name, pair[1].name);
    }
    fields
}

fn of_field(register: &Register, field: &FieldDescriptor) -> Option<RowField> {
    let number = number_of(field, "row")?;
    let says = field_comment(field).replace(" Computed; output only.", "").replace(" Output only.", "");
    let (name, holds, says) = match field.kind() {
        _ if is_personal(field) => {
            ("person".to_owned(), Holds::Text, "Pseudonym of the person under this department's key.".to_owned())
        }
        Kind::Message(message) if message.name() == "YearMonth" => {
            (format!("{}_from", field.name()), Holds::Date, "First day of the month.".to_owned())
        }
        Kind::Message(message) if message.name() == "Date" => (field.name().to_owned(), Holds::Date, says),
        Kind::Message(_) => panic!("{} does not fit into a row", field.full_name()),
        Kind::Enum(of) => (field.name().to_owned(), Holds::Enumeration(of.full_name().to_owned()), says),
        Kind::String => {
            let by_id = register.references.iter().any(|one| one.field == field.name() && !one.kept_whole);
            let says = if by_id { says.replace(&reference_of(&says), ", by id") } else { says };
            (field.name().to_owned(), Holds::Text, says)
        }
        Kind::Bool => (field.name().to_owned(), Holds::Boolean, says),
        Kind::Double => (field.name().to_owned(), Holds::Double, says),
        _ => (field.name().to_owned(), Holds::Integer, says),
    };
    Some(RowField { number, name, holds, optional: is_optional(field), computed: false, says })
}

fn of_column(column: &Column) -> Option<RowField> {
    let number = u32::try_from(column.row).ok().filter(|number| *number > 0)?;
    let holds = match column.r#type() {
        ColumnType::Integer => Holds::Integer,
        ColumnType::Boolean => Holds::Boolean,
        ColumnType::Text => Holds::Text,
        ColumnType::Date => Holds::Date,
        ColumnType::Unspecified | ColumnType::Bytes => panic!("{} does not fit into a row", column.name),
    };
    let (name, says) = (column.name.clone(), column.says.clone());
    Some(RowField { number, name, holds, optional: column.optional, computed: column.row_only, says })
}

/// Returns how a comment names a reference, as ``, `institutions/{id}` ``; the row has the id alone.
fn reference_of(says: &str) -> String {
    let begins = says.find(", `");
    let whole = begins.and_then(|begins| Some(&says[begins..=begins + 3 + says[begins + 3..].find('`')?]));
    whole.unwrap_or("\0").to_owned()
}

/// Returns the message of the row.
pub(crate) fn message(register: &Register) -> String {
    let package = register.resource.package_name();
    let local = |full: &str| match full.rsplit_once('.') {
        Some((of, name)) if of == package => name.to_owned(),
        _ => full.to_owned(),
    };
    let mut text = format!(
        "message {}Row {{\n  option (minsheng.common.v1.dataset) = \"{}\";\n\n",
        register.resource.name(),
        register.declared_dataset()
    );
    for field in fields(register) {
        let holds = match &field.holds {
            Holds::Text => "string".to_owned(),
            Holds::Integer => "int64".to_owned(),
            Holds::Boolean => "bool".to_owned(),
            Holds::Double => "double".to_owned(),
            Holds::Date => local("minsheng.common.v1.Date"),
            Holds::Enumeration(of) => local(of),
        };
        let optional = if field.optional { "optional " } else { "" };
        text.push_str(&wrapped(&field.says, "  // "));
        let _ = writeln!(text, "  {optional}{holds} {} = {};", field.name, field.number);
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    use minsheng_proto::{register_of_collection, registers};

    use super::*;

    #[test]
    fn a_row_has_the_numbers_that_the_declaration_gives_and_no_person() {
        let row = message(register_of_collection("point_activities").expect("declared"));
        for line in [
            "  // The point, by id.\n  string service_point = 1;\n",
            "  // First day of the month.\n  minsheng.common.v1.Date month_from = 3;\n",
            "  int64 days_open = 5;\n",
        ] {
            assert!(row.contains(line), "{line} is not in\n{row}");
        }
        let row = message(register_of_collection("enrolments").expect("declared"));
        assert!(row.contains("string person = 1;") && !row.contains("resident"), "{row}");
        assert!(row.contains("optional int64 decision_working_days = 13;"), "{row}");
    }

    #[test]
    fn what_is_generated_is_the_row_that_is_compiled() {
        for register in registers() {
            let compiled = register.row();
            let names: Vec<(u32, String)> =
                compiled.fields().map(|field| (field.number(), field.name().to_owned())).collect();
            let generated: Vec<_> = fields(register).into_iter().map(|field| (field.number, field.name)).collect();
            assert_eq!(names, generated, "{}", register.collection);
        }
    }
}
