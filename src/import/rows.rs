//! Rows into records: every cell that does not read is a refusal with its column; what reads is encoded for upload.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Kind, Value};

use super::{
    TableError,
    cells::{self, CellError},
    columns::{Column, Columns},
    identity::{self, Identity, Namer},
    read::{Line, NOTE, Table},
    units,
};
use crate::{
    lang::Lang,
    registers::{self, Register},
    said,
};

/// Number of the field that holds a record's name, in every register.
const NAME_FIELD: u32 = 1;

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
    /// Renders it in a language.
    pub fn text(&self, lang: Lang) -> String {
        let (line, column, why) = (self.line, &self.column, lang.of(&self.zh, &self.en));
        if column.is_empty() {
            said!(lang, "第 {line} 行：{why}", "line {line}: {why}")
        } else {
            said!(lang, "第 {line} 行，“{column}”：{why}", "line {line}, \"{column}\": {why}")
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
    /// What tells it from others.
    pub identity: Identity,
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
    pub fn of(table: &Table, register: &'static Register, columns: &Columns) -> Result<Self, TableError> {
        let mut places: Vec<Option<&Column>> = Vec::with_capacity(table.headers.len());
        let mut rows = Self::default();
        for header in &table.headers {
            // A column of somebody's own notes begins like a note.
            if header.trim().is_empty() || header.trim().starts_with(NOTE) {
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
                rows.fill(record, register, &places, line, continues);
                if let Some(refusal) = surplus(&table.headers, line) {
                    record.refused = true;
                    rows.refusals.push(refusal);
                }
            }
        }
        rows.close(open, register);
        rows.refuse_contradictions();
        Ok(rows)
    }

    /// Names the records that neither the file nor the register's server names.
    pub fn name(&mut self, register: &'static Register, namer: &Namer) {
        if !identity::is_named_here(register) {
            return;
        }
        for item in &mut self.items {
            if let Identity::Cells(cells) = &item.identity {
                let mut bytes = item.bytes.to_vec();
                prost::encoding::string::encode(NAME_FIELD, &namer.name(register, cells), &mut bytes);
                item.bytes = Bytes::from(bytes);
            }
        }
    }

    /// Refuses rows that say of a record something else than a row above them: whichever chunk they would be in, only
    /// one of them can be right.
    fn refuse_contradictions(&mut self) {
        let mut first: HashMap<(&str, Identity), (u64, Bytes)> = HashMap::new();
        let mut refusals = Vec::new();
        self.items.retain(|item| match first.entry((item.department, item.identity.clone())) {
            Entry::Vacant(free) => {
                free.insert((item.line, item.bytes.clone()));
                true
            }
            Entry::Occupied(there) => {
                let (line, bytes) = there.get();
                let same = *bytes == item.bytes;
                if !same {
                    refusals.push(Refusal {
                        line: item.line,
                        column: String::new(),
                        zh: format!("与第 {line} 行是同一记录而内容不同"),
                        en: format!("is the same record as line {line}, with another content"),
                    });
                }
                same
            }
        });
        self.refusals.extend(refusals);
    }

    /// Returns the header of the column that a violation's path speaks of, or the path itself.
    pub fn header_of(&self, path: &str, columns: &Columns) -> String {
        columns.of_path(path).map_or_else(
            || path.to_owned(),
            |column| self.headers.get(&key(column)).cloned().unwrap_or_else(|| column.header()),
        )
    }

    fn fill(
        &mut self,
        record: &mut Open,
        register: &'static Register,
        places: &[Option<&Column>],
        line: &Line,
        continues: bool,
    ) {
        let mut member: Option<(prost_reflect::FieldDescriptor, DynamicMessage)> = None;
        for (place, (column, cell)) in places.iter().zip(&line.cells).enumerate() {
            let Some(column) = column else { continue };
            if cell.trim().is_empty() || (continues && column.list.is_none()) {
                continue;
            }
            let fault = line.faults.iter().find(|(at, _)| *at == place).map(|(_, fault)| fault.clone());
            let value = match fault.map_or_else(|| cells::value(&column.field, cell), Err) {
                Ok(value) => value,
                Err(error) => {
                    record.refused = true;
                    self.refuse(line.number, column, &error);
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
            record.member_lines.push(line.number);
            if let Value::List(members) = record.message.get_field_mut(&list) {
                members.push(Value::Message(message));
            }
        }
    }

    fn refuse(&mut self, line: u64, column: &Column, error: &CellError) {
        let header = self.headers.get(&key(column)).cloned().unwrap_or_else(|| column.header());
        self.refusals.push(Refusal { line, column: header, zh: error.message(Lang::Zh), en: error.message(Lang::En) });
    }

    fn close(&mut self, record: Option<Open>, register: &'static Register) {
        let Some(mut record) = record else { return };
        if record.refused {
            return;
        }
        units::in_the_catalogue_s_words(register, &mut record.message);
        let commitment =
            record.message.get_field_by_name("commitment").and_then(|value| value.as_str().map(str::to_owned));
        match registers::department_for(register, commitment.as_deref()) {
            Some(department) => self.items.push(Item {
                line: record.line,
                member_lines: record.member_lines,
                department,
                identity: identity::of(register, &record.message),
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

/// Returns what is wrong with a row that has more than its header: a comma that should stand in quotes has moved its
/// cells.
fn surplus(headers: &[String], line: &Line) -> Option<Refusal> {
    let without = |place: usize| headers.get(place).is_none_or(|header| header.trim().is_empty());
    let (place, cell) =
        line.cells.iter().enumerate().find(|(place, cell)| without(*place) && !cell.trim().is_empty())?;
    let (number, columns) = (place + 1, headers.len());
    let cell = cell.trim();
    Some(Refusal {
        line: line.number,
        column: String::new(),
        zh: format!("第 {number} 格“{cell}”没有表头（表头共 {columns} 列）；内含逗号的单元格须加引号"),
        en: format!(
            "cell {number}, \"{cell}\", has no header (there are {columns}); a cell with a comma in it must stand in quotes"
        ),
    })
}

fn key(column: &Column) -> String {
    match &column.list {
        Some(list) => format!("{}.{}", list.name(), column.field.name()),
        None => column.field.name().to_owned(),
    }
}

/// A file may give the bare id of a record.
fn full_name(register: &'static Register, name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("{}/{name}", register.collection) }
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
            lines: (2..)
                .zip(lines)
                .map(|(number, cells)| Line { number, cells: texts(cells), faults: vec![] })
                .collect(),
        }
    }

    fn rows(register: &str, table: &Table) -> Result<Rows, TableError> {
        let register = registers::find(register).expect("a register");
        Rows::of(table, register, &Columns::of(register))
    }

    #[test]
    fn a_row_becomes_the_register_s_own_message() {
        let table = table(
            &["编号", "区划代码", "name of nothing is not here", "类型", "启用日期"],
            &[&["p1", "540102", "", "老年助餐点", "2025-09-01"]],
        );
        assert!(matches!(rows("service_points", &table), Err(TableError::UnknownColumn(_))));
        let table = self::table(
            &["编号", "区划代码", "# 备注", "类型", "opened on"],
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
    fn a_row_with_more_cells_than_the_header_is_refused_and_an_unquoted_thousand_is_not_one() {
        let table = table(
            &["名称", "区划代码", "类型", "capacity"],
            &[&["甲", "540102", "托育机构", "1", "200"], &["乙", "540102", "托育机构", "1200", " "]],
        );
        let rows = rows("service_points", &table).expect("a table");
        assert_eq!(rows.items.iter().map(|item| item.line).collect::<Vec<_>>(), [3]);
        assert_eq!(rows.refusals.len(), 1);
        assert!(rows.refusals[0].zh.contains("“200”"), "{:?}", rows.refusals);
        let table = self::table(&["名称", "类型", ""], &[&["甲", "托育机构", "200"]]);
        assert_eq!(self::rows("service_points", &table).expect("a table").refusals.len(), 1, "no header over it");
    }

    #[test]
    fn rows_that_contradict_one_another_are_refused_wherever_they_stand() {
        let headers = ["名称", "区划代码", "类型", "capacity"];
        let table = table(
            &headers,
            &[
                &["甲", "540102", "托育机构", "30"],
                &["甲", "540103", "托育机构", "40"],
                &["甲", "540102", "托育机构", "30"],
                &["甲", "540102", "托育机构", "31"],
            ],
        );
        let rows = rows("service_points", &table).expect("a table");
        assert_eq!(rows.items.iter().map(|item| item.line).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(rows.refusals[0].line, 5);
        assert!(rows.refusals[0].en.contains("line 2"), "{:?}", rows.refusals);
    }

    #[test]
    fn rows_without_a_name_are_named_by_what_identifies_them() {
        let table = table(
            &["编号", "名称", "区划代码", "类型", "capacity"],
            &[&["", "甲", "540102", "托育机构", "30"], &["p9", "乙", "540102", "托育机构", "30"]],
        );
        let register = registers::find("service_points").expect("a register");
        let mut rows = rows("service_points", &table).expect("a table");
        rows.name(register, &Namer::new(register, std::path::Path::new("nowhere")).expect("a namer"));
        let names: Vec<_> = rows
            .items
            .iter()
            .map(|item| community::ServicePoint::decode(item.bytes.clone()).expect("decodes"))
            .map(|point| (point.name, point.capacity))
            .collect();
        assert!(names[0].0.len() == "service_points/".len() + 32 && names[0].1 == 30, "{names:?}");
        assert_eq!(names[1].0, "service_points/p9");
    }

    #[test]
    fn a_return_s_unit_may_be_given_as_the_catalogue_gives_it_in_either_language() {
        let table = table(
            &["区划代码", "承诺事项", "月份", "分子", "分母", "单位"],
            &[
                &["540102", "hpv-vaccination", "2025-09", "10", "20", "%"],
                &["540102", "hpv-vaccination", "2025-10", "10", "20", "percent"],
                &["540102", "hpv-vaccination", "2025-11", "10", "20", "个"],
            ],
        );
        let rows = rows("returns", &table).expect("a table");
        let units: Vec<_> = rows
            .items
            .iter()
            .map(|item| minsheng_proto::returns::v1::Return::decode(item.bytes.clone()).expect("decodes").unit)
            .collect();
        assert_eq!(units, ["percent", "percent", "个"]);
    }

    #[test]
    fn a_column_that_stands_twice_is_refused() {
        let table = table(&["类型", "kind"], &[]);
        assert!(matches!(rows("service_points", &table), Err(TableError::Twice(_))));
    }
}
