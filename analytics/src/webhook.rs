//! Reports to an address which verdicts a report changed: one POST of JSON, retried a few times.
//!
//! It says nothing that the report does not say. An address that does not take it delays nothing beyond the tries and loses
//! nothing for good: `AttainmentService/WatchStatuses` tells the same to whoever asks.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url, redirect};
use serde::Serialize;

use crate::diff::StatusChange;
use crate::model::{AttainmentDocument, Notice, wire};

/// Time that an address has to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before each further try.
const WAITS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(25)];
/// The header by which a receiver knows a message that it has had.
const KEY: &str = "idempotency-key";

/// Why an address was not told.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It is no address.
    #[error("`{0}` is not an http or https address / “{0}”不是 http 或 https 地址")]
    Address(String),
    /// It cannot be called.
    #[error("the address cannot be called")]
    Client(#[source] reqwest::Error),
    /// It refused.
    #[error("the address answered {0}")]
    Refused(StatusCode),
    /// It did not answer.
    #[error("the address does not answer")]
    Silent(#[source] reqwest::Error),
}

/// What is told.
#[derive(Debug, Clone, Serialize)]
pub struct Told<'a> {
    /// The run, as `2026-03-31T2200`.
    pub run: &'a str,
    /// The day that the report is true for.
    #[serde(with = "wire::date")]
    pub on: chrono::NaiveDate,
    /// The instant up to which records were taken into account.
    #[serde(with = "wire::instant")]
    pub as_of: chrono::DateTime<chrono::Utc>,
    /// What every reader must know first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<&'a Notice>,
    /// The verdicts that changed.
    pub changes: &'a [StatusChange],
}

impl<'a> Told<'a> {
    /// Says what a report changed.
    pub fn of(run: &'a str, document: &'a AttainmentDocument, changes: &'a [StatusChange]) -> Self {
        Self { run, on: document.on, as_of: document.as_of, notice: document.notice.as_ref(), changes }
    }
}

/// An address that is told.
#[derive(Debug, Clone)]
pub struct Webhook {
    client: Client,
    address: Url,
    waits: Vec<Duration>,
}

impl Webhook {
    /// Prepares calls of an address. It is not followed to another one.
    pub fn new(address: &str) -> Result<Self, WebhookError> {
        let wrong = || WebhookError::Address(address.to_owned());
        let address = Url::parse(address).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        let address = address.ok_or_else(wrong)?;
        let client = Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none()).build();
        Ok(Self { client: client.map_err(WebhookError::Client)?, address, waits: WAITS.to_vec() })
    }

    /// Sends it; a refusal that a retry will not mend is final.
    pub async fn tell(&self, told: &Told<'_>) -> Result<(), WebhookError> {
        let body = serde_json::to_vec(told).unwrap_or_default();
        let mut waits = self.waits.iter();
        loop {
            let call = self.client.post(self.address.clone()).header("content-type", "application/json");
            let answered = call.header(KEY, told.run).body(body.clone()).send().await;
            let (error, again) = match answered {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => {
                    let status = answer.status();
                    let later = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
                    (WebhookError::Refused(status), later)
                }
                Err(error) => (WebhookError::Silent(error), true),
            };
            match waits.next().filter(|_| again) {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::model::Status;
    use crate::testing::day;

    /// Answers one call after the other with a status, and returns what they sent.
    async fn receiver(listener: TcpListener, answers: &[&str]) -> Vec<String> {
        let mut received = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut text, mut part) = (String::new(), [0; 4096]);
            while !text.ends_with("]}") {
                let read = stream.read(&mut part).await.unwrap();
                text.push_str(std::str::from_utf8(&part[..read]).unwrap());
            }
            let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            received.push(text);
        }
        received
    }

    async fn told(answers: &[&str]) -> (Result<(), WebhookError>, Vec<String>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}/hook", listener.local_addr().unwrap());
        let webhook = Webhook { waits: vec![Duration::ZERO; 2], ..Webhook::new(&address).unwrap() };
        let changes = [StatusChange {
            commitment: "elder-meal-points".to_owned(),
            area: "540000".to_owned(),
            before: Some(Status::AtRisk),
            after: Some(Status::Met),
        }];
        let as_of = day("2026-03-31").and_time(chrono::NaiveTime::MIN).and_utc();
        let told = Told { run: "2026-03-31T0000", on: day("2026-03-31"), as_of, notice: None, changes: &changes };
        tokio::join!(webhook.tell(&told), receiver(listener, answers))
    }

    #[tokio::test]
    async fn a_change_is_posted_and_tried_again_while_that_may_help() {
        let (result, received) = told(&["503 Unavailable", "429 Too Many Requests", "204 No Content"]).await;
        assert!(result.is_ok(), "{result:?}");
        assert_eq!(received.len(), 3);
        for text in received {
            assert!(
                text.starts_with("POST /hook HTTP/1.1") && text.contains("idempotency-key: 2026-03-31T0000"),
                "{text}"
            );
            let body = text.split_once("\r\n\r\n").unwrap().1;
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["changes"][0]["after"], "met");
            assert_eq!(body["as_of"], "2026-03-31T00:00:00Z");
        }
        let (result, received) = told(&["404 Not Found"]).await;
        assert!(matches!(result, Err(WebhookError::Refused(StatusCode::NOT_FOUND))), "{result:?}");
        assert_eq!(received.len(), 1, "what trying again will not mend is final");
        let (result, _) = told(&["500 Oh", "500 Oh", "500 Oh"]).await;
        assert!(matches!(result, Err(WebhookError::Refused(StatusCode::INTERNAL_SERVER_ERROR))), "{result:?}");
    }

    #[tokio::test]
    async fn an_address_that_is_none_or_does_not_answer_is_told_so() {
        assert!(matches!(Webhook::new("ftp://example.org"), Err(WebhookError::Address(_))));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let webhook = Webhook { waits: vec![Duration::ZERO], ..Webhook::new(&address).unwrap() };
        let as_of = chrono::Utc::now();
        let told = Told { run: "r", on: day("2026-03-31"), as_of, notice: None, changes: &[] };
        assert!(matches!(webhook.tell(&told).await, Err(WebhookError::Silent(_))));
    }
}
