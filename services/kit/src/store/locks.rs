//! Lets units that touch the same thing pass one after the other: for rules that no constraint of a table can hold,
//! such as "no two covers of one person overlap".

use diesel::{
    RunQueryDsl as _,
    sql_types::{Array, Integer},
};
use sha2::{Digest as _, Sha256};

use super::AnyConnection;
use crate::error::Error;

diesel::define_sql_function! {
    /// Acquires locks of a scope in the order given; see the migration that makes it.
    fn hold_places(scope: Integer, places: Array<Integer>) -> Integer;
}

/// Locks of one scope. Bounds what a chunk of two thousand items holds in PostgreSQL's table of locks; as two units
/// never hold one lock, it bounds what all of them hold together as well.
const LOCKS_PER_SCOPE: u32 = 1024;

/// Waits until no other unit holds one of these keys, and holds them until this unit ends.
///
/// Call it before reading what the keys stand for. Keys share locks, so units may wait for each other that have no
/// key in common; they never deadlock, because all take the locks of a scope at once and in one order. On SQLite
/// there is nothing to do: one unit runs at a time.
pub fn lock_keys<'a>(
    connection: &mut AnyConnection,
    scope: &str,
    keys: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(), Error> {
    let AnyConnection::Postgres(connection) = connection else { return Ok(()) };
    let mut locks: Vec<i32> = keys.into_iter().map(|key| (number(key) % LOCKS_PER_SCOPE).cast_signed()).collect();
    locks.sort_unstable();
    locks.dedup();
    if locks.is_empty() {
        return Ok(());
    }
    diesel::select(hold_places(number(scope.as_bytes()).cast_signed(), locks)).execute(connection)?;
    Ok(())
}

fn number(key: &[u8]) -> u32 {
    let digest = Sha256::digest(key);
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}
