//! Rows of wider areas that hold in every area below: an item of the region's list is one of each prefecture's.

use minsheng_values::divisions::{AreaLevel, Divisions};
use polars::prelude::{Column, DataFrame, IdxCa, IdxSize, PolarsResult};

use super::count::{place_at, region};
use super::frames::PLACE;
use crate::model::Level;

/// Repeats each row of an area wider than a level in every area of that level inside it.
pub(super) fn spread(rows: &DataFrame, level: Level) -> PolarsResult<DataFrame> {
    let areas = Divisions::get().areas().filter(|area| level_of(area.level()) == level);
    let areas: Vec<i32> = areas.filter_map(|area| area.as_str().parse().ok()).collect();
    let (mut picked, mut places): (Vec<IdxSize>, Vec<i32>) = Default::default();
    for (row, place) in (0..).zip(rows.column(PLACE)?.i32()?.iter()) {
        let Some(place) = place else { continue };
        let own = own_level(place);
        if own < level {
            let inside = areas.iter().copied().filter(|area| place_at(own, *area) == place);
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

fn own_level(place: i32) -> Level {
    match place {
        place if place == region() => Level::Region,
        place if place % 100 == 0 => Level::Prefecture,
        _ => Level::County,
    }
}

fn level_of(level: AreaLevel) -> Level {
    match level {
        AreaLevel::Region => Level::Region,
        AreaLevel::Prefecture => Level::Prefecture,
        AreaLevel::County => Level::County,
    }
}
