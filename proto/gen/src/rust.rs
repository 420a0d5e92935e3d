//! The Rust of a register: its table, the record of a state, and the ways between it, the resource and the dataset's row.
//!
//! Each field of the resource becomes columns by its kind; what a rule computes is declared in `columns`. What the
//! dataset's row has is copied into it, but for what is declared as `row_only`, which the register fills by hand.

use std::fmt::Write as _;

use minsheng_proto::{
    Reference, Register,
    common::v1::{ColumnType, NamedBy},
    is_personal, is_set,
};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::{
    fields::{field_comment, is_optional, is_required, message_comment},
    row::{self, Holds, RowField},
};

/// First number of a resource's own fields.
const FIRST_OWN_FIELD: u32 = 10;
/// Longest line that the formatter leaves whole.
const LONGEST_LINE: usize = 120;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sql {
    Integer,
    Boolean,
    Text,
    Bytes,
    Double,
}

/// A column of the table.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    sql: Sql,
    nullable: bool,
    says: String,
}

impl Column {
    fn declaration(&self) -> String {
        let (sql, rust) = match self.sql {
            Sql::Integer => ("BigInt", "i64"),
            Sql::Boolean => ("Bool", "bool"),
            Sql::Text => ("Text", "String"),
            Sql::Bytes => ("Binary", "Vec<u8>"),
            Sql::Double => ("Double", "f64"),
        };
        let (name, says) = (&self.name, wrapped(&self.says, "        /// "));
        if self.nullable {
            format!("{says}        {name}: Nullable<{sql}> = Option<{rust}>,\n")
        } else {
            format!("{says}        {name}: {sql} = {rust},\n")
        }
    }
}

/// How a field of the resource is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept<'a> {
    /// As it is.
    Plain,
    /// A number of an enumeration, which must be of it.
    Enumeration { required: bool },
    /// A day.
    Date { required: bool },
    /// The first day of a month.
    Month,
    /// The id of another register's record.
    Reference { collection: &'a str },
    /// A person: sealed, its index, its pseudonym.
    Person,
    /// Not by itself.
    Not,
}

/// Returns the file of a register.
pub(crate) fn written(register: &Register) -> String {
    let resource = &register.resource;
    let record = record_name(resource);
    let columns = columns(register);
    let mut text = format!(
        "// Written by `just gen` from `proto/{}`: change the contract instead.\n\n//! {}\n\n",
        resource.parent_file().name(),
        format_args!("{}: the table `{}` and its record.", register.title_zh, register.collection),
    );
    let body = body(register, &record, &columns);
    let helpers = if body.contains("declared::") { ", declared" } else { "" };
    let kit = if register.keeper.is_some() { "minsheng_kit" } else { "crate" };
    let package = register.resource.package_name().replace('.', "::").replace("minsheng::", "");
    let package = package.replace("socialsecurity", "social_security");
    let _ = write!(
        text,
        "use {kit}::{{error::{{Error, Violations}}, register::{{Declared, RuleContext, Head, Table as _{helpers}}}}};\nuse minsheng_proto::{package} as pb;\n\n"
    );
    let title = message_comment(resource);
    let _ = write!(
        text,
        "{kit}::register_table! {{\n{}    {} => {record} {{\n",
        wrapped(&title, "    /// "),
        register.collection
    );
    for column in &columns {
        text.push_str(&column.declaration());
    }
    text.push_str("    }\n}\n\n");
    text.push_str(&body);
    text
}

/// Returns the name of the record of a resource's state.
pub(crate) fn record_name(resource: &MessageDescriptor) -> String {
    let name = resource.name();
    if name.ends_with("Record") { name.to_owned() } else { format!("{name}Record") }
}

fn kept<'a>(register: &'a Register, field: &FieldDescriptor) -> Kept<'a> {
    if is_set(field, "of_days") || field.is_list() {
        return Kept::Not;
    }
    if is_personal(field) {
        return Kept::Person;
    }
    let reference = register.references.iter().find(|reference| reference.field == field.name());
    if let Some(Reference { collection, kept_whole: false, .. }) = reference {
        return Kept::Reference { collection };
    }
    match field.kind() {
        Kind::Enum(_) => Kept::Enumeration { required: is_required(field) },
        Kind::Message(message) if message.name() == "Date" => Kept::Date { required: is_required(field) },
        Kind::Message(message) if message.name() == "YearMonth" => Kept::Month,
        Kind::Message(_) => Kept::Not,
        _ => Kept::Plain,
    }
}

fn own_fields(resource: &MessageDescriptor) -> impl Iterator<Item = FieldDescriptor> + '_ {
    resource.fields().filter(|field| field.number() >= FIRST_OWN_FIELD)
}

fn columns(register: &Register) -> Vec<Column> {
    let mut columns = Vec::new();
    for field in own_fields(&register.resource) {
        let says = field_comment(&field);
        let name = field.name().to_owned();
        let column = |sql, nullable| Column { name: name.clone(), sql, nullable, says: says.clone() };
        match kept(register, &field) {
            Kept::Not => {}
            Kept::Person => {
                let stem = stem(&name);
                let more = |name: String, sql, says: &str| Column { name, sql, nullable: false, says: says.to_owned() };
                columns.push(more(stem.to_owned(), Sql::Bytes, "Identity number, sealed."));
                columns.push(more(format!("{stem}_index"), Sql::Bytes, "Keyed blind index of the person."));
                columns.push(more("person".to_owned(), Sql::Text, "Pseudonym of the person in the dataset."));
            }
            Kept::Month => columns.push(Column { name: format!("{name}_from"), ..column(Sql::Integer, false) }),
            Kept::Reference { .. } => columns.push(column(Sql::Text, false)),
            Kept::Enumeration { .. } => columns.push(column(Sql::Integer, false)),
            Kept::Date { required } => columns.push(column(Sql::Integer, !required)),
            Kept::Plain => columns.push(column(sql_of(&field.kind()), is_optional(&field))),
        }
    }
    for declared in register.columns.iter().filter(|declared| !declared.row_only) {
        let (sql, nullable) = match declared.r#type() {
            ColumnType::Unspecified => panic!("{}: the column {} has no type", register.collection, declared.name),
            ColumnType::Integer => (Sql::Integer, declared.optional),
            ColumnType::Boolean => (Sql::Boolean, declared.optional),
            ColumnType::Text => (Sql::Text, declared.optional),
            ColumnType::Bytes => (Sql::Bytes, declared.optional),
            ColumnType::Date => (Sql::Integer, !declared.always),
        };
        columns.push(Column { name: declared.name.clone(), sql, nullable, says: declared.says.clone() });
    }
    columns
}

fn sql_of(kind: &Kind) -> Sql {
    match kind {
        Kind::String => Sql::Text,
        Kind::Bool => Sql::Boolean,
        Kind::Double => Sql::Double,
        Kind::Bytes => Sql::Bytes,
        _ => Sql::Integer,
    }
}

fn body(register: &Register, record: &str, columns: &[Column]) -> String {
    let resource = &register.resource;
    let (mut read, mut write) = (String::new(), String::new());
    let (mut before, mut judged, mut has_person, mut needs_context) = (String::new(), false, false, false);
    for field in own_fields(resource) {
        let (name, rust) = (field.name(), rust_name(field.name()));
        let decided = is_set(&field, "output_only");
        let kept = kept(register, &field);
        let reads = match kept {
            Kept::Not => continue,
            _ if decided => None,
            Kept::Plain => Some(match register.references.iter().find(|reference| reference.field == name) {
                Some(Reference { collection, .. }) => {
                    judged = true;
                    format!("declared::whole_reference(\"{name}\", \"{collection}\", &resource.{rust}, violations)")
                }
                None => plain(&field, "resource"),
            }),
            Kept::Enumeration { required: false } => Some(format!("i64::from(resource.{rust})")),
            Kept::Enumeration { required: true } => {
                judged = true;
                let Kind::Enum(of) = field.kind() else { continue };
                Some(format!(
                    "declared::enum_field::<pb::{}>(\"{name}\", resource.{rust}, violations) as i64",
                    of.name()
                ))
            }
            Kept::Date { required } => {
                judged = true;
                let helper = if required { "required_day" } else { "optional_day" };
                let day = format!("declared::{helper}(\"{name}\", resource.{rust}.as_ref(), violations)");
                if is_set(&field, "not_after_today") {
                    needs_context = true;
                    Some(format!("declared::not_after_today(\"{name}\", {day}, context, violations)"))
                } else {
                    Some(day)
                }
            }
            Kept::Month => {
                judged = true;
                let _ = writeln!(
                    read,
                    "            {name}_from: declared::required_month(\"{name}\", resource.{rust}.as_ref(), violations),"
                );
                None
            }
            Kept::Reference { collection } => {
                judged = true;
                Some(format!("declared::reference_id(\"{name}\", \"{collection}\", &resource.{rust}, violations)"))
            }
            Kept::Person => {
                (judged, has_person) = (true, true);
                let seal = format!("{}.{}", register.collection, stem(name));
                let _ = writeln!(
                    before,
                    "        let {0} = declared::person(\"{seal}\", \"{name}\", &resource.{rust}, context, violations);",
                    stem(name)
                );
                let _ = writeln!(
                    read,
                    "            {0}: {0}.sealed,\n            {0}_index: {0}.index,\n            person: {0}.pseudonym,",
                    stem(name)
                );
                None
            }
        };
        if let Some(reads) = reads {
            let _ = writeln!(read, "            {name}: {reads},");
        }
        let Some(writes) = writes(register, &field) else { continue };
        let _ = writeln!(write, "            {rust}: {writes},");
    }
    let (references, rows) = (references_of(register), row_of(register, columns));
    let (clear, restore) = decided_of(register);
    let (natural_id, taken) = (natural_id_of(register), taken_of(register));
    let (of, of_context) = match &natural_id {
        Some(id) if id.contains("context)") => ("resource", "context"),
        Some(_) => ("resource", "_"),
        None => ("_", "_"),
    };
    let natural_id = natural_id.unwrap_or_else(|| "None".to_owned());
    let (name, row) = (resource.name(), format!("{}Row", resource.name()));
    let fields = names_of(resource);
    let violations_arg = if judged { "violations" } else { "_" };
    let (context, reveal) = if has_person { ("context", "reveal") } else { ("_", "_") };
    let of_reading = if has_person || needs_context { "context" } else { "_" };
    let decides = if clear.is_empty() { "_" } else { "resource" };
    format!(
        "impl Declared for {record} {{\n    type Resource = pb::{name};\n    type Row = pb::{row};\n\n    \
         const FIELDS: &'static [&'static str] = &[{fields}];\n\n    \
         fn read(resource: &pb::{name}, head: Head, {of_reading}: RuleContext<'_>, {violations_arg}: &mut Violations) -> Self {{\n\
         {before}        Self {{\n{read}            ..Self::with_head(head)\n        }}\n    }}\n\n    \
         fn resource(&self, {context}: RuleContext<'_>, {reveal}: bool) -> Result<pb::{name}, Error> {{\n        \
         Ok(pb::{name} {{\n{write}            ..pb::{name}::default()\n        }})\n    }}\n\n    \
         fn row(&self) -> pb::{row} {{\n        pb::{row} {{\n{rows}        }}\n    }}\n\n    \
         fn references(&self) -> Vec<declared::Named<'_>> {{\n        {references}\n    }}\n\n    \
         fn natural_id({of}: &pb::{name}, {of_context}: RuleContext<'_>) -> Option<String> {{\n        {natural_id}\n    }}\n\n    \
         fn take_field(field: &str, from: &pb::{name}, to: &mut pb::{name}) -> bool {{\n        match field {{\n{taken}            _ => return false,\n        }}\n        true\n    }}\n\n    \
         fn clear_decided({decides}: &mut pb::{name}) {{\n{clear}    }}\n\n    \
         fn restore_decided(&mut self, {decides}: &pb::{name}) {{\n{restore}    }}\n}}\n",
    )
}

/// Writes how a field of the resource is made of its columns.
fn writes(register: &Register, field: &FieldDescriptor) -> Option<String> {
    let name = field.name();
    Some(match kept(register, field) {
        Kept::Not => return None,
        Kept::Plain => plain_back(field),
        Kept::Enumeration { .. } => format!("declared::enum_number(self.{name})"),
        Kept::Date { required: true } => format!("declared::date(self.{name})"),
        Kept::Date { required: false } => format!("self.{name}.and_then(declared::date)"),
        Kept::Month => format!("declared::month(self.{name}_from)"),
        Kept::Reference { collection } => format!("declared::reference(\"{collection}\", &self.{name})"),
        Kept::Person => {
            format!("declared::shown_person(\"{}.{1}\", &self.{1}, context, reveal)?", register.collection, stem(name))
        }
    })
}

/// Writes how the fields that a register decides are cleared in a resource, and how they are taken back from it.
fn decided_of(register: &Register) -> (String, String) {
    let (mut clear, mut restore) = (String::new(), String::new());
    for field in own_fields(&register.resource).filter(|field| is_set(field, "output_only")) {
        let (name, rust) = (field.name(), rust_name(field.name()));
        let back = match kept(register, &field) {
            Kept::Not => continue,
            Kept::Enumeration { .. } => format!(" = i64::from(resource.{rust})"),
            Kept::Date { .. } => format!(" = declared::stored_day(resource.{rust}.as_ref())"),
            _ if field.kind() == Kind::String => format!(".clone_from(&resource.{rust})"),
            _ => format!(" = {}", plain(&field, "resource")),
        };
        let _ = writeln!(clear, "        resource.{rust} = {};", default_of(&field));
        let _ = writeln!(restore, "        self.{name}{back};");
    }
    (clear, restore)
}

/// Writes the names of a resource's own fields.
fn names_of(resource: &MessageDescriptor) -> String {
    own_fields(resource).map(|field| format!("\"{}\"", field.name())).collect::<Vec<_>>().join(", ")
}

/// Writes how a field is taken from one resource into another.
fn taken_of(register: &Register) -> String {
    let mut taken = String::new();
    for field in own_fields(&register.resource) {
        let (name, rust) = (field.name(), rust_name(field.name()));
        let copied = match field.kind() {
            _ if field.is_list() => false,
            Kind::String | Kind::Bytes => false,
            Kind::Message(message) => matches!(message.name(), "Date" | "YearMonth"),
            _ => true,
        };
        let _ = if copied {
            writeln!(taken, "            \"{name}\" => to.{rust} = from.{rust},")
        } else {
            writeln!(taken, "            \"{name}\" => to.{rust}.clone_from(&from.{rust}),")
        };
    }
    taken
}

/// Writes the records that a state names.
fn references_of(register: &Register) -> String {
    let named = register.references.iter().map(|Reference { field, collection, kept_whole, same_county }| {
        let id = if *kept_whole {
            format!("declared::id_within(\"{collection}\", &self.{field})")
        } else {
            format!("&self.{field}")
        };
        format!("declared::Named {{ field: \"{field}\", collection: \"{collection}\", same_county: {same_county}, id: {id} }}")
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { "Vec::new()".to_owned() } else { format!("vec![{}]", named.join(", ")) }
}

/// Writes the columns of the dataset's row that are copied.
fn row_of(register: &Register, columns: &[Column]) -> String {
    let fields = row::fields(register);
    let (copied, computed): (Vec<&RowField>, Vec<&RowField>) = fields.iter().partition(|field| !field.computed);
    let mut text = String::new();
    for field in copied {
        let column = columns.iter().find(|column| column.name == field.name);
        let told = column.and_then(|column| told(column, field));
        let told = told.unwrap_or_else(|| panic!("{}: no column {} for the row", register.collection, field.name));
        let _ = writeln!(text, "            {}: {told},", rust_name(&field.name));
    }
    let rest = format!("            ..pb::{}Row::default()\n", register.resource.name());
    text + if computed.is_empty() { "" } else { &rest }
}

/// Writes how a column is told in the dataset's row; nothing where it holds something else there.
fn told(column: &Column, field: &RowField) -> Option<String> {
    let name = &column.name;
    Some(match (&field.holds, column.sql, column.nullable) {
        (Holds::Date, Sql::Integer, false) => format!("declared::date(self.{name})"),
        (Holds::Date, Sql::Integer, true) => format!("self.{name}.and_then(declared::date)"),
        (Holds::Enumeration(_), Sql::Integer, false) => format!("declared::enum_number(self.{name})"),
        (Holds::Text, Sql::Text, false) => format!("self.{name}.clone()"),
        (Holds::Integer, Sql::Integer, nullable)
        | (Holds::Double, Sql::Double, nullable)
        | (Holds::Boolean, Sql::Boolean, nullable)
            if nullable == field.optional =>
        {
            format!("self.{name}")
        }
        _ => return None,
    })
}

/// Writes the id that the content gives: the parts of the natural key, where the server makes the id.
fn natural_id_of(register: &Register) -> Option<String> {
    if register.named_by != NamedBy::Server || register.natural_key.iter().any(|field| field.contains('.')) {
        return None;
    }
    let (mut parts, mut person) = (Vec::new(), None);
    for name in &register.natural_key {
        let field = register.resource.get_field_by_name(name).expect("the key names fields");
        let rust = rust_name(name);
        if is_personal(&field) {
            person = Some(format!("&resource.{rust}"));
            continue;
        }
        let reference = register.references.iter().find(|reference| reference.field == *name);
        parts.push(match (reference, field.kind()) {
            (Some(Reference { collection, .. }), _) => {
                format!("declared::id_within(\"{collection}\", &resource.{rust})")
            }
            (None, Kind::String) => format!("&resource.{rust}"),
            (None, Kind::Message(message)) if message.name() == "YearMonth" => {
                format!("&declared::month_part(resource.{rust}.as_ref()?)")
            }
            (None, Kind::Message(_)) => format!("&declared::day_part(resource.{rust}.as_ref()?)?"),
            (None, _) => format!("&resource.{rust}.to_string()"),
        });
    }
    let parts = parts.join(", ");
    Some(match person {
        Some(person) => format!("declared::key_of_person({person}, &[{parts}], context)"),
        None => format!("Some(declared::natural_key(&[{parts}]))"),
    })
}

fn plain(field: &FieldDescriptor, of: &str) -> String {
    let rust = rust_name(field.name());
    match field.kind() {
        Kind::String => format!("{of}.{rust}.clone()"),
        Kind::Int32 => format!("i64::from({of}.{rust})"),
        _ => format!("{of}.{rust}"),
    }
}

fn plain_back(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::String => format!("self.{}.clone()", field.name()),
        Kind::Int32 => format!("declared::enum_number(self.{})", field.name()),
        _ => format!("self.{}", field.name()),
    }
}

fn default_of(field: &FieldDescriptor) -> &'static str {
    match field.kind() {
        Kind::String => "String::new()",
        Kind::Bool => "false",
        Kind::Message(_) => "None",
        _ if is_optional(field) => "None",
        _ => "0",
    }
}

/// Names a person's columns: those of `resident_id` begin with `resident`.
fn stem(field: &str) -> &str {
    field.strip_suffix("_id").unwrap_or(field)
}

fn rust_name(field: &str) -> String {
    if matches!(field, "type" | "return" | "move" | "use" | "match") { format!("r#{field}") } else { field.to_owned() }
}

/// Writes a comment in lines that begin with a prefix, its indentation and its mark.
pub(crate) fn wrapped(says: &str, prefix: &str) -> String {
    let (mut text, mut line) = (String::new(), String::new());
    for word in says.split_whitespace() {
        if !line.is_empty() && prefix.len() + line.chars().count() + 1 + word.chars().count() > LONGEST_LINE {
            let _ = writeln!(text, "{prefix}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        let _ = writeln!(text, "{prefix}{line}");
    }
    text
}

/// Returns the module of a department's registers, which names each file.
pub(crate) fn module(registers: &[&Register]) -> String {
    let mut text = "// Written by `just gen` from the contracts.\n\n//! The tables of the department's registers, and the records of their states.\n\n".to_owned();
    for register in registers {
        let _ = writeln!(text, "mod {};", rust_name(&register.field()));
    }
    text.push('\n');
    for register in registers {
        let _ = writeln!(
            text,
            "pub use {}::{{{}, {}}};",
            rust_name(&register.field()),
            record_name(&register.resource),
            register.collection
        );
    }
    let tables: Vec<&str> = registers.iter().map(|register| register.collection.as_str()).collect();
    let _ = writeln!(text, "\ndiesel::allow_tables_to_appear_in_same_query!({});", tables.join(", "));
    text
}

#[cfg(test)]
mod tests {
    use minsheng_proto::{register_of_collection, registers};

    use super::*;

    fn file(collection: &str) -> String {
        written(register_of_collection(collection).expect("declared"))
    }

    #[test]
    fn a_person_is_sealed_indexed_and_named_by_a_pseudonym() {
        let text = file("enrolments");
        for line in [
            "resident: Binary = Vec<u8>,",
            "resident_index: Binary = Vec<u8>,",
            "person: Text = String,",
            "shown_person(\"enrolments.resident\", &self.resident, context, reveal)?",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("resource.resident_id.clone()"), "it would stand there as given\n{text}");
    }

    #[test]
    fn what_the_register_decides_is_not_read_and_is_cleared_before_comparing() {
        let text = file("meal_prices");
        let (read, rest) = text.split_once("fn resource(").expect("both");
        assert!(!read.contains("resource.price_fen"), "{text}");
        assert!(
            rest.contains("resource.price_fen = 0;") && rest.contains("self.price_fen = resource.price_fen;"),
            "{text}"
        );
    }

    #[test]
    fn a_reference_is_kept_as_its_id_a_month_as_its_first_day_and_a_day_may_be_absent() {
        let text = file("point_activities");
        assert!(
            text.contains("reference_id(\"service_point\", \"service_points\", &resource.service_point, violations)")
        );
        assert!(
            text.contains("month_from: BigInt = i64,") && text.contains("month: declared::month(self.month_from),"),
            "{text}"
        );
        assert!(text.contains("last_served_on: Nullable<BigInt> = Option<i64>,"), "{text}");
    }

    #[test]
    fn a_column_that_holds_something_else_than_the_dataset_s_is_left_to_the_register() {
        let text = file("assistance_households");
        let (_, row) = text.split_once("fn row(").expect("a row");
        assert!(!row.contains("members: self.members"), "{row}");
        assert!(row.contains("..pb::AssistanceHouseholdRow::default()"), "{row}");
    }

    #[test]
    fn no_two_columns_of_a_register_have_one_name() {
        for register in registers() {
            let mut names: Vec<String> = columns(register).into_iter().map(|one| one.name).collect();
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all, "{}", register.collection);
        }
    }
}
