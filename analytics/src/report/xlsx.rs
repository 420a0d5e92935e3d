//! `report.xlsx`: scoreboard, all commitments of the region, prefectures, history, sources; both languages in each head.

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{Report, ReportError, format, history, lang};
use crate::model::{AttainmentEntry, Level, Status};

/// Widths of columns in characters, with their head.
type Head<'a> = &'a [(&'a str, f64)];

struct Styles {
    title: Format,
    head: Format,
    text: Format,
    number: Format,
    share: Format,
    day: Format,
    month: Format,
}

impl Styles {
    fn new() -> Self {
        let text = Format::new().set_align(FormatAlign::Top);
        Self {
            title: Format::new().set_bold().set_font_size(16),
            head: Format::new()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Top)
                .set_background_color(Color::RGB(0x00E8_ECEF))
                .set_border_bottom(FormatBorder::Thin),
            number: text.clone().set_num_format("#,##0.##"),
            share: text.clone().set_num_format("0.00"),
            day: text.clone().set_num_format("yyyy-mm-dd"),
            month: text.clone().set_num_format("yyyy-mm"),
            text,
        }
    }

    fn status(&self, status: Status) -> Format {
        let colour = match status {
            Status::Met => 0x00D5_EBDD,
            Status::OnTrack => 0x00D9_E9F2,
            Status::AtRisk => 0x00FB_EBC8,
            Status::OffTrack => 0x00F9_D9C6,
            Status::Missed => 0x00F3_C6C6,
            Status::MetLate => 0x00E4_E8CB,
            Status::TrendOnly => 0x00E9_EBEE,
            Status::NotAssessable => 0x00F5_F5F5,
        };
        self.text.clone().set_background_color(Color::RGB(colour))
    }
}

/// Returns the workbook's bytes.
pub fn workbook(report: &Report<'_>) -> Result<Vec<u8>, ReportError> {
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
    entries(workbook.add_worksheet(), report, &styles, "分条 By article", |level| level == Level::Region)?;
    entries(workbook.add_worksheet(), report, &styles, "分地区 By area", |level| level != Level::Region)?;
    months(workbook.add_worksheet(), report, &styles)?;
    sources(workbook.add_worksheet(), report, &styles)?;
    Ok(workbook.save_to_buffer()?)
}

fn both(words: (&str, &str)) -> String {
    format!("{} {}", words.0, words.1)
}

fn prepare(sheet: &mut Worksheet, name: &str, head: Head<'_>, row: u32, styles: &Styles) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    for (column, (title, width)) in (0_u16..).zip(head) {
        sheet.set_column_width(column, *width)?;
        sheet.write_string_with_format(row, column, *title, &styles.head)?;
    }
    sheet.set_freeze_panes(row + 1, 0)?;
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(row, row)?;
    Ok(())
}

fn last_column(head: Head<'_>) -> u16 {
    u16::try_from(head.len().saturating_sub(1)).unwrap_or(u16::MAX)
}

fn scoreboard(sheet: &mut Worksheet, report: &Report<'_>, styles: &Styles) -> Result<(), ReportError> {
    let head: Vec<(String, f64)> = std::iter::once(("举措 Article".to_owned(), 44.0))
        .chain(Status::ALL.iter().map(|status| (both(lang::status(*status)), 13.0)))
        .chain(std::iter::once(("合计 Total".to_owned(), 10.0)))
        .collect();
    let head: Vec<(&str, f64)> = head.iter().map(|(title, width)| (title.as_str(), *width)).collect();
    prepare(sheet, "总览 Scoreboard", &head, 3, styles)?;
    sheet.write_string_with_format(0, 0, "民生举措落实情况 Livelihood commitments", &styles.title)?;
    sheet.write_string(1, 0, format!("数据日期 On {}", report.document.on))?;
    sheet.write_string(2, 0, format!("记录截至 Records up to {}", format::moment(report.document.as_of)))?;
    let region: Vec<&AttainmentEntry> = report.document.region_entries().collect();
    let mut row = 4;
    for article in 0..=10_u8 {
        let own: Vec<_> = region.iter().filter(|entry| article == 0 || entry.article == article).collect();
        let title = if article == 0 {
            "全部 All".to_owned()
        } else {
            format!("{article}. {}", both(lang::article(article)))
        };
        if own.is_empty() {
            continue;
        }
        sheet.write_string_with_format(row, 0, title, &styles.text)?;
        for (column, status) in (1_u16..).zip(Status::ALL) {
            let found = own.iter().filter(|entry| entry.status == status).count();
            sheet.write_number_with_format(row, column, as_number(found), &styles.status(status))?;
        }
        sheet.write_number_with_format(row, last_column(&head), as_number(own.len()), &styles.number)?;
        row += 1;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn as_number(count: usize) -> f64 {
    count as f64
}

const ENTRY_HEAD: Head<'_> = &[
    ("条 Article", 8.0),
    ("编号 Id", 28.0),
    ("举措 Title (zh)", 34.0),
    ("Title (en)", 44.0),
    ("地区 Area", 18.0),
    ("代码 Code", 9.0),
    ("级别 Level", 16.0),
    ("结论 Status", 22.0),
    ("说明 Reason", 34.0),
    ("数值 Value", 12.0),
    ("目标 Target", 12.0),
    ("单位 Unit", 16.0),
    ("分子 Numerator", 13.0),
    ("分母 Denominator", 13.0),
    ("期限 Due", 12.0),
    ("进度比 Pace P", 10.0),
    ("完成比 Progress", 10.0),
    ("增速比 Growth ratio", 10.0),
    ("预计完成比 Projected q", 11.0),
    ("达成日 Met on", 12.0),
    ("12个月变化 Change", 12.0),
    ("预测值 Forecast", 12.0),
    ("下限 Low", 10.0),
    ("上限 High", 10.0),
    ("达成概率 Probability", 11.0),
    ("每月需要 Needed per month", 12.0),
    ("数值日期 Value on", 12.0),
    ("报送地区 Areas reported", 11.0),
    ("应报地区 Areas expected", 11.0),
    ("最旧数据 Oldest", 12.0),
    ("来源 Source", 34.0),
    ("数据集 Dataset", 26.0),
    ("服务 Service", 26.0),
    ("不公开 Withheld", 10.0),
];

fn entries(
    sheet: &mut Worksheet,
    report: &Report<'_>,
    styles: &Styles,
    name: &str,
    wanted: impl Fn(Level) -> bool,
) -> Result<(), ReportError> {
    prepare(sheet, name, ENTRY_HEAD, 0, styles)?;
    sheet.set_freeze_panes(1, 3)?;
    let mut row = 0;
    for entry in report.document.commitments.iter().filter(|entry| wanted(entry.level)) {
        // An entry that only says "does not apply here" is a line of noise in a workbook.
        if matches!(
            entry.reason,
            Some(crate::model::Reason::OutOfScope | crate::model::Reason::NotMeasuredAtLevel)
        ) {
            continue;
        }
        row += 1;
        entry_row(sheet, row, entry, styles)?;
    }
    sheet.autofilter(0, 0, row.max(1), last_column(ENTRY_HEAD))?;
    Ok(())
}

/// Writes cells one after the other; an absent figure leaves its cell empty.
struct Cells<'a> {
    sheet: &'a mut Worksheet,
    row: u32,
    column: u16,
}

impl Cells<'_> {
    fn text(&mut self, text: &str, format: &Format) -> Result<(), XlsxError> {
        if !text.is_empty() {
            self.sheet.write_string_with_format(self.row, self.column, text, format)?;
        }
        self.column += 1;
        Ok(())
    }

    fn number(&mut self, number: Option<f64>, format: &Format) -> Result<(), XlsxError> {
        if let Some(number) = number.filter(|number| number.is_finite()) {
            self.sheet.write_number_with_format(self.row, self.column, crate::model::wire::settle(number), format)?;
        }
        self.column += 1;
        Ok(())
    }

    fn day(&mut self, day: Option<chrono::NaiveDate>, format: &Format) -> Result<(), XlsxError> {
        use chrono::Datelike;
        if let Some(day) = day {
            let year = u16::try_from(day.year()).unwrap_or(1900);
            let month = u8::try_from(day.month()).unwrap_or(1);
            let in_month = u8::try_from(day.day()).unwrap_or(1);
            let date = ExcelDateTime::from_ymd(year, month, in_month)?;
            self.sheet.write_datetime_with_format(self.row, self.column, &date, format)?;
        }
        self.column += 1;
        Ok(())
    }
}

fn entry_row(sheet: &mut Worksheet, row: u32, entry: &AttainmentEntry, styles: &Styles) -> Result<(), XlsxError> {
    let mut cells = Cells { sheet, row, column: 0 };
    let forecast = entry.forecast;
    cells.number(Some(f64::from(entry.article)), &styles.number)?;
    cells.text(&entry.id, &styles.text)?;
    cells.text(&entry.title_zh, &styles.text)?;
    cells.text(&entry.title_en, &styles.text)?;
    cells.text(&entry.area_name_zh, &styles.text)?;
    cells.text(&entry.area, &styles.text)?;
    cells.text(&both(lang::level(entry.level)), &styles.text)?;
    cells.text(&both(lang::status(entry.status)), &styles.status(entry.status))?;
    cells.text(&entry.reason.map(|reason| both(lang::reason(reason))).unwrap_or_default(), &styles.text)?;
    cells.number(entry.value, &styles.number)?;
    cells.number(entry.target, &styles.number)?;
    cells.text(&unit(entry), &styles.text)?;
    cells.number(entry.numerator, &styles.number)?;
    cells.number(entry.denominator, &styles.number)?;
    cells.day(entry.due, &styles.day)?;
    cells.number(entry.pace, &styles.share)?;
    cells.number(entry.progress, &styles.share)?;
    cells.number(entry.growth_ratio, &styles.share)?;
    cells.number(entry.projected_progress, &styles.share)?;
    cells.day(entry.met_on, &styles.day)?;
    cells.number(entry.change_12_months, &styles.number)?;
    cells.number(forecast.map(|forecast| forecast.value), &styles.number)?;
    cells.number(forecast.map(|forecast| forecast.low), &styles.number)?;
    cells.number(forecast.map(|forecast| forecast.high), &styles.number)?;
    cells.number(forecast.and_then(|forecast| forecast.probability), &styles.share)?;
    cells.number(forecast.and_then(|forecast| forecast.needed_per_month), &styles.number)?;
    cells.day(entry.value_on, &styles.day)?;
    let reported = entry.completeness;
    cells.number(reported.map(|reported| f64::from(reported.areas_reported)), &styles.number)?;
    cells.number(reported.map(|reported| f64::from(reported.areas_expected)), &styles.number)?;
    cells.day(reported.and_then(|reported| reported.oldest), &styles.day)?;
    cells.text(&both(lang::source(entry.source)), &styles.text)?;
    cells.text(&entry.dataset, &styles.text)?;
    cells.text(&both(lang::service(&entry.service)), &styles.text)?;
    cells.text(if entry.suppressed { "是 yes" } else { "" }, &styles.text)
}

fn unit(entry: &AttainmentEntry) -> String {
    if entry.unit_zh == entry.unit { entry.unit.clone() } else { both((&entry.unit_zh, &entry.unit)) }
}

const HISTORY_HEAD: Head<'_> = &[
    ("编号 Commitment", 28.0),
    ("指标 Measure", 18.0),
    ("代码 Area", 9.0),
    ("月份 Month", 10.0),
    ("分子 Numerator", 13.0),
    ("分母 Denominator", 13.0),
    ("数值 Value", 13.0),
    ("单位 Unit", 14.0),
];

/// The history of region and prefectures; the counties' would make the workbook too large and is in the CSV.
fn months(sheet: &mut Worksheet, report: &Report<'_>, styles: &Styles) -> Result<(), ReportError> {
    prepare(sheet, "历史 History", HISTORY_HEAD, 0, styles)?;
    let wide: std::collections::BTreeSet<&str> =
        report.areas.iter().filter(|area| area.level != Level::County).map(|area| area.code.as_str()).collect();
    let mut last = 0;
    for (commitment, row) in history::in_order(report) {
        if !wide.contains(row.area.as_str()) || (row.value.is_none() && row.numerator.is_none()) {
            continue;
        }
        last += 1;
        let mut cells = Cells { sheet: &mut *sheet, row: last, column: 0 };
        cells.text(&row.commitment, &styles.text)?;
        cells.text(&row.measure, &styles.text)?;
        cells.text(&row.area, &styles.text)?;
        cells.day(Some(row.month), &styles.month)?;
        cells.number(row.numerator, &styles.number)?;
        cells.number(row.denominator, &styles.number)?;
        cells.number(row.value, &styles.number)?;
        cells.text(history::unit(commitment, row), &styles.text)?;
    }
    sheet.autofilter(0, 0, last.max(1), last_column(HISTORY_HEAD))?;
    Ok(())
}

const SOURCE_HEAD: Head<'_> = &[
    ("服务 Service", 34.0),
    ("位置 Position", 14.0),
    ("记录至 Recorded until", 24.0),
    ("天数 Age in days", 12.0),
    ("未连通原因 Not reached", 40.0),
];

fn sources(sheet: &mut Worksheet, report: &Report<'_>, styles: &Styles) -> Result<(), ReportError> {
    prepare(sheet, "来源 Sources", SOURCE_HEAD, 0, styles)?;
    for (row, source) in (1_u32..).zip(&report.document.sources) {
        let mut cells = Cells { sheet: &mut *sheet, row, column: 0 };
        cells.text(&both(lang::service(&source.service)), &styles.text)?;
        #[expect(clippy::cast_precision_loss, reason = "journal positions are far below 2^53")]
        cells.number(Some(source.position as f64), &styles.number)?;
        cells.text(&source.recorded_until.map(format::micros).unwrap_or_default(), &styles.text)?;
        #[expect(clippy::cast_precision_loss, reason = "days are far below 2^53")]
        let age = source.recorded_until.map(|until| format::age_in_days(until, report.document.as_of) as f64);
        cells.number(age, &styles.number)?;
        cells.text(source.unreached.as_deref().unwrap_or(""), &styles.text)?;
    }
    Ok(())
}
