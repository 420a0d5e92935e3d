use super::*;

const HEAD: &str = r#"
[[commitment]]
id = "meal-points"
article = 8
service = "community"
leads = ["civil-affairs"]
title_zh = "助餐点"
title_en = "Meal points"
kind = "count"
basis = "stated"
direction = "at_least"
target = 176
unit = "points"
unit_zh = "个"
source = "register"
text_zh = "在营"
text_en = "In operation"
"#;

const MEASURE: &str = r#"
[[commitment.measures]]
name = "primary"
form = "figure"
dataset = "community.service_points"
where = "kind = 'ELDER_MEAL_POINT' AND opened_on <= on_day"
numerator = "COUNT(*)"
"#;

fn problems(text: &str) -> Vec<String> {
    match Catalogue::parse(&[("year.toml", text)]) {
        Ok(_) => Vec::new(),
        Err(CatalogueError::Invalid(problems)) => problems.iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

fn only_problem(text: &str) -> String {
    let mut found = problems(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[test]
fn every_commitment_is_measured() {
    let catalogue = Catalogue::embedded().unwrap_or_else(|error| panic!("{error}"));
    for entry in &catalogue.entries {
        assert!(!entry.measures.is_empty(), "{}", entry.commitment.id);
        assert!(!entry.commitment.measure.zh.is_empty() && !entry.commitment.measure.en.is_empty());
    }
}

#[test]
fn the_stated_targets_are_those_of_the_notice() {
    let catalogue = Catalogue::embedded().unwrap();
    let target = |id: &str| catalogue.entry(id).unwrap().commitment.target;
    assert_eq!(target("mutual-recognition-items"), Some(200.0));
    assert_eq!(target("age-friendly-institutions"), Some(85.0));
    assert_eq!(target("elder-meal-points"), Some(176.0));
    assert_eq!(target("affordable-housing-2025"), Some(1603.0));
    assert_eq!(target("oxygen-pilots"), Some(6.0));
    assert_eq!(target("group-aid-hospitals"), Some(21.0));
}

#[test]
fn a_standard_is_the_one_in_force_on_the_day() {
    let catalogue = Catalogue::embedded().unwrap();
    let entry = catalogue.entry("three-guarantees").unwrap();
    let standard = |day: &str| entry.commitment_on(day.parse().unwrap()).standard.unwrap().value;
    assert!((standard("2025-08-31") - 5620.0).abs() < 1e-9);
    assert!((standard("2025-09-01") - 5700.0).abs() < 1e-9);
    assert!((standard("2026-06-30") - 5940.0).abs() < 1e-9);
}

#[test]
fn a_sound_file_has_no_problem() {
    assert_eq!(problems(&format!("{HEAD}{MEASURE}")), Vec::<String>::new());
}

#[test]
fn an_unknown_dataset_is_named_with_its_line() {
    let text = format!("{HEAD}{}", MEASURE.replace("service_points", "points"));
    assert_eq!(only_problem(&text), "year.toml:22: unknown dataset `community.points`");
}

#[test]
fn a_share_without_its_denominator_is_refused() {
    let text = format!("{HEAD}{}", MEASURE.replace("\"figure\"", "\"share\""));
    assert_eq!(only_problem(&text), "year.toml:19: measure `primary` is a share and its denominator is missing");
}

#[test]
fn an_unknown_area_and_a_due_day_before_the_start_are_refused_together() {
    let text = format!(
        "{HEAD}start = \"2025-06-01\"\ndue = \"2025-05-31\"\nscope = [\"540100\", \"549999\"]\ndue_basis = \"stated\"\n{MEASURE}"
    );
    assert_eq!(
        problems(&text),
        ["year.toml:19: due 2025-05-31 is before start 2025-06-01", "year.toml:20: unknown area `549999`"]
    );
}

#[test]
fn the_same_id_twice_is_refused_across_files() {
    let text = format!("{HEAD}{MEASURE}");
    let Err(CatalogueError::Invalid(found)) = Catalogue::parse(&[("a.toml", &text), ("b.toml", &text)]) else {
        panic!("accepted");
    };
    assert_eq!(found[0].to_string(), "b.toml:3: duplicate id `meal-points`");
}

#[test]
fn a_key_that_nobody_knows_is_refused_with_its_line() {
    let text = format!("{HEAD}colour = \"red\"\n{MEASURE}");
    assert!(only_problem(&text).starts_with("year.toml:18: "), "{}", only_problem(&text));
}

#[test]
fn every_commitment_says_where_it_stands_in_the_notice_and_what_it_promises() {
    let catalogue = Catalogue::embedded().unwrap();
    // Sentences of each article, behind its heading.
    let sentences = [11, 7, 6, 6, 9, 11, 11, 6, 8, 10];
    let mut before: (u8, Option<Clause>) = (0, None);
    for entry in &catalogue.entries {
        let ours = &entry.commitment;
        let clause = ours.clause.unwrap_or_else(|| panic!("{}: no clause", ours.id));
        assert!((1..=sentences[usize::from(ours.article) - 1]).contains(&clause.item), "{}: {clause:?}", ours.id);
        assert!((ours.article, Some(clause)) > before, "{} stands where another does, or before it", ours.id);
        assert!(!ours.promise.zh.is_empty() && !ours.promise.en.is_empty(), "{}", ours.id);
        assert_eq!(ours.due.is_some(), ours.due_basis.is_some(), "{}", ours.id);
        assert_eq!(ours.standing, ours.window.is_some(), "{}", ours.id);
        before = (ours.article, Some(clause));
    }
}

#[test]
fn a_due_date_a_standing_duty_and_a_milestone_say_what_they_rest_on() {
    let due = format!("{HEAD}due = \"2025-12-31\"\n{MEASURE}");
    assert_eq!(only_problem(&due), "year.toml:18: due_basis says whether the due date is stated or inferred");
    let standing = format!("{HEAD}standing = true\n{MEASURE}");
    assert_eq!(only_problem(&standing), "year.toml:18: a standing duty names the window of what it counts");
    assert_eq!(problems(&format!("{HEAD}standing = true\nwindow = \"month\"\n{MEASURE}")), [""; 0]);
    let window = format!("{HEAD}window = \"month\"\n{MEASURE}");
    assert_eq!(only_problem(&window), "year.toml:18: only a standing duty has a window");
    let steps = HEAD.replace("\"register\"", "\"milestones\"");
    let step = |subjects: &str| {
        let measure = "[[commitment.measures]]\nname = \"primary\"\nform = \"figure\"\n";
        format!("{}{measure}dataset = \"community.milestones\"\nsubjects = [{subjects}]\n", steps.replace("176", "2"))
    };
    assert!(only_problem(&step("\"one\"")).ends_with("the 2 subjects that fulfil the target are not all named"));
    assert_eq!(problems(&step("\"one\", \"other\"")), [""; 0]);
}

#[test]
fn what_bounds_a_silent_area_and_what_is_the_least_of_others_is_checked() {
    let figure = format!("{HEAD}{MEASURE}silent = \"denominator\"\n");
    assert_eq!(only_problem(&figure), "year.toml:25: a figure has no denominator");
    assert_eq!(problems(&format!("{HEAD}{MEASURE}silent = \"plan\"\n")), [""; 0]);
    let divisions = format!("{HEAD}{MEASURE}silent = \"divisions\"\n");
    assert_eq!(only_problem(&divisions), "year.toml:25: silent_divisions says which divisions");
    let least =
        "[[commitment.measures]]\nname = \"primary\"\nform = \"share\"\ndataset = \"community.service_points\"\n";
    let least = format!("{HEAD}{least}least_of = [\"townships\"]\n");
    assert!(only_problem(&least).ends_with("no measure `townships` is a share of the same dataset"));
}

/// What the notice says of a commitment.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    id: String,
    article: u8,
    service: String,
    leads: Vec<String>,
    title_zh: String,
    title_en: String,
    kind: Kind,
    basis: Basis,
    target: Option<f64>,
    unit: Option<String>,
    start: Option<String>,
    due: Option<String>,
    #[serde(default)]
    scope: Vec<String>,
}

#[derive(serde::Deserialize)]
struct AllFacts {
    commitment: Vec<Facts>,
}

#[test]
fn all_92_commitments_of_the_notice_are_there_field_by_field_whatever_else_is() {
    let facts: AllFacts = toml::from_str(include_str!("notice-facts.toml")).unwrap();
    assert_eq!(facts.commitment.len(), 92);
    let by_article = (1..=10).map(|article| facts.commitment.iter().filter(|fact| fact.article == article).count());
    assert_eq!(by_article.collect::<Vec<_>>(), [13, 7, 6, 7, 9, 13, 11, 7, 8, 11]);
    let catalogue = Catalogue::embedded().unwrap();
    let noted: Vec<&str> = facts.commitment.iter().map(|fact| fact.id.as_str()).collect();
    let ids = catalogue.entries.iter().map(|entry| entry.commitment.id.as_str());
    assert_eq!(ids.filter(|id| noted.contains(id)).collect::<Vec<_>>(), noted, "in the notice's order");
    for fact in &facts.commitment {
        let entry = catalogue.entry(&fact.id).unwrap();
        let (ours, id) = (&entry.commitment, &fact.id);
        let day = |day: &Option<String>| day.as_ref().map(|day| day.parse::<NaiveDate>().unwrap());
        assert_eq!((ours.article, &ours.service, &ours.leads), (fact.article, &fact.service, &fact.leads), "{id}");
        assert_eq!((&ours.title_zh, &ours.title_en), (&fact.title_zh, &fact.title_en), "{id}");
        assert_eq!((ours.kind, ours.basis), (fact.kind, fact.basis), "{id}");
        assert_eq!((ours.start, ours.due), (day(&fact.start), day(&fact.due)), "{id}");
        assert_eq!(ours.scope, fact.scope, "{id}");
        match (fact.kind, fact.target) {
            // All providers have to reach the figure that the notice gives.
            (Kind::Standard, Some(figure)) if !entry.standards.is_empty() => {
                assert_eq!(ours.target, Some(100.0), "{id}");
                let standard = entry.commitment_on(ours.start.unwrap()).standard.unwrap();
                assert_eq!((Some(standard.value), Some(standard.unit.en)), (Some(figure), fact.unit.clone()), "{id}");
            }
            // One thing is to be done where the notice does not say how many.
            (Kind::Milestone, None) if fact.basis != Basis::Trend => assert_eq!(ours.target, Some(1.0), "{id}"),
            (_, target) => {
                assert_eq!(ours.target, target, "{id}");
                assert!(fact.unit.as_ref().is_none_or(|unit| *unit == ours.unit.en), "{id}");
            }
        }
    }
}

#[test]
fn a_parameter_is_the_entry_s_own_or_one_of_the_services() {
    let with = |parameter: &str| format!("{HEAD}parameters = [{parameter}]\n{MEASURE}");
    assert_eq!(problems(&with("{ name = \"window\", key = \"meal_point.operating_window_days\" }")), [""; 0]);
    assert_eq!(
        only_problem(&with("{ name = \"window\", key = \"meal_point.window\" }")),
        "year.toml:18: no parameter `meal_point.window` of the region is known"
    );
    let both = "{ name = \"window\", key = \"meal_point.operating_window_days\", value = 30 }";
    assert!(only_problem(&with(both)).contains("parameter `window` has either a key, or value"));
}

#[test]
fn a_measure_cannot_wait_for_one_that_is_not_there() {
    let text = format!("{HEAD}{MEASURE}complete_by = \"reported\"\n");
    assert_eq!(only_problem(&text), "year.toml:25: no measure `reported` is a share of the same period");
}

#[test]
fn an_unknown_column_outside_expressions_is_named_with_its_line() {
    let text = format!("{HEAD}{MEASURE}latest = \"opening_day\"\n");
    assert_eq!(only_problem(&text), "year.toml:25: unknown column `opening_day`");
}

#[test]
fn an_expression_that_its_check_refuses_is_named_with_its_line() {
    let text = format!("{HEAD}{MEASURE}");
    let refuse = |sql: &str, _: Scope<'_>, _: Wanted| if sql == "COUNT(*)" { Err("no".to_owned()) } else { Ok(()) };
    let Err(CatalogueError::Invalid(found)) = Catalogue::parse_with(&[("year.toml", &text)], &refuse) else {
        panic!("accepted");
    };
    assert_eq!(found[0].to_string(), "year.toml:24: no");
}

#[test]
fn a_directory_gives_what_its_files_say_and_one_without_files_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let empty = Catalogue::read(directory.path()).unwrap_err().to_string();
    assert!(empty.starts_with("there is no *.toml file in "), "{empty}");
    for (name, text) in ARTICLES {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    assert_eq!(Catalogue::read(directory.path()).unwrap(), **Catalogue::shipped());
    std::fs::write(directory.path().join("next-year.toml"), "[[commitment]]\nid = 1\n").unwrap();
    let wrong = Catalogue::read(directory.path()).unwrap_err().to_string();
    assert!(wrong.contains("next-year.toml:2: "), "{wrong}");
}
