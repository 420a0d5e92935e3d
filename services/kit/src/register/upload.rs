//! An upload: chunks come in, each is one unit of work, each is answered when it is durable.
//!
//! The next chunk is checked and decided while the present one is written; nothing of it reaches the store before its
//! turn, so that a chunk that fails ends the upload where the answers say that it ended.

use std::sync::Arc;

use futures::StreamExt as _;
use minsheng_proto::{Validate, common::v1 as pb};
use tonic::{Request, Status, Streaming};

use super::{
    Engine, Register,
    intake::{Contract, Decoded},
};
use crate::{
    error::{Error, Violations},
    rpc, status,
    store::Idempotency,
};

/// Chunks that are checked and decided at the same time as one is written, that one included.
const CHUNKS_AT_ONCE: usize = 2;

/// A chunk, taken out of its register's own message.
#[derive(Clone, Debug)]
pub struct Chunk<Resource> {
    /// Names the upload; the same when it is sent again.
    pub upload_id: String,
    /// Number of the chunk.
    pub number: i64,
    /// Nothing is to be recorded.
    pub validate_only: bool,
    /// What comes in.
    pub items: Vec<Resource>,
}

/// A chunk whose items are decided, as far as that goes without the store.
struct Prepared<Record> {
    key: Idempotency,
    number: i64,
    validate_only: bool,
    items: Vec<Decoded<Record>>,
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
        take: fn(Q) -> Chunk<R::Resource>,
        answer: fn(i64, Vec<pb::ItemResult>) -> A,
    ) -> Result<rpc::AnswerStream<A>, Error>
    where
        Q: Validate + prost::Message + 'static,
        A: Send + 'static,
    {
        let caller: Arc<str> = rpc::caller(&request)?.into();
        let method: Arc<str> = format!("{service}/{method}").into();
        let (preparing, writing) = (self.clone(), self.clone());
        let prepared = request.into_inner().map(move |chunk| {
            let (engine, caller, method) = (preparing.clone(), Arc::clone(&caller), Arc::clone(&method));
            let task =
                chunk.map(|chunk| tokio::task::spawn_blocking(move || engine.prepare(&caller, &method, chunk, take)));
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
        chunk: Q,
        take: fn(Q) -> Chunk<R::Resource>,
    ) -> Result<Prepared<R::Record>, Error>
    where
        Q: Validate + prost::Message,
    {
        let contract = check_chunk(&chunk)?;
        let request_hash = Idempotency::hash(&chunk);
        let Chunk { upload_id, number, validate_only, items } = take(chunk);
        let key = Idempotency {
            caller: caller.to_owned(),
            method: method.to_owned(),
            request_id: format!("{upload_id}/{number}"),
            request_hash,
        };
        Ok(Prepared { key, number, validate_only, items: self.decode_all(&items, contract) })
    }
}

/// Checks a chunk by its contract, but leaves the items in it to be judged one by one where any of them is wrong: a
/// bad one does not keep the good ones out.
fn check_chunk(chunk: &impl Validate) -> Result<Contract, Violations> {
    let Err(found) = status::validate(chunk) else { return Ok(Contract::Kept) };
    found.without(|field| field.contains("].")).into_result(Contract::Unchecked)
}
