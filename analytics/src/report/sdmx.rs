//! `attainment.sdmx.csv` and `attainment.sdmx.json`: the monthly history as statistical offices exchange it, SDMX-CSV 2.0
//! and SDMX-JSON 2.0.
//!
//! One dataflow, [`STRUCTURE`]: dimensions COMMITMENT, MEASURE, AREA, `TIME_PERIOD`; the value; attributes `OBS_STATUS` of
//! each value and UNIT of each series. What is withheld has no value, and its status says so. Area codes are those of
//! GB/T 2260; statuses are those of SDMX's own list (`CL_OBS_STATUS`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use super::{Report, ReportError, dictionary, format, history};
use crate::model::{Commitment, StatisticRow, wire};

/// The dataflow, as agency, name and version.
pub const STRUCTURE: &str = "MINSHENG:ATTAINMENT(1.0)";

/// Where the format of the JSON file is specified.
const SCHEMA: &str = "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/data-message/tools/schemas/2.0.0/sdmx-json-data-schema.json";

/// What SDMX says of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ObsStatus {
    /// A figure as any other.
    Normal,
    /// There is none, such as a share of nothing.
    Missing,
    /// It is withheld.
    Suppressed,
}

impl ObsStatus {
    const ALL: [(Self, &'static str, &'static str, &'static str); 3] = [
        (Self::Normal, "A", "正常值", "Normal value"),
        (Self::Missing, "O", "缺值", "Missing value"),
        (Self::Suppressed, "Q", "缺值；已隐去", "Missing value; suppressed"),
    ];

    fn of(row: &StatisticRow) -> Self {
        match (row.value, row.numerator.or(row.denominator)) {
            (Some(_), _) => Self::Normal,
            (None, Some(_)) => Self::Missing,
            // A figure that is given has one of the three.
            (None, None) => Self::Suppressed,
        }
    }

    fn place(self) -> usize {
        Self::ALL.iter().position(|known| known.0 == self).unwrap_or_default()
    }

    fn code(self) -> &'static str {
        Self::ALL[self.place()].1
    }
}

/// Writes SDMX-CSV 2.0.
pub fn write_csv(out: &mut dyn Write, report: &Report<'_>) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(dictionary::names("attainment.sdmx.csv"))?;
    for (commitment, row) in history::in_order(report) {
        csv.write_record([
            "dataflow",
            STRUCTURE,
            "I",
            &row.commitment,
            &row.measure,
            &row.area,
            &format::month(row.month),
            &row.value.map(wire::number_text).unwrap_or_default(),
            ObsStatus::of(row).code(),
            &unit_code(history::unit(commitment, row)),
        ])?;
    }
    csv.flush()?;
    Ok(())
}

/// The codes of a dimension or an attribute, in their order, each with its names.
struct Codes<'a> {
    id: &'static str,
    names: (&'static str, &'static str),
    values: Vec<(String, &'a str, &'a str)>,
    places: BTreeMap<String, usize>,
}

impl<'a> Codes<'a> {
    fn new(id: &'static str, names: (&'static str, &'static str)) -> Self {
        Self { id, names, values: Vec::new(), places: BTreeMap::new() }
    }

    /// Notes a code where it is new, and returns its place.
    fn place(&mut self, code: &str, zh: &'a str, en: &'a str) -> usize {
        if let Some(place) = self.places.get(code) {
            return *place;
        }
        self.values.push((code.to_owned(), zh, en));
        self.places.insert(code.to_owned(), self.values.len() - 1);
        self.values.len() - 1
    }

    fn json(&self, position: Option<usize>) -> serde_json::Value {
        let names = |zh: &str, en: &str| serde_json::json!({"zh": zh, "en": en});
        let values = self
            .values
            .iter()
            .map(|(code, zh, en)| serde_json::json!({"id": code, "name": en, "names": names(zh, en)}));
        let values: Vec<serde_json::Value> = values.collect();
        let (zh, en) = self.names;
        let mut component = serde_json::json!({"id": self.id, "name": en, "names": names(zh, en), "values": values});
        if let (Some(position), Some(component)) = (position, component.as_object_mut()) {
            component.insert("keyPosition".to_owned(), position.into());
        }
        component
    }
}

/// Writes SDMX-JSON 2.0: a series for each commitment, measure and area.
pub fn write_json(out: &mut dyn Write, report: &Report<'_>) -> Result<(), ReportError> {
    let rows = history::in_order(report);
    let mut commitments = Codes::new("COMMITMENT", ("承诺事项", "Commitment"));
    let mut measures = Codes::new("MEASURE", ("指标", "Measure"));
    let mut areas = Codes::new("AREA", ("行政区划", "Area"));
    let mut units = Codes::new("UNIT", ("单位", "Unit"));
    let areas_known: BTreeMap<&str, (&str, &str)> =
        report.areas.iter().map(|area| (area.code.as_str(), (area.name_zh.as_str(), area.name_en.as_str()))).collect();
    let mut months: Vec<String> = rows.iter().map(|(_, row)| format::month(row.month)).collect();
    months.sort_unstable();
    months.dedup();

    // A series and its observations as text, written one after the other: the structure stands before them.
    let mut series = String::new();
    let mut at = None;
    for (commitment, row) in &rows {
        let (zh, en) = areas_known.get(row.area.as_str()).copied().unwrap_or_default();
        let (unit_zh, unit_en) = units_of(commitment, row);
        let key = [
            commitments.place(&row.commitment, &commitment.title_zh, &commitment.title_en),
            measures.place(&row.measure, &row.measure, &row.measure),
            areas.place(&row.area, zh, en),
        ];
        let unit = units.place(&unit_code(unit_en), unit_zh, unit_en);
        if at == Some(key) {
            series.push(',');
        } else {
            let [commitment, measure, area] = key;
            let begin = if at.is_none() { "" } else { "}},\n" };
            let _ = write!(
                series,
                "{begin}\"{commitment}:{measure}:{area}\":{{\"attributes\":[{unit}],\"observations\":{{"
            );
        }
        at = Some(key);
        let month = months.binary_search(&format::month(row.month)).unwrap_or_default();
        let value = row.value.map_or_else(|| "null".to_owned(), wire::number_text);
        let _ = write!(series, "\"{month}\":[{value},{}]", ObsStatus::of(row).place());
    }
    if at.is_some() {
        series.push_str("}}");
    }

    let mut time = Codes::new("TIME_PERIOD", ("时间", "Time period"));
    for month in &months {
        time.place(month, month, month);
    }
    let mut status = Codes::new("OBS_STATUS", ("观测值状态", "Observation status"));
    for (_, code, zh, en) in ObsStatus::ALL {
        status.place(code, zh, en);
    }
    let structure = serde_json::json!({
        "name": "Livelihood commitments",
        "names": {"zh": "民生举措落实情况", "en": "Livelihood commitments"},
        "dimensions": {
            "series": [commitments.json(Some(0)), measures.json(Some(1)), areas.json(Some(2))],
            "observation": [time.json(Some(3))],
        },
        "measures": {
            "observation": [{"id": "OBS_VALUE", "name": "Value", "names": {"zh": "数值", "en": "Value"}}],
        },
        "attributes": {"series": [units.json(None)], "observation": [status.json(None)]},
        "dataSets": [0],
    });
    let meta = serde_json::json!({
        "schema": SCHEMA,
        "id": format!("ATTAINMENT-{}", report.document.on),
        "prepared": super::instant_text(report.document.as_of),
        "test": report.document.notice.is_some(),
        "contentLanguages": ["zh", "en"],
        "sender": {"id": "MINSHENG"},
    });
    writeln!(out, "{{\"meta\":{meta},\n\"data\":{{\"structures\":[{structure}],")?;
    writeln!(out, "\"dataSets\":[{{\"structure\":0,\"action\":\"Information\",\"series\":{{")?;
    writeln!(out, "{series}}}}}]}}}}")?;
    Ok(())
}

/// The unit of a row's measure, Chinese and English.
fn units_of<'a>(commitment: &'a Commitment, row: &StatisticRow) -> (&'a str, &'a str) {
    let own = commitment.secondary.iter().find(|secondary| secondary.name == row.measure);
    let unit = own.map_or(&commitment.unit, |secondary| &secondary.unit);
    (&unit.zh, &unit.en)
}

/// Returns a unit as a code: SDMX's identifiers have no space.
fn unit_code(unit: &str) -> String {
    unit.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-', "_")
}
