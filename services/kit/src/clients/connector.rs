//! How a connection is made: TCP, mutual TLS, and a check of who answers.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

use crate::identity::{Caller, Department};
use crate::pki::Credentials;

/// Makes connections to one department.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    /// Who must answer.
    pub(super) department: Department,
    /// With what to present oneself; read again for every connection.
    pub(super) credentials: Arc<Credentials>,
    /// The name that the certificate must be good for.
    pub(super) server_name: ServerName<'static>,
    /// Time for the whole of it.
    pub(super) within: Duration,
}

impl Connector {
    async fn connect(self, uri: Uri) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(443);
        let connected = timeout(self.within, async {
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            TlsConnector::from(self.credentials.client_config()).connect(self.server_name.clone(), stream).await
        });
        let stream =
            connected.await.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "connecting took too long"))??;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let answering = Caller::from_peer_certificates(chain).map_err(io::Error::other)?.department;
        if answering != self.department {
            let wrong = format!("{uri} is answered by the department {answering}, not by {}", self.department);
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, wrong));
        }
        Ok(TokioIo::new(stream))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}
