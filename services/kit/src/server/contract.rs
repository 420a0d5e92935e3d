//! What a caller is told who does not keep to the contract: by name, which service or method there is not, and that
//! bytes which are no message are the caller's fault.
//!
//! The transport by itself answers an unknown method without a word, and undecodable bytes as a fault of the server.

use std::collections::{HashMap, HashSet};
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::TryFutureExt as _;
use futures::future::{Either, MapOk};
use http::{Request, Response};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use crate::error::Error;
use crate::status::of_transport;

/// The services of a server, each with its methods; without any where no descriptor tells them.
#[derive(Debug, Default)]
pub(super) struct Served(HashMap<String, HashSet<String>>);

impl Served {
    /// Makes it of the names of what is served.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(|name| (name.to_owned(), HashSet::new())).collect())
    }

    /// Reads the methods of what is served from an encoded `FileDescriptorSet`.
    pub(super) fn describe(&mut self, encoded: &[u8]) -> Result<(), prost::DecodeError> {
        for file in FileDescriptorSet::decode(encoded)?.file {
            for service in &file.service {
                if let Some(methods) = self.0.get_mut(&format!("{}.{}", file.package(), service.name())) {
                    methods.extend(service.method.iter().map(|method| method.name().to_owned()));
                }
            }
        }
        Ok(())
    }

    /// Checks that a path, `/package.Service/Method`, is served.
    fn check(&self, path: &str) -> Result<(), Error> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (service, method) = path.split_once('/').unwrap_or((path, ""));
        match self.0.get(service) {
            None => Err(Error::UnknownService(service.to_owned())),
            Some(methods) if !methods.is_empty() && !methods.contains(method) => {
                Err(Error::UnknownMethod { service: service.to_owned(), method: method.to_owned() })
            }
            Some(_) => Ok(()),
        }
    }
}

/// Refuses calls of what the contract does not have, by name.
#[derive(Debug, Clone)]
pub(super) struct ContractLayer(Arc<Served>);

impl ContractLayer {
    pub(super) fn new(served: Served) -> Self {
        Self(Arc::new(served))
    }
}

impl<S> Layer<S> for ContractLayer {
    type Service = ContractService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ContractService { inner, served: Arc::clone(&self.0) }
    }
}

/// See [`ContractLayer`].
#[derive(Debug, Clone)]
pub(super) struct ContractService<S> {
    inner: S,
    served: Arc<Served>,
}

impl<S> Service<Request<Body>> for ContractService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future =
        Either<MapOk<S::Future, fn(Response<Body>) -> Response<Body>>, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.served.check(request.uri().path()) {
            Ok(()) => Either::Left(self.inner.call(request).map_ok(answered as fn(_) -> _)),
            Err(unknown) => Either::Right(ready(Ok(Status::from(unknown).into_http()))),
        }
    }
}

/// Leaves an answer as it is, unless the transport made it of a request that it could not read: it is then told in the
/// headers, before any handler ran.
fn answered(response: Response<Body>) -> Response<Body> {
    let headers = response.headers();
    if headers.get(Status::GRPC_STATUS).is_none_or(|code| code != "13") {
        return response;
    }
    match Status::from_header_map(headers) {
        Some(status) => of_transport(status).into_http(),
        None => response,
    }
}
