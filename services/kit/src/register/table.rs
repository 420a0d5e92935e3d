//! A register's table: the head that every record has, and the macro that declares table and record in one place.

use crate::{error::Error, store::AnyConnection};

/// What the kit knows of every record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Id within the collection.
    pub id: String,
    /// County, six digits.
    pub area: String,
    /// Grows by one with every change; the etag.
    pub version: i64,
    /// First day for which the content is true, days since 1970-01-01.
    pub effective_on: i64,
    /// Number of the contract's `RecordState`.
    pub state: i64,
    /// First day on which it is no longer true.
    pub ended_on: Option<i64>,
    /// Microseconds UTC.
    pub created_at: i64,
    /// Microseconds UTC.
    pub updated_at: i64,
}

/// A register's table as the kit uses it. Implemented by [`register_table!`](crate::register_table).
pub trait Table: Clone + PartialEq + Send + Sync + Sized + 'static {
    /// Gives the id.
    fn id(&self) -> &str;
    /// Gives the head.
    fn head(&self) -> Head;
    /// Notes when a new record is recorded, microseconds UTC.
    fn recorded(&mut self, now: i64);
    /// Puts another head on the record.
    fn set_head(&mut self, head: Head);
    /// Makes an empty record with a head, for a decoder to fill: `Record { title, ..Record::with_head(head) }`.
    fn with_head(head: Head) -> Self;
    /// Inserts many.
    fn insert(connection: &mut AnyConnection, records: &[Self]) -> Result<(), Error>;
    /// Replaces the record of the same id if it still has this version; says whether it had.
    fn replace(connection: &mut AnyConnection, record: &Self, version: i64) -> Result<bool, Error>;
    /// Finds by id, for writing: on PostgreSQL the row stays locked until the unit ends.
    fn lock(connection: &mut AnyConnection, id: &str) -> Result<Option<Self>, Error>;
    /// Finds by ids, in the order of ids.
    fn find(connection: &mut AnyConnection, ids: &[String]) -> Result<Vec<Self>, Error>;
    /// Lists those whose area lies between two codes, behind an id, in the order of ids.
    fn page(connection: &mut AnyConnection, areas: (&str, &str), after: &str, limit: i64) -> Result<Vec<Self>, Error>;
}

/// Declares a register's table and its record at once: the head's columns, then the register's own.
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
            $table (id) {
                /// Id within the collection.
                id -> Text,
                /// County, six digits.
                area -> Text,
                /// Grows by one with every change.
                version -> BigInt,
                /// First day for which the content is true, days since 1970-01-01.
                effective_on -> BigInt,
                /// 1 active, 2 ended, 3 withdrawn.
                state -> BigInt,
                /// First day on which it is no longer true.
                ended_on -> Nullable<BigInt>,
                /// Microseconds UTC.
                created_at -> BigInt,
                /// Microseconds UTC.
                updated_at -> BigInt,
                $( $(#[$column_doc])* $column -> $sql, )*
            }
        }

        $(#[$table_doc])*
        #[derive(
            Clone, Debug, Default, PartialEq, diesel::Queryable, diesel::Insertable, diesel::AsChangeset, diesel::Identifiable,
        )]
        #[diesel(table_name = $table, treat_none_as_default_value = false, treat_none_as_null = true)]
        pub struct $record {
            /// Id within the collection.
            pub id: String,
            /// County, six digits.
            pub area: String,
            /// Grows by one with every change.
            pub version: i64,
            /// First day for which the content is true.
            pub effective_on: i64,
            /// 1 active, 2 ended, 3 withdrawn.
            pub state: i64,
            /// First day on which it is no longer true.
            pub ended_on: Option<i64>,
            /// Microseconds UTC.
            pub created_at: i64,
            /// Microseconds UTC.
            pub updated_at: i64,
            $( $(#[$column_doc])* pub $column: $rust, )*
        }

        impl $crate::register::Table for $record {
            fn id(&self) -> &str {
                &self.id
            }

            fn recorded(&mut self, now: i64) {
                self.created_at = now;
                self.updated_at = now;
            }

            fn head(&self) -> $crate::register::Head {
                $crate::register::Head {
                    id: self.id.clone(),
                    area: self.area.clone(),
                    version: self.version,
                    effective_on: self.effective_on,
                    state: self.state,
                    ended_on: self.ended_on,
                    created_at: self.created_at,
                    updated_at: self.updated_at,
                }
            }

            fn set_head(&mut self, head: $crate::register::Head) {
                self.id = head.id;
                self.area = head.area;
                self.version = head.version;
                self.effective_on = head.effective_on;
                self.state = head.state;
                self.ended_on = head.ended_on;
                self.created_at = head.created_at;
                self.updated_at = head.updated_at;
            }

            fn with_head(head: $crate::register::Head) -> Self {
                let mut record = Self::default();
                record.set_head(head);
                record
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

            fn replace(
                connection: &mut $crate::store::AnyConnection,
                record: &Self,
                version: i64,
            ) -> Result<bool, $crate::error::Error> {
                use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
                let there = $table::table.filter($table::id.eq(&record.id)).filter($table::version.eq(version));
                let changed =
                    $crate::on_each!(connection, c => diesel::update(there).set(record).execute(c))?;
                Ok(changed == 1)
            }

            fn lock(
                connection: &mut $crate::store::AnyConnection,
                id: &str,
            ) -> Result<Option<Self>, $crate::error::Error> {
                use diesel::{OptionalExtension as _, QueryDsl as _, RunQueryDsl as _};
                Ok(match connection {
                    $crate::store::AnyConnection::Sqlite(c) => $table::table.find(id).get_result(c).optional()?,
                    $crate::store::AnyConnection::Postgres(c) => {
                        $table::table.find(id).for_update().get_result(c).optional()?
                    }
                })
            }

            fn find(
                connection: &mut $crate::store::AnyConnection,
                ids: &[String],
            ) -> Result<Vec<Self>, $crate::error::Error> {
                use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
                // SQLite prepares a list anew for each call; a few ids cost less one by one, by a statement that stays
                // prepared.
                if ids.len() == 1
                    || ids.len() <= $crate::register::FEW_IDS
                        && matches!(connection, $crate::store::AnyConnection::Sqlite(_))
                {
                    let mut found = Vec::with_capacity(ids.len());
                    for id in ids {
                        let query = $table::table.filter($table::id.eq(id));
                        found.append(&mut $crate::on_each!(connection, c => query.load::<Self>(c))?);
                    }
                    found.sort_by(|a, b| a.id.cmp(&b.id));
                    found.dedup_by(|a, b| a.id == b.id);
                    return Ok(found);
                }
                let query = $table::table.filter($table::id.eq_any(ids)).order($table::id);
                Ok($crate::on_each!(connection, c => query.load(c))?)
            }

            fn page(
                connection: &mut $crate::store::AnyConnection,
                areas: (&str, &str),
                after: &str,
                limit: i64,
            ) -> Result<Vec<Self>, $crate::error::Error> {
                use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
                let query = $table::table
                    .filter($table::area.between(areas.0, areas.1))
                    .filter($table::id.gt(after))
                    .order($table::id)
                    .limit(limit);
                Ok($crate::on_each!(connection, c => query.load(c))?)
            }
        }
    };
}
