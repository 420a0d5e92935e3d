//! The province follows from its seed, and is as large as the handbook says.

use std::collections::{BTreeMap, BTreeSet};

use minsheng_proto::{
    community::v1 as community, education::v1 as education, health::v1 as health, returns::v1 as returns,
    social_security::v1 as social,
};
use prost::Message;

use super::*;

fn content(province: Province) -> BTreeMap<(&'static str, &'static str), Vec<Bytes>> {
    let mut content = BTreeMap::new();
    for lane in province.lanes() {
        for batch in lane.batches.into_iter().chain(lane.filings) {
            content.insert((lane.department, batch.register), batch.records.collect());
        }
    }
    content
}

fn decoded<M: Message + Default>(
    content: &BTreeMap<(&str, &str), Vec<Bytes>>,
    department: &str,
    register: &str,
) -> Vec<M> {
    content[&(department, register)].iter().map(|bytes| M::decode(bytes.clone()).expect("decodes")).collect()
}

#[test]
fn the_same_seed_and_scale_make_the_same_province_and_another_seed_another() {
    let (one, again, other) = (Province::new(7, 0.02), Province::new(7, 0.02), Province::new(8, 0.02));
    let content_of = |province| content(province);
    let first = content_of(one);
    assert_eq!(first, content_of(again));
    let second = content_of(other);
    for key in [("health", "institutions"), ("education", "schools"), ("community", "service_points")] {
        assert_ne!(first[&key], second[&key], "{key:?}");
    }
    assert_eq!(one.upload_id("health", "institutions"), again.upload_id("health", "institutions"));
    assert_ne!(one.upload_id("health", "institutions"), other.upload_id("health", "institutions"));
    let updates = |province: Province| {
        province
            .lanes()
            .into_iter()
            .flat_map(|lane| lane.changes)
            .flat_map(|changes| changes.updates)
            .collect::<Vec<_>>()
    };
    assert_eq!(updates(one), updates(again));
}

#[test]
fn the_province_has_about_200_000_records_of_which_the_scale_multiplies_people_and_cases() {
    let count = |scale| {
        let content = content(Province::new(1, scale));
        let all: usize = content.values().map(Vec::len).sum();
        (all, content[&("social-security", "enrolments")].len(), content[&("education", "schools")].len())
    };
    let (all, enrolments, schools) = count(1.0);
    assert!((180_000..260_000).contains(&all), "{all}");
    assert_eq!((enrolments, schools), (49_500, 3_618));
    let (_, fewer, schools) = count(0.1);
    assert_eq!((fewer, schools), (4_950, 3_618));
}

#[test]
fn magnitudes_are_the_handbook_s() {
    let content = content(Province::new(1, 0.01));
    let institutions: Vec<health::Institution> = decoded(&content, "health", "institutions");
    let eligible = institutions.iter().filter(|institution| {
        use health::InstitutionClass as Class;
        matches!(
            institution.institution_class(),
            Class::GeneralHospital
                | Class::TibetanMedicineHospital
                | Class::TownshipHealthCentre
                | Class::CommunityHealthCentre
        )
    });
    assert_eq!(eligible.count(), 855);
    assert!((7_000..7_500).contains(&institutions.len()), "{}", institutions.len());
    let schools: Vec<education::School> = decoded(&content, "education", "schools");
    assert_eq!(schools.len(), 3_618);
    let points: Vec<community::ServicePoint> = decoded(&content, "community", "service_points");
    let open = |kind| points.iter().filter(|point| point.kind() == kind && point.opened_on.is_some()).count();
    assert_eq!(open(community::ServicePointKind::ElderMealPoint), 168);
    assert_eq!(open(community::ServicePointKind::OxygenSite), 4);
    let villages = points.iter().filter(|point| point.level() == community::AreaLevel::Village).count();
    assert!((4_900..5_200).contains(&villages), "{villages}");
}

#[test]
fn people_are_invented_and_each_has_a_number_of_their_own() {
    let content = content(Province::new(1, 0.05));
    let enrolments: Vec<social::Enrolment> = decoded(&content, "social-security", "enrolments");
    assert!(enrolments.iter().all(|enrolment| enrolment.resident_id.starts_with("549999")));
    let households: Vec<social::AssistanceHousehold> = decoded(&content, "social-security", "assistance_households");
    let members: Vec<_> =
        households.iter().flat_map(|household| household.members.iter().map(|member| &member.resident_id)).collect();
    assert_eq!(members.iter().collect::<BTreeSet<_>>().len(), members.len(), "two members share a number");
}

#[test]
fn names_of_records_are_unique_and_no_day_lies_behind_the_last() {
    let content = content(Province::new(1, 0.05));
    let mut names = BTreeSet::new();
    for point in decoded::<community::ServicePoint>(&content, "community", "service_points") {
        assert!(point.opened_on.is_none_or(|day| (day.year, day.month, day.day) <= (2026, 3, 31)), "{point:?}");
        assert!(names.insert(point.name.clone()), "{} stands twice", point.name);
    }
    for record in decoded::<education::FundingRecord>(&content, "education", "funding_records") {
        assert!(names.insert(record.name.clone()), "{} stands twice", record.name);
    }
}

#[test]
fn every_county_but_a_few_files_every_month_and_some_commitments_are_silent() {
    let content = content(Province::new(1, 0.01));
    let mut filed: BTreeMap<String, Vec<returns::Return>> = BTreeMap::new();
    for department in ["social-security", "education", "health", "community"] {
        for figure in decoded::<returns::Return>(&content, department, "returns") {
            assert!(figure.denominator.is_none_or(|whole| whole > 0.0), "{figure:?}");
            filed.entry(figure.commitment.clone()).or_default().push(figure);
        }
    }
    assert!(!filed.contains_key("care-land-planning") && !filed.contains_key("money-follows-person"));
    let marriages = &filed["cross-area-marriage"];
    let counties: BTreeSet<_> = marriages.iter().map(|figure| &figure.area).collect();
    assert_eq!(counties.len(), 74);
    let in_march =
        marriages.iter().filter(|figure| figure.month.is_some_and(|month| (month.year, month.month) == (2026, 3)));
    assert!((60..74).contains(&in_march.count()));
}
