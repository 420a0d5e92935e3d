//! How many meal points (助餐点) a county must have at least: more where the prefecture has its seat. Pure.

use chrono::NaiveDate;
use minsheng_kit::values::{
    divisions::{AreaCode, CountyCode, Divisions},
    parameters::{ParameterError, Parameters},
};

/// Returns the fewest meal points of a county on a day.
pub fn fewest_meal_points(county: CountyCode, on: NaiveDate, parameters: &Parameters) -> Result<i64, ParameterError> {
    let seat = Divisions::get().profile(county).prefecture_seat;
    let key = if seat { "meal_point.per_seat_county" } else { "meal_point.per_other_county" };
    Ok(parameters.value_on(key, county, on)?.value)
}

/// Returns the fewest meal points of all counties of an area together, on a day.
pub fn fewest_meal_points_of(area: AreaCode, on: NaiveDate, parameters: &Parameters) -> Result<i64, ParameterError> {
    let counties = Divisions::get().counties_of(area).iter();
    counties.map(|county| fewest_meal_points(*county, on, parameters)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on() -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 12, 31).expect("a day")
    }

    #[test]
    fn the_seven_seats_and_sixty_seven_other_counties_need_162_meal_points_together() {
        let fewest = |area| {
            let area = AreaCode::parse(area).expect("an area");
            fewest_meal_points_of(area, on(), Parameters::get())
        };
        assert_eq!(fewest("540000"), Ok(7 * 4 + 67 * 2));
        assert_eq!(fewest("540000"), Ok(162));
        // 拉萨: eight counties, one of them the seat.
        assert_eq!(fewest("540100"), Ok(4 + 7 * 2));
    }

    #[test]
    fn a_county_with_the_seat_of_its_prefecture_needs_four_meal_points_and_another_two() {
        for (county, expected) in [("540102", 4), ("540121", 2), ("542523", 4)] {
            let county = CountyCode::parse(county).expect("a county");
            assert_eq!(fewest_meal_points(county, on(), Parameters::get()), Ok(expected), "{county:?}");
        }
        let county = CountyCode::parse("540102").expect("a county");
        let before = NaiveDate::from_ymd_opt(2024, 12, 31).expect("a day");
        assert!(fewest_meal_points(county, before, Parameters::get()).is_err());
    }
}
