//! Makes sure that a database is used with the key it was written with.
//!
//! With another key the sealed columns cannot be read, nobody is found by a blind index, and pseudonyms change silently:
//! a missing or foreign key beside a full database is an error at start, never a reason to make a new key.

use std::{path::Path, time::Duration};

use diesel::{
    ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, dsl::exists, result::OptionalExtension as _, select,
};

use super::{
    AnyConnection, Store, Unit,
    schema::{accesses, idempotency, journal, journal_state},
};
use crate::{error::Error, keys::Keys, on_each};

/// Time in which another replica that begins with the same database notes its key there.
const OTHER_REPLICA: Duration = Duration::from_secs(2);

impl Store {
    /// Opens the department's keys in a directory; makes them only for a database in which nothing was written yet.
    ///
    /// A key that is there beside an empty database is refused: the database was lost, or its volume is not mounted, and
    /// every question would be answered as if nobody had ever been recorded.
    pub async fn open_keys(&self, directory: &Path, department: &str) -> Result<Keys, Error> {
        self.open_or_begin(directory, department, false).await
    }

    /// As [`open_keys`](Self::open_keys), where the operator says that an empty database begins with the key that is there.
    pub async fn begin_with_keys(&self, directory: &Path, department: &str) -> Result<Keys, Error> {
        self.open_or_begin(directory, department, true).await
    }

    async fn open_or_begin(&self, directory: &Path, department: &str, begins: bool) -> Result<Keys, Error> {
        let state = |connection: &mut AnyConnection| Ok((known(connection)?, written(connection)?));
        let (mut check, mut written) = self.read(state).await?;
        if check.is_none() && !written && !begins && Keys::exist(directory, department)? {
            // Another replica may have made the key and be about to note it.
            tokio::time::sleep(OTHER_REPLICA).await;
            (check, written) = self.read(state).await?;
            if check.is_none() && !written {
                return Err(Error::internal(format!(
                    "the database is empty, but {department}.key is in {} already: is the database's volume mounted? If \
                     nothing was ever recorded under this key, as after a first start that was cut short, or if the \
                     database is to begin empty, say so once with `serve --new` or MINSHENG_NEW_DATABASE=true",
                    directory.display()
                )));
            }
        }
        let keys = if check.is_some() || written {
            Keys::existing(directory, department)?
        } else {
            Keys::open_or_create(directory, department)?
        };
        let own = keys.check_value();
        let check = match check {
            Some(check) => check,
            None => self.bind(&keys, department).await?,
        };
        if check != own {
            return Err(Error::internal(format!(
                "{department}.key in {} is not the key that the database was written with; put that one there",
                directory.display()
            )));
        }
        Ok(keys)
    }

    /// Notes the key in the database, unless another replica was faster; returns what is noted.
    async fn bind(&self, keys: &Keys, department: &str) -> Result<Vec<u8>, Error> {
        let own = keys.check_value();
        let tags = keys.request_tags();
        self.write(Unit::of(department), move |tx| {
            let mine = journal_state::table.filter(journal_state::key_check.is_null());
            let bind = diesel::update(mine).set(journal_state::key_check.eq(Some(&own)));
            if on_each!(tx.connection, c => bind.execute(c))? == 1 {
                key_hashes(tx.connection, &tags)?;
            }
            Ok(())
        })
        .await?;
        let noted = self.read(known).await?;
        noted.ok_or_else(|| Error::internal("the key's check value was not kept"))
    }
}

fn known(connection: &mut AnyConnection) -> Result<Option<Vec<u8>>, Error> {
    let check = journal_state::table.select(journal_state::key_check);
    let found: Option<Option<Vec<u8>>> = on_each!(connection, c => check.first(c)).optional()?;
    Ok(found.flatten())
}

fn written(connection: &mut AnyConnection) -> Result<bool, Error> {
    let answers = select(exists(idempotency::table.select(idempotency::recorded_at)));
    let entries = select(exists(journal::table.select(journal::position)));
    let looks = select(exists(accesses::table.select(accesses::position)));
    Ok(on_each!(connection, c => answers.get_result::<bool>(c)?
        || entries.get_result::<bool>(c)?
        || looks.get_result::<bool>(c)?))
}

/// Puts hashes of requests that were kept without a key under it: once, when a database first meets this version.
fn key_hashes(connection: &mut AnyConnection, tags: &impl Fn(&[u8]) -> Vec<u8>) -> Result<(), Error> {
    let plain = idempotency::table.select((
        idempotency::caller,
        idempotency::method,
        idempotency::request_id,
        idempotency::request_hash,
    ));
    let plain: Vec<(String, String, String, Vec<u8>)> = on_each!(connection, c => plain.load(c))?;
    for (caller, method, request_id, hash) in plain {
        let keyed = diesel::update(idempotency::table.find((caller, method, request_id)))
            .set(idempotency::request_hash.eq(tags(&hash)));
        on_each!(connection, c => keyed.execute(c))?;
    }
    Ok(())
}
