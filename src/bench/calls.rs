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

use super::{
    Extent,
    bare::Bare,
    measure::{in_turns, rate},
    site::{INSTITUTIONS, ITEM, PEOPLE, Place, Site, date, institution, resident},
    table::{Row, Table, Target, Unit},
};
use crate::{error::Error, lang::Text};

const EMPTY: Text =
    Text { zh: "同一服务的空调用(健康检查)", en: "an empty call of the same service (health check)" };

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
            Self::Own => Text {
                zh: "提问:结果是否互认(CheckRecognisable),64 个并发,各用一个连接",
                en: "a question (CheckRecognisable), 64 callers, a connection each",
            },
            Self::One => Text {
                zh: "提问:结果是否互认(CheckRecognisable),64 个并发,共用一个连接",
                en: "a question (CheckRecognisable), 64 callers over one connection",
            },
        }
    }

    fn writes(self) -> Text {
        match self {
            Self::Own => Text {
                zh: "落盘的单条写入(CreateInstitution),64 个并发,各用一个连接",
                en: "durable single writes (CreateInstitution), 64 callers, a connection each",
            },
            Self::One => Text {
                zh: "落盘的单条写入(CreateInstitution),64 个并发,共用一个连接",
                en: "durable single writes (CreateInstitution), 64 callers over one connection",
            },
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
            Place::Sqlite => Text {
                zh: "客户端与服务端同在两个核上,TLS 与 HTTP/2 占空调用的大部分;提问另有合同校验、目的授权和在同一线程上的一次按键查询。",
                en: "Processor: client and server share two cores, and most of the empty call is TLS and HTTP/2. The question adds the contract's checks, the policy on its purpose and one look-up by keys on the calling thread.",
            },
            Place::Postgres(_) => Text {
                zh: "每次提问换到可阻塞的线程,与数据库往返一次;连接池八个连接,数据库进程同用两个核。",
                en: "Each question changes to a thread that may block and makes one round trip over a pool of eight connections, and the database's processes share the two cores.",
            },
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
                    under_way.into_iter().map(|one| one.join().map_err(|_| Error::internal("a look-up panicked"))?);
                rates.sum::<Result<f64, Error>>()
            })
        })
    };
    let (ours, bare) = in_turns(extent.rounds, ask, look_up).await?;
    table.add(Row {
        what: Connections::Own.question(),
        baseline: Text {
            zh: "同样三条查询的预备语句,同样多的连接,没有服务也没有事务",
            en: "its three look-ups as prepared statements over as many connections, without a service or a transaction",
        },
        place: site.place.name().to_owned(),
        unit: Unit::PerSecond,
        ours,
        bare,
        target: Target::AtLeast(0.6),
        bound: Text {
            zh: "对照即数据库本身,三次往返;本系统一条语句读完,另有换线程、TLS 与 HTTP/2,且与数据库进程共用两个核。",
            en: "The baseline is the database itself by three round trips. Ours reads all of it by one statement, and adds a change of threads, TLS and HTTP/2 on the same two cores.",
        },
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
        what: Text {
            zh: "提问并写查阅记录:某日是否参保(CheckCoverage),64 个并发,各用一个连接",
            en: "a question about a person (CheckCoverage) with its access entry, 64 callers, a connection each",
        },
        baseline: EMPTY,
        place: site.place.name().to_owned(),
        unit: Unit::PerSecond,
        ours,
        bare,
        target: Target::None,
        bound: Text {
            zh: "答复与查阅记录同一提交,落盘后才答复;因此与写入同受提交限制。",
            en: "The commit: answer and access entry are one unit, durable before the answer leaves, so it is bound like a write. The person's number is checked and keyed on the way.",
        },
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
        bound: if sqlite {
            Text {
                zh: "唯一写线程:每个单元有登记、流水、首次答复三次插入和一个保存点;等待者合并为一次 FULL 提交,落盘不再是限制。",
                en: "The one writer thread: each unit is a savepoint with a look for the first answer and three inserts (register, journal, first answer). All that wait share one FULL commit, so the disk is not what bounds it.",
            }
        } else {
            Text {
                zh: "每个单元一个事务:八个连接各等自己的落盘,约八条语句往返。",
                en: "Each unit is a transaction of its own: eight connections, each waiting for its statements' round trips and its own flush of the log.",
            }
        },
    });
    }
    let callers = Connections::Own.open(site, "operator", "health", extent)?;
    let write = async || written(&callers, &numbers, extent).await;
    let mut database = Bare::make(&site.place, &site.spare("singles")?)?;
    let mut ids = 0;
    let (ours, bare) = in_turns(extent.rounds, write, async || database.commit_singly(extent.window, &mut ids)).await?;
    table.add(Row {
        what: Connections::Own.writes(),
        baseline: Text {
            zh: "同一种数据库上一行一提交的裸写入(SQLite 为 FULL)",
            en: "bare commits of one row each in the same kind of database (SQLite: FULL)",
        },
        place: site.place.name().to_owned(),
        unit: Unit::PerSecond,
        ours,
        bare,
        target: if sqlite { Target::AtLeast(5.0) } else { Target::None },
        bound: Text {
            zh: "对照受每次落盘的时间限制;本系统受上一行所述限制。磁盘越快,比值越小。",
            en: "The baseline is bound by the time of one flush to disk, ours by what the row above says: the faster the disk, the smaller the ratio.",
        },
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
