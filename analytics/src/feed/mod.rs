//! The feed: takes a department's journal into the lake, from where it was left.
//!
//! What is read counts only once the lake has it, and the place to go on from is stored with it in one step. So a
//! reading that breaks off anywhere is taken up again without a row missed or repeated. Nothing here looks into rows.

mod flight;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use futures::StreamExt as _;
use futures::stream::BoxStream;

use crate::catalogue::{columns_of, service_of};
use crate::lake::{Lake, LakeError, Progress};

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
        "the journal of {service} was restored from a backup or made anew, and the lake holds the former one: move the \
         lake's directory away and run again, it is then read from the beginning / {service} 的变更日志已从备份恢复或重建,\
         数据湖中仍是旧数据:请移走数据湖目录后重新运行,将从头读取"
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

    /// Gives what changed in a dataset behind a cursor; an empty cursor is the beginning.
    fn changes(&mut self, dataset: &str, cursor: &str) -> impl Future<Output = Result<Pieces, FeedError>> + Send;
}

/// A lake that several feeds are read into.
pub type SharedLake = Arc<Mutex<Lake>>;

/// Reads everything that a department has recorded since the last time; returns the number of rows.
pub async fn pull(feed: &mut impl Feed, lake: &SharedLake) -> Result<u64, FeedError> {
    let service = feed.service().to_owned();
    let mut rows = 0;
    for dataset in feed.datasets().await? {
        if columns_of(&dataset).is_none() || service_of(&dataset) != service {
            let what = format!("`{dataset}` is not a dataset of this service");
            return Err(FeedError::NotAFeed { service, what });
        }
        let cursor = lake.lock().unwrap_or_else(PoisonError::into_inner).cursor(&dataset).to_owned();
        let mut pieces = feed.changes(&dataset, &cursor).await?;
        let mut waiting = Waiting::default();
        while let Some(piece) = pieces.next().await {
            waiting.take(piece?);
            if waiting.rows >= ROWS_AT_ONCE
                && let Some(ready) = waiting.ready()
            {
                rows += append(lake, &dataset, ready).await?;
            }
        }
        let Some(ready) = waiting.ready() else {
            let what = format!("`{dataset}` ends without saying where to go on");
            return Err(FeedError::NotAFeed { service, what });
        };
        rows += append(lake, &dataset, ready).await?;
    }
    Ok(rows)
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
    let work = move || lake.lock().unwrap_or_else(PoisonError::into_inner).append(&dataset, &batches, progress);
    Ok(tokio::task::spawn_blocking(work).await.map_err(|_| FeedError::Stopped)??)
}
