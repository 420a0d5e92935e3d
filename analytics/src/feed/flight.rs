//! A department's journal over Arrow Flight.

use std::time::Duration;

use arrow_flight::decode::{DecodedPayload, FlightDataDecoder};
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::{Criteria, FlightData, Ticket};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use minsheng_kit::clients::{DepartmentChannel, OutgoingRequest as _};
use minsheng_kit::journal::flight::{FeedPosition, FeedTicket};
use tonic::{Code, Request, Status};

use super::{Feed, FeedError, Piece, Pieces};
use crate::lake::Progress;

/// Largest message of a feed, in bytes: a batch is a few megabytes.
const LARGEST_MESSAGE: usize = 64 << 20;

/// The longest time that a service gives a stream.
const READING_TIME: Duration = Duration::from_mins(15);

/// A feed that is read from a department's service.
#[derive(Debug, Clone)]
pub struct FlightFeed {
    service: String,
    /// The only dataset that is read, and the cursor at which its reading stops.
    only: Option<(String, String)>,
    client: FlightServiceClient<DepartmentChannel>,
}

impl FlightFeed {
    /// Reads the feed of a service over a channel to it.
    pub fn new(service: &str, channel: DepartmentChannel) -> Self {
        let client = FlightServiceClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
        Self { service: service.to_owned(), only: None, client }
    }

    /// Reads one dataset only, and only up to a cursor that the service gave.
    #[must_use]
    pub fn only_until(mut self, dataset: &str, cursor: &str) -> Self {
        self.only = Some((dataset.to_owned(), cursor.to_owned()));
        self
    }
}

impl Feed for FlightFeed {
    fn service(&self) -> &str {
        &self.service
    }

    async fn datasets(&mut self) -> Result<Vec<String>, FeedError> {
        if let Some((dataset, _)) = &self.only {
            return Ok(vec![dataset.clone()]);
        }
        let request = Request::new(Criteria::default()).idempotent();
        let answered = self.client.list_flights(request).await.map_err(refused(&self.service))?;
        let infos: Vec<_> = answered.into_inner().try_collect().await.map_err(refused(&self.service))?;
        let mut names = Vec::with_capacity(infos.len());
        for info in infos {
            let path = info.flight_descriptor.map(|descriptor| descriptor.path).unwrap_or_default();
            let Some(name) = path.into_iter().next() else {
                let what = "a flight without a name".to_owned();
                return Err(FeedError::NotAFeed { service: self.service.clone(), what });
            };
            names.push(name);
        }
        names.sort();
        Ok(names)
    }

    async fn changes(&mut self, dataset: &str, cursor: &str) -> Result<Pieces, FeedError> {
        let until = self.only.as_ref().map(|(_, until)| until.clone()).unwrap_or_default();
        let ticket = FeedTicket { dataset: dataset.to_owned(), cursor: cursor.to_owned(), until };
        let ticket = serde_json::to_vec(&ticket)
            .map_err(|error| FeedError::NotAFeed { service: self.service.clone(), what: error.to_string() })?;
        let mut request = Request::new(Ticket::new(ticket)).idempotent();
        request.set_timeout(READING_TIME);
        let answered = self.client.do_get(request).await.map_err(refused(&self.service))?;
        Ok(pieces(self.service.clone(), answered.into_inner()))
    }
}

fn refused(service: &str) -> impl Fn(Status) -> FeedError {
    let service = service.to_owned();
    move |status| match status.code() {
        // A cursor of a former life of the journal; nothing else in a feed depends on a state.
        Code::FailedPrecondition => FeedError::Replaced { service: service.clone() },
        code => FeedError::Refused { service: service.clone(), code, source: Box::new(status) },
    }
}

/// Turns the messages of a stream into rows and places to go on from.
pub(super) fn pieces(
    service: String,
    messages: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
) -> Pieces {
    let wrong = {
        let service = service.clone();
        move |error| match error {
            FlightError::Tonic(status) => refused(&service)(*status),
            other => FeedError::NotAFeed { service: service.clone(), what: other.to_string() },
        }
    };
    let decoder = FlightDataDecoder::new(messages.map_err(FlightError::from));
    let taken = decoder.map(move |decoded| {
        let decoded = decoded.map_err(&wrong)?;
        let metadata = decoded.app_metadata();
        let progress = if metadata.is_empty() {
            None
        } else {
            let position: FeedPosition = serde_json::from_slice(&metadata)
                .map_err(|error| FeedError::NotAFeed { service: service.clone(), what: error.to_string() })?;
            let recorded_until = Some(position.recorded_until);
            Some(Progress { cursor: position.cursor, position: position.position, recorded_until })
        };
        let rows = match decoded.payload {
            DecodedPayload::RecordBatch(rows) => Some(rows),
            DecodedPayload::None | DecodedPayload::Schema(_) => None,
        };
        Ok(Piece { rows, progress })
    });
    taken.boxed()
}
