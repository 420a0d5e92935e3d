//! One schema in three places: SQLite's catalogue, PostgreSQL's, and the tables that the code declares to diesel.
//!
//! A service's `tests/it/schema.rs` lists its tables in [`schema_test!`](crate::schema_test); a table of the database
//! that is not among them fails the test, and so does one that differs between any two of the three places.

use std::collections::BTreeMap;

use diesel::{
    Connection as _, Expression, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection, Table,
    query_builder::QueryFragment,
    sql_types::{BigInt, Binary, Bool, Double, Nullable, Text},
    sqlite::Sqlite,
};
use minsheng_kit::{
    assembly::Definition,
    filings::schema::{milestones, returns},
    store::{Store, StoreConfig, schema as kit, system_clock},
};

use crate::{TestDatabase, TestSite, databases};

/// Compares a service's schema in both databases and in the code: `schema_test!(DEFINITION: table, …)` with the tables
/// of its registers in scope.
#[macro_export]
macro_rules! schema_test {
    ($definition:path: $($table:ident),* $(,)?) => {
        #[test]
        fn both_databases_and_the_code_have_one_schema() {
            $crate::schema::check(&$definition, [$($crate::schema::declared::<$table::table>()),*]);
        }
    };
}

/// Tables by name.
pub type Schema = BTreeMap<String, TableSchema>;

/// A table as a catalogue has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableSchema {
    /// In the table's order.
    pub columns: Vec<ColumnSchema>,
    /// Columns of the primary key, in its order.
    pub key: Vec<String>,
    /// Other indexes, by name.
    pub indexes: BTreeMap<String, IndexSchema>,
}

impl TableSchema {
    /// Spells all of it.
    fn lines(&self) -> Vec<String> {
        let columns = self.columns.iter().enumerate().map(|(place, column)| format!("{place}: {column:?}"));
        let indexes = self.indexes.iter().map(|(name, index)| format!("{name}: {index:?}"));
        columns.chain([format!("key {:?}", self.key)]).chain(indexes).collect()
    }

    /// Spells what code declares of it. The order of columns is no part of that: diesel names them in each statement.
    fn declared_lines(&self) -> Vec<String> {
        let columns = self.columns.iter().map(|column| declared_line(&column.name, &column.kind, column.nullable));
        columns.chain([format!("key {:?}", self.key)]).collect()
    }
}

fn declared_line(name: &str, kind: &str, nullable: bool) -> String {
    format!("{name}: {kind}{}", if nullable { ", may be absent" } else { "" })
}

/// A column as a catalogue has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSchema {
    /// Name.
    pub name: String,
    /// diesel's name of the type under any domain, or the database's name of one that diesel's tables do not have.
    pub kind: String,
    /// Whether it may be absent.
    pub nullable: bool,
    /// Default, `generated` for a position.
    pub default: Option<String>,
}

/// An index as a catalogue has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexSchema {
    /// In the index's order.
    pub columns: Vec<String>,
    /// Whether it admits a key once.
    pub unique: bool,
    /// Condition on the rows that it has.
    pub condition: Option<String>,
}

/// A table as the code declares it to diesel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredTable {
    name: String,
    columns: Vec<DeclaredColumn>,
    key: Vec<String>,
}

impl DeclaredTable {
    fn lines(&self) -> Vec<String> {
        let columns = self.columns.iter().map(|(name, kind, nullable)| declared_line(name, kind, *nullable));
        columns.chain([format!("key {:?}", self.key)]).collect()
    }
}

/// Name, type, and whether it may be absent.
type DeclaredColumn = (&'static str, &'static str, bool);

/// Returns what a table is declared as.
pub fn declared<T>() -> DeclaredTable
where
    T: Table + Default + QueryFragment<Sqlite>,
    T::AllColumns: Columns,
    T::PrimaryKey: QueryFragment<Sqlite>,
{
    let table = T::default();
    DeclaredTable { name: names(&table).concat(), columns: T::AllColumns::columns(), key: names(&table.primary_key()) }
}

/// Lists the names in a part of a statement, without the tables before them.
fn names(part: &impl QueryFragment<Sqlite>) -> Vec<String> {
    let text = diesel::debug_query::<Sqlite, _>(part).to_string();
    let names = text.split(" -- binds").next().unwrap_or_default().split(", ");
    names.map(|name| name.rsplit('.').next().unwrap_or_default().trim_matches('`').to_owned()).collect()
}

/// A type that columns are declared with.
pub trait ColumnType {
    /// diesel's name of it.
    const NAME: &'static str;
    /// Whether a value may be absent.
    const NULLABLE: bool = false;
}

impl ColumnType for BigInt {
    const NAME: &'static str = "BigInt";
}

impl ColumnType for Binary {
    const NAME: &'static str = "Binary";
}

impl ColumnType for Bool {
    const NAME: &'static str = "Bool";
}

impl ColumnType for Double {
    const NAME: &'static str = "Double";
}

impl ColumnType for Text {
    const NAME: &'static str = "Text";
}

impl<T: ColumnType + diesel::sql_types::SqlType> ColumnType for Nullable<T> {
    const NAME: &'static str = T::NAME;
    const NULLABLE: bool = true;
}

/// All columns of a table: the tuple that diesel makes of them.
pub trait Columns {
    /// Lists them in their order.
    fn columns() -> Vec<DeclaredColumn>;
}

macro_rules! columns_of_tuples {
    () => {};
    ($first:ident $($rest:ident)*) => {
        impl<$first, $($rest),*> Columns for ($first, $($rest,)*)
        where
            $first: diesel::Column<SqlType: ColumnType>,
            $($rest: diesel::Column<SqlType: ColumnType>),*
        {
            fn columns() -> Vec<DeclaredColumn> {
                vec![column::<$first>(), $(column::<$rest>()),*]
            }
        }
        columns_of_tuples!($($rest)*);
    };
}

// As many as a table may have by the features of diesel that the workspace asks for.
columns_of_tuples!(C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16
    C17 C18 C19 C20 C21 C22 C23 C24 C25 C26 C27 C28 C29 C30 C31 C32);

fn column<C: diesel::Column<SqlType: ColumnType>>() -> DeclaredColumn {
    (C::NAME, <C as Expression>::SqlType::NAME, <C as Expression>::SqlType::NULLABLE)
}

/// Compares the schema of a service in both databases and in the code.
///
/// # Panics
///
/// Panics with the differences where there are any.
pub fn check<const TABLES: usize>(definition: &Definition, tables: [DeclaredTable; TABLES]) {
    let site = TestSite::new().expect("a directory");
    let of = |kind| {
        let mut schema = migrated(&site, definition, kind);
        remove_intended_differences(&mut schema, kind);
        schema
    };
    let sqlite = of(TestDatabase::Sqlite);
    let declared = tables.into_iter().chain(kit_tables()).map(|table| (table.name.clone(), table.lines())).collect();
    let mut found = differences(("the databases", &declared_lines(&sqlite)), ("the code", &declared));
    if databases().contains(&TestDatabase::Postgres) {
        let postgres = of(TestDatabase::Postgres);
        found.extend(differences(("SQLite", &lines(&sqlite)), ("PostgreSQL", &lines(&postgres))));
    }
    assert!(found.is_empty(), "{}:\n{}", definition.department, found.join("\n"));
}

/// A line for all that is compared of a table, by table.
type Lines = BTreeMap<String, Vec<String>>;

/// Lists the lines that are in one place and not in the other.
fn differences(one: (&str, &Lines), other: (&str, &Lines)) -> Vec<String> {
    let lacking = |(place, lines): (&str, &Lines), others: &Lines| {
        let of_table = |(table, lines): (&String, &Vec<String>)| {
            let there = others.get(table).map(Vec::as_slice).unwrap_or_default();
            let alone = lines.iter().filter(|line| !there.contains(line));
            alone.map(|line| format!("{table}, {place} alone: {line}")).collect::<Vec<_>>()
        };
        lines.iter().flat_map(of_table).collect::<Vec<_>>()
    };
    [lacking(one, other.1), lacking(other, one.1)].concat()
}

fn lines(schema: &Schema) -> Lines {
    schema.iter().map(|(name, table)| (name.clone(), table.lines())).collect()
}

fn declared_lines(schema: &Schema) -> Lines {
    schema.iter().map(|(name, table)| (name.clone(), table.declared_lines())).collect()
}

/// Brings a service's database up to date, which is made where there is none, and reads its schema.
///
/// # Panics
///
/// Panics where the database cannot be brought up to date.
pub fn migrated(site: &TestSite, definition: &Definition, kind: TestDatabase) -> Schema {
    let url = site.database(kind, definition.department).expect("a database");
    drop(Store::open(&StoreConfig::new(&url), &definition.all_migrations(), system_clock()).expect("migrated"));
    read(&url)
}

/// The tables that every service has.
fn kit_tables() -> [DeclaredTable; 10] {
    [
        declared::<kit::accesses::table>(),
        declared::<kit::idempotency::table>(),
        declared::<kit::journal::table>(),
        declared::<kit::journal_before::table>(),
        declared::<kit::journal_state::table>(),
        declared::<kit::parameter_states::table>(),
        declared::<kit::parameters::table>(),
        declared::<kit::revisions::table>(),
        declared::<milestones::table>(),
        declared::<returns::table>(),
    ]
}

/// Takes out what a database has otherwise than the other on purpose, and nothing else.
fn remove_intended_differences(schema: &mut Schema, kind: TestDatabase) {
    let mut table = |name: &str| schema.remove_entry(name).expect("a table of the kit");
    let changed = match kind {
        TestDatabase::Sqlite => {
            // First answers lie in the order in which they are given, with an index that begins with what is rarest.
            let (name, mut answers) = table("idempotency");
            let once = answers.indexes.remove("idempotency_once").expect("an index of the kit");
            assert!(once.unique && once.condition.is_none() && answers.key.is_empty(), "{once:?}");
            answers.key = once.columns.into_iter().rev().collect();
            vec![(name, answers)]
        }
        TestDatabase::Postgres => {
            // Transactions commit out of order: an entry says in which one it came.
            let (mut journal, mut before) = (table("journal"), table("journal_before"));
            for (_, journal) in [&mut journal, &mut before] {
                let tx = journal.columns.pop().expect("columns");
                assert_eq!((tx.name.as_str(), tx.kind.as_str(), tx.nullable), ("tx", "xid8", false));
            }
            let by_tx = journal.1.indexes.remove("journal_by_tx").expect("an index of the kit");
            assert_eq!(by_tx.columns, ["dataset", "tx"]);
            vec![journal, before]
        }
    };
    schema.extend(changed);
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    of_table: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    nullable: i64,
    #[diesel(sql_type = Nullable<Text>)]
    default_value: Option<String>,
    #[diesel(sql_type = BigInt)]
    place_in_key: i64,
}

#[derive(QueryableByName)]
struct IndexRow {
    #[diesel(sql_type = Text)]
    of_table: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    is_unique: i64,
    #[diesel(sql_type = Text)]
    of_column: String,
    #[diesel(sql_type = Nullable<Text>)]
    condition: Option<String>,
}

/// A position is SQLite's row number, which is never absent whatever its catalogue says.
const SQLITE_COLUMNS: &str = "SELECT t.name AS of_table, c.name AS name, c.type AS kind, \
    c.\"notnull\" = 0 AND NOT (c.pk = 1 AND t.sql LIKE '%AUTOINCREMENT%') AS nullable, \
    CASE WHEN c.pk = 1 AND t.sql LIKE '%AUTOINCREMENT%' THEN 'generated' ELSE c.dflt_value END AS default_value, \
    c.pk AS place_in_key \
    FROM sqlite_master t, pragma_table_info(t.name) c \
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '__diesel_schema_migrations' \
    ORDER BY t.name, c.cid";

const SQLITE_INDEXES: &str = "SELECT t.name AS of_table, i.name AS name, i.\"unique\" AS is_unique, \
    c.name || CASE c.\"desc\" WHEN 1 THEN ' DESC' ELSE '' END AS of_column, \
    CASE instr(d.sql, ' WHERE ') WHEN 0 THEN NULL ELSE substr(d.sql, instr(d.sql, ' WHERE ') + 7) END AS condition \
    FROM sqlite_master t, pragma_index_list(t.name) i, pragma_index_xinfo(i.name) c, sqlite_master d \
    WHERE t.type = 'table' AND t.name <> '__diesel_schema_migrations' AND i.origin <> 'pk' AND c.key = 1 \
    AND d.type = 'index' AND d.name = i.name ORDER BY i.name, c.seqno";

const POSTGRES_COLUMNS: &str = "SELECT t.relname::text AS of_table, c.attname::text AS name, \
    format_type(CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END, NULL) AS kind, \
    (NOT c.attnotnull)::int::bigint AS nullable, \
    CASE WHEN pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%' THEN 'generated' \
    ELSE pg_get_expr(d.adbin, d.adrelid) END AS default_value, \
    coalesce(array_position(k.conkey, c.attnum), 0)::bigint AS place_in_key \
    FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped \
    JOIN pg_type y ON y.oid = c.atttypid \
    LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = c.attnum \
    LEFT JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'p' \
    WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace AND t.relname <> '__diesel_schema_migrations' \
    ORDER BY t.relname, c.attnum";

const POSTGRES_INDEXES: &str = "SELECT t.relname::text AS of_table, i.relname::text AS name, \
    x.indisunique::int::bigint AS is_unique, \
    trim('\"' FROM pg_get_indexdef(i.oid, c.place, true)) || CASE x.indoption[c.place - 1] & 1 WHEN 1 THEN ' DESC' ELSE '' END \
    AS of_column, pg_get_expr(x.indpred, x.indrelid) AS condition \
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
    CROSS JOIN LATERAL generate_series(1, x.indnkeyatts::int) AS c (place) \
    WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace AND NOT x.indisprimary \
    ORDER BY i.relname, c.place";

fn read(url: &str) -> Schema {
    if let Some(file) = url.strip_prefix("sqlite:") {
        let mut connection = SqliteConnection::establish(file).expect("opens");
        let columns = diesel::sql_query(SQLITE_COLUMNS).load(&mut connection).expect("columns");
        schema(columns, diesel::sql_query(SQLITE_INDEXES).load(&mut connection).expect("indexes"))
    } else {
        let mut connection = PgConnection::establish(url).expect("opens");
        let columns = diesel::sql_query(POSTGRES_COLUMNS).load(&mut connection).expect("columns");
        schema(columns, diesel::sql_query(POSTGRES_INDEXES).load(&mut connection).expect("indexes"))
    }
}

fn schema(columns: Vec<ColumnRow>, indexes: Vec<IndexRow>) -> Schema {
    let mut schema = Schema::new();
    let mut keys: BTreeMap<String, BTreeMap<i64, String>> = BTreeMap::new();
    for row in columns {
        if row.place_in_key > 0 {
            keys.entry(row.of_table.clone()).or_default().insert(row.place_in_key, row.name.clone());
        }
        schema.entry(row.of_table).or_default().columns.push(ColumnSchema {
            name: row.name,
            kind: diesel_name(&row.kind).to_owned(),
            nullable: row.nullable == 1,
            default: row.default_value.as_deref().map(normalised),
        });
    }
    for (table, key) in keys {
        schema.entry(table).or_default().key = key.into_values().collect();
    }
    for row in indexes {
        let index = schema.entry(row.of_table).or_default().indexes.entry(row.name).or_default();
        index.columns.push(row.of_column);
        index.unique = row.is_unique == 1;
        index.condition = row.condition.as_deref().map(normalised);
    }
    schema
}

/// Returns diesel's name of a type by either database's.
fn diesel_name(kind: &str) -> &str {
    match kind {
        // SQLite's position; on PostgreSQL it would have a name of its own, `integer`.
        "INTEGER" | "BIGINT" | "bigint" => "BigInt",
        "TEXT" | "text" => "Text",
        "BLOB" | "bytea" => "Binary",
        "BOOLEAN" | "boolean" => "Bool",
        "DOUBLE PRECISION" | "double precision" => "Double",
        other => other,
    }
}

/// Spells an expression as both databases would: without case, quotes, brackets and the names of types after `::`.
fn normalised(expression: &str) -> String {
    let mut parts = expression.split("::");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_'));
    }
    text.retain(|letter| !"()'".contains(letter));
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_databases_spell_an_expression_the_same() {
        assert_eq!(normalised("(assertion = '-1'::integer)"), normalised("assertion = -1"));
        assert_eq!(normalised("((outcome = 3) AND (state = 1))"), normalised("outcome = 3 AND state = 1"));
        assert_eq!(normalised("''::text"), normalised("''"));
        assert_ne!(normalised("((outcome = 3) AND (state = 1))"), normalised("outcome = 2 AND state = 1"));
    }
    diesel::table! {
        grants (id, number) {
            id -> Text,
            number -> BigInt,
            sealed -> Binary,
            paid_on -> Nullable<BigInt>,
        }
    }

    #[test]
    fn each_way_in_which_a_declaration_may_be_wrong_is_found() {
        let column = |name: &str, kind: &str, nullable| {
            let (name, kind) = (name.to_owned(), kind.to_owned());
            ColumnSchema { name, kind, nullable, default: None }
        };
        let right = TableSchema {
            columns: vec![
                column("id", "Text", false),
                column("paid_on", "BigInt", true),
                column("sealed", "Binary", false),
                column("number", "BigInt", false),
            ],
            key: vec!["id".to_owned(), "number".to_owned()],
            indexes: BTreeMap::new(),
        };
        let found = |table: &TableSchema| {
            let by_code = declared::<grants::table>();
            let there = Lines::from([("grants".to_owned(), table.declared_lines())]);
            differences(("there", &there), ("code", &Lines::from([(by_code.name.clone(), by_code.lines())])))
        };
        assert_eq!(found(&right), Vec::<String>::new());
        let wrong: [fn(&mut TableSchema); 6] = [
            |table| table.columns[1].name = "paid".to_owned(),
            |table| table.columns[2].kind = "Text".to_owned(),
            |table| table.columns[1].nullable = false,
            |table| table.columns[2].nullable = true,
            |table| table.key.reverse(),
            |table| drop(table.columns.pop()),
        ];
        for (place, make_wrong) in wrong.iter().enumerate() {
            let mut table = right.clone();
            make_wrong(&mut table);
            assert!(!found(&table).is_empty(), "the {place}th is not found");
        }
    }
}
