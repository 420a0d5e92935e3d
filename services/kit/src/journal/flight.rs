//! Serves the journal's datasets by Arrow Flight: `ListFlights` gives them, `GetSchema` their columns, `DoGet` the
//! changes behind a cursor.
//!
//! A ticket is JSON: `{"dataset":"health.institutions","cursor":""}`. Every batch, and a last message without rows,
//! carries `{"cursor":…,"position":…,"recorded_until":…}` as its application metadata; a reader that stores the last
//! one it saw goes on from there.

use std::{collections::BTreeMap, pin::Pin, sync::Arc};

use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest,
    HandshakeResponse, PollInfo, PutResult, SchemaAsIpc, SchemaResult, Ticket,
    flight_service_server::{FlightService, FlightServiceServer},
};
use futures::{Stream, StreamExt as _, stream};
use minsheng_proto::Dataset;
use serde::{Deserialize, Serialize};
use tonic::{Request, Response, Status, Streaming};

use super::{
    columns::Columns,
    feed::{self, Cursor, Progress, Reading},
};
use crate::{error::Error, keys::Keys, server::Deadline, store::Store};

/// Rows of one Arrow batch.
const BATCH_ROWS: usize = 8192;

/// What a reader asks for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedTicket {
    /// As `health.institutions`.
    pub dataset: String,
    /// Where the reader stands; empty at the beginning.
    #[serde(default)]
    pub cursor: String,
    /// Where to stop, a cursor too; empty for what is committed when the reading begins.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub until: String,
}

/// What a reader should remember, with every batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FeedPosition {
    /// Ask again with it.
    pub cursor: String,
    /// Greatest position given in this reading, 0 for none.
    pub position: i64,
    /// Everything recorded up to this instant is behind the cursor and nothing more will appear there, microseconds
    /// UTC; 0 before a first reading has come to its end.
    pub recorded_until: i64,
}

/// The Flight service of one department's journal.
#[derive(Clone)]
pub struct JournalFlight {
    store: Store,
    keys: Arc<Keys>,
    datasets: Arc<BTreeMap<String, Columns>>,
}

type BoxStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl JournalFlight {
    /// Serves these datasets out of a store; the keys seal the cursors.
    pub fn new(store: Store, keys: Arc<Keys>, datasets: &[Dataset]) -> Result<Self, Error> {
        let datasets = datasets
            .iter()
            .map(|dataset| Ok((dataset.name.clone(), Columns::of(&dataset.row).map_err(Error::internal)?)))
            .collect::<Result<_, Error>>()?;
        Ok(Self { store, keys, datasets: Arc::new(datasets) })
    }

    /// Makes the tonic service.
    pub fn into_service(self) -> FlightServiceServer<Self> {
        FlightServiceServer::new(self).max_encoding_message_size(64 << 20)
    }

    fn columns(&self, dataset: &str) -> Result<&Columns, Error> {
        self.datasets.get(dataset).ok_or_else(|| Error::NotFound(format!("dataset {dataset}")))
    }

    fn info(&self, dataset: &str) -> Result<FlightInfo, Error> {
        let columns = self.columns(dataset)?;
        let ticket = FeedTicket { dataset: dataset.to_owned(), ..FeedTicket::default() };
        let ticket = serde_json::to_vec(&ticket).map_err(Error::internal)?;
        Ok(FlightInfo::new()
            .try_with_schema(&columns.schema())
            .map_err(Error::internal)?
            .with_descriptor(FlightDescriptor::new_path(vec![dataset.to_owned()]))
            .with_endpoint(FlightEndpoint::new().with_ticket(Ticket::new(ticket)))
            .with_ordered(true))
    }

    fn dataset_of(descriptor: &FlightDescriptor) -> Result<&str, Error> {
        descriptor.path.first().map(String::as_str).ok_or_else(|| {
            Error::invalid("path", "DATASET_MISSING", "the path must name a dataset", "路径须指明数据集")
        })
    }
}

#[tonic::async_trait]
impl FlightService for JournalFlight {
    type HandshakeStream = BoxStream<HandshakeResponse>;
    type ListFlightsStream = BoxStream<FlightInfo>;
    type DoGetStream = BoxStream<FlightData>;
    type DoPutStream = BoxStream<PutResult>;
    type DoActionStream = BoxStream<arrow_flight::Result>;
    type ListActionsStream = BoxStream<ActionType>;
    type DoExchangeStream = BoxStream<FlightData>;

    async fn list_flights(&self, _: Request<Criteria>) -> Result<Response<Self::ListFlightsStream>, Status> {
        let infos: Vec<_> = self.datasets.keys().map(|name| self.info(name).map_err(Status::from)).collect();
        Ok(Response::new(stream::iter(infos).boxed()))
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        Ok(Response::new(self.info(Self::dataset_of(request.get_ref())?)?))
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        let schema = self.columns(Self::dataset_of(request.get_ref())?)?.schema();
        let options = IpcWriteOptions::default();
        let result = SchemaAsIpc::new(&schema, &options).try_into().map_err(Error::internal)?;
        Ok(Response::new(result))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        let ticket: FeedTicket = serde_json::from_slice(&request.get_ref().ticket).map_err(|error| {
            Error::invalid("ticket", "BAD_TICKET", format!("not a ticket of this feed: {error}"), "不是本数据流的凭据")
        })?;
        let columns = self.columns(&ticket.dataset)?.clone();
        let deadline = Deadline::of(&request);
        let cursor = Cursor::open(&self.keys, &ticket.dataset, &ticket.cursor)?;
        let schema: FlightData = SchemaAsIpc::new(&columns.schema(), &IpcWriteOptions::default()).into();
        let settled = self.store.settled().await?;
        let dataset = ticket.dataset.clone();
        let until = (!ticket.until.is_empty()).then(|| Cursor::open(&self.keys, &ticket.dataset, &ticket.until));
        let until = until.transpose()?;
        let begin = move |connection: &mut _| match until {
            Some(until) => Reading::begin_until(connection, &dataset, &cursor, until),
            None => Reading::begin(connection, settled, &dataset, &cursor),
        };
        let reading = self.store.read_long(begin).await?;
        let pages = Pages {
            store: self.store.clone(),
            keys: Arc::clone(&self.keys),
            dataset: ticket.dataset.into(),
            columns: Arc::new(columns),
            deadline,
        };
        let first = tokio::spawn(pages.clone().page(reading));
        let rest = stream::unfold(Some(first), move |next| {
            let pages = pages.clone();
            async move {
                // A reader that takes nothing is not asked for: one page waits for it, and no connection.
                match next?.await.map_err(Error::internal).flatten() {
                    Ok((page, Some(reading))) => Some((Ok(page), Some(tokio::spawn(pages.page(reading))))),
                    Ok((page, None)) => Some((Ok(page), None)),
                    Err(error) => Some((Err(Status::from(error)), None)),
                }
            }
        });
        Ok(Response::new(stream::iter([Ok(schema)]).chain(rest).boxed()))
    }

    async fn handshake(
        &self,
        _: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        Err(Error::NotOffered("the peer certificate identifies the caller; no handshake is needed").into())
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        Err(Error::NotOffered("reads are answered at once; use GetFlightInfo").into())
    }

    async fn do_put(&self, _: Request<Streaming<FlightData>>) -> Result<Response<Self::DoPutStream>, Status> {
        Err(Error::NotOffered("the feed is read only; write through the registers").into())
    }

    async fn do_action(&self, _: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        Err(Error::NotOffered("the feed has no actions").into())
    }

    async fn list_actions(&self, _: Request<Empty>) -> Result<Response<Self::ListActionsStream>, Status> {
        Ok(Response::new(stream::empty().boxed()))
    }

    async fn do_exchange(&self, _: Request<Streaming<FlightData>>) -> Result<Response<Self::DoExchangeStream>, Status> {
        Err(Error::NotOffered("the feed is read only; use DoGet").into())
    }
}

/// Makes the pages of one reading, each in a read of its own.
#[derive(Clone)]
struct Pages {
    store: Store,
    keys: Arc<Keys>,
    dataset: Arc<str>,
    columns: Arc<Columns>,
    deadline: Option<Deadline>,
}

impl Pages {
    /// Fetches a batch, gives the connection back, and makes the page; the reading too, as long as it goes on.
    async fn page(self, mut reading: Reading) -> Result<(FlightData, Option<Reading>), Error> {
        if self.deadline.is_some_and(|deadline| deadline.remaining().is_zero()) {
            return Err(Error::Deadline);
        }
        let (reading, rows) = if reading.is_finished() {
            (reading, Vec::new())
        } else {
            let fetch = move |connection: &mut _| {
                let rows = reading.next(connection, BATCH_ROWS)?;
                Ok((reading, rows))
            };
            self.store.read_long(fetch).await?
        };
        let encode = move || {
            let page = self.encode(&rows, reading.progress())?;
            Ok((page, (!rows.is_empty()).then_some(reading)))
        };
        tokio::task::spawn_blocking(encode).await.map_err(Error::internal)?
    }

    /// Encodes a batch with the reader's new position as its metadata.
    fn encode(&self, records: &[feed::JournalRecord], progress: &Progress) -> Result<FlightData, Error> {
        let batch = self.columns.batch(records).map_err(Error::internal)?;
        let mut dictionaries = DictionaryTracker::new(false);
        let (_, encoded) = IpcDataGenerator::default()
            .encode(&batch, &mut dictionaries, &IpcWriteOptions::default(), &mut IpcWriteContext::default())
            .map_err(Error::internal)?;
        let position = FeedPosition {
            cursor: progress.cursor.seal(&self.keys, &self.dataset),
            position: progress.position,
            recorded_until: progress.recorded_until,
        };
        let metadata = serde_json::to_vec(&position).map_err(Error::internal)?;
        Ok(FlightData::from(encoded).with_app_metadata(metadata))
    }
}
