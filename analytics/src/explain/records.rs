//! The records behind a figure: which rows take part in a measure on one day, counted by themselves.
//!
//! A second, slower reading of the catalogue beside the statistics, row by row and for one day: it says which records
//! stand behind a figure, and a test holds its numbers against those of the statistics.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use polars::prelude::{
    AnyValue, BooleanChunked, Column, DataFrame, DataType, Expr, IntoLazy as _, LazyFrame, NamedFrom as _,
    NewChunkedArray as _, PolarsResult, Series, col, lit,
};

use crate::catalogue::{
    Areas, Count, DAY_COLUMNS, Denominator, Entry, ExpressionError, Measure, columns_of, columns_used, compile,
    contains, frame_type, in_scope,
};
use crate::lake::{Lake, LakeError, Schema};
use crate::model::{PRIMARY_MEASURE, wire};
use crate::statistics::Reference;

/// The record's name without its collection.
const ID: &str = "_id";
const NUMERATOR: &str = "_numerator";
const DENOMINATOR: &str = "_denominator";

/// Why the records behind a figure could not be found.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The lake could not be read.
    #[error("the lake cannot be read")]
    Lake(#[from] LakeError),
    /// An expression does not compile, although the catalogue was checked.
    #[error("an expression does not compile")]
    Expression(#[from] ExpressionError),
    /// The engine refused a query.
    #[error("the records cannot be found")]
    Engine(#[from] polars::prelude::PolarsError),
}

/// The day, the instant and the area of a figure.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The day that the figure is true for.
    pub on: NaiveDate,
    /// The instant up to which records are taken into account.
    pub as_of: DateTime<Utc>,
    /// The area, GB/T 2260.
    pub area: &'a str,
}

/// A record behind a figure.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RecordBehind {
    /// Its name in the dataset.
    pub record: String,
    /// The area it lies in.
    pub area: String,
    /// First day of the state that counts.
    #[serde(with = "wire::date")]
    pub from: NaiveDate,
    /// First day on which that state no longer holds; none while it is open.
    #[serde(with = "wire::optional_date")]
    pub until: Option<NaiveDate>,
    /// Position of that state in the department's journal.
    pub position: i64,
    /// It counts in the numerator.
    pub in_numerator: bool,
    /// It counts in the denominator.
    pub in_denominator: bool,
}

/// What stands behind a figure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Behind {
    /// The records that take part, by name.
    pub records: Vec<RecordBehind>,
    /// What they give together; none where the measure has no numerator of its own rows.
    pub numerator: Option<f64>,
    /// What they give together; none where the denominator is no aggregate of the same rows.
    pub denominator: Option<f64>,
}

/// Finds the records that take part in a measure. Blocks.
pub fn behind(
    entry: &Entry,
    measure: &Measure,
    count: &Count,
    place: Place<'_>,
    lake: &Lake,
    reference: &Reference,
) -> Result<Behind, RecordsError> {
    crate::engine::on_own_thread(|| Reading { entry, measure, count, place, lake, reference }.behind())
}

/// Finds what was filed for a commitment in an area and those inside it: returns for the figure's month, or milestones.
pub(super) fn filed(
    entry: &Entry,
    dataset: &str,
    place: Place<'_>,
    month: NaiveDate,
    lake: &Lake,
) -> Result<Vec<RecordBehind>, RecordsError> {
    crate::engine::on_own_thread(|| {
        let wanted = ["commitment", "measure", "month_from", "return_state", "milestone_state"];
        let wanted: BTreeSet<String> = wanted.map(str::to_owned).into();
        let rows = standing(lake, dataset, &wanted, place)?;
        let rows = kept(&rows, "commitment", |commitment| commitment == entry.commitment.id)?;
        let mut rows = kept(&rows, "_area", |area| contains(place.area, area))?.lazy().filter(col("_ended").not());
        if dataset.ends_with(".returns") {
            let first = lit(first_of_month(month).to_epoch_days()).cast(DataType::Date);
            let is = |name: &str| col("measure").eq(lit(name.to_owned()));
            let own = col("measure").is_null().or(is("")).or(is(PRIMARY_MEASURE));
            rows = rows.filter(col("month_from").eq(first)).filter(own);
        }
        let rows = rows.collect()?;
        let states = if dataset.ends_with(".returns") { "return_state" } else { "milestone_state" };
        let states = texts(&rows, states)?;
        let counts = |state: Option<&str>| matches!(state, Some("SUBMITTED" | "APPROVED" | "DONE"));
        let mut found = records_of(&rows, |row| (counts(states[row].as_deref()), false))?;
        found.retain(|record| record.in_numerator || !dataset.ends_with(".returns"));
        Ok(found)
    })
}

struct Reading<'a> {
    entry: &'a Entry,
    measure: &'a Measure,
    count: &'a Count,
    place: Place<'a>,
    lake: &'a Lake,
    reference: &'a Reference,
}

impl Reading<'_> {
    fn behind(&self) -> Result<Behind, RecordsError> {
        let count = self.count;
        let mut wanted: BTreeSet<String> = count.columns().map(str::to_owned).collect();
        for sql in count.expressions() {
            wanted.extend(columns_used(&compile(sql)?));
        }
        let mut rows = self.standing(&self.measure.dataset, &wanted)?;
        rows = kept(&rows, "_area", |area| in_scope(area, &self.entry.commitment.scope))?;
        if let (Some(column), Some(Denominator::Divisions(levels))) = (&count.division_column, &count.denominator) {
            let codes = Areas::division_codes(levels);
            rows = kept(&rows, column, |code| codes.contains(code))?;
        }
        rows = self.on_the_day(rows, count.ended_included, count.condition.as_deref())?;
        for restriction in &count.restrictions {
            let mut wanted = BTreeSet::from([restriction.key.clone()]);
            if let Some(sql) = &restriction.condition {
                wanted.extend(columns_used(&compile(sql)?));
            }
            let others = self.standing(&restriction.dataset, &wanted)?;
            let others = self.on_the_day(others, restriction.ended_included, restriction.condition.as_deref())?;
            let shortened = restriction.key == ID || restriction.column == ID;
            let key = |text: &str| if shortened { short_id(text).to_owned() } else { text.to_owned() };
            let mut there: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (name, area) in texts(&others, &restriction.key)?.into_iter().zip(texts(&others, "_area")?) {
                if let Some((name, area)) = name.zip(area) {
                    there.entry(key(&name)).or_default().push(area);
                }
            }
            let own = texts(&rows, &restriction.column)?.into_iter().zip(texts(&rows, "_area")?);
            let mask: Vec<bool> = own
                .map(|(name, area)| {
                    let partners = name.as_deref().and_then(|name| there.get(&key(name)));
                    let reaches = |partner: &String| area.as_deref().is_some_and(|area| contains(partner, area));
                    let found = partners.is_some_and(|all| !restriction.covering || all.iter().any(reaches));
                    found != restriction.without
                })
                .collect();
            rows = rows.filter(&BooleanChunked::from_iter_values("mask".into(), mask.into_iter()))?;
        }
        if let Some(latest) = &count.latest {
            // The greatest of all areas decides.
            rows = self.latest(&rows, latest)?;
        }
        rows = kept(&rows, "_area", |area| self.takes_part(area))?;
        self.told(&rows)
    }

    /// Reports whether rows of an area count for the place.
    fn takes_part(&self, area: &str) -> bool {
        contains(self.place.area, area) || self.count.holds_below && contains(area, self.place.area)
    }

    fn standing(&self, dataset: &str, wanted: &BTreeSet<String>) -> Result<DataFrame, RecordsError> {
        standing(self.lake, dataset, wanted, self.place)
    }

    /// Keeps the rows that a condition lets take part on the day.
    fn on_the_day(&self, rows: DataFrame, ended: bool, condition: Option<&str>) -> Result<DataFrame, RecordsError> {
        let mut rows = self.with_parameters(self.with_the_day(rows)?, None)?.lazy();
        if !ended {
            rows = rows.filter(col("_ended").not());
        }
        if let Some(sql) = condition {
            rows = rows.filter(compile(sql)?);
        }
        Ok(rows.collect()?)
    }

    /// Adds the day and its month, which expressions may name.
    fn with_the_day(&self, mut rows: DataFrame) -> PolarsResult<DataFrame> {
        let height = rows.height();
        for (name, day) in DAY_COLUMNS.into_iter().zip([self.place.on, first_of_month(self.place.on)]) {
            let days = Series::new(name.into(), vec![day.to_epoch_days(); height]);
            rows.with_column(days.cast(&DataType::Date)?.into())?;
        }
        Ok(rows)
    }

    /// Adds the figures that expressions name, as they are in force in an area, or in that of each row.
    fn with_parameters(&self, mut rows: DataFrame, area: Option<&str>) -> PolarsResult<DataFrame> {
        let areas = texts(&rows, "_area")?;
        for name in self.entry.parameters.iter().map(|parameter| parameter.name.as_str()).collect::<BTreeSet<_>>() {
            let by_area = self.reference.in_force(&self.entry.commitment.id, name, self.place.on);
            let value = |own: &Option<String>| by_area.get(area.or(own.as_deref())?).copied();
            let values: Vec<Option<i64>> = areas.iter().map(value).collect();
            rows.with_column(Column::new(name.into(), values))?;
        }
        Ok(rows)
    }

    /// Keeps the rows with the greatest value of a column, over all areas or among those that agree in another column.
    fn latest(&self, rows: &DataFrame, latest: &str) -> Result<DataFrame, RecordsError> {
        let greatest = match &self.count.latest_of {
            Some(of) => col(latest).max().over([col(of.as_str())])?,
            None => col(latest).max(),
        };
        Ok(rows.clone().lazy().filter(col(latest).is_not_null().and(col(latest).eq(greatest))).collect()?)
    }

    /// Says of each record whether it counts, and what all give together.
    fn told(&self, rows: &DataFrame) -> Result<Behind, RecordsError> {
        let count = self.count;
        let numerator = count.numerator.as_deref().map(compile).transpose()?;
        let denominator = match &count.denominator {
            Some(Denominator::Expression(sql)) => Some(compile(sql)?),
            _ => None,
        };
        let mut behind = Behind::default();
        let group = match &count.group {
            None => None,
            Some(group) => {
                let having = compile(&group.having)?;
                // A group is judged by what is in force where it is counted.
                let counted = self.with_parameters(rows.clone(), Some(self.place.area))?.lazy();
                let counted = counted.group_by([col(group.column.as_str())]).agg([having.alias(NUMERATOR)]);
                let counted = counted.filter(col(NUMERATOR).and(col(group.column.as_str()).is_not_null())).collect()?;
                #[expect(clippy::cast_precision_loss, reason = "groups are far below 2^53")]
                let number = counted.height() as f64;
                behind.numerator = Some(number);
                let keys: BTreeSet<String> = texts(&counted, &group.column)?.into_iter().flatten().collect();
                Some((group.column.as_str(), keys))
            }
        };
        if let Some(whole) = &numerator {
            behind.numerator = total(rows.clone().lazy(), whole)?;
        }
        if let Some(whole) = &denominator {
            behind.denominator = total(rows.clone().lazy(), whole)?;
        }
        let nothing = || lit(0);
        let number = |expression: Option<Expr>| expression.unwrap_or_else(nothing).cast(DataType::Float64);
        let mut columns = vec![
            number(numerator).alias(NUMERATOR),
            number(denominator).alias(DENOMINATOR),
            col("_area").first(),
            col("_from").first(),
            col("_until").first(),
            col("_position").max(),
        ];
        columns.extend(group.as_ref().map(|(column, _)| col(*column).first().alias("_group")));
        let each = rows.clone().lazy().group_by([col("_record")]).agg(columns).collect()?;
        let groups = group.as_ref().map(|_| texts(&each, "_group")).transpose()?;
        let adds = |name: &str, row: usize| -> PolarsResult<bool> {
            Ok(matches!(each.column(name)?.get(row)?, AnyValue::Float64(number) if number != 0.0))
        };
        let mut roles = Vec::with_capacity(each.height());
        for row in 0..each.height() {
            let in_group = groups.as_ref().zip(group.as_ref()).map(|(groups, (_, keys))| {
                groups.get(row).and_then(Option::as_deref).is_some_and(|key| keys.contains(key))
            });
            roles.push((in_group.map_or_else(|| adds(NUMERATOR, row), Ok)?, adds(DENOMINATOR, row)?));
        }
        behind.records = records_of(&each, |row| roles[row])?;
        Ok(behind)
    }
}

/// Reads records off their rows, one each, by name.
fn records_of(rows: &DataFrame, role: impl Fn(usize) -> (bool, bool)) -> PolarsResult<Vec<RecordBehind>> {
    let number = |name: &str, kind| rows.column(name)?.cast(kind);
    let (from, until) = (number("_from", &DataType::Int32)?, number("_until", &DataType::Int32)?);
    let (from, until, positions) = (from.i32()?, until.i32()?, number("_position", &DataType::Int64)?);
    let positions = positions.i64()?;
    let names = texts(rows, "_record")?.into_iter().zip(texts(rows, "_area")?);
    let record = |(row, (record, area)): (usize, (Option<String>, Option<String>))| {
        let (in_numerator, in_denominator) = role(row);
        RecordBehind {
            record: record.unwrap_or_default(),
            area: area.unwrap_or_default(),
            from: from.get(row).and_then(NaiveDate::from_epoch_days).unwrap_or_default(),
            until: until.get(row).and_then(NaiveDate::from_epoch_days),
            position: positions.get(row).unwrap_or_default(),
            in_numerator,
            in_denominator,
        }
    };
    let mut records: Vec<RecordBehind> = names.enumerate().map(record).collect();
    records.sort_by(|one, other| one.record.cmp(&other.record));
    Ok(records)
}

/// Returns the rows that are true on the day as known at the instant, each once.
fn standing(
    lake: &Lake,
    dataset: &str,
    wanted: &BTreeSet<String>,
    place: Place<'_>,
) -> Result<DataFrame, RecordsError> {
    let mut schema: Schema = vec![
        ("_position".into(), DataType::Int64),
        ("_record".into(), DataType::String),
        ("_assertion".into(), DataType::Int64),
        ("_diff".into(), DataType::Int64),
        ("_from".into(), DataType::Date),
        ("_until".into(), DataType::Date),
        ("_ended".into(), DataType::Boolean),
        ("_recorded_at".into(), DataType::Int64),
        ("_area".into(), DataType::String),
    ];
    let own = columns_of(dataset).unwrap_or_default().iter().filter(|column| wanted.contains(&column.name));
    schema.extend(own.map(|column| (column.name.clone(), frame_type(column.kind))));
    let day = lit(place.on.to_epoch_days()).cast(DataType::Date);
    let rows = lake.read(dataset, &schema)?.lazy();
    let known = rows
        .filter(col("_recorded_at").lt_eq(lit(place.as_of.timestamp_micros())))
        .filter(col("_from").lt_eq(day.clone()))
        .filter(col("_until").is_null().or(col("_until").gt(day)));
    let others = schema.iter().map(|(name, _)| name.as_str());
    let others = others.filter(|name| !["_record", "_assertion", "_diff"].contains(name));
    let mut told: Vec<Expr> = others.map(|name| col(name).first()).collect();
    told.push(col("_diff").sum());
    let net = known.group_by([col("_record"), col("_assertion")]).agg(told).filter(col("_diff").gt(lit(0)));
    let mut net = net.collect()?;
    let ids: Vec<Option<String>> = texts(&net, "_record")?;
    let ids: Vec<Option<&str>> = ids.iter().map(|name| name.as_deref().map(short_id)).collect();
    net.with_column(Column::new(ID.into(), ids))?;
    Ok(net)
}

/// Computes an aggregate over all rows.
fn total(rows: LazyFrame, aggregate: &Expr) -> PolarsResult<Option<f64>> {
    let result = rows.select([aggregate.clone().cast(DataType::Float64).alias(NUMERATOR)]).collect()?;
    // A sum of nothing is none, and adds nothing.
    Ok(Some(result.column(NUMERATOR)?.f64()?.get(0).unwrap_or_default()))
}

fn texts(rows: &DataFrame, column: &str) -> PolarsResult<Vec<Option<String>>> {
    let column = rows.column(column)?.cast(&DataType::String)?;
    Ok(column.str()?.iter().map(|text| text.map(str::to_owned)).collect())
}

fn kept(rows: &DataFrame, column: &str, keep: impl Fn(&str) -> bool) -> PolarsResult<DataFrame> {
    let mask: Vec<bool> = texts(rows, column)?.iter().map(|text| text.as_deref().is_some_and(&keep)).collect();
    rows.filter(&BooleanChunked::from_iter_values("mask".into(), mask.into_iter()))
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

fn short_id(record: &str) -> &str {
    record.rsplit_once('/').map_or(record, |(_, id)| id)
}
