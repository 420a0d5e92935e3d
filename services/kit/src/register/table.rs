//! A register's table of states: the head that every state has, and the macro that declares table and record at once.

use super::states::Period;
use crate::{error::Error, store::AnyConnection};

/// What the kit knows of every state of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Id within the collection.
    pub id: String,
    /// Place among the record's states in the order of days, from 0.
    pub number: i64,
    /// County, six digits.
    pub area: String,
    /// Version of the record, the etag; the same in all its states, and greater by one with every change.
    pub version: i64,
    /// Number under which the journal asserts the state.
    pub assertion: i64,
    /// First day on which the state holds, days since 1970-01-01.
    pub effective_on: i64,
    /// First day on which it no longer does; [`FOREVER`](super::FOREVER) while it is open.
    pub effective_until: i64,
    /// Number of the contract's `RecordState`.
    pub state: i64,
    /// When the record was first recorded, microseconds UTC.
    pub created_at: i64,
    /// When it was last changed, microseconds UTC.
    pub updated_at: i64,
}

/// Counts a register's records in force on a day, in areas between two codes, by area: [`Table::count`].
pub type CountInForce = fn(&mut AnyConnection, (&str, &str), i64) -> Result<Vec<(String, i64)>, Error>;

/// A register's table as the kit uses it. Implemented by [`register_table!`](crate::register_table).
pub trait Table: Clone + PartialEq + Send + Sync + Sized + 'static {
    /// Returns the id of the record.
    fn id(&self) -> &str;
    /// Returns the head.
    fn head(&self) -> Head;
    /// Puts another head on the state.
    fn set_head(&mut self, head: Head);
    /// Makes an empty state with a head, to be filled: `Record { title, ..Record::with_head(head) }`.
    fn with_head(head: Head) -> Self;
    /// Notes when a new record is recorded, microseconds UTC.
    fn recorded(&mut self, now: i64);
    /// Returns the dataset's row as the journal asserts it, encoded.
    fn told(&self) -> &[u8];
    /// Notes the dataset's row as the journal asserts it.
    fn set_told(&mut self, told: Vec<u8>);
    /// Returns the days on which the state holds.
    fn period(&self) -> Period {
        self.head().period()
    }
    /// Inserts the first states of many records.
    fn insert(connection: &mut AnyConnection, records: &[Self]) -> Result<(), Error>;
    /// Writes the states of a record in place of others, if the record still has their version; says whether it had.
    fn write(connection: &mut AnyConnection, was: &[Self], now: &[Self]) -> Result<bool, Error>;
    /// Finds the states of a record for writing, in their order: on PostgreSQL the first one stays locked until the unit ends,
    /// and with it the record.
    fn lock(connection: &mut AnyConnection, id: &str) -> Result<Vec<Self>, Error>;
    /// Finds all states of records, in the order of ids and days.
    fn find(connection: &mut AnyConnection, ids: &[String]) -> Result<Vec<Self>, Error>;
    /// Finds records that an earlier version wrote and that are not carried over, in the order of ids.
    fn not_carried_over(connection: &mut AnyConnection, limit: i64) -> Result<Vec<Self>, Error>;
    /// Counts the records in force on a day whose area lies between two codes, by area.
    fn count(connection: &mut AnyConnection, areas: (&str, &str), day: i64) -> Result<Vec<(String, i64)>, Error>;
    /// Lists the states of records whose area lies between two codes, behind an id, in the order of ids and days; `limit`
    /// counts records.
    fn page(connection: &mut AnyConnection, areas: (&str, &str), after: &str, limit: i64) -> Result<Vec<Self>, Error>;
}

/// Declares a register's table of states and its record at once: the head's columns, then the register's own.
///
/// ```ignore
/// register_table! {
///     /// Medical institutions.
///     institutions => InstitutionRecord {
///         /// Name of the institution.
///         title: Text = String,
///         /// Last day in operation.
///         operating_to: Nullable<BigInt> = Option<i64>,
///     }
/// }
/// ```
#[macro_export]
macro_rules! register_table {
    (
        $(#[$table_doc:meta])*
        $table:ident => $record:ident {
            $( $(#[$column_doc:meta])* $column:ident : $sql:ty = $rust:ty ),* $(,)?
        }
    ) => {
        diesel::table! {
            use diesel::sql_types::*;

            $(#[$table_doc])*
            $table (id, number) {
                /// Id within the collection.
                id -> Text,
                /// Place among the record's states in the order of days, from 0.
                number -> BigInt,
                /// County, six digits.
                area -> Text,
                /// Version of the record, the same in all its states.
                version -> BigInt,
                /// Number under which the journal asserts the state.
                assertion -> BigInt,
                /// First day on which the state holds, days since 1970-01-01.
                effective_on -> BigInt,
                /// First day on which it no longer does; the greatest number while it is open.
                effective_until -> BigInt,
                /// 1 in force, 2 ended, 3 withdrawn.
                state -> BigInt,
                /// When the record was first recorded, microseconds UTC.
                created_at -> BigInt,
                /// When it was last changed, microseconds UTC.
                updated_at -> BigInt,
                /// The dataset's row as the journal asserts it, encoded.
                told -> Binary,
                $( $(#[$column_doc])* $column -> $sql, )*
            }
        }

        $(#[$table_doc])*
        #[derive(
            Clone, Debug, Default, PartialEq, diesel::Queryable, diesel::Insertable, diesel::AsChangeset, diesel::Identifiable,
        )]
        #[diesel(
            table_name = $table, primary_key(id, number), treat_none_as_default_value = false, treat_none_as_null = true
        )]
        pub struct $record {
            /// Id within the collection.
            pub id: String,
            /// Place among the record's states in the order of days, from 0.
            pub number: i64,
            /// County, six digits.
            pub area: String,
            /// Version of the record, the same in all its states.
            pub version: i64,
            /// Number under which the journal asserts the state.
            pub assertion: i64,
            /// First day on which the state holds, days since 1970-01-01.
            pub effective_on: i64,
            /// First day on which it no longer does; the greatest number while it is open.
            pub effective_until: i64,
            /// 1 in force, 2 ended, 3 withdrawn.
            pub state: i64,
            /// When the record was first recorded, microseconds UTC.
            pub created_at: i64,
            /// When it was last changed, microseconds UTC.
            pub updated_at: i64,
            /// The dataset's row as the journal asserts it, encoded.
            pub told: Vec<u8>,
            $( $(#[$column_doc])* pub $column: $rust, )*
        }

        impl $crate::register::Table for $record {
            fn id(&self) -> &str {
                &self.id
            }

            fn head(&self) -> $crate::register::Head {
                $crate::register::Head {
                    id: self.id.clone(),
                    number: self.number,
                    area: self.area.clone(),
                    version: self.version,
                    assertion: self.assertion,
                    effective_on: self.effective_on,
                    effective_until: self.effective_until,
                    state: self.state,
                    created_at: self.created_at,
                    updated_at: self.updated_at,
                }
            }

            fn set_head(&mut self, head: $crate::register::Head) {
                self.id = head.id;
                self.number = head.number;
                self.area = head.area;
                self.version = head.version;
                self.assertion = head.assertion;
                self.effective_on = head.effective_on;
                self.effective_until = head.effective_until;
                self.state = head.state;
                self.created_at = head.created_at;
                self.updated_at = head.updated_at;
            }

            fn with_head(head: $crate::register::Head) -> Self {
                let mut record = Self::default();
                record.set_head(head);
                record
            }

            fn recorded(&mut self, now: i64) {
                self.created_at = now;
                self.updated_at = now;
            }

            fn told(&self) -> &[u8] {
                &self.told
            }

            fn set_told(&mut self, told: Vec<u8>) {
                self.told = told;
            }

            fn insert(
                connection: &mut $crate::store::AnyConnection,
                records: &[Self],
            ) -> Result<(), $crate::error::Error> {
                use diesel::RunQueryDsl as _;
                for rows in records.chunks($crate::register::ROWS_PER_INSERT) {
                    $crate::insert_rows!(connection, $table::table, rows)?;
                }
                Ok(())
            }

            fn write(
                connection: &mut $crate::store::AnyConnection,
                was: &[Self],
                now: &[Self],
            ) -> Result<bool, $crate::error::Error> {
                use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
                for (row, old) in now.iter().zip(was) {
                    let there = $table::id.eq(&row.id).and($table::number.eq(row.number));
                    let there = $table::table.filter(there.and($table::version.eq(old.version)));
                    if $crate::on_each!(connection, c => diesel::update(there).set(row).execute(c))? != 1 {
                        return Ok(false);
                    }
                }
                if let Some(more) = now.get(was.len()..) {
                    Self::insert(connection, more)?;
                }
                if let Some(gone) = was.get(now.len()) {
                    let gone = $table::id.eq(&gone.id).and($table::number.ge(gone.number));
                    let gone = diesel::delete($table::table.filter(gone));
                    $crate::on_each!(connection, c => gone.execute(c))?;
                }
                Ok(true)
            }

            fn lock(
                connection: &mut $crate::store::AnyConnection,
                id: &str,
            ) -> Result<Vec<Self>, $crate::error::Error> {
                use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
                let exclusive = $crate::store::LockStrength::Exclusive;
                $crate::store::lock_records(connection, stringify!($table), [id], exclusive)?;
                let states = $table::table.filter($table::id.eq(id)).order($table::number);
                Ok($crate::on_each!(connection, c => states.load(c))?)
            }

            fn find(
                connection: &mut $crate::store::AnyConnection,
                ids: &[String],
            ) -> Result<Vec<Self>, $crate::error::Error> {
                use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
                let mut found: Vec<Self> = $crate::load_among!(connection, $table::table, $table::id, ids)?;
                found.sort_by(|a, b| a.id.cmp(&b.id).then(a.number.cmp(&b.number)));
                found.dedup_by(|a, b| a.id == b.id && a.number == b.number);
                Ok(found)
            }

            fn not_carried_over(
                connection: &mut $crate::store::AnyConnection,
                limit: i64,
            ) -> Result<Vec<Self>, $crate::error::Error> {
                use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
                let before = $table::table.filter($table::assertion.eq(-1)).order($table::id).limit(limit);
                Ok($crate::on_each!(connection, c => before.load(c))?)
            }

            fn count(
                connection: &mut $crate::store::AnyConnection,
                areas: (&str, &str),
                day: i64,
            ) -> Result<Vec<(String, i64)>, $crate::error::Error> {
                use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, dsl::count_star};
                let in_force = $table::table
                    .filter($table::area.between(areas.0, areas.1))
                    .filter($table::state.eq($crate::register::ACTIVE))
                    .filter($table::effective_on.le(day))
                    .filter($table::effective_until.gt(day))
                    .group_by($table::area)
                    .order($table::area)
                    .select(($table::area, count_star()));
                Ok($crate::on_each!(connection, c => in_force.load(c))?)
            }

            fn page(
                connection: &mut $crate::store::AnyConnection,
                areas: (&str, &str),
                after: &str,
                limit: i64,
            ) -> Result<Vec<Self>, $crate::error::Error> {
                use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
                let first = $table::table
                    .filter($table::area.between(areas.0, areas.1))
                    .filter($table::id.gt(after))
                    .filter($table::number.eq(0))
                    .order($table::id)
                    .limit(limit);
                let mut found: Vec<Self> = $crate::on_each!(connection, c => first.load(c))?;
                let (Some(first), Some(last)) = (found.first(), found.last()) else { return Ok(found) };
                let later = $table::table
                    .filter($table::id.between(first.id.clone(), last.id.clone()))
                    .filter($table::area.between(areas.0, areas.1))
                    .filter($table::number.gt(0));
                let mut later: Vec<Self> = $crate::on_each!(connection, c => later.load(c))?;
                if !later.is_empty() {
                    found.append(&mut later);
                    found.sort_by(|a, b| a.id.cmp(&b.id).then(a.number.cmp(&b.number)));
                }
                Ok(found)
            }
        }
    };
}
