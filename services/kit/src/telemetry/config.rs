//! What telemetry is told, and where it is read from.

use std::str::FromStr;

use thiserror::Error;
use tracing_subscriber::EnvFilter;

/// What is logged unless something else is asked.
const DEFAULT_FILTER: &str = "info,h2=warn,hyper=warn,tonic=warn,tower=warn,opentelemetry=warn";

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{variable}: `{value}` is not {wanted}")]
pub struct TelemetryConfigError {
    /// The environment variable.
    pub variable: &'static str,
    /// What it holds.
    pub value: String,
    /// What it should hold.
    pub wanted: &'static str,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// How a collector is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExportProtocol {
    /// OTLP over gRPC.
    #[default]
    Grpc,
    /// OTLP over HTTP, as protobuf.
    HttpProtobuf,
}

/// Where to export to: the full address of each signal, as far as it has one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Export {
    /// How.
    pub protocol: ExportProtocol,
    /// Address for traces.
    pub traces: Option<String>,
    /// Address for metrics.
    pub metrics: Option<String>,
    /// Address for logs.
    pub logs: Option<String>,
}

/// What telemetry is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryConfig {
    /// The process's name in traces and metrics, as `minsheng-health`.
    pub service_name: String,
    /// What to log, as `info,minsheng_kit=debug`.
    pub log_filter: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Where to export to.
    pub export: Export,
}

impl TelemetryConfig {
    /// Logs for people and exports nothing.
    pub fn new(service_name: impl Into<String>) -> Self {
        Self {
            service_name: service_name.into(),
            log_filter: DEFAULT_FILTER.to_owned(),
            log_format: LogFormat::default(),
            export: Export::default(),
        }
    }

    /// Reads `MINSHENG_LOG`, `MINSHENG_LOG_FORMAT` and OpenTelemetry's own `OTEL_EXPORTER_OTLP_*` and
    /// `OTEL_SDK_DISABLED` through `variable`, which looks an environment variable up.
    pub fn from_environment(
        service_name: impl Into<String>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, TelemetryConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let mut config = Self::new(service_name);
        if let Some(filter) = variable("MINSHENG_LOG") {
            if EnvFilter::from_str(&filter).is_err() {
                return Err(wrong("MINSHENG_LOG", filter, "a filter such as info,minsheng_kit=debug"));
            }
            config.log_filter = filter;
        }
        config.log_format = match variable("MINSHENG_LOG_FORMAT").as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => return Err(wrong("MINSHENG_LOG_FORMAT", other, "`text` or `json`")),
        };
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(config);
        }
        let protocol = match variable("OTEL_EXPORTER_OTLP_PROTOCOL").as_deref() {
            None | Some("grpc") => ExportProtocol::Grpc,
            Some("http/protobuf") => ExportProtocol::HttpProtobuf,
            Some(other) => return Err(wrong("OTEL_EXPORTER_OTLP_PROTOCOL", other, "`grpc` or `http/protobuf`")),
        };
        let common = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
        let signal = |name: &'static str, path: &str| {
            let (from, address) = match (variable(name), &common, protocol) {
                (Some(own), _, _) => (name, own),
                (None, None, _) => return Ok(None),
                (None, Some(common), ExportProtocol::Grpc) => ("OTEL_EXPORTER_OTLP_ENDPOINT", common.clone()),
                (None, Some(common), ExportProtocol::HttpProtobuf) => {
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("{}/v1/{path}", common.trim_end_matches('/')))
                }
            };
            let sound = address.parse::<http::Uri>().is_ok_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
            });
            if sound {
                Ok(Some(address))
            } else {
                Err(wrong(from, address, "an address such as http://collector:4317"))
            }
        };
        config.export = Export {
            protocol,
            traces: signal("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "traces")?,
            metrics: signal("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "metrics")?,
            logs: signal("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "logs")?,
        };
        Ok(config)
    }
}

fn wrong(variable: &'static str, value: impl Into<String>, wanted: &'static str) -> TelemetryConfigError {
    TelemetryConfigError { variable, value: value.into(), wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<TelemetryConfig, TelemetryConfigError> {
        TelemetryConfig::from_environment("minsheng-test", |name| {
            variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_a_collector_nothing_is_exported() {
        assert_eq!(read(&[]).map(|c| c.export), Ok(Export::default()));
        assert_eq!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]).map(|c| c.export), Ok(Export::default()));
        let disabled = [("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317")];
        assert_eq!(read(&disabled).map(|c| c.export), Ok(Export::default()));
    }

    #[test]
    fn one_collector_takes_all_signals_and_a_signals_own_address_goes_first() {
        let grpc = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317")]).expect("sound").export;
        assert_eq!(grpc.traces.as_deref(), Some("http://c:4317"));
        let http = read(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/"),
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:8428/opentelemetry/v1/metrics"),
        ])
        .expect("sound")
        .export;
        assert_eq!(http.traces.as_deref(), Some("http://c:4318/v1/traces"));
        assert_eq!(http.metrics.as_deref(), Some("http://m:8428/opentelemetry/v1/metrics"));
    }

    #[test]
    fn a_bad_setting_is_named() {
        for (variable, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier pigeon"),
            ("MINSHENG_LOG_FORMAT", "xml"),
            ("MINSHENG_LOG", "info,=x=y"),
        ] {
            let error = read(&[(variable, value)]).expect_err(variable);
            assert_eq!((error.variable, error.value.as_str()), (variable, value));
        }
    }
}
