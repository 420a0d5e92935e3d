//! The sheets beside the figures: what each measure counts, who reported, and what is odd.

use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::quality::Quality;
use super::super::{Report, ReportError, lang};
use super::{Cells, Column, Head, Styles, as_number, both, last_column, prepare};
use crate::completeness::tally;
use crate::model::PRIMARY_MEASURE;
use crate::quality::Fault;

const DEFINITION_HEAD: Head<'_> = &[
    ("编号 Commitment", 28.0, Column::Text),
    ("条 Article", 8.0, Column::Number),
    ("指标 Measure", 18.0, Column::Text),
    ("标题 Title (zh)", 36.0, Column::Wrapped),
    ("Title (en)", 36.0, Column::Wrapped),
    ("口径 What is counted (zh)", 48.0, Column::Wrapped),
    ("What is counted (en)", 48.0, Column::Wrapped),
    ("单位 Unit", 16.0, Column::Text),
    ("目标 Target", 12.0, Column::Number),
    ("期限 Due", 12.0, Column::Day),
    ("目标依据 Basis", 22.0, Column::Text),
    ("来源 Source", 34.0, Column::Text),
    ("数据集 Dataset", 26.0, Column::Text),
];

/// Says of every measure what it counts.
pub(super) fn definitions(sheet: &mut Worksheet, report: &Report<'_>, styles: &Styles) -> Result<(), ReportError> {
    prepare(sheet, "口径 Definitions", DEFINITION_HEAD, 0, styles)?;
    let mut row = 0;
    for commitment in report.commitments {
        row += 1;
        let mut cells = Cells { sheet: &mut *sheet, row, column: 0 };
        cells.text(&commitment.id)?;
        cells.number(Some(f64::from(commitment.article)))?;
        cells.text(PRIMARY_MEASURE)?;
        cells.text(&commitment.title_zh)?;
        cells.text(&commitment.title_en)?;
        cells.text(&commitment.measure.zh)?;
        cells.text(&commitment.measure.en)?;
        cells.text(&both((&commitment.unit.zh, &commitment.unit.en)))?;
        cells.number(commitment.target)?;
        cells.day(commitment.due)?;
        cells.text(&both(lang::basis(commitment.basis)))?;
        cells.text(&both(lang::source(commitment.source)))?;
        cells.text(&commitment.dataset)?;
        for secondary in &commitment.secondary {
            row += 1;
            let mut cells = Cells { sheet: &mut *sheet, row, column: 0 };
            cells.text(&commitment.id)?;
            cells.number(Some(f64::from(commitment.article)))?;
            cells.text(&secondary.name)?;
            cells.text(&secondary.title.zh)?;
            cells.text(&secondary.title.en)?;
            cells.column = 7;
            cells.text(&both((&secondary.unit.zh, &secondary.unit.en)))?;
        }
    }
    sheet.autofilter(0, 0, row.max(1), last_column(DEFINITION_HEAD))?;
    Ok(())
}

const COMPLETENESS_HEAD: Head<'_> = &[
    ("地区 Area", 18.0, Column::Text),
    ("代码 Code", 9.0, Column::Text),
    ("服务 Service", 30.0, Column::Text),
    ("来源 Source", 34.0, Column::Text),
    ("应报 Expected", 11.0, Column::Number),
    ("已报 In time", 11.0, Column::Number),
    ("迟报 Late", 11.0, Column::Number),
    ("从未报送 Never", 11.0, Column::Number),
];

/// Says of every area and source how many commitments it reported.
pub(super) fn completeness(
    sheet: &mut Worksheet,
    report: &Report<'_>,
    quality: &Quality,
    styles: &Styles,
) -> Result<(), ReportError> {
    prepare(sheet, "完整性 Completeness", COMPLETENESS_HEAD, 0, styles)?;
    let mut last = 0;
    for ((code, service, source), tally) in tally(&quality.reported) {
        last += 1;
        let name = report.areas.iter().find(|area| area.code == code).map_or("", |area| &area.name_zh);
        let mut cells = Cells { sheet: &mut *sheet, row: last, column: 0 };
        cells.text(name)?;
        cells.text(code)?;
        cells.text(&both(lang::service(service)))?;
        cells.text(&both(lang::source(source)))?;
        for count in [tally.expected(), tally.in_time, tally.late, tally.never] {
            cells.number(Some(as_number(count)))?;
        }
    }
    sheet.autofilter(0, 0, last.max(1), last_column(COMPLETENESS_HEAD))?;
    Ok(())
}

const MARK_HEAD: Head<'_> = &[
    ("编号 Commitment", 28.0, Column::Text),
    ("指标 Measure", 18.0, Column::Text),
    ("代码 Area", 9.0, Column::Text),
    ("月份 Month", 10.0, Column::Month),
    ("问题 Fault", 40.0, Column::Text),
    ("所见 Found", 14.0, Column::Number),
    ("相比 Against", 14.0, Column::Number),
];

/// Returns the words for a fault.
fn fault(fault: Fault) -> (&'static str, &'static str) {
    match fault {
        Fault::AboveDenominator => ("分子大于分母", "numerator above denominator"),
        Fault::BelowZero => ("小于零", "below zero"),
        Fault::OutOfBounds => ("超出可能的范围", "outside what it can be"),
        Fault::Fallen => ("只增之数下降", "what only grows has fallen"),
        Fault::Jump => ("变动为平常的十倍以上", "a change of ten times the usual or more"),
    }
}

/// Lists the figures that break a rule or are out of the usual.
pub(super) fn marks(sheet: &mut Worksheet, quality: &Quality, styles: &Styles) -> Result<(), XlsxError> {
    prepare(sheet, "异常 Marks", MARK_HEAD, 0, styles)?;
    let mut last = 0;
    for mark in &quality.marks {
        last += 1;
        let mut cells = Cells { sheet: &mut *sheet, row: last, column: 0 };
        cells.text(&mark.commitment)?;
        cells.text(&mark.measure)?;
        cells.text(&mark.area)?;
        cells.day(Some(mark.month))?;
        cells.text(&both(fault(mark.fault)))?;
        cells.number(Some(mark.found))?;
        cells.number(Some(mark.against))?;
    }
    sheet.autofilter(0, 0, last.max(1), last_column(MARK_HEAD))?;
    Ok(())
}
