//! `health`: asks a service by gRPC, over mutual TLS, whether it serves; for the health checks of containers.
//!
//! It presents the department's own certificate, because that is the one which lies where the service runs.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use minsheng_analytics::serve::DEPARTMENT;
use minsheng_kit::clients::OutgoingRequest as _;
use tonic::Request;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::{
    cli::HealthArgs,
    error::Error,
    lang::Lang,
    output::{self, EXIT_USAGE},
    said,
    site::{self, Endpoints},
};

/// Time that the answer may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// The port of a service that is not told another.
const USUAL_PORT: &str = "7443";

pub(super) async fn run(arguments: HealthArgs, lang: Lang) -> Result<ExitCode, Error> {
    let department = arguments.service;
    // Analytics has no register, and serves beside its schedule.
    if site::service(&department).is_none() && department != DEPARTMENT {
        output::error(site::unknown_service(&department, lang));
        return Ok(ExitCode::from(EXIT_USAGE));
    }
    let address = arguments.address.unwrap_or_else(|| own_address(std::env::var("MINSHENG_LISTEN").ok().as_deref()));
    let pki = std::env::var_os("MINSHENG_PKI_DIR").map(PathBuf::from).ok_or(Error::NoServices)?;
    let endpoints = Endpoints { pki, addresses: [(department.clone(), address)].into() };
    let mut request = Request::new(HealthCheckRequest::default()).idempotent();
    request.set_timeout(PATIENCE);
    let asked = HealthClient::new(endpoints.channel(&department, &department)?).check(request).await;
    let why = match asked {
        Ok(answer) if answer.get_ref().status() == ServingStatus::Serving => {
            output::line(said!(lang, "{department} 正在服务", "{department} serves"));
            return Ok(ExitCode::SUCCESS);
        }
        Ok(answer) => answer.get_ref().status().as_str_name().to_owned(),
        Err(status) => format!("{:?}: {}", status.code(), status.message()),
    };
    Err(Error::NotServing { department, why })
}

/// Returns the address of a service on this machine, by what it is told to listen on.
fn own_address(listen: Option<&str>) -> String {
    let port = listen.and_then(|listen| listen.rsplit_once(':')).map_or(USUAL_PORT, |(_, port)| port);
    format!("https://localhost:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_asked_at_the_port_that_it_is_told_to_listen_on() {
        assert_eq!(own_address(Some("0.0.0.0:7001")), "https://localhost:7001");
        assert_eq!(own_address(Some("[::]:7002")), "https://localhost:7002");
        assert_eq!(own_address(None), "https://localhost:7443");
    }
}
