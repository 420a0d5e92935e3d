//! The statements that begin and end transactions, prepared once for each connection: to parse them took as long as to
//! carry them out, and each read has two of them, each unit of a group as well.

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection,
    query_builder::{AstPass, QueryFragment, QueryId},
    sqlite::Sqlite,
};

use crate::{error::Error, store::AnyConnection};

macro_rules! statements {
    ($($name:ident => $sql:literal),* $(,)?) => {$(
        #[derive(Clone, Copy, Debug, QueryId)]
        struct $name;

        impl QueryFragment<Sqlite> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }

        impl RunQueryDsl<SqliteConnection> for $name {}
    )*};
}

statements! {
    Begin => "BEGIN",
    Commit => "COMMIT",
    Rollback => "ROLLBACK",
    Savepoint => "SAVEPOINT unit",
    Release => "RELEASE unit",
    RollbackTo => "ROLLBACK TO unit",
    Try => "SAVEPOINT attempt",
    Keep => "RELEASE attempt",
    Undo => "ROLLBACK TO attempt",
}

/// Reads in one snapshot. The connection must be in no transaction, and where this fails it may be left in one.
pub(super) fn snapshot<T, E>(
    connection: &mut AnyConnection,
    f: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> QueryResult<Result<T, E>> {
    run(connection, &Begin)?;
    let result = f(connection);
    if result.is_ok() { run(connection, &Commit) } else { run(connection, &Rollback) }?;
    Ok(result)
}

/// Runs a unit within the group's transaction: what it wrote goes back when it fails, and nothing else with it.
pub(super) fn unit<T, E: From<diesel::result::Error>>(
    connection: &mut AnyConnection,
    f: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    run(connection, &Savepoint)?;
    let result = f(connection).and_then(|value| Ok(run(connection, &Release).map(|()| value)?));
    if result.is_err() {
        // Where this fails the transaction is gone, and the group looks for that after each unit that failed.
        let _ = run(connection, &RollbackTo);
        let _ = run(connection, &Release);
    }
    result
}

/// Tries something within a unit: what it wrote goes back when it fails, and what the unit wrote before stays.
pub(in crate::store) fn attempt<T>(
    connection: &mut AnyConnection,
    f: impl FnOnce(&mut AnyConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    run(connection, &Try)?;
    let result = f(connection);
    if result.is_err() {
        run(connection, &Undo)?;
    }
    run(connection, &Keep)?;
    result
}

fn run<S>(connection: &mut AnyConnection, statement: &S) -> QueryResult<()>
where
    S: QueryFragment<Sqlite> + QueryId + RunQueryDsl<SqliteConnection> + Copy,
{
    let AnyConnection::Sqlite(connection) = connection else {
        unreachable!("SQLite's writer and readers have no other")
    };
    RunQueryDsl::execute(*statement, connection).map(drop)
}
