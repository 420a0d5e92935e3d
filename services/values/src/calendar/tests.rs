use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn days_and_moments_convert_both_ways() {
    for (text, days) in [("1970-01-01", 0), ("1969-12-31", -1), ("2025-08-05", 20_305), ("1880-01-01", -32_872)] {
        assert_eq!(epoch_day(day(text)), days, "{text}");
        assert_eq!(day_of_epoch(days), Some(day(text)));
    }
    assert_eq!(day_of_epoch(i64::MAX), None);
}

#[test]
fn a_day_in_china_begins_at_four_in_the_afternoon_before_in_utc() {
    let start = start_of_day_micros(day("2025-08-05"));
    assert_eq!(start, 20_305 * 86_400_000_000 - 8 * 3_600_000_000);
    assert_eq!(day_of_instant(start), Some(day("2025-08-05")));
    assert_eq!(day_of_instant(start - 1), Some(day("2025-08-04")));
}

#[test]
fn months_end_where_they_end() {
    assert_eq!(last_of_month(day("2024-02-03")), day("2024-02-29"));
    assert_eq!(last_of_month(day("2025-12-31")), day("2025-12-31"));
    assert_eq!(first_of_month(day("2025-12-31")), day("2025-12-01"));
    assert_eq!(add_months(day("2025-01-31"), 1), Some(day("2025-02-28")));
}

#[test]
fn years_have_the_days_off_that_the_notices_give() {
    let calendar = Calendar::get();
    for (year, holidays, make_up) in [(2024, 28, 8), (2025, 28, 5), (2026, 33, 6)] {
        assert_eq!(calendar.holidays.keys().filter(|day| day.year() == year).count(), holidays, "{year}");
        assert_eq!(calendar.make_up.iter().filter(|day| day.year() == year).count(), make_up, "{year}");
    }
}

#[test]
fn holidays_are_off_and_make_up_days_are_worked() {
    for (text, working) in [
        ("2024-02-04", true),
        ("2024-02-10", false),
        ("2024-02-18", true),
        ("2024-10-12", true),
        ("2025-01-27", true),
        ("2025-01-28", false),
        ("2025-09-28", true),
        ("2025-10-08", false),
        ("2025-10-09", true),
        ("2025-11-29", false),
        ("2026-01-02", false),
        ("2026-01-04", true),
        ("2026-02-28", true),
        ("2026-06-19", false),
    ] {
        assert_eq!(Calendar::get().is_working_day(day(text)), Ok(working), "{text}");
    }
    assert_eq!(Calendar::get().holiday_on(day("2025-10-06")), Ok(Some("国庆节、中秋节")));
}

#[test]
fn periods_of_working_days_do_not_count_their_first_day() {
    let calendar = Calendar::get();
    for (from, count, to) in [
        ("2025-08-04", 0, "2025-08-04"),
        ("2025-08-04", 1, "2025-08-05"),
        ("2025-08-08", 1, "2025-08-11"),
        ("2025-09-26", 10, "2025-10-16"),
        ("2025-12-31", 1, "2026-01-04"),
        ("2024-04-03", 15, "2024-04-25"),
    ] {
        let (from, to) = (day(from), day(to));
        assert_eq!(calendar.add_working_days(from, WorkingDays(count)), Ok(to), "{from}");
        assert_eq!(calendar.working_days_between(from, to), Ok(WorkingDays(count)), "{from}");
    }
}

#[test]
fn a_year_without_a_notice_is_an_error_and_not_a_guess() {
    let calendar = Calendar::get();
    let missing = |year| Err(CalendarError::YearNotCovered { year });
    assert_eq!(calendar.is_working_day(day("2023-06-01")), missing(2023).map(|()| true));
    assert_eq!(
        calendar.add_working_days(day("2026-12-30"), WorkingDays(5)),
        Err(CalendarError::YearNotCovered { year: 2027 })
    );
    assert_eq!(calendar.working_days_between(day("2025-01-02"), day("2025-01-01")), Err(CalendarError::EndBeforeStart));
}

#[test]
fn a_regional_holiday_is_off_in_its_area_only() {
    let table = r#"
        [[year]]
        year = 2025
        source = "a test"
        confidence = "low"
        [[year.holiday]]
        name_zh = "雪顿节"
        name_en = "Shoton"
        area = "540100"
        from = 2025-08-25
        to = 2025-08-25
    "#;
    let shoton = day("2025-08-25");
    for (area, working) in [("540100", false), ("540102", false), ("540200", true), ("540000", true)] {
        let calendar = Calendar::from_toml(table, area.parse().unwrap()).unwrap();
        assert_eq!(calendar.is_working_day(shoton), Ok(working), "{area}");
    }
}

#[test]
fn a_table_that_contradicts_itself_is_refused() {
    let region = Divisions::get().region();
    let table = |holidays: &str| {
        let head = "[[year]]\nyear = 2025\nsource = 'a test'\nconfidence = 'low'\n";
        Calendar::from_toml(&format!("{head}{holidays}"), region).map(|_| ()).unwrap_err().reason()
    };
    let holiday = |rest: &str| format!("[[year.holiday]]\nname_zh = '节'\nname_en = 'x'\n{rest}\n");
    let one = holiday("from = 2025-05-01\nto = 2025-05-05");
    assert_eq!(table(&format!("{one}{one}")), "CALENDAR_CONTRADICTION");
    assert_eq!(table(&holiday("from = 2025-12-31\nto = 2026-01-01")), "CALENDAR_CONTRADICTION");
    assert_eq!(table(&holiday("from = 2025-05-01\nto = 2025-05-02\nmake_up = [2025-04-30]")), "CALENDAR_CONTRADICTION");
    assert_eq!(table(&holiday("from = 2025-05-01\nto = 2025-05-03\nmake_up = [2025-05-03]")), "CALENDAR_CONTRADICTION");
    assert_eq!(table(&holiday("from = 2025-05-01")), "CALENDAR_TABLE");
}
