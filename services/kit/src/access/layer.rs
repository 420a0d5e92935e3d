//! The door: asks the policies before a handler sees anything.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::Either;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::warn;

use super::policies::{AccessDenied, AccessPolicies, QuestionGrant};
use crate::identity::{Caller, Department};

/// Who calls which method, and the policies to ask about it; the layer puts it into the request's extensions.
#[derive(Debug, Clone)]
pub struct Access {
    policies: Arc<AccessPolicies>,
    owner: Department,
    caller: Caller,
    method: Arc<str>,
}

impl Access {
    /// Makes what the layer makes, for a handler's test.
    pub fn new(policies: Arc<AccessPolicies>, owner: Department, caller: Caller, method: &str) -> Self {
        Self { policies, owner, caller, method: method.into() }
    }

    /// Finds it in the request being answered.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<&Self, AccessDenied> {
        request.extensions().get::<Self>().ok_or(AccessDenied::Anonymous)
    }

    /// Returns who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns the department that answers.
    pub fn owner(&self) -> &Department {
        &self.owner
    }

    /// Returns the method, as `minsheng.health.v1.QuestionService/CheckRecognisable`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Decides whether the caller may have the answer for a purpose, given by its name, as `PURPOSE_MEAL_PRICE`.
    pub fn authorise_question(&self, purpose: &str) -> Result<QuestionGrant, AccessDenied> {
        let denied = |error: &AccessDenied| warn!(%error, "a question is denied");
        self.policies
            .authorise_question(&self.caller.department, &self.owner, &self.method, purpose)
            .inspect_err(denied)
    }
}

impl AccessDenied {
    /// Returns who was refused what, for the caller's machine.
    pub(crate) fn details(&self) -> Vec<(String, String)> {
        let details = match self {
            Self::Anonymous => Vec::new(),
            Self::Call { caller, method } => vec![("caller", caller.to_string()), ("method", method.clone())],
            Self::Ask { caller, method, purpose } => {
                vec![("caller", caller.to_string()), ("method", method.clone()), ("purpose", purpose.clone())]
            }
        };
        details.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

/// Lets through the calls that the policies permit.
#[derive(Debug, Clone)]
pub struct AccessLayer {
    policies: Arc<AccessPolicies>,
    owner: Department,
}

impl AccessLayer {
    /// Guards the methods that the department `owner` serves.
    pub fn new(policies: Arc<AccessPolicies>, owner: Department) -> Self {
        Self { policies, owner }
    }

    fn admit<B>(&self, request: &mut Request<B>) -> Result<(), AccessDenied> {
        let caller = request.extensions().get::<Caller>().cloned().ok_or(AccessDenied::Anonymous)?;
        let method = request.uri().path().trim_start_matches('/');
        self.policies
            .authorise_call(&caller.department, &self.owner, method)
            .inspect_err(|error| warn!(%error, "a call is denied"))?;
        let access = Access::new(Arc::clone(&self.policies), self.owner.clone(), caller, method);
        request.extensions_mut().insert(access);
        Ok(())
    }
}

impl<S> Layer<S> for AccessLayer {
    type Service = AccessService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AccessService { inner, layer: self.clone() }
    }
}

/// See [`AccessLayer`].
#[derive(Debug, Clone)]
pub struct AccessService<S> {
    inner: S,
    layer: AccessLayer,
}

impl<S, B> Service<Request<B>> for AccessService<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Self::Response, Self::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.layer.admit(&mut request) {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(denied) => Either::Right(ready(Ok(Status::from(denied).into_http()))),
        }
    }
}
