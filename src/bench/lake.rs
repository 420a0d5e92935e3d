//! Statistics over a lake of many rows, beside a scan that somebody wrote by hand for this one question.

use std::path::Path;

use minsheng_analytics::bench::{self, Measured};

use super::words::words;
use super::{
    Extent,
    measure::in_turns,
    table::{Row, Table, Target, Unit},
};
use crate::error::Error;

/// Measures time and memory of both.
pub(super) async fn measure(directory: &Path, extent: Extent, table: &mut Table) -> Result<(), Error> {
    let lake = directory.join("lake");
    let (rounds, rows) = extent.lake;
    tokio::task::block_in_place(|| bench::make_lake(&lake, rows)).map_err(failed)?;
    let (mut our_peaks, mut their_peaks) = (Vec::new(), Vec::new());
    let (mut our_figures, mut their_figures) = (None, None);
    let statistics = async || {
        let measured = tokio::task::block_in_place(|| bench::by_statistics(&lake)).map_err(failed)?;
        Ok(taken(measured, &mut our_peaks, &mut our_figures))
    };
    let scan = async || {
        let measured = tokio::task::block_in_place(|| bench::by_hand(&lake)).map_err(failed)?;
        Ok(taken(measured, &mut their_peaks, &mut their_figures))
    };
    let (ours, bare) = in_turns(rounds, statistics, scan).await?;
    if our_figures != their_figures {
        return Err(Error::internal("the statistics and the scan by hand count differently"));
    }
    let place = format!("{rows} rows");
    let what = words("statistics.what");
    let baseline = words("statistics.baseline");
    table.add(Row {
        what,
        baseline,
        place: place.clone(),
        unit: Unit::Seconds,
        ours,
        bare,
        target: Target::AtMost(1.5),
        bound: words("statistics.bound"),
    });
    table.add(Row {
        what: words("statistics_memory.what"),
        baseline,
        place,
        unit: Unit::Mebibytes,
        ours: our_peaks,
        bare: their_peaks,
        target: Target::None,
        bound: words("statistics_memory.bound"),
    });
    Ok(())
}

/// Notes memory and figures, gives the seconds.
fn taken(measured: Measured, peaks: &mut Vec<f64>, figures: &mut Option<bench::Figures>) -> f64 {
    peaks.push(measured.peak_mebibytes);
    *figures = Some(measured.figures);
    measured.seconds
}

fn failed(error: minsheng_analytics::statistics::StatisticsError) -> Error {
    Error::Analytics(Box::new(error))
}
