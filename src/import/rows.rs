//! Rows into records: every cell that does not read is a refusal with its column; what reads is encoded for upload.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Kind, Value};

use super::{
    TableError,
    cells::{self, CellError},
    columns::{Column, Columns},
    read::Table,
};
use crate::{lang::Lang, registers::Register, said};

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Line in the file.
    pub line: u64,
    /// The column, as its header stands in the file; empty when it is about the row.
    pub column: String,
    /// Why, in Chinese.
    pub zh: String,
    /// Why, in English.
    pub en: String,
}

impl Refusal {
    /// Says it in a language.
    pub fn text(&self, lang: Lang) -> String {
        let (line, column, why) = (self.line, &self.column, lang.of(&self.zh, &self.en));
        if column.is_empty() {
            said!(lang, "第 {line} 行:{why}", "line {line}: {why}")
        } else {
            said!(lang, "第 {line} 行,“{column}”:{why}", "line {line}, \"{column}\": {why}")
        }
    }
}

/// A record that reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// First line of the record.
    pub line: u64,
    /// Lines of its members, where it has a list.
    pub member_lines: Vec<u64>,
    /// The department that takes it.
    pub department: &'static str,
    /// The record.
    pub bytes: Bytes,
}

/// The records of a table and the rows that are none.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Records that read.
    pub items: Vec<Item>,
    /// Rows that do not.
    pub refusals: Vec<Refusal>,
    headers: BTreeMap<String, String>,
}

/// A record under way, with the rows that it has so far.
struct Open {
    name: String,
    line: u64,
    member_lines: Vec<u64>,
    message: DynamicMessage,
    refused: bool,
}

impl Rows {
    /// Reads the rows of a table as records of a register.
    pub fn of(table: &Table, register: &Register, columns: &Columns) -> Result<Self, TableError> {
        let mut places: Vec<Option<&Column>> = Vec::with_capacity(table.headers.len());
        let mut rows = Self::default();
        for header in &table.headers {
            if header.trim().is_empty() {
                places.push(None);
                continue;
            }
            let column = columns.find(header).ok_or_else(|| TableError::UnknownColumn(header.clone()))?;
            if places.iter().flatten().any(|known| *known == column) {
                return Err(TableError::Twice(header.clone()));
            }
            rows.headers.insert(key(column), header.clone());
            places.push(Some(column));
        }
        let mut open: Option<Open> = None;
        for line in &table.lines {
            let cell = |wanted: &str| {
                let place = places.iter().position(|column| {
                    column.is_some_and(|column| column.list.is_none() && column.field.name() == wanted)
                })?;
                line.cells.get(place).map(|cell| cell.trim().to_owned())
            };
            let name = cell("name").unwrap_or_default();
            let continues = open.as_ref().is_some_and(|open| !name.is_empty() && open.name == name)
                && columns.iter().any(|column| column.list.is_some());
            if !continues {
                rows.close(open.take(), register);
                open = Some(Open {
                    message: DynamicMessage::new(register.resource.clone()),
                    line: line.number,
                    member_lines: vec![],
                    refused: false,
                    name,
                });
            }
            if let Some(record) = &mut open {
                rows.fill(record, register, &places, line.number, &line.cells, continues);
            }
        }
        rows.close(open, register);
        Ok(rows)
    }

    /// Gives the header of the column that a violation's path speaks of, or the path itself.
    pub fn header_of(&self, path: &str, columns: &Columns) -> String {
        columns.of_path(path).map_or_else(
            || path.to_owned(),
            |column| self.headers.get(&key(column)).cloned().unwrap_or_else(|| column.header()),
        )
    }

    fn fill(
        &mut self,
        record: &mut Open,
        register: &Register,
        places: &[Option<&Column>],
        line: u64,
        cells: &[String],
        continues: bool,
    ) {
        let mut member: Option<(prost_reflect::FieldDescriptor, DynamicMessage)> = None;
        for (column, cell) in places.iter().zip(cells) {
            let Some(column) = column else { continue };
            if cell.trim().is_empty() || (continues && column.list.is_none()) {
                continue;
            }
            let value = match cells::value(&column.field, cell) {
                Ok(value) => value,
                Err(error) => {
                    record.refused = true;
                    self.refuse(line, column, &error);
                    continue;
                }
            };
            match &column.list {
                None if column.field.name() == "name" => {
                    let name = full_name(register, cell.trim());
                    record.message.set_field(&column.field, Value::String(name));
                }
                None => record.message.set_field(&column.field, value),
                Some(list) => {
                    let Kind::Message(descriptor) = list.kind() else { continue };
                    let (_, message) = member.get_or_insert_with(|| (list.clone(), DynamicMessage::new(descriptor)));
                    message.set_field(&column.field, value);
                }
            }
        }
        if let Some((list, message)) = member {
            record.member_lines.push(line);
            if let Value::List(members) = record.message.get_field_mut(&list) {
                members.push(Value::Message(message));
            }
        }
    }

    fn refuse(&mut self, line: u64, column: &Column, error: &CellError) {
        let header = self.headers.get(&key(column)).cloned().unwrap_or_else(|| column.header());
        self.refusals.push(Refusal { line, column: header, zh: error.message(Lang::Zh), en: error.message(Lang::En) });
    }

    fn close(&mut self, record: Option<Open>, register: &Register) {
        let Some(record) = record else { return };
        if record.refused {
            return;
        }
        let commitment =
            record.message.get_field_by_name("commitment").and_then(|value| value.as_str().map(str::to_owned));
        match register.department_for(commitment.as_deref()) {
            Some(department) => self.items.push(Item {
                line: record.line,
                member_lines: record.member_lines,
                department,
                bytes: Bytes::from(record.message.encode_to_vec()),
            }),
            None => self.refusals.push(Refusal {
                line: record.line,
                column: self.headers.get("commitment").cloned().unwrap_or_default(),
                zh: "承诺事项目录中没有".to_owned(),
                en: "is not in the catalogue of commitments".to_owned(),
            }),
        }
    }
}

fn key(column: &Column) -> String {
    match &column.list {
        Some(list) => format!("{}.{}", list.name(), column.field.name()),
        None => column.field.name().to_owned(),
    }
}

/// A file may give the bare id of a record.
fn full_name(register: &Register, name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("{}/{name}", register.name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{import::read::Line, registers};
    use minsheng_proto::{community::v1 as community, social_security::v1 as social};

    fn table(headers: &[&str], lines: &[&[&str]]) -> Table {
        let texts = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        Table {
            headers: texts(headers),
            lines: (2..).zip(lines).map(|(number, cells)| Line { number, cells: texts(cells) }).collect(),
        }
    }

    fn rows(register: &str, table: &Table) -> Result<Rows, TableError> {
        let register = registers::find(register).expect("a register");
        Rows::of(table, register, &Columns::of(&register.resource))
    }

    #[test]
    fn a_row_becomes_the_register_s_own_message() {
        let table = table(
            &["编号", "区划代码", "name of nothing is not here", "类型", "启用日期"],
            &[&["p1", "540102", "", "老年助餐点", "2025-09-01"]],
        );
        assert!(matches!(rows("service_points", &table), Err(TableError::UnknownColumn(_))));
        let table = self::table(
            &["编号", "区划代码", "", "类型", "opened on"],
            &[&["p1", "540102", "note", "老年助餐点", "2025-09-01"]],
        );
        let rows = rows("service_points", &table).expect("a table");
        let point = community::ServicePoint::decode(rows.items[0].bytes.clone()).expect("decodes");
        assert_eq!((point.name.as_str(), point.area.as_str()), ("service_points/p1", "540102"));
        assert_eq!(point.kind(), community::ServicePointKind::ElderMealPoint);
        assert_eq!(point.opened_on.map(|day| (day.year, day.month, day.day)), Some((2025, 9, 1)));
    }

    #[test]
    fn every_bad_cell_of_a_row_is_named_with_the_header_of_the_file() {
        let table = table(&["类型", "capacity"], &[&["饭店", "many"], &["托育机构", "30"]]);
        let rows = rows("service_points", &table).expect("a table");
        let found: Vec<_> = rows.refusals.iter().map(|refusal| (refusal.line, refusal.column.as_str())).collect();
        assert_eq!(found, [(2, "类型"), (2, "capacity")]);
        assert_eq!(rows.items.len(), 1);
        assert!(
            rows.refusals[1].text(Lang::Zh).contains("第 2 行")
                && rows.refusals[1].text(Lang::En).contains("whole number")
        );
    }

    #[test]
    fn rows_of_one_household_become_one_record_with_its_members() {
        let headers = ["编号", "区划代码", "认定类别", "家庭成员·公民身份号码", "家庭成员·与申请人关系"];
        let table = table(
            &headers,
            &[
                &["h1", "540102", "低保", "549999199001010012", "申请人"],
                &["h1", "", "", "54999920180901004X", "子女"],
                &["h2", "540103", "特困", "549999195506151234", "申请人"],
            ],
        );
        let rows = rows("assistance_households", &table).expect("a table");
        assert!(rows.refusals.is_empty(), "{:?}", rows.refusals);
        let households: Vec<_> = rows
            .items
            .iter()
            .map(|item| social::AssistanceHousehold::decode(item.bytes.clone()).expect("decodes"))
            .collect();
        assert_eq!(households.iter().map(|household| household.members.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(rows.items[0].member_lines, [2, 3]);
    }

    #[test]
    fn a_return_goes_to_the_department_of_its_commitment_and_an_unknown_one_is_refused() {
        let table = table(
            &["区划代码", "承诺事项", "月份", "分子"],
            &[&["540102", "hpv-vaccination", "2025-09", "10"], &["540102", "free-beer", "2025-09", "1"]],
        );
        let rows = rows("returns", &table).expect("a table");
        assert_eq!(rows.items[0].department, "health");
        assert_eq!((rows.refusals[0].line, rows.refusals[0].column.as_str()), (3, "承诺事项"));
    }

    #[test]
    fn a_column_that_stands_twice_is_refused() {
        let table = table(&["类型", "kind"], &[]);
        assert!(matches!(rows("service_points", &table), Err(TableError::Twice(_))));
    }
}
