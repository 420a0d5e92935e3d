//! The one connection type over both databases, and the macros for statements on the inner connection.
//!
//! Through [`AnyConnection`] a statement is built twice for every call, before its prepared form is found. What is on the
//! path of each request therefore goes through [`on_each!`](crate::on_each) or a macro over it.

use diesel::{pg::PgConnection, sqlite::SqliteConnection};

/// A connection to one of the two databases.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// The embedded one.
    Sqlite(SqliteConnection),
    /// The production one.
    Postgres(PgConnection),
}

impl AnyConnection {
    /// Reports whether other units may write while one does: then what a unit rests on is locked.
    pub(crate) fn has_concurrent_writers(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// Rows from which on a COPY is quicker than a statement of so many values: it needs a second round trip.
pub const ROWS_WORTH_A_COPY: usize = 16;

/// Rows that a statement of SQLite takes where there are as many. It stays prepared, and so must always be of one size:
/// more rows would leave more of them for the statement of one row.
pub const ROWS_OF_A_STATEMENT: usize = 20;

/// Inserts rows: on SQLite some at a time through a statement that stays prepared, which there is cheaper than to build
/// and prepare a statement of a thousand rows; on PostgreSQL, where each statement is a round trip, all of them in one, and
/// many by COPY.
///
/// The row must be made with `treat_none_as_default_value = false`: COPY knows no defaults, and a statement that may have
/// one is prepared again for each row.
#[macro_export]
macro_rules! insert_rows {
    ($connection:expr, $table:expr, $rows:expr) => {
        match $connection {
            $crate::store::AnyConnection::Sqlite(c) => {
                let (full, rest) = $rows.as_chunks::<{ $crate::store::ROWS_OF_A_STATEMENT }>();
                let full = full.iter().try_fold(0, |inserted, rows| {
                    diesel::insert_into($table).values(rows).execute(c).map(|more| inserted + more)
                });
                full.and_then(|inserted| {
                    rest.iter().try_fold(inserted, |inserted, row| {
                        diesel::insert_into($table).values(row).execute(c).map(|one| inserted + one)
                    })
                })
            }
            $crate::store::AnyConnection::Postgres(c) => match $rows {
                [] => Ok(0),
                [row] => diesel::insert_into($table).values(row).execute(c),
                few if few.len() < $crate::store::ROWS_WORTH_A_COPY => {
                    diesel::insert_into($table).values(few).execute(c)
                }
                rows => {
                    use diesel::ExecuteCopyFromDsl as _;
                    diesel::copy_from($table).from_insertable(rows).execute(c)
                }
            },
        }
    };
}

/// Repeats a statement on the inner connection of either database: its prepared form is found without building it, and
/// batch inserts and `on_conflict` need it.
#[macro_export]
macro_rules! on_each {
    ($connection:expr, $inner:ident => $statement:expr) => {
        match $connection {
            $crate::store::AnyConnection::Sqlite($inner) => $statement,
            $crate::store::AnyConnection::Postgres($inner) => $statement,
        }
    };
}

/// Loads the rows of a query in which a column has one of several values. SQLite prepares a list again each time, so a few
/// values go there one by one through a statement that stays prepared.
///
/// The rows come in no order, and the query must not group or limit them: a long list is asked for in parts.
#[macro_export]
macro_rules! load_among {
    ($connection:expr, $query:expr, $column:expr, $values:expr $(,)?) => {{
        let mut found = Vec::new();
        let mut load = || -> diesel::QueryResult<()> {
            for part in $values.chunks($crate::register::ROWS_PER_INSERT) {
                found.append(&mut match part {
                    [one] => $crate::on_each!($connection, c => $query.clone().filter($column.eq(one)).load(c))?,
                    many => match $connection {
                        $crate::store::AnyConnection::Sqlite(c) if many.len() <= $crate::register::FEW_IDS => {
                            let mut few = Vec::with_capacity(many.len());
                            for one in many {
                                few.append(&mut $query.clone().filter($column.eq(one)).load(c)?);
                            }
                            few
                        }
                        $crate::store::AnyConnection::Sqlite(c) => $query.clone().filter($column.eq_any(many)).load(c)?,
                        $crate::store::AnyConnection::Postgres(c) => {
                            $query.clone().filter($column.eq_any(many)).load(c)?
                        }
                    },
                });
            }
            Ok(())
        };
        load().map(|()| found)
    }};
}
