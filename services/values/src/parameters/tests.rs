use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn area(text: &str) -> AreaCode {
    text.parse().unwrap()
}

fn value(key: &str, on: &str) -> i64 {
    Parameters::get().value_on(key, area("540102"), day(on)).unwrap().value
}

#[test]
fn the_published_standards_hold_from_their_days() {
    for (key, on, expected) in [
        ("three_guarantees.standard_fen", "2024-10-01", 562_000),
        ("three_guarantees.standard_fen", "2025-08-31", 562_000),
        ("three_guarantees.standard_fen", "2025-09-01", 570_000),
        ("three_guarantees.standard_fen", "2026-09-01", 594_000),
        ("nutrition.standard_fen", "2025-09-01", 100_000),
        ("senior_public_funds.standard_fen", "2025-02-28", 100_000),
        ("senior_public_funds.standard_fen", "2025-03-01", 110_000),
        ("dibao.urban_monthly_fen", "2021-06-30", 91_000),
        ("dibao.rural_yearly_fen", "2021-06-30", 506_000),
        ("dibao.urban_monthly_fen", "2024-06-30", 93_000),
        ("dibao.rural_yearly_fen", "2024-06-30", 524_000),
        ("margin.multiplier_permille", "2025-06-30", 1_500),
        ("resident_pension.basic_monthly_fen", "2025-06-30", 29_500),
        ("critical_illness.ceiling_fen", "2025-07-01", 14_000_000),
        ("critical_illness.step_continuous_fen", "2025-07-01", 400_000),
        ("critical_illness.cap_fen", "2025-07-01", 2_800_000),
        ("medical.waiting_fixed_months", "2025-06-30", 3),
        ("medical.waiting_per_missed_year_months", "2025-06-30", 1),
        ("medical.waiting_floor_months", "2025-06-30", 6),
        ("medical.fiscal_subsidy_yearly_fen", "2025-06-30", 73_500),
        ("public_health.per_head_yearly_fen", "2026-06-30", 12_500),
        ("age_friendly.pass_score", "2025-06-30", 80),
        ("age_friendly.validity_months", "2025-06-30", 36),
        ("recognition.minimum_institutions", "2025-06-30", 2),
        ("recognition.window_electrolytes_days", "2025-06-30", 7),
        ("meal_point.operating_window_days", "2025-06-30", 30),
        ("nursery.infants_per_carer_6_to_12_months", "2025-06-30", 3),
        ("work_relief.labour_share_permille", "2025-06-30", 300),
        ("fitness.facilities_per_unit", "2025-06-30", 1),
    ] {
        assert_eq!(value(key, on), expected, "{key} on {on}");
    }
}

#[test]
fn published_totals_agree_with_each_other() {
    for on in ["2024-10-01", "2025-10-01", "2026-10-01"] {
        let whole = value("three_guarantees.standard_fen", on);
        let parts = value("three_guarantees.standard_without_nutrition_fen", on) + value("nutrition.standard_fen", on);
        assert_eq!(whole, parts, "{on}");
    }
    let on = "2021-06-30";
    assert_eq!(
        value("dibao.urban_monthly_fen", on) * 12 * value("tekun.urban_of_dibao_permille", on) / 1000,
        value("tekun.urban_yearly_fen", on)
    );
    assert_eq!(
        value("dibao.rural_yearly_fen", on) * value("tekun.rural_of_dibao_permille", on) / 1000,
        value("tekun.rural_yearly_fen", on)
    );
    let on = "2025-07-01";
    let share = value("critical_illness.cap_of_ceiling_permille", on);
    assert_eq!(value("critical_illness.ceiling_fen", on) * share / 1000, value("critical_illness.cap_fen", on));
}

#[test]
fn carried_on_standards_say_that_they_are_uncertain() {
    for (key, on) in [("dibao.urban_monthly_fen", "2023-01-01"), ("dibao.rural_yearly_fen", "2025-06-01")] {
        let found = Parameters::get().value_on(key, area("540000"), day(on)).unwrap();
        assert_eq!(found.confidence, Confidence::Low, "{key}");
        assert!(!found.note.is_empty(), "{key}");
    }
}

#[test]
fn a_figure_that_nobody_has_found_is_an_error_with_its_note() {
    let error = Parameters::get()
        .value_on("disability.living_subsidy_monthly_fen", area("540102"), day("2025-06-01"))
        .unwrap_err();
    let ParameterError::NotKnown { note, .. } = error else { panic!("{error}") };
    assert!(note.contains("2024"), "{note}");
}

#[test]
fn an_unknown_key_and_a_day_before_the_first_value_are_told_apart() {
    let asked = |key, on| Parameters::get().value_on(key, area("540102"), day(on)).unwrap_err().reason();
    assert_eq!(asked("no.such_fen", "2025-01-01"), "PARAMETER_NO_SUCH_KEY");
    assert_eq!(asked("critical_illness.ceiling_fen", "2019-01-01"), "PARAMETER_NOT_IN_FORCE");
}

#[test]
fn every_entry_has_a_source_and_every_key_both_languages() {
    let parameters = Parameters::get();
    for entry in parameters.iter() {
        assert!(!entry.source.is_empty(), "{entry}");
        let meaning = parameters.meaning(&entry.key).unwrap();
        assert!(!meaning.en.is_empty() && !meaning.zh.is_empty(), "{entry}");
    }
    assert!(parameters.unknown().count() > 5);
}

fn set(values: &str) -> Result<Parameters, ParameterError> {
    let head = "[parameter.'a.b_days']\nen = 'x'\nzh = '甲'\nunit = 'days'\nvalues = [\n";
    Parameters::from_toml(&format!("{head}{values}]\n"))
}

fn line(dates: &str, value: i64) -> String {
    format!("{{ {dates}, value = {value}, confidence = 'low', source = 'a test' }},\n")
}

#[test]
fn a_figure_is_read_in_its_own_unit_only() {
    let entry = |key| Parameters::get().value_on(key, area("540000"), day("2025-09-01")).unwrap();
    let standard = entry("three_guarantees.standard_fen");
    assert_eq!(standard.as_fen(), Ok(Fen::new(570_000)));
    assert_eq!(standard.as_months().unwrap_err().reason(), "PARAMETER_UNIT_MISMATCH");
    assert_eq!(entry("margin.multiplier_permille").as_per_mille(), Ok(PerMille::new(1_500)));
    assert_eq!(entry("dibao.case_working_days").as_working_days(), Ok(WorkingDays(30)));
    assert_eq!(entry("medical.waiting_floor_months").as_months(), Ok(6));
    assert_eq!(entry("meal_point.operating_window_days").as_days(), Ok(30));
    assert_eq!(entry("resident_pension.age_years").as_years(), Ok(60));
}

#[test]
fn the_most_specific_area_wins() {
    let parameters = set(&(line("from = 2024-01-01", 1)
        + &line("from = 2025-01-01, area = '540200'", 2)
        + &line("from = 2025-01-01, to = 2025-06-30, area = '540233'", 3)))
    .unwrap();
    let on = |code, on| parameters.value_on("a.b_days", area(code), day(on)).unwrap().value;
    assert_eq!(on("540233", "2024-06-01"), 1);
    assert_eq!(on("540233", "2025-06-30"), 3);
    assert_eq!(on("540233", "2025-07-01"), 2);
    assert_eq!(on("540221", "2025-06-30"), 2);
    assert_eq!(on("540102", "2025-06-30"), 1);
}

#[test]
fn overlaps_gaps_and_reversed_periods_are_refused_on_load() {
    for (values, reason) in [
        (line("from = 2024-01-01, to = 2024-12-31", 1) + &line("from = 2024-12-31", 2), "PARAMETER_OVERLAP"),
        (line("from = 2024-01-01", 1) + &line("from = 2024-01-01", 2), "PARAMETER_OVERLAP"),
        (line("from = 2024-01-01, to = 2024-12-30", 1) + &line("from = 2025-01-01", 2), "PARAMETER_GAP"),
        (line("from = 2024-01-01, to = 2023-12-31", 1), "PARAMETER_END_BEFORE_START"),
        (line("from = 2024-01-01, area = '540422'", 1), "PARAMETER_TABLE"),
        (line("from = 2024-01-01", -1), "PARAMETER_OUT_OF_RANGE"),
        (line("from = 2024-01-01T00:00:00", 1), "PARAMETER_TABLE"),
    ] {
        assert_eq!(set(&values).unwrap_err().reason(), reason, "{values}");
    }
    assert!(set(&(line("from = 2024-01-01, to = 2024-12-31", 1) + &line("from = 2025-01-01", 2))).is_ok());
}

#[test]
fn a_key_says_its_unit() {
    let table = "[parameter.'a.b']\nen = 'x'\nzh = '甲'\nunit = 'days'\nvalues = [\n";
    let read = Parameters::from_toml(&format!("{table}{}]", line("from = 2024-01-01", 1)));
    assert_eq!(read.unwrap_err().reason(), "PARAMETER_UNIT_MISMATCH");
}

fn filed(key: &str, from: &str, to: Option<&str>, value: i64, unit: Unit) -> Parameter {
    Parameter {
        key: key.to_owned(),
        area: area("540000"),
        value,
        unit,
        effective_from: day(from),
        effective_to: to.map(day),
        source: "a test".to_owned(),
        confidence: Confidence::High,
        note: String::new(),
    }
}

#[test]
fn what_a_department_files_corrects_and_completes_the_set() {
    let mut parameters = set(&line("from = 2024-01-01", 1)).unwrap();
    parameters
        .extend([
            filed("a.b_days", "2025-01-01", Some("2025-12-31"), 2, Unit::Days),
            filed("a.b_days", "2024-01-01", None, 9, Unit::Days),
            filed("c.d_fen", "2025-01-01", None, 3, Unit::Fen),
        ])
        .unwrap();
    let on = |key, on| parameters.value_on(key, area("540233"), day(on)).unwrap().value;
    assert_eq!(on("a.b_days", "2024-06-01"), 9);
    assert_eq!(on("a.b_days", "2025-06-01"), 2);
    assert_eq!(on("a.b_days", "2026-06-01"), 9);
    assert_eq!(on("c.d_fen", "2026-06-01"), 3);
}

#[test]
fn a_refused_entry_leaves_the_set_as_it_was() {
    let mut parameters = set(&line("from = 2024-01-01", 1)).unwrap();
    let bad = [
        filed("a.b_days", "2025-01-01", None, 2, Unit::Days),
        filed("a.b_days", "2025-01-01", Some("2024-01-01"), 2, Unit::Days),
    ];
    assert_eq!(parameters.extend(bad).unwrap_err().reason(), "PARAMETER_END_BEFORE_START");
    let other_unit = [filed("a.b_days", "2025-01-01", None, 2, Unit::Fen)];
    assert_eq!(parameters.extend(other_unit).unwrap_err().reason(), "PARAMETER_UNIT_MISMATCH");
    assert_eq!(parameters.iter().count(), 1);
}

#[test]
fn filing_a_figure_that_was_unknown_makes_it_known() {
    let mut parameters = Parameters::get().clone();
    let key = "disability.living_subsidy_monthly_fen";
    parameters.extend([filed(key, "2024-01-01", None, 1, Unit::Fen)]).unwrap();
    assert!(parameters.value_on(key, area("540102"), day("2025-06-01")).is_ok());
    assert!(parameters.unknown().all(|(unknown, _)| unknown != key));
}

#[test]
fn a_change_of_what_is_shipped_raises_the_edition() {
    use sha2::{Digest as _, Sha256};
    let mut digest = Sha256::new();
    for entry in Parameters::get().iter() {
        let note = String::new();
        digest.update(format!("{:?}\n", Parameter { note, ..entry.clone() }));
    }
    let mut first = [0; 8];
    first.copy_from_slice(&digest.finalize()[..8]);
    let noted = (1, 0x94db_bbd6_6220_4e8b);
    assert_eq!((EDITION, u64::from_be_bytes(first)), noted, "raise EDITION, and note it here with the new digest");
}

#[test]
fn the_values_of_a_key_lie_side_by_side_and_an_older_one_holds_again_when_a_later_one_is_over() {
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let value = |value, from, to| Parameter {
        key: "probe.a_days".to_owned(),
        area: Divisions::get().region(),
        value,
        unit: Unit::Days,
        effective_from: from,
        effective_to: to,
        source: String::new(),
        confidence: Confidence::High,
        note: String::new(),
    };
    let mut all = Parameters::default();
    all.extend([value(1, day(2024, 1, 1), None), value(2, day(2025, 1, 1), Some(day(2025, 12, 31)))]).unwrap();
    all.extend([value(3, day(2027, 1, 1), None)]).unwrap();
    let series = all.series_of("probe.a_days", Divisions::get().region());
    let held: Vec<_> = series.iter().map(|held| (held.parameter.value, held.from, held.until)).collect();
    assert_eq!(
        held,
        [
            (1, day(2024, 1, 1), Some(day(2025, 1, 1))),
            (2, day(2025, 1, 1), Some(day(2026, 1, 1))),
            (1, day(2026, 1, 1), Some(day(2027, 1, 1))),
            (3, day(2027, 1, 1), None),
        ]
    );
    for held in &series {
        let on = all.value_on("probe.a_days", Divisions::get().region(), held.from).unwrap();
        assert_eq!(on.value, held.parameter.value, "as value_on says");
    }
}
