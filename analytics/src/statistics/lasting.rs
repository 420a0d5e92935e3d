//! Rows that are true from one day until another, repeated for several days.

use std::collections::BTreeMap;

use polars::prelude::{Column, DataFrame, DataType, IdxCa, IdxSize, NamedFromOwned as _, PolarsResult, Series};

use super::CountingDay;
use super::columns::{FROM, PLACE, UNTIL, days};
use super::parameters::InForce;
use crate::catalogue::{DAY_COLUMNS, Entry};

/// The instant's month, by its first day.
pub(super) const MONTH: &str = "_month";

/// Rows, and the days for which each is true.
pub(super) struct Lasting {
    rows: DataFrame,
    spans: Vec<(i32, i32)>,
}

impl Lasting {
    /// Consumes rows with their days; those are in no column any more.
    pub(super) fn of(rows: &DataFrame) -> PolarsResult<Self> {
        let (from, until) = (days(rows, FROM)?, days(rows, UNTIL)?);
        let span = |(from, until): (Option<i32>, Option<i32>)| (from.unwrap_or(i32::MAX), until.unwrap_or(i32::MAX));
        let spans = from.iter().zip(until.iter()).map(span).collect();
        let mut rows = rows.drop_many([FROM, UNTIL]);
        rows.rechunk_mut_par();
        Ok(Self { rows, spans })
    }

    /// Returns the number of rows.
    pub(super) fn height(&self) -> usize {
        self.rows.height()
    }

    /// Repeats each row for every instant at which it is true, with what is known from the instant.
    ///
    /// A parameter is the one of the row's area; where none is in force at an instant it is null.
    pub(super) fn at(&self, counting_days: &[CountingDay], parameters_of: &Entry) -> PolarsResult<DataFrame> {
        let mut picked: Vec<IdxSize> = Vec::new();
        let (mut months, mut on_days): (Vec<i32>, Vec<i32>) = Default::default();
        let names = parameters_of.parameters.iter().map(|parameter| parameter.name.as_str());
        let mut figures: BTreeMap<&str, Vec<Option<i64>>> = names.map(|name| (name, Vec::new())).collect();
        let places = self.rows.column(PLACE)?.i32()?;
        for counting_day in counting_days {
            let begin = picked.len();
            self.pick(counting_day.day.to_epoch_days(), &mut picked);
            months.resize(picked.len(), counting_day.month.to_epoch_days());
            on_days.resize(picked.len(), counting_day.day.to_epoch_days());
            let in_force = InForce::of(parameters_of, counting_day.day);
            for (name, values) in &mut figures {
                in_force.fill(name, picked[begin..].iter().map(|row| places.get(*row as usize)), values);
            }
        }
        let mut repeated = self.rows.take(&IdxCa::from_vec("picked".into(), picked))?;
        let months = Series::from_vec(MONTH.into(), months);
        let first_days = months.cast(&DataType::Date)?.with_name(DAY_COLUMNS[1].into());
        repeated.with_column(months.into())?;
        repeated.with_column(Series::from_vec(DAY_COLUMNS[0].into(), on_days).cast(&DataType::Date)?.into())?;
        repeated.with_column(first_days.into())?;
        for (name, values) in figures {
            repeated.with_column(Column::new(name.into(), values))?;
        }
        Ok(repeated)
    }

    /// Adds the rows that are true on a day. Without a branch: which rows are is as good as chance.
    fn pick(&self, day: i32, picked: &mut Vec<IdxSize>) {
        let mut end = picked.len();
        picked.resize(end + self.spans.len(), 0);
        for (row, (from, until)) in (0..).zip(&self.spans) {
            picked[end] = row;
            end += usize::from(*from <= day) & usize::from(day < *until);
        }
        picked.truncate(end);
    }
}
