//! The one connection type over both databases, and the macro for the few statements that diesel cannot build on it.

use diesel::{pg::PgConnection, sqlite::SqliteConnection};

/// A connection to one of the two databases.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// The embedded one.
    Sqlite(SqliteConnection),
    /// The production one.
    Postgres(PgConnection),
}

/// Inserts rows. One row alone goes through a statement that stays prepared; the statement of many depends on how many
/// they are and is prepared anew each time.
#[macro_export]
macro_rules! insert_rows {
    ($connection:expr, $table:expr, $rows:expr) => {
        match $rows {
            [] => Ok(0),
            [row] => $crate::on_each!($connection, c => diesel::insert_into($table).values(row).execute(c)),
            rows => $crate::on_each!($connection, c => diesel::insert_into($table).values(rows).execute(c)),
        }
    };
}

/// Repeats a statement on the inner connection of either database: batch inserts and `on_conflict` need it.
#[macro_export]
macro_rules! on_each {
    ($connection:expr, $inner:ident => $statement:expr) => {
        match $connection {
            $crate::store::AnyConnection::Sqlite($inner) => $statement,
            $crate::store::AnyConnection::Postgres($inner) => $statement,
        }
    };
}

/// Loads the rows of a query in which a column has one of several values. One value alone goes through a statement that
/// stays prepared; a list is prepared anew each time on SQLite.
///
/// The rows come in no order, and the query must not group or limit them: a long list is asked for in parts.
#[macro_export]
macro_rules! load_among {
    ($connection:expr, $query:expr, $column:expr, $values:expr $(,)?) => {{
        let mut found = Vec::new();
        let mut load = || -> diesel::QueryResult<()> {
            for part in $values.chunks($crate::register::ROWS_PER_INSERT) {
                found.append(&mut match part {
                    [one] => $query.filter($column.eq(one)).load($connection)?,
                    many => $query.filter($column.eq_any(many)).load($connection)?,
                });
            }
            Ok(())
        };
        load().map(|()| found)
    }};
}
