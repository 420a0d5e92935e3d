//! The workbook's charts: how many commitments of each article have which status, and how the region's figures went.
//!
//! Excel's own charts over the workbook's own cells, so that a reader can change and copy them.

use std::collections::BTreeMap;

use rust_xlsxwriter::{Chart, ChartFormat, ChartLegendPosition, ChartSolidFill, ChartType, Worksheet, XlsxError};

use super::super::{Report, format, lang};
use super::{HISTORY, Styles, both, colour, print_setup};
use crate::model::{AttainmentEntry, Status};

/// Rows of cells that a chart takes, and a gap.
const CHART_ROWS: u32 = 16;
/// Columns of cells that a chart takes, and a gap.
const CHART_COLUMNS: u16 = 8;
/// Charts of figures at most: those that need attention come first.
const MOST: usize = 24;
/// Months that a chart of a figure needs.
const MONTHS: u32 = 3;

/// The rows of the region's own figure of a commitment in the history, the first and the last.
pub(super) type Series = BTreeMap<String, (u32, u32)>;

/// Adds a bar for each article to the scoreboard, in the colours of the statuses.
pub(super) fn scoreboard(
    sheet: &mut Worksheet,
    name: &str,
    heads: u32,
    articles: (u32, u32),
    at: u32,
) -> Result<(), XlsxError> {
    let mut chart = Chart::new(ChartType::BarStacked);
    chart.title().set_name("各条举措的结论 Verdicts by article");
    for (column, status) in (1_u16..).zip(Status::ALL) {
        let fill = ChartSolidFill::new().set_color(colour(status)).clone();
        let mut look = ChartFormat::new();
        look.set_solid_fill(&fill);
        chart
            .add_series()
            .set_name((name, heads, column))
            .set_categories((name, articles.0, 0, articles.1, 0))
            .set_values((name, articles.0, column, articles.1, column))
            .set_format(&mut look)
            .set_gap(40);
    }
    // The first article stands at the top, as in the table.
    chart.x_axis().set_reverse();
    chart.legend().set_position(ChartLegendPosition::Bottom);
    chart.set_width(1100).set_height(420);
    sheet.insert_chart(at, 0, &chart)?;
    Ok(())
}

/// Draws the history of the region's figures, two beside each other; those that need attention first.
pub(super) fn figures(
    sheet: &mut Worksheet,
    report: &Report<'_>,
    series: &Series,
    styles: &Styles,
) -> Result<(), XlsxError> {
    sheet.set_name("图表 Charts")?;
    print_setup(sheet);
    sheet.write_string_with_format(0, 0, "全区数字的变化 How the region's figures went", &styles.title)?;
    let urgency = |entry: &&AttainmentEntry| match entry.status {
        Status::Missed => 0,
        Status::OffTrack => 1,
        Status::AtRisk => 2,
        Status::OnTrack => 3,
        Status::TrendOnly => 4,
        _ => 5,
    };
    let drawn = report.document.region_entries().filter_map(|entry| Some((entry, *series.get(&entry.id)?)));
    let mut drawn: Vec<_> = drawn.filter(|(_, (first, last))| last - first + 1 >= MONTHS).collect();
    drawn.sort_by_key(|(entry, _)| urgency(entry));
    for (place, (entry, (first, last))) in (0_u32..).zip(drawn.into_iter().take(MOST)) {
        let mut chart = Chart::new(ChartType::Line);
        chart
            .add_series()
            .set_name(both((&entry.unit_zh, &entry.unit)).as_str())
            .set_categories((HISTORY, first, 3, last, 3))
            .set_values((HISTORY, first, 6, last, 6));
        let target = entry.target.map_or_else(String::new, |target| {
            format!("；目标 target {}", format::with_unit(target, &entry.unit_zh, &entry.unit, lang::Lang::En))
        });
        let title = format!("{} {}（{}{target}）", entry.title_zh, entry.title_en, both(lang::status(entry.status)));
        chart.title().set_name(title.as_str()).set_font(rust_xlsxwriter::ChartFont::new().set_size(10));
        chart.legend().set_hidden();
        chart.y_axis().set_name(both((&entry.unit_zh, &entry.unit)).as_str());
        if entry.value.is_some_and(|value| value >= 0.0) {
            chart.y_axis().set_min(0);
        }
        chart.set_width(500).set_height(300);
        let column = if place % 2 == 0 { 0 } else { CHART_COLUMNS };
        sheet.insert_chart(2 + place / 2 * CHART_ROWS, column, &chart)?;
    }
    Ok(())
}
