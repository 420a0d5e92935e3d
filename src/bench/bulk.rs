//! Many rows at once: in by upload, out by the feed.

use std::time::Instant;

use bytes::Bytes;
use futures::StreamExt as _;
use minsheng_analytics::feed::{Feed as _, FlightFeed};

use super::words::words;
use super::{
    Extent,
    bare::{Bare, record},
    measure::{in_turns, per_second},
    site::{Site, encoded, institution},
    table::{Row, Table, Target, Unit},
};
use crate::{error::Error, upload::CHUNK};

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
        what: words("upload.what"),
        baseline: words("upload.baseline"),
        place: site.place.name().to_owned(),
        unit: Unit::PerSecond,
        ours,
        bare,
        target: Target::AtLeast(0.5),
        bound: words("upload.bound"),
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
        what: words("feed.what"),
        baseline: words("feed.baseline"),
        place: site.place.name().to_owned(),
        unit: Unit::PerSecond,
        ours,
        bare,
        target: Target::AtLeast(0.5),
        bound: words("feed.bound"),
    });
    Ok(())
}
