//! A feed that does not go on from where the lake left it is read again from its beginning, beside what is there.
//!
//! One commit lets the rows read again count in the place of the former ones, once the whole feed is there: until then
//! the former ones count, and after a crash too. The former files are never removed: they are the table's version
//! before.

use chrono::Utc;

use super::log::{Change, Rows, Table};
use super::{Lake, LakeError, Step, fields_of};
use crate::catalogue::service_of;
use crate::model::ResyncReason;

/// That a dataset was read again from its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resync {
    /// When that began, microseconds UTC.
    pub at: i64,
    /// Why.
    pub why: ResyncReason,
    /// The version of the table that holds the former rows; none where they are an earlier version's, in `former/`.
    pub former_version: Option<u64>,
}

impl Lake {
    /// Begins to read a dataset again: what is appended from now on waits beside what is there.
    pub fn begin_resync(&mut self, dataset: &str, why: ResyncReason, at: i64) {
        let former = self.tables.get(dataset);
        if former.is_none() && !self.is_outdated(dataset) {
            return;
        }
        let resynced = Resync { at, why, former_version: former.and_then(|table| table.version) };
        let reading = former.map_or(1, |table| table.reading) + 1;
        let mut table = former.cloned().unwrap_or_else(|| Table::new(service_of(dataset), fields_of(dataset)));
        (table.reading, table.resynced) = (reading, Some(resynced));
        (table.cursor, table.position, table.recorded_until) = (String::new(), 0, None);
        table.horizon = None;
        self.resyncs.insert(dataset.to_owned(), (table, Vec::new()));
    }

    /// Lets what was read again count, in the place of what counted before.
    pub fn finish_resync(&mut self, dataset: &str) -> Result<Option<Resync>, LakeError> {
        self.finish_resync_with(dataset, |_| Ok(()))
    }

    /// Finishes, telling each step; a step that answers with an error stands for a crash at that step.
    pub(crate) fn finish_resync_with(
        &mut self,
        dataset: &str,
        mut at: impl FnMut(Step) -> Result<(), LakeError>,
    ) -> Result<Option<Resync>, LakeError> {
        let Some((table, added)) = self.resyncs.remove(dataset) else { return Ok(None) };
        let told = table.resynced.clone();
        let change = Change {
            operation: "RESYNC",
            at: Utc::now().timestamp_millis(),
            added,
            dropped: table.files.iter().map(|file| file.path.clone()).collect(),
            rows: Rows::Superseded,
        };
        let table = table.commit(&self.directory, dataset, change, &mut at)?;
        self.tables.insert(dataset.to_owned(), table);
        Ok(told)
    }

    /// Abandons reading a dataset again: what was there still counts.
    pub fn abandon_resync(&mut self, dataset: &str) {
        self.resyncs.remove(dataset);
    }
}
