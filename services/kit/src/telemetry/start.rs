//! Starting telemetry, and stopping it so that nothing recorded is lost.

use opentelemetry::trace::TracerProvider;
use opentelemetry::{KeyValue, global};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

use super::attributes::SCOPE;
use super::config::{ExportProtocol, LogFormat, TelemetryConfig};

/// What exporting itself uses: were its logs exported, every export would cause another.
const OWN_MACHINERY: [&str; 7] = ["h2", "hyper", "hyper_util", "tonic", "tower", "opentelemetry", "reqwest"];

/// Telemetry that cannot be started.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The log filter is malformed.
    #[error("the log filter cannot be used")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// An exporter cannot be built.
    #[error("cannot prepare the export of {signal}")]
    Exporter {
        /// As `traces`.
        signal: &'static str,
        /// Why.
        source: ExporterBuildError,
    },
    /// Telemetry was started before in this process.
    #[error("telemetry has been started before")]
    Started(#[from] TryInitError),
}

/// Keeps telemetry going; stops it, after exporting what is recorded, when it is dropped.
#[derive(Debug, Default)]
#[must_use = "dropping it stops telemetry"]
pub struct TelemetryGuard {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    logs: Option<SdkLoggerProvider>,
}

impl TelemetryGuard {
    /// Exports what is recorded so far; blocks.
    pub fn flush(&self) {
        if let Some(traces) = &self.traces {
            complain(traces.force_flush());
        }
        if let Some(metrics) = &self.metrics {
            complain(metrics.force_flush());
        }
        if let Some(logs) = &self.logs {
            complain(logs.force_flush());
        }
    }

    /// Exports what is recorded and stops, away from the runtime's own threads, which the exporters need. For the end
    /// of a main, after the server has drained.
    pub async fn shutdown(self) {
        // Fails only when the runtime is going away, where `drop` has done it.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    fn stop(&mut self) {
        if let Some(traces) = self.traces.take() {
            complain(traces.shutdown());
        }
        if let Some(metrics) = self.metrics.take() {
            complain(metrics.shutdown());
        }
        if let Some(logs) = self.logs.take() {
            complain(logs.shutdown());
        }
    }
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Telemetry that fails must not fail the process; it says so where an operator looks.
fn complain(result: opentelemetry_sdk::error::OTelSdkResult) {
    if let Err(error) = result {
        eprintln!("telemetry could not be exported: {error}");
    }
}

/// Starts telemetry for this process; once, and within a runtime.
pub fn init(config: &TelemetryConfig) -> Result<TelemetryGuard, TelemetryError> {
    let guard = providers(config)?;
    let filter = EnvFilter::try_new(&config.log_filter)?;
    tracing_subscriber::registry()
        .with(log_lines(config.log_format).with_filter(filter))
        .with(guard.traces.as_ref().map(span_layer))
        .with(guard.logs.as_ref().map(|logs| OpenTelemetryTracingBridge::new(logs).with_filter(exported())))
        .try_init()?;
    if let Some(traces) = &guard.traces {
        global::set_tracer_provider(traces.clone());
    }
    if let Some(metrics) = &guard.metrics {
        global::set_meter_provider(metrics.clone());
    }
    Ok(guard)
}

fn log_lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    }
}

/// Makes the layer that turns spans into a trace.
pub(super) fn span_layer<S>(traces: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(traces.tracer(SCOPE))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(exported())
}

/// Lets through what may be exported.
fn exported() -> Targets {
    let silent = OWN_MACHINERY.map(|target| (target, LevelFilter::OFF));
    Targets::new().with_default(LevelFilter::INFO).with_targets(silent)
}

fn providers(config: &TelemetryConfig) -> Result<TelemetryGuard, TelemetryError> {
    let resource = Resource::builder()
        .with_service_name(config.service_name.clone())
        .with_attributes([
            KeyValue::new("service.namespace", SCOPE),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .build();
    let http = match config.export.protocol {
        ExportProtocol::Grpc => false,
        ExportProtocol::HttpProtobuf => true,
    };
    macro_rules! exporter {
        ($exporter:ident, $signal:literal, $address:expr) => {{
            let built = if http {
                let builder = $exporter::builder().with_http().with_protocol(Protocol::HttpBinary);
                builder.with_endpoint($address).build()
            } else {
                $exporter::builder().with_tonic().with_endpoint($address).build()
            };
            built.map_err(|source| TelemetryError::Exporter { signal: $signal, source })?
        }};
    }
    let mut guard = TelemetryGuard::default();
    if let Some(address) = &config.export.traces {
        let exporter = exporter!(SpanExporter, "traces", address);
        let traces = SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(exporter);
        guard.traces = Some(traces.build());
    }
    if let Some(address) = &config.export.metrics {
        let exporter = exporter!(MetricExporter, "metrics", address);
        let metrics = SdkMeterProvider::builder().with_resource(resource.clone()).with_periodic_exporter(exporter);
        guard.metrics = Some(metrics.build());
    }
    if let Some(address) = &config.export.logs {
        let exporter = exporter!(LogExporter, "logs", address);
        let logs = SdkLoggerProvider::builder().with_resource(resource).with_batch_exporter(exporter);
        guard.logs = Some(logs.build());
    }
    Ok(guard)
}
