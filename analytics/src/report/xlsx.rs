//! `report.xlsx`: scoreboard, charts, all commitments of the region, prefectures, counties, history, sources, definitions,
//! completeness, marks; both languages in each head. Every sheet prints on A4, its heads on each page.

mod beside;
mod charts;

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::quality::Quality;
use super::{Report, ReportError, format, history, lang};
use crate::model::{AttainmentEntry, Level, PRIMARY_MEASURE, REGION, Status};

/// Heads of columns, their widths in characters, and what they hold.
type Head<'a> = &'a [(&'a str, f64, Column)];

/// What a column holds. The format belongs to the column, not to its thousands of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Text,
    Wrapped,
    Number,
    Share,
    Day,
    Month,
}

struct Styles {
    title: Format,
    notice: Format,
    head: Format,
    text: Format,
    wrapped: Format,
    number: Format,
    share: Format,
    day: Format,
    month: Format,
    statuses: Vec<Format>,
}

impl Styles {
    fn new() -> Self {
        let text = Format::new().set_align(FormatAlign::Top);
        Self {
            title: Format::new().set_bold().set_font_size(16),
            notice: Format::new().set_bold().set_font_color(Color::RGB(0x00A8_2A2F)),
            head: Format::new()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Top)
                .set_background_color(Color::RGB(0x00E8_ECEF))
                .set_border_bottom(FormatBorder::Thin),
            wrapped: text.clone().set_text_wrap(),
            number: text.clone().set_num_format("#,##0.##"),
            share: text.clone().set_num_format("0.00"),
            day: text.clone().set_num_format("yyyy-mm-dd"),
            statuses: Status::ALL.iter().map(|status| text.clone().set_background_color(colour(*status))).collect(),
            month: text.clone().set_num_format("yyyy-mm"),
            text,
        }
    }

    fn column(&self, column: Column) -> &Format {
        match column {
            Column::Text => &self.text,
            Column::Wrapped => &self.wrapped,
            Column::Number => &self.number,
            Column::Share => &self.share,
            Column::Day => &self.day,
            Column::Month => &self.month,
        }
    }

    fn status(&self, status: Status) -> &Format {
        let place = Status::ALL.iter().position(|known| *known == status).unwrap_or_default();
        self.statuses.get(place).unwrap_or(&self.text)
    }
}

/// The background of a status.
fn colour(status: Status) -> Color {
    Color::RGB(match status {
        Status::Met => 0x00D5_EBDD,
        Status::OnTrack => 0x00D9_E9F2,
        Status::AtRisk => 0x00FB_EBC8,
        Status::OffTrack => 0x00F9_D9C6,
        Status::Missed => 0x00F3_C6C6,
        Status::MetLate => 0x00E4_E8CB,
        Status::TrendOnly => 0x00E9_EBEE,
        Status::NotAssessable => 0x00F5_F5F5,
    })
}

/// Returns the workbook's bytes.
pub fn workbook(report: &Report<'_>, quality: &Quality) -> Result<Vec<u8>, ReportError> {
    let mut workbook = Workbook::new();
    let created = ExcelDateTime::from_timestamp(report.document.as_of.timestamp())?;
    workbook.set_properties(
        &DocProperties::new()
            .set_title("民生举措落实情况 Livelihood commitments")
            .set_author("Minsheng")
            .set_creation_datetime(&created),
    );
    let styles = Styles::new();
    scoreboard(workbook.add_worksheet(), report, &styles)?;
    entries(workbook.add_worksheet(), report, &styles, "分条 By article", Level::Region)?;
    entries(workbook.add_worksheet(), report, &styles, "分地市 By prefecture", Level::Prefecture)?;
    entries(workbook.add_worksheet(), report, &styles, "分县区 By county", Level::County)?;
    let series = months(workbook.add_worksheet(), report, &styles)?;
    sources(workbook.add_worksheet(), report, &styles)?;
    beside::definitions(workbook.add_worksheet(), report, &styles)?;
    beside::completeness(workbook.add_worksheet(), report, quality, &styles)?;
    beside::marks(workbook.add_worksheet(), quality, &styles)?;
    charts::figures(workbook.add_worksheet(), report, &series, &styles)?;
    if let Some(notice) = &report.document.notice {
        // An ampersand begins a code in the head of a printed sheet; 255 characters are all that it takes.
        let text: String = both((&notice.zh, &notice.en)).chars().take(120).collect();
        for sheet in workbook.worksheets_mut() {
            sheet.set_header(format!("&L{}", text.replace('&', "&&")));
        }
    }
    Ok(workbook.save_to_buffer()?)
}

fn both(words: (&str, &str)) -> String {
    format!("{} {}", words.0, words.1)
}

fn prepare(sheet: &mut Worksheet, name: &str, head: Head<'_>, row: u32, styles: &Styles) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    for (column, (title, width, holds)) in (0_u16..).zip(head) {
        sheet.set_column_width(column, *width)?;
        sheet.set_column_format(column, styles.column(*holds))?;
        sheet.write_string_with_format(row, column, *title, &styles.head)?;
    }
    sheet.set_freeze_panes(row + 1, 0)?;
    print_setup(sheet);
    sheet.set_repeat_rows(row, row)?;
    Ok(())
}

/// Lets a sheet print: A4 across, as wide as the page, with its name and the page's number at the foot.
fn print_setup(sheet: &mut Worksheet) {
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.4, 0.4, 0.6, 0.6, 0.3, 0.3);
    sheet.set_footer("&L&A&R&P / &N");
}

const SCOREBOARD: &str = "总览 Scoreboard";
const HISTORY: &str = "历史 History";

fn last_column(head: Head<'_>) -> u16 {
    u16::try_from(head.len().saturating_sub(1)).unwrap_or(u16::MAX)
}

fn scoreboard(sheet: &mut Worksheet, report: &Report<'_>, styles: &Styles) -> Result<(), ReportError> {
    let statuses: Vec<String> = Status::ALL.iter().map(|status| both(lang::status(*status))).collect();
    let head: Vec<(&str, f64, Column)> = std::iter::once(("举措 Article", 44.0, Column::Text))
        .chain(statuses.iter().map(|status| (status.as_str(), 13.0, Column::Number)))
        .chain(std::iter::once(("合计 Total", 10.0, Column::Number)))
        .collect();
    let first = if report.document.notice.is_some() { 4 } else { 3 };
    prepare(sheet, SCOREBOARD, &head, first, styles)?;
    sheet.write_string_with_format(0, 0, "民生举措落实情况 Livelihood commitments", &styles.title)?;
    sheet.write_string(1, 0, format!("数据日期 On {}", report.document.on))?;
    sheet.write_string(2, 0, format!("记录截至 Records up to {}", format::instant(report.document.as_of)))?;
    if let Some(notice) = &report.document.notice {
        sheet.write_string_with_format(3, 0, both((&notice.zh, &notice.en)), &styles.notice)?;
    }
    let region: Vec<&AttainmentEntry> = report.document.region_entries().collect();
    let mut row = first + 1;
    for article in 0..=10_u8 {
        let own: Vec<_> = region.iter().filter(|entry| article == 0 || entry.article == article).collect();
        let title =
            if article == 0 { "全部 All".to_owned() } else { format!("{article}. {}", both(lang::article(article))) };
        if own.is_empty() {
            continue;
        }
        sheet.write_string(row, 0, title)?;
        for (column, status) in (1_u16..).zip(Status::ALL) {
            let found = own.iter().filter(|entry| entry.status == status).count();
            sheet.write_number_with_format(row, column, as_number(found), styles.status(status))?;
        }
        sheet.write_number(row, last_column(&head), as_number(own.len()))?;
        row += 1;
    }
    // Below the heads stands the sum of all articles, then each.
    if row > first + 2 {
        charts::scoreboard(sheet, SCOREBOARD, first, (first + 2, row - 1), row + 1)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn as_number(count: usize) -> f64 {
    count as f64
}

const ENTRY_HEAD: Head<'_> = &[
    ("条 Article", 8.0, Column::Number),
    ("编号 Id", 28.0, Column::Text),
    ("举措 Title (zh)", 34.0, Column::Text),
    ("Title (en)", 44.0, Column::Text),
    ("地区 Area", 18.0, Column::Text),
    ("代码 Code", 9.0, Column::Text),
    ("级别 Level", 16.0, Column::Text),
    ("结论 Status", 22.0, Column::Text),
    ("说明 Reason", 34.0, Column::Text),
    ("数值 Value", 12.0, Column::Number),
    ("目标 Target", 12.0, Column::Number),
    ("单位 Unit", 16.0, Column::Text),
    ("分子 Numerator", 13.0, Column::Number),
    ("分母 Denominator", 13.0, Column::Number),
    ("期限 Due", 12.0, Column::Day),
    ("进度比 Pace P", 10.0, Column::Share),
    ("完成比 Progress", 10.0, Column::Share),
    ("增速比 Growth ratio", 10.0, Column::Share),
    ("预计完成比 Projected q", 11.0, Column::Share),
    ("达成日 Met on", 12.0, Column::Day),
    ("12个月变化 Change", 12.0, Column::Number),
    ("预测值 Forecast", 12.0, Column::Number),
    ("下限 Low", 10.0, Column::Number),
    ("上限 High", 10.0, Column::Number),
    ("达成概率 Probability", 11.0, Column::Share),
    ("每月需要 Needed per month", 12.0, Column::Number),
    ("数值日期 Value on", 12.0, Column::Day),
    ("报送地区 Areas reported", 11.0, Column::Number),
    ("应报地区 Areas expected", 11.0, Column::Number),
    ("最旧数据 Oldest", 12.0, Column::Day),
    ("来源 Source", 34.0, Column::Text),
    ("数据集 Dataset", 26.0, Column::Text),
    ("服务 Service", 26.0, Column::Text),
    ("不公开 Withheld", 10.0, Column::Text),
    ("所辖地区 Areas below", 34.0, Column::Text),
    ("未审核 Not approved", 12.0, Column::Text),
];

/// Columns of a county: there are thousands of rows, so each has what fits on a screen.
const COUNTY_HEAD: Head<'_> = &[
    ("编号 Id", 28.0, Column::Text),
    ("举措 Title (zh)", 34.0, Column::Text),
    ("县（区） County", 18.0, Column::Text),
    ("代码 Code", 9.0, Column::Text),
    ("结论 Status", 22.0, Column::Text),
    ("说明 Reason", 34.0, Column::Text),
    ("数值 Value", 12.0, Column::Number),
    ("目标 Target", 12.0, Column::Number),
    ("单位 Unit", 16.0, Column::Text),
    ("分子 Numerator", 13.0, Column::Number),
    ("分母 Denominator", 13.0, Column::Number),
];

/// How a row of entries is written.
type WriteRow = fn(&mut Worksheet, u32, &AttainmentEntry, &Styles) -> Result<(), XlsxError>;

fn entries(
    sheet: &mut Worksheet,
    report: &Report<'_>,
    styles: &Styles,
    name: &str,
    level: Level,
) -> Result<(), ReportError> {
    let (head, write): (Head<'_>, WriteRow) =
        if level == Level::County { (COUNTY_HEAD, county_row) } else { (ENTRY_HEAD, entry_row) };
    prepare(sheet, name, head, 0, styles)?;
    sheet.set_freeze_panes(1, 3)?;
    let mut row = 0;
    for entry in report.document.commitments.iter().filter(|entry| entry.level == level) {
        // An entry that only says "does not apply here" is a line of noise in a workbook.
        if matches!(entry.reason, Some(crate::model::Reason::OutOfScope | crate::model::Reason::NotMeasuredAtLevel)) {
            continue;
        }
        row += 1;
        write(sheet, row, entry, styles)?;
    }
    sheet.autofilter(0, 0, row.max(1), last_column(head))?;
    Ok(())
}

fn county_row(sheet: &mut Worksheet, row: u32, entry: &AttainmentEntry, styles: &Styles) -> Result<(), XlsxError> {
    let mut cells = Cells { sheet, row, column: 0 };
    cells.text(&entry.id)?;
    cells.text(&entry.title_zh)?;
    cells.text(&entry.area_name_zh)?;
    cells.text(&entry.area)?;
    cells.status(entry.status, styles)?;
    let reason =
        if entry.suppressed { Some(("人数过少，不公开", "withheld")) } else { entry.reason.map(lang::reason) };
    cells.text(&reason.map(both).unwrap_or_default())?;
    cells.number(entry.value)?;
    cells.number(entry.target)?;
    cells.text(&unit(entry))?;
    cells.number(entry.numerator)?;
    cells.number(entry.denominator)
}

/// Writes cells one after the other; an absent figure leaves its cell empty.
struct Cells<'a> {
    sheet: &'a mut Worksheet,
    row: u32,
    column: u16,
}

impl Cells<'_> {
    fn text(&mut self, text: &str) -> Result<(), XlsxError> {
        if !text.is_empty() {
            self.sheet.write_string(self.row, self.column, text)?;
        }
        self.column += 1;
        Ok(())
    }

    fn status(&mut self, status: Status, styles: &Styles) -> Result<(), XlsxError> {
        let text = both(lang::status(status));
        self.sheet.write_string_with_format(self.row, self.column, text, styles.status(status))?;
        self.column += 1;
        Ok(())
    }

    fn number(&mut self, number: Option<f64>) -> Result<(), XlsxError> {
        if let Some(number) = number.filter(|number| number.is_finite()) {
            self.sheet.write_number(self.row, self.column, crate::model::wire::settle(number))?;
        }
        self.column += 1;
        Ok(())
    }

    fn day(&mut self, day: Option<chrono::NaiveDate>) -> Result<(), XlsxError> {
        use chrono::Datelike;
        if let Some(day) = day {
            let year = u16::try_from(day.year()).unwrap_or(1900);
            let month = u8::try_from(day.month()).unwrap_or(1);
            let in_month = u8::try_from(day.day()).unwrap_or(1);
            let date = ExcelDateTime::from_ymd(year, month, in_month)?;
            self.sheet.write_datetime(self.row, self.column, &date)?;
        }
        self.column += 1;
        Ok(())
    }
}

fn entry_row(sheet: &mut Worksheet, row: u32, entry: &AttainmentEntry, styles: &Styles) -> Result<(), XlsxError> {
    let mut cells = Cells { sheet, row, column: 0 };
    let forecast = entry.forecast;
    cells.number(Some(f64::from(entry.article)))?;
    cells.text(&entry.id)?;
    cells.text(&entry.title_zh)?;
    cells.text(&entry.title_en)?;
    cells.text(&entry.area_name_zh)?;
    cells.text(&entry.area)?;
    cells.text(&both(lang::level(entry.level)))?;
    cells.status(entry.status, styles)?;
    cells.text(&entry.reason.map(|reason| both(lang::reason(reason))).unwrap_or_default())?;
    cells.number(entry.value)?;
    cells.number(entry.target)?;
    cells.text(&unit(entry))?;
    cells.number(entry.numerator)?;
    cells.number(entry.denominator)?;
    cells.day(entry.due)?;
    cells.number(entry.pace)?;
    cells.number(entry.progress)?;
    cells.number(entry.growth_ratio)?;
    cells.number(entry.projected_progress)?;
    cells.day(entry.met_on)?;
    cells.number(entry.change_12_months)?;
    cells.number(forecast.and_then(|forecast| forecast.value))?;
    cells.number(forecast.and_then(|forecast| forecast.low))?;
    cells.number(forecast.and_then(|forecast| forecast.high))?;
    cells.number(forecast.and_then(|forecast| forecast.probability))?;
    cells.number(forecast.and_then(|forecast| forecast.needed_per_month))?;
    cells.day(entry.value_on)?;
    let reported = entry.completeness;
    cells.number(reported.map(|reported| f64::from(reported.areas_reported)))?;
    cells.number(reported.map(|reported| f64::from(reported.areas_expected)))?;
    cells.day(reported.and_then(|reported| reported.oldest))?;
    cells.text(&both(lang::source(entry.source)))?;
    cells.text(&entry.dataset)?;
    cells.text(&both(lang::service(&entry.service)))?;
    cells.text(if entry.suppressed { "是 yes" } else { "" })?;
    let parts = entry.parts.as_ref().map(lang::parts);
    cells.text(&parts.map(|(zh, en)| both((&zh, &en))).unwrap_or_default())?;
    cells.text(if entry.unapproved { "是 yes" } else { "" })
}

fn unit(entry: &AttainmentEntry) -> String {
    if entry.unit_zh == entry.unit { entry.unit.clone() } else { both((&entry.unit_zh, &entry.unit)) }
}

const HISTORY_HEAD: Head<'_> = &[
    ("编号 Commitment", 28.0, Column::Text),
    ("指标 Measure", 18.0, Column::Text),
    ("代码 Area", 9.0, Column::Text),
    ("月份 Month", 10.0, Column::Month),
    ("分子 Numerator", 13.0, Column::Number),
    ("分母 Denominator", 13.0, Column::Number),
    ("数值 Value", 13.0, Column::Number),
    ("单位 Unit", 14.0, Column::Text),
];

/// The history of region and prefectures; the counties' would make the workbook too large and is in the CSV.
///
/// Returns the rows of the region's own figures.
fn months(sheet: &mut Worksheet, report: &Report<'_>, styles: &Styles) -> Result<charts::Series, ReportError> {
    prepare(sheet, HISTORY, HISTORY_HEAD, 0, styles)?;
    let mut series = charts::Series::new();
    let wide: std::collections::BTreeSet<&str> =
        report.areas.iter().filter(|area| area.level != Level::County).map(|area| area.code.as_str()).collect();
    let mut last = 0;
    for (commitment, row) in history::in_order(report) {
        if !wide.contains(row.area.as_str()) || (row.value.is_none() && row.numerator.is_none()) {
            continue;
        }
        last += 1;
        if row.measure == PRIMARY_MEASURE && row.area == REGION && row.value.is_some() {
            series.entry(row.commitment.clone()).or_insert((last, last)).1 = last;
        }
        let mut cells = Cells { sheet: &mut *sheet, row: last, column: 0 };
        cells.text(&row.commitment)?;
        cells.text(&row.measure)?;
        cells.text(&row.area)?;
        cells.day(Some(row.month))?;
        cells.number(row.numerator)?;
        cells.number(row.denominator)?;
        cells.number(row.value)?;
        cells.text(history::unit(commitment, row))?;
    }
    sheet.autofilter(0, 0, last.max(1), last_column(HISTORY_HEAD))?;
    Ok(series)
}

const SOURCE_HEAD: Head<'_> = &[
    ("服务 Service", 34.0, Column::Text),
    ("位置 Position", 14.0, Column::Number),
    ("记录至 Recorded until", 24.0, Column::Text),
    ("天数 Age in days", 12.0, Column::Number),
    ("记录是否完整 Complete", 34.0, Column::Text),
];

fn sources(sheet: &mut Worksheet, report: &Report<'_>, styles: &Styles) -> Result<(), ReportError> {
    prepare(sheet, "来源 Sources", SOURCE_HEAD, 0, styles)?;
    for (row, source) in (1_u32..).zip(&report.document.sources) {
        let mut cells = Cells { sheet: &mut *sheet, row, column: 0 };
        cells.text(&both(lang::service(&source.service)))?;
        #[expect(clippy::cast_precision_loss, reason = "journal positions are far below 2^53")]
        cells.number(Some(source.position as f64))?;
        cells.text(&source.recorded_until.map(format::micros).unwrap_or_default())?;
        #[expect(clippy::cast_precision_loss, reason = "days are far below 2^53")]
        let age = source.recorded_until.map(|until| format::age_in_days(until, report.document) as f64);
        cells.number(age)?;
        let complete = if source.incomplete {
            ("之后的记录可能未全", "later records may be missing")
        } else {
            ("完整", "complete")
        };
        cells.text(&both(complete))?;
    }
    Ok(())
}
