//! Many rows at once: in by upload, out by the feed.

use std::time::Instant;

use bytes::Bytes;
use futures::StreamExt as _;
use minsheng_analytics::feed::{Feed as _, FlightFeed};

use super::{
    Extent,
    bare::{Bare, record},
    measure::{in_turns, per_second},
    site::{Site, encoded, institution},
    table::{Row, Table, Target, Unit},
};
use crate::{error::Error, lang::Text, upload::CHUNK};

const DATASET: &str = "health.institutions";

/// Measures uploads and the feed of a site.
pub(super) async fn measure(site: &Site, extent: Extent, table: &mut Table) -> Result<(), Error> {
    let (mut ours_from, mut bare_from) = (0, 0);
    let upload = async || {
        let records: Vec<Bytes> = ids(&mut ours_from, extent.upload).map(|id| encoded(&institution(&id))).collect();
        let began = Instant::now();
        site.upload("health", "institutions", records).await?;
        Ok(per_second(extent.upload, began.elapsed()))
    };
    let mut database = Bare::make(&site.place, &site.spare("rows")?)?;
    let insert = async || {
        let records: Vec<_> = ids(&mut bare_from, extent.upload).map(|id| record(&id)).collect();
        tokio::task::block_in_place(|| database.insert_many(&records, CHUNK))
    };
    let (ours, bare) = in_turns(extent.rounds, upload, insert).await?;
    table.add(Row {
        what: Text {
            zh: "批量上报(UploadInstitutions),每块 1000 行",
            en: "bulk upload (UploadInstitutions), chunks of 1,000 rows",
        },
        baseline: Text {
            zh: "同样的行、同样的表,多行插入,每块一个事务",
            en: "the same rows into the same table by INSERTs of many rows, a transaction for each chunk",
        },
        place: site.place.name().to_owned(),
        unit: Unit::PerSecond,
        ours,
        bare,
        target: Target::AtLeast(0.5),
        bound: Text {
            zh: "写一行即写两行:登记之外还有流水;另有合同校验、规则、判重(SQLite 上由写入本身发现)和逐行答复。对照只写登记。",
            en: "Each row is two rows: the journal's entry beside the register's. Before them come the contract's checks, the rules and, on PostgreSQL, the look for rows that exist already, which SQLite finds out by writing; after them an answer for each item. The baseline writes the register alone.",
        },
    });
    while ours_from < extent.feed {
        let records = ids(&mut ours_from, extent.upload).map(|id| encoded(&institution(&id))).collect();
        site.upload("health", "institutions", records).await?;
    }
    feed(site, extent, table).await
}

fn ids(from: &mut usize, number: usize) -> impl Iterator<Item = String> + use<> {
    let first = *from;
    *from += number;
    (first..first + number).map(|number| format!("u{number}"))
}

async fn feed(site: &Site, extent: Extent, table: &mut Table) -> Result<(), Error> {
    let channel = site.channel("analytics", "health")?;
    let read = async || {
        let began = Instant::now();
        let mut pieces =
            FlightFeed::new("health", channel.clone()).changes(DATASET, "").await.map_err(Error::internal)?;
        let mut rows = 0;
        while let Some(piece) = pieces.next().await {
            rows += piece.map_err(Error::internal)?.rows.map_or(0, |rows| rows.num_rows());
        }
        Ok(per_second(rows, began.elapsed()))
    };
    let mut database = Bare::connect(&site.place, &site.url("health"))?;
    let scan = async || tokio::task::block_in_place(|| database.scan_journal(DATASET));
    let (ours, bare) = in_turns(extent.rounds, read, scan).await?;
    table.add(Row {
        what: Text {
            zh: "数据流(Arrow Flight DoGet),经 TLS 读到列",
            en: "the feed (Arrow Flight DoGet) over TLS, read into columns",
        },
        baseline: Text {
            zh: "直接查询流水表的同样各列",
            en: "a bare query of the same columns of the journal",
        },
        place: site.place.name().to_owned(),
        unit: Unit::PerSecond,
        ours,
        bare,
        target: Target::AtLeast(0.5),
        bound: Text {
            zh: "扫描之外:每行的消息解码为列、Arrow 编码、TLS、客户端解码;两个核上流水作业。",
            en: "Beside the scan: each row's message is decoded into columns, then Arrow's encoding, TLS and the reader's decoding. Reading and sending overlap on the two cores.",
        },
    });
    Ok(())
}
