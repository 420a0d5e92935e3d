//! `attainment.csv` and `attainment.parquet`: the monthly history of every measure, one row per measure, area and month.

use std::collections::BTreeMap;
use std::io::Write;

use polars::prelude::{Column, DataFrame, DataType, ParquetCompression, ParquetWriter, PolarsResult};

use super::{Report, ReportError, format};
use crate::model::{Commitment, PRIMARY_MEASURE, StatisticRow, wire};

/// The rows in the order they are written in: catalogue, primary measure first, area, month.
pub(super) fn in_order<'a>(report: &Report<'a>) -> Vec<(&'a Commitment, &'a StatisticRow)> {
    let places: BTreeMap<&str, (usize, &Commitment)> = report
        .commitments
        .iter()
        .enumerate()
        .map(|(place, commitment)| (commitment.id.as_str(), (place, commitment)))
        .collect();
    let mut rows: Vec<_> = report
        .rows
        .iter()
        .filter_map(|row| places.get(row.commitment.as_str()).map(|(place, commitment)| (*place, *commitment, row)))
        .collect();
    rows.sort_by(|(left_place, _, left), (right_place, _, right)| {
        let key = |row: &'a StatisticRow| (row.measure != PRIMARY_MEASURE, &row.measure, &row.area, row.month);
        left_place.cmp(right_place).then_with(|| key(left).cmp(&key(right)))
    });
    rows.into_iter().map(|(_, commitment, row)| (commitment, row)).collect()
}

/// The unit of a row's measure, English.
pub(super) fn unit<'a>(commitment: &'a Commitment, row: &StatisticRow) -> &'a str {
    commitment
        .secondary
        .iter()
        .find(|secondary| secondary.name == row.measure)
        .map_or(commitment.unit.en.as_str(), |secondary| secondary.unit.en.as_str())
}

/// Writes the history as CSV: UTF-8, comma, months as `YYYY-MM`, an empty field where there is no figure.
pub fn write_csv(out: &mut dyn Write, report: &Report<'_>) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "commitment",
        "article",
        "service",
        "source",
        "measure",
        "area",
        "month",
        "numerator",
        "denominator",
        "value",
        "unit",
    ])?;
    let text = |value: Option<f64>| value.map(wire::number_text).unwrap_or_default();
    for (commitment, row) in in_order(report) {
        csv.write_record([
            &row.commitment,
            &commitment.article.to_string(),
            &commitment.service,
            super::source_code(commitment.source),
            &row.measure,
            &row.area,
            &format::month(row.month),
            &text(row.numerator),
            &text(row.denominator),
            &text(row.value),
            unit(commitment, row),
        ])?;
    }
    csv.flush()?;
    Ok(())
}

/// Writes the history as Parquet: the columns of the CSV, `month` as the month's first day.
pub fn write_parquet(out: &mut dyn Write, report: &Report<'_>) -> Result<(), ReportError> {
    let rows = in_order(report);
    let mut frame = frame(&rows).map_err(|source| ReportError::Parquet(Box::new(source)))?;
    // One thread and no statistics of the machine, so that the same rows give the same bytes.
    ParquetWriter::new(out)
        .with_compression(ParquetCompression::Zstd(None))
        .set_parallel(false)
        .finish(&mut frame)
        .map_err(|source| ReportError::Parquet(Box::new(source)))?;
    Ok(())
}

fn frame(rows: &[(&Commitment, &StatisticRow)]) -> PolarsResult<DataFrame> {
    let text = |name: &str, of: &dyn Fn(&(&Commitment, &StatisticRow)) -> String| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let figure = |name: &str, of: &dyn Fn(&StatisticRow) -> Option<f64>| {
        Column::new(name.into(), rows.iter().map(|(_, row)| of(row).map(wire::settle)).collect::<Vec<_>>())
    };
    let articles: Vec<i32> = rows.iter().map(|(commitment, _)| i32::from(commitment.article)).collect();
    let epoch = chrono::NaiveDate::default();
    let months: Vec<i32> =
        rows.iter().map(|(_, row)| i32::try_from((row.month - epoch).num_days()).unwrap_or_default()).collect();
    DataFrame::new_infer_height(vec![
        text("commitment", &|(_, row)| row.commitment.clone()),
        Column::new("article".into(), articles),
        text("service", &|(commitment, _)| commitment.service.clone()),
        text("source", &|(commitment, _)| super::source_code(commitment.source).to_owned()),
        text("measure", &|(_, row)| row.measure.clone()),
        text("area", &|(_, row)| row.area.clone()),
        Column::new("month".into(), months).cast(&DataType::Date)?,
        figure("numerator", &|row| row.numerator),
        figure("denominator", &|row| row.denominator),
        figure("value", &|row| row.value),
        text("unit", &|(commitment, row)| unit(commitment, row).to_owned()),
    ])
}
