use super::*;

fn area(text: &str) -> AreaCode {
    AreaCode::parse(text).unwrap()
}

fn county(text: &str) -> CountyCode {
    CountyCode::parse(text).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn the_region_has_7_prefectures_74_counties_701_townships_and_5576_villages() {
    let divisions = Divisions::get();
    assert_eq!(divisions.prefectures().len(), 7);
    assert_eq!(divisions.counts(divisions.region()), DivisionCounts { counties: 74, townships: 701, villages: 5_576 });
    assert_eq!(divisions.areas().count(), 82);
}

#[test]
fn each_prefecture_has_the_counts_of_the_statistics_bureau() {
    for (code, counties, townships, villages) in [
        ("540100", 8, 65, 283),
        ("540200", 18, 206, 1_693),
        ("540300", 11, 138, 1_175),
        ("540400", 7, 56, 504),
        ("540500", 12, 85, 576),
        ("540600", 11, 114, 1_200),
        ("542500", 7, 37, 145),
    ] {
        let counts = Divisions::get().counts(area(code));
        assert_eq!(counts, DivisionCounts { counties, townships, villages }, "{code}");
    }
}

#[test]
fn kinds_add_up_to_the_published_split() {
    let divisions = Divisions::get();
    let counties = |kind| divisions.counties().iter().filter(|c| divisions.profile(**c).kind == kind).count();
    assert_eq!((counties(CountyKind::District), counties(CountyKind::City), counties(CountyKind::County)), (8, 2, 64));
    let townships = |kind| divisions.townships().iter().filter(|t| t.kind == kind).count();
    assert_eq!(
        (townships(TownshipKind::Subdistrict), townships(TownshipKind::Town), townships(TownshipKind::Township)),
        (25, 142, 534)
    );
    let seats: Vec<_> = divisions.counties().iter().filter(|c| divisions.profile(**c).prefecture_seat).collect();
    assert_eq!(seats.len(), 7);
    assert_eq!(divisions.counties().iter().filter(|c| divisions.is_border(**c)).count(), 21);
}

#[test]
fn every_township_lies_in_a_listed_county_and_every_village_in_a_listed_township() {
    let divisions = Divisions::get();
    for township in divisions.townships() {
        assert!(divisions.has(township.code.county().area()), "{township:?}");
    }
    for village in divisions.villages() {
        assert!(divisions.township(village.code.township()).is_some(), "{village:?}");
    }
    for prefecture in divisions.prefectures() {
        for county in divisions.counties_of(*prefecture) {
            assert_eq!(divisions.prefecture_of(*county), *prefecture);
        }
    }
}

#[test]
fn names_levels_and_relatives_of_an_area() {
    let divisions = Divisions::get();
    assert_eq!(divisions.name_zh(area("540400")), "林芝市");
    assert_eq!(divisions.name_en(county("540481")), "Mainling");
    assert_eq!(area("540000").level(), AreaLevel::Region);
    assert_eq!(area("542500").level(), AreaLevel::Prefecture);
    assert_eq!(area("542523").level(), AreaLevel::County);
    assert_eq!(divisions.parent_of(area("542523")), Some(area("542500")));
    assert_eq!(divisions.parent_of(area("542500")), Some(area("540000")));
    assert_eq!(divisions.parent_of(area("540000")), None);
    assert_eq!(divisions.children_of(area("540000")).len(), 7);
    assert_eq!(divisions.children_of(area("542500")).len(), 7);
    assert!(divisions.children_of(area("542523")).is_empty());
    assert_eq!(divisions.counties_of(area("540481")), [county("540481")]);
}

#[test]
fn an_area_contains_itself_and_what_lies_in_it() {
    let divisions = Divisions::get();
    let township = TownshipCode::parse("540102002").unwrap();
    let village = VillageCode::parse("540102002001").unwrap();
    assert!(divisions.contains(area("540000"), village));
    assert!(divisions.contains(area("540100"), township));
    assert!(divisions.contains(area("540102"), area("540102")));
    assert!(!divisions.contains(area("540102"), area("540100")));
    assert!(!divisions.contains(area("540103"), village));
    assert_eq!(village.township(), township);
    assert_eq!(village.county(), county("540102"));
}

#[test]
fn a_code_that_is_no_current_division_does_not_parse() {
    for (code, reason) in [
        ("54010", "DIVISION_CODE_FORM"),
        ("54010a", "DIVISION_CODE_FORM"),
        ("549999", "DIVISION_CODE_UNKNOWN"),
        ("540171", "DIVISION_CODE_UNKNOWN"),
        ("110101", "DIVISION_CODE_UNKNOWN"),
        ("540422", "DIVISION_CODE_RETIRED"),
    ] {
        assert_eq!(AreaCode::parse(code).unwrap_err().reason(), reason, "{code}");
    }
    assert_eq!(CountyCode::parse("540100").unwrap_err().reason(), "DIVISION_NOT_A_COUNTY");
    assert_eq!(TownshipCode::parse("540102999").unwrap_err().reason(), "DIVISION_CODE_UNKNOWN");
    assert_eq!(
        AreaCode::parse("540422").unwrap_err().to_string(),
        "the division code 540422 is no longer in use; current: 540481"
    );
}

#[test]
fn former_codes_lead_to_the_current_division() {
    for (code, on, current) in [
        ("540422", "2020-05-01", "540481"),
        ("540530", "2020-05-01", "540581"),
        ("542623", "2000-05-01", "540481"),
        ("540130", "1981-05-01", "540481"),
        ("542122", "2000-05-01", "540321"),
        ("542121", "2000-05-01", "540302"),
        ("542621", "2000-05-01", "540402"),
        ("542421", "2000-05-01", "540602"),
        ("542301", "2000-05-01", "540202"),
        ("540125", "2000-05-01", "540103"),
        ("540126", "2000-05-01", "540104"),
        ("542221", "2000-05-01", "540502"),
        ("542600", "2000-05-01", "540400"),
        ("542134", "1990-05-01", "540328"),
        ("540102", "2025-05-01", "540102"),
        ("542225", "1982-05-01", "540525"),
    ] {
        let found = Divisions::get().resolve_historic(code, day(on));
        assert_eq!(found, Some(&[area(current)][..]), "{code} on {on}");
    }
}

#[test]
fn a_code_that_was_used_twice_is_read_by_its_time() {
    let divisions = Divisions::get();
    for (on, current) in
        [("1955-01-01", "540228"), ("1982-06-01", "540228"), ("1990-06-01", "540222"), ("2024-06-01", "540222")]
    {
        assert_eq!(divisions.resolve_historic("542323", day(on)), Some(&[area(current)][..]), "{on}");
    }
}

#[test]
fn a_divided_prefecture_has_two_successors_and_a_dissolved_county_none() {
    let divisions = Divisions::get();
    let on = day("1990-01-01");
    assert_eq!(divisions.resolve_historic("542700", on), Some(&[area("540200"), area("540500")][..]));
    for code in ["542135", "542136", "542137", "542528", "549999"] {
        assert_eq!(divisions.resolve_historic(code, on), None, "{code}");
    }
}

#[test]
fn every_listed_code_resolves_but_the_four_whose_land_went_to_several_neighbours() {
    let divisions = Divisions::get();
    let listed: Vec<String> =
        include_str!("../../data/division-code-history.csv").lines().skip(1).map(|line| line[..6].to_owned()).collect();
    let unresolved: Vec<_> =
        listed.iter().filter(|code| divisions.resolve_historic(code, day("2026-01-01")).is_none()).collect();
    assert_eq!(unresolved, ["542135", "542136", "542137", "542528"]);
}

#[test]
fn the_range_of_an_area_holds_its_own_codes_and_no_other_s() {
    let divisions = Divisions::get();
    for area in divisions.areas() {
        let (low, high) = area.range();
        for other in divisions.areas() {
            let between = (low.as_str()..=high.as_str()).contains(&other.as_str());
            assert_eq!(between, area.contains(other), "{other} in {area}");
        }
    }
}

#[test]
fn codes_as_numbers_give_the_same_as_codes() {
    let number = |area: AreaCode| area.as_str().parse::<i32>().expect("digits");
    for county in Divisions::get().counties() {
        let area = county.area();
        assert_eq!(AreaCode::number_at(number(area), AreaLevel::Prefecture), number(county.prefecture()));
        assert_eq!(AreaCode::number_at(number(area), AreaLevel::Region), number(Divisions::get().region()));
    }
    for area in Divisions::get().areas() {
        assert_eq!(AreaCode::level_of_number(number(area)), area.level(), "{area}");
        assert_eq!(AreaCode::number_at(number(area), area.level()), number(area), "{area}");
    }
}
