//! Statistics over a lake of many rows, beside a scan that somebody wrote by hand for this one question.

use std::path::Path;

use minsheng_analytics::bench::{self, Measured};

use super::{
    Extent,
    measure::in_turns,
    table::{Row, Table, Target, Unit},
};
use crate::{error::Error, lang::Text};

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
    let what = Text {
        zh: "统计:一项承诺 28 个月、各县各地市的份额",
        en: "statistics: one commitment's share for 28 months in every county, prefecture and the region",
    };
    let baseline = Text {
        zh: "手写的 polars 查询,同样的文件,同样的数字",
        en: "a polars query written by hand over the same files, with the same figures",
    };
    table.add(Row {
        what,
        baseline,
        place: place.clone(),
        unit: Unit::Seconds,
        ours,
        bare,
        target: Target::AtMost(1.5),
        bound: Text {
            zh: "两者都先去掉已撤回的断言：本系统与少量撤回做一次反连接，手写查询求正负号之和。",
            en: "Both net assertions and retractions first: ours by one anti join against the few retractions, the query by a sum of signs.",
        },
    });
    table.add(Row {
        what: Text { zh: "同上,内存峰值(VmHWM)", en: "the same, peak memory (VmHWM)" },
        baseline,
        place,
        unit: Unit::Mebibytes,
        ours: our_peaks,
        bare: their_peaks,
        target: Target::None,
        bound: Text {
            zh: "数据集所需各列全部在内存;随行数线性增长。",
            en: "All rows of the dataset are in memory, the columns that the measure needs; it grows with the rows. What the process held before is part of both.",
        },
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
