//! Rows of wider areas that hold in every area below: an item of the region's list is one of each prefecture's.

use minsheng_values::divisions::{AreaCode, Divisions};
use polars::prelude::{Column, DataFrame, IdxCa, IdxSize, PolarsResult};

use super::columns::PLACE;
use crate::model::Level;

/// Repeats each row of an area wider than a level in every area of that level inside it.
pub(super) fn spread(rows: &DataFrame, level: Level) -> PolarsResult<DataFrame> {
    let areas = Divisions::get().areas().filter(|area| Level::from(area.level()) == level);
    let areas: Vec<i32> = areas.filter_map(|area| area.as_str().parse().ok()).collect();
    let (mut picked, mut places): (Vec<IdxSize>, Vec<i32>) = Default::default();
    for (row, place) in (0..).zip(rows.column(PLACE)?.i32()?.iter()) {
        let Some(place) = place else { continue };
        let own = Level::from(AreaCode::level_of_number(place));
        if own < level {
            let inside = areas.iter().copied().filter(|area| AreaCode::number_at(*area, own.into()) == place);
            places.extend(inside);
        } else {
            places.push(place);
        }
        picked.resize(places.len(), row);
    }
    let mut spread = rows.take(&IdxCa::from_vec("picked".into(), picked))?;
    spread.with_column(Column::new(PLACE.into(), places))?;
    Ok(spread)
}
