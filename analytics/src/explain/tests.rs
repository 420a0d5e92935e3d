use super::*;
use crate::testing::{Row, day, lake_of, row};

const COMMITMENT: &str = "age-friendly-institutions";

fn hospital(id: &str, area: &str) -> Row {
    row("health.institutions", &format!("institutions/{id}"), area, "2025-01-01")
        .with("institution_class", "GENERAL_HOSPITAL")
        .with("operating_from", "2020-01-01")
}

fn certified(row: Row) -> Row {
    row.with("age_friendly_from", "2025-06-01").with("age_friendly_to", "2028-05-31")
}

fn rows() -> Vec<Row> {
    let clinic = row("health.institutions", "institutions/c", "540102", "2025-01-01")
        .with("institution_class", "CLINIC")
        .with("operating_from", "2020-01-01");
    vec![
        certified(hospital("b", "540102")),
        hospital("a", "540102"),
        certified(hospital("far", "542521")),
        certified(hospital("withdrawn", "540102")),
        certified(hospital("withdrawn", "540102")).retracted("2025-07-01"),
        clinic,
    ]
}

fn request() -> FindingsRequest {
    FindingsRequest { on: day("2025-12-31"), ..FindingsRequest::default() }
}

fn explained(commitment: &str, area: &str, rows: &[Row]) -> Result<Explanation, ExplainError> {
    let (_directory, lake) = lake_of(rows);
    explain(Catalogue::shipped(), &lake, Asked { commitment, area, records: 2 }, &request())
}

#[test]
fn a_figure_is_explained_down_to_its_records_those_that_count_first() {
    let told = explained(COMMITMENT, "540102", &rows()).unwrap();
    assert_eq!((told.entry.numerator, told.entry.denominator), (Some(1.0), Some(2.0)));
    let Records::Named { total, first } = &told.records else { panic!("{:?}", told.records) };
    let named: Vec<(&str, bool, bool)> =
        first.iter().map(|one| (one.record.as_str(), one.in_numerator, one.in_denominator)).collect();
    assert_eq!((*total, named), (2, vec![("institutions/b", true, true), ("institutions/a", false, true)]));
    let expressions = &told.definitions[0].expressions;
    assert!(expressions.iter().any(|(what, sql)| *what == "numerator" && sql.contains("age_friendly_from")));
    let parameter = told.parameters.iter().find(|one| one.name == "clinics_count").unwrap();
    assert_eq!((parameter.key.as_deref(), parameter.value), (Some("age_friendly.clinics_are_eligible"), 0));
    let services: Vec<&str> = told.sources.iter().map(|source| source.service.as_str()).collect();
    assert_eq!(services, ["health"]);
    assert!(told.beside.iter().any(|one| one.measure == "general-hospitals"), "{:?}", told.beside);
}

#[test]
fn records_are_counted_in_every_area_around_theirs_and_only_so_many_are_named() {
    let told = explained(COMMITMENT, "540000", &rows()).unwrap();
    let Records::Named { total, first } = &told.records else { panic!("{:?}", told.records) };
    assert_eq!((*total, first.len()), (3, 2));
    assert!(first.iter().all(|one| one.in_numerator), "those that count come first: {first:?}");
    let silent = &told.missing.never;
    assert!(silent.contains("540121") && !silent.contains("540102"), "{silent:?}");
    assert_ne!(told.missing.matters, Matters::NothingMissing);
}

#[test]
fn no_record_of_a_dataset_about_persons_is_named() {
    let catalogue = Catalogue::shipped();
    let mut tried = 0;
    for entry in &catalogue.entries {
        let measure = entry.primary();
        let persons = measure.person_based || is_about_persons(&measure.dataset);
        assert!(!persons || !may_be_named(measure), "{}", entry.commitment.id);
        tried += usize::from(persons);
    }
    assert!(tried > 10, "{tried}");
    let person = |id: usize| {
        row("social_security.enrolments", &format!("enrolments/{id}"), "540102", "2025-01-01")
            .with("person", format!("p{id}").as_str())
            .with("decision", "ACCEPTED")
            .with("scheme", "EMPLOYEE_PENSION")
            .with("entry_kind", "FLEXIBLE_EMPLOYMENT")
            .with("registered_elsewhere", true)
            .with("applied_on", "2025-10-01")
            .with("decided_on", "2025-10-02")
            .with("covered_from", "2025-10-02")
    };
    let rows: Vec<Row> = (0..40).map(person).collect();
    let of_persons = catalogue.entries.iter().filter(|entry| entry.primary().dataset == "social_security.enrolments");
    for entry in of_persons {
        let told = explained(&entry.commitment.id, "540000", &rows).unwrap();
        assert!(!matches!(told.records, Records::Named { .. }), "{}: {:?}", entry.commitment.id, told.records);
        let json = serde_json::to_string(&told).unwrap();
        assert!(!json.contains("enrolments/") && !json.contains("\"p1\""), "{json}");
    }
}

#[test]
fn what_was_filed_is_named_with_its_return() {
    let filed = row("community.returns", "returns/1", "540000", "2025-11-01")
        .with("commitment", "purchased-services")
        .with("month_from", "2025-11-01")
        .with("numerator", 3.0)
        .with("denominator", 4.0)
        .with("return_state", "APPROVED");
    let other = Row { record: "returns/2".to_owned(), ..filed.clone().with("month_from", "2025-10-01") };
    let told = explained("purchased-services", "540000", &[filed, other]).unwrap();
    let Records::Named { total, first } = &told.records else { panic!("{:?}", told.records) };
    assert_eq!((*total, first[0].record.as_str()), (1, "returns/1"));
}

#[test]
fn what_is_not_there_is_told_with_what_is_like_it() {
    let error = explained("age-friendly", "540000", &[]).unwrap_err();
    assert!(error.to_string().contains("age-friendly-institutions"), "{error}");
    assert!(matches!(explained(COMMITMENT, "110000", &[]), Err(ExplainError::UnknownArea(_))));
    let told = explained(COMMITMENT, "540000", &[]).unwrap();
    assert_eq!((told.records, told.missing.matters), (Records::NoFigure, Matters::Yes));
}
