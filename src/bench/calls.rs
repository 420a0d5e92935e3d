//! Single calls at many callers: the empty one, questions, durable writes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use minsheng_kit::clients::{DepartmentChannel, OutgoingRequest as _};
use minsheng_proto::{common::v1 as common, health::v1 as health, social_security::v1 as social_security};
use tonic::Request;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use uuid::Uuid;

use super::words::words;
use super::{
    Extent,
    bare::Bare,
    measure::{in_turns, rate},
    site::{INSTITUTIONS, ITEM, PEOPLE, Place, Site, date, institution, resident},
    table::{Row, Table, Target, Unit},
};
use crate::{error::Error, lang::Text};

const EMPTY: Text =
    Text { zh: "同一服务的空调用（健康检查）", en: "an empty call of the same service (health check)" };

/// How the callers reach a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connections {
    /// Each over a connection of its own, as callers of different institutions do.
    Own,
    /// All over one, which packs many calls into one piece of TLS: one busy caller, such as a department's gateway.
    One,
}

impl Connections {
    fn question(self) -> Text {
        match self {
            Self::Own => words("question.what_own"),
            Self::One => words("question.what_shared"),
        }
    }

    fn writes(self) -> Text {
        match self {
            Self::Own => words("writes.what_own"),
            Self::One => words("writes.what_shared"),
        }
    }

    fn open(
        self,
        site: &Site,
        caller: &str,
        department: &str,
        extent: Extent,
    ) -> Result<Vec<DepartmentChannel>, Error> {
        match self {
            Self::Own => (0..extent.callers).map(|_| site.channel(caller, department)).collect(),
            Self::One => Ok(vec![site.channel(caller, department)?; extent.callers]),
        }
    }
}

/// Connections of a service's pool, which the bare lookups have too.
const POOL: usize = 8;

/// Measures questions.
pub(super) async fn questions(site: &Site, extent: Extent, table: &mut Table) -> Result<(), Error> {
    question(site, Connections::Own, extent, table).await?;
    question(site, Connections::One, extent, table).await?;
    audited_question(site, extent, table).await
}

/// Measures empty calls of a service per second.
async fn empty(callers: &[DepartmentChannel], extent: Extent) -> Result<f64, Error> {
    rate(callers, extent.window, |channel| async move {
        let request = Request::new(HealthCheckRequest::default()).idempotent();
        HealthClient::new(channel).check(request).await.map(drop)
    })
    .await
}

async fn question(site: &Site, connections: Connections, extent: Extent, table: &mut Table) -> Result<(), Error> {
    let callers = connections.open(site, "community", "health", extent)?;
    let ask = async || {
        rate(&callers, extent.window, |channel| {
            let mut client = health::question_service_client::QuestionServiceClient::new(channel);
            let message = health::CheckRecognisableRequest {
                context: asked(common::Purpose::ResultRecognition),
                item_code: ITEM.to_owned(),
                performing_institution: format!("institutions/h{}", fastrand::usize(..INSTITUTIONS)),
                performed_on: Some(date(2025, 9, 1)),
                receiving_institution: format!("institutions/h{}", fastrand::usize(..INSTITUTIONS)),
                on: Some(date(2025, 9, 2)),
            };
            async move {
                let answer = client.check_recognisable(Request::new(message).idempotent()).await?.into_inner();
                if answer.recognisable { Ok(()) } else { Err(tonic::Status::data_loss("not recognisable")) }
            }
        })
        .await
    };
    let (ours, bare) = in_turns(extent.rounds, ask, async || empty(&callers, extent).await).await?;
    table.add(Row {
        what: connections.question(),
        baseline: EMPTY,
        place: site.place.name().to_owned(),
        unit: Unit::PerSecond,
        ours,
        bare,
        target: match (&site.place, connections) {
            (Place::Sqlite, Connections::Own) => Target::AtLeast(0.6),
            _ => Target::None,
        },
        bound: match site.place {
            Place::Sqlite => words("question.bound_sqlite"),
            Place::Postgres(_) => words("question.bound_postgres"),
        },
    });
    if matches!(site.place, Place::Postgres(_)) && connections == Connections::Own {
        looked_up(site, extent, table, ask).await?;
    }
    Ok(())
}

/// Compares a question with what its lookups take by themselves, where they are round trips to another process.
async fn looked_up(
    site: &Site,
    extent: Extent,
    table: &mut Table,
    ask: impl AsyncFnMut() -> Result<f64, Error>,
) -> Result<(), Error> {
    let url = site.url("health");
    let connect = || Bare::connect(&site.place, &url);
    let mut connections = (0..POOL).map(|_| connect()).collect::<Result<Vec<_>, _>>()?;
    let look_up = async || {
        tokio::task::block_in_place(|| {
            std::thread::scope(|scope| {
                let under_way: Vec<_> =
                    connections.iter_mut().map(|one| scope.spawn(|| one.look_up(extent.window))).collect();
                let rates =
                    under_way.into_iter().map(|one| one.join().map_err(|_| Error::internal("a lookup panicked"))?);
                rates.sum::<Result<f64, Error>>()
            })
        })
    };
    let (ours, bare) = in_turns(extent.rounds, ask, look_up).await?;
    table.add(Row {
        what: Connections::Own.question(),
        baseline: words("lookups.baseline"),
        place: site.place.name().to_owned(),
        unit: Unit::PerSecond,
        ours,
        bare,
        target: Target::AtLeast(0.6),
        bound: words("lookups.bound"),
    });
    Ok(())
}

async fn audited_question(site: &Site, extent: Extent, table: &mut Table) -> Result<(), Error> {
    let callers = Connections::Own.open(site, "health", "social-security", extent)?;
    let ask = async || {
        rate(&callers, extent.window, |channel| {
            let mut client = social_security::question_service_client::QuestionServiceClient::new(channel);
            let message = social_security::CheckCoverageRequest {
                context: asked(common::Purpose::MedicalSettlement),
                resident_id: resident(fastrand::usize(..PEOPLE)),
                scheme: social_security::Scheme::ResidentMedical.into(),
                on: Some(date(2025, 9, 1)),
            };
            async move {
                let answer = client.check_coverage(Request::new(message).idempotent()).await?.into_inner();
                if answer.covered { Ok(()) } else { Err(tonic::Status::data_loss("not covered")) }
            }
        })
        .await
    };
    let (ours, bare) = in_turns(extent.rounds, ask, async || empty(&callers, extent).await).await?;
    table.add(Row {
        what: words("audited_question.what"),
        baseline: EMPTY,
        place: site.place.name().to_owned(),
        unit: Unit::PerSecond,
        ours,
        bare,
        target: Target::None,
        bound: words("audited_question.bound"),
    });
    Ok(())
}

/// Measures durable writes.
pub(super) async fn writes(site: &Site, extent: Extent, table: &mut Table) -> Result<(), Error> {
    let numbers = Arc::new(AtomicU64::new(0));
    let sqlite = matches!(site.place, Place::Sqlite);
    for connections in [Connections::Own, Connections::One] {
        let callers = connections.open(site, "operator", "health", extent)?;
        let write = async || written(&callers, &numbers, extent).await;
        let (ours, bare) = in_turns(extent.rounds, write, async || empty(&callers, extent).await).await?;
        table.add(Row {
            what: connections.writes(),
            baseline: EMPTY,
            place: site.place.name().to_owned(),
            unit: Unit::PerSecond,
            ours,
            bare,
            target: if sqlite && connections == Connections::Own { Target::AtLeast(0.4) } else { Target::None },
            bound: if sqlite { words("writes.bound_sqlite") } else { words("writes.bound_postgres") },
        });
    }
    let callers = Connections::Own.open(site, "operator", "health", extent)?;
    let write = async || written(&callers, &numbers, extent).await;
    let mut database = Bare::make(&site.place, &site.spare("singles")?)?;
    let mut ids = 0;
    let (ours, bare) = in_turns(extent.rounds, write, async || database.commit_singly(extent.window, &mut ids)).await?;
    table.add(Row {
        what: Connections::Own.writes(),
        baseline: words("raw_commits.baseline"),
        place: site.place.name().to_owned(),
        unit: Unit::PerSecond,
        ours,
        bare,
        target: if sqlite { Target::AtLeast(5.0) } else { Target::None },
        bound: words("raw_commits.bound"),
    });
    Ok(())
}

/// Measures durable writes per second.
async fn written(callers: &[DepartmentChannel], numbers: &Arc<AtomicU64>, extent: Extent) -> Result<f64, Error> {
    let numbers = Arc::clone(numbers);
    rate(callers, extent.window, move |channel| {
        let mut client = health::institution_service_client::InstitutionServiceClient::new(channel);
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let message = health::CreateInstitutionRequest {
            request_id: Uuid::now_v7().to_string(),
            institution: Some(institution(&format!("w{number}"))),
            effective_on: None,
        };
        async move { client.create_institution(Request::new(message).idempotent()).await.map(drop) }
    })
    .await
}

#[expect(clippy::unnecessary_wraps, reason = "the contract's fields are optional")]
fn asked(purpose: common::Purpose) -> Option<common::QuestionContext> {
    let context = common::QuestionContext {
        purpose: purpose.into(),
        case_number: "bench-1".to_owned(),
        officer: "0001".to_owned(),
    };
    Some(context)
}
