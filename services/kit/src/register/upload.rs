//! An upload: chunks come in, each is one unit of work, each is answered when it is durable.
//!
//! The next chunk is checked and decided while the present one is written; nothing of it reaches the store before its
//! turn, so that a chunk that fails ends the upload where the answers say that it ended.

use std::sync::Arc;

use futures::StreamExt as _;
use minsheng_proto::{Validate, common::v1 as pb};
use tonic::{Request, Status, Streaming};

use super::{Engine, List, Register, batch_insert::Validated};
use crate::{error::Error, rpc, status, store::Idempotency};

/// Chunks that are checked and decided at the same time as one is written, that one included.
const CHUNKS_AT_ONCE: usize = 2;

/// What a chunk says beside its items, taken out of its register's own message.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Names the upload; the same when it is sent again.
    pub upload_id: String,
    /// Number of the chunk.
    pub number: i64,
    /// Nothing is to be recorded.
    pub validate_only: bool,
}

/// A chunk whose items are decided, as far as that goes without the store.
struct Prepared<Record> {
    key: Idempotency,
    number: i64,
    validate_only: bool,
    items: Vec<Validated<Record>>,
}

impl<R: Register> Engine<R> {
    /// Answers an upload chunk by chunk, each after its commit; a chunk sent again gets its first answer.
    ///
    /// A chunk that fails ends the stream with its error: what was answered before it is durable.
    pub fn upload<Q, A>(
        &self,
        service: &'static str,
        method: &'static str,
        request: Request<Streaming<Q>>,
        list: List<Q, R::Resource>,
        take: fn(Q) -> Chunk,
        answer: fn(i64, Vec<pb::ItemResult>) -> A,
    ) -> Result<rpc::AnswerStream<A>, Error>
    where
        Q: Validate + prost::Name + 'static,
        A: Send + 'static,
    {
        let caller: Arc<str> = rpc::caller(&request)?.into();
        let method: Arc<str> = format!("{service}/{method}").into();
        let (preparing, writing) = (self.clone(), self.clone());
        let prepared = request.into_inner().map(move |chunk| {
            let (engine, caller, method) = (preparing.clone(), Arc::clone(&caller), Arc::clone(&method));
            let task = chunk
                .map_err(status::of_transport)
                .map(|chunk| tokio::task::spawn_blocking(move || engine.prepare(&caller, &method, chunk, list, take)));
            async move { Ok(task?.await.map_err(Error::internal)??) }
        });
        let answers = prepared.buffered(CHUNKS_AT_ONCE).then(move |prepared: Result<_, Status>| {
            let engine = writing.clone();
            async move {
                let Prepared { key, number, validate_only, items } = prepared?;
                let results =
                    if validate_only { engine.check_only(items).await } else { engine.write_all(key, items).await };
                Ok(answer(number, results?))
            }
        });
        Ok(answers.boxed())
    }

    /// Does with a chunk what needs no store.
    fn prepare<Q>(
        &self,
        caller: &str,
        method: &str,
        mut chunk: Q,
        list: List<Q, R::Resource>,
        take: fn(Q) -> Chunk,
    ) -> Result<Prepared<R::Record>, Error>
    where
        Q: Validate + prost::Name,
    {
        let request_hash = Idempotency::hash(&chunk);
        let items = list.take(&mut chunk)?;
        let Chunk { upload_id, number, validate_only } = take(chunk);
        let key = Idempotency {
            caller: caller.to_owned(),
            method: method.to_owned(),
            request_id: format!("{upload_id}/{number}"),
            request_hash,
        };
        Ok(Prepared { key, number, validate_only, items: self.validate_all(&items) })
    }
}
