//! The feed: takes a department's journal into the lake, from where it was left.
//!
//! What is read counts only once the lake has it, and the cursor to go on from is stored with it in one step. So a
//! reading that breaks off anywhere is taken up again without a row missed or repeated. A feed that does not go on from
//! there, because its journal was restored from a backup or rewritten, or because its cursors are of another make now,
//! is read again from its beginning, once; the former rows count until the new ones are all there. Nothing here looks
//! into rows.

mod flight;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use chrono::Utc;
use futures::StreamExt as _;
use futures::stream::BoxStream;

use crate::catalogue::{columns_of, service_of};
use crate::lake::{Lake, LakeError, Progress, Resync};
use crate::model::ResyncReason;

pub use flight::FlightFeed;

/// So many rows are put into the lake at once, at least, while a feed goes on.
const ROWS_AT_ONCE: usize = 250_000;

/// Why a feed was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The department does not answer, or refuses.
    #[error("{service} does not give its records ({code:?})")]
    Refused {
        /// The service.
        service: String,
        /// What kind of refusal.
        code: tonic::Code,
        /// What it says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The department's journal is not the one that was read before.
    #[error(
        "the journal of {service} was restored or recreated while it was read / {service} 的变更日志在读取时被恢复或重建"
    )]
    Replaced {
        /// The service.
        service: String,
    },
    /// The department sent what is not a feed.
    #[error("{service} sends something that is not its feed: {what}")]
    NotAFeed {
        /// The service.
        service: String,
        /// What is wrong.
        what: String,
    },
    /// The lake did not take it.
    #[error("the lake does not take the rows")]
    Lake(#[from] LakeError),
    /// The work was stopped.
    #[error("the reading was stopped")]
    Stopped,
}

/// A piece of a feed.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    /// Rows, where it has any.
    pub rows: Option<RecordBatch>,
    /// How far the feed was read with it, where it says so.
    pub progress: Option<Progress>,
}

/// The pieces of a feed in their order.
pub type Pieces = BoxStream<'static, Result<Piece, FeedError>>;

/// Something that gives a department's journal.
pub trait Feed: Send {
    /// The service, as the catalogue names it.
    fn service(&self) -> &str;

    /// Names the datasets.
    fn datasets(&mut self) -> impl Future<Output = Result<Vec<String>, FeedError>> + Send;

    /// Returns what changed in a dataset behind a cursor; an empty cursor is the beginning.
    fn changes(&mut self, dataset: &str, cursor: &str) -> impl Future<Output = Result<Pieces, FeedError>> + Send;
}

/// A lake that several feeds are read into.
pub type SharedLake = Arc<Mutex<Lake>>;

/// What a department gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Number of rows.
    pub rows: u64,
    /// The datasets that were read again from their beginning, and why.
    pub resynced: BTreeMap<String, Resync>,
}

/// Reads everything that a department has recorded since the last time, or from its beginning where its feed does not
/// go on from there.
pub async fn pull(feed: &mut impl Feed, lake: &SharedLake) -> Result<Pulled, FeedError> {
    let service = feed.service().to_owned();
    let mut pulled = Pulled::default();
    for dataset in feed.datasets().await? {
        if columns_of(&dataset).is_none() || service_of(&dataset) != service {
            let what = format!("`{dataset}` is not a dataset of this service");
            return Err(FeedError::NotAFeed { service, what });
        }
        let (cursor, outdated) = {
            let lake = open(lake);
            (lake.cursor(&dataset).to_owned(), lake.is_outdated(&dataset))
        };
        let why = if outdated {
            ResyncReason::LakeReplaced
        } else {
            match pull_behind(feed, lake, &dataset, &cursor).await {
                Ok(rows) => {
                    pulled.rows += rows;
                    continue;
                }
                Err(error) if cursor.is_empty() => return Err(error),
                Err(error) => why_resync(&error).ok_or(error)?,
            }
        };
        tracing::warn!(service, dataset, ?why, "the feed does not go on; it is read again from its beginning");
        open(lake).begin_resync(&dataset, why, Utc::now().timestamp_micros());
        // Once: a feed that refuses its beginning, too, fails.
        match pull_behind(feed, lake, &dataset, "").await {
            Ok(rows) => pulled.rows += rows,
            Err(error) => {
                open(lake).abandon_resync(&dataset);
                return Err(error);
            }
        }
        let (shared, finished) = (Arc::clone(lake), dataset.clone());
        let finish = tokio::task::spawn_blocking(move || open(&shared).finish_resync(&finished));
        if let Some(resynced) = finish.await.map_err(|_| FeedError::Stopped)?? {
            let former_version = resynced.former_version;
            tracing::warn!(service, dataset, former_version, "read again from its beginning");
            pulled.resynced.insert(dataset, resynced);
        }
    }
    Ok(pulled)
}

fn open(lake: &SharedLake) -> MutexGuard<'_, Lake> {
    lake.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reports whether a feed that was refused can be read from its beginning, and why it has to be.
fn why_resync(error: &FeedError) -> Option<ResyncReason> {
    match error {
        FeedError::Replaced { .. } => Some(ResyncReason::JournalReplaced),
        // All that a reader sends beside the name of a dataset that the service itself gave is the cursor.
        FeedError::Refused { code: tonic::Code::InvalidArgument, .. } => Some(ResyncReason::CursorRefused),
        _ => None,
    }
}

/// Reads a dataset's changes behind a cursor into the lake; returns the number of rows.
async fn pull_behind(feed: &mut impl Feed, lake: &SharedLake, dataset: &str, cursor: &str) -> Result<u64, FeedError> {
    let mut rows = 0;
    let mut pieces = feed.changes(dataset, cursor).await?;
    let mut waiting = Waiting::default();
    while let Some(piece) = pieces.next().await {
        waiting.take(piece?);
        if waiting.rows >= ROWS_AT_ONCE
            && let Some(ready) = waiting.ready()
        {
            rows += append(lake, dataset, ready).await?;
        }
    }
    let Some(ready) = waiting.ready() else {
        let what = format!("`{dataset}` ends without saying where to go on");
        return Err(FeedError::NotAFeed { service: feed.service().to_owned(), what });
    };
    Ok(rows + append(lake, dataset, ready).await?)
}

/// Batches that the lake has not taken yet.
#[derive(Default)]
struct Waiting {
    batches: Vec<RecordBatch>,
    rows: usize,
    /// How far the feed was read with all of them; none when the last ones did not say.
    progress: Option<Progress>,
}

impl Waiting {
    fn take(&mut self, piece: Piece) {
        if let Some(rows) = piece.rows.filter(|rows| rows.num_rows() > 0) {
            self.rows += rows.num_rows();
            self.batches.push(rows);
            self.progress = None;
        }
        self.progress = piece.progress.or(self.progress.take());
    }

    fn ready(&mut self) -> Option<(Vec<RecordBatch>, Progress)> {
        let progress = self.progress.take()?;
        self.rows = 0;
        Some((std::mem::take(&mut self.batches), progress))
    }
}

async fn append(
    lake: &SharedLake,
    dataset: &str,
    (batches, progress): (Vec<RecordBatch>, Progress),
) -> Result<u64, FeedError> {
    let (lake, dataset) = (Arc::clone(lake), dataset.to_owned());
    let work = move || open(&lake).append(&dataset, &batches, progress);
    Ok(tokio::task::spawn_blocking(work).await.map_err(|_| FeedError::Stopped)??)
}
