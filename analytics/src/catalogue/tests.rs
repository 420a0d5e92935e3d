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
    match parse(&[("year.toml", text)]) {
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
fn every_expression_of_the_shipped_catalogue_holds() {
    let shipped = crate::engine::on_own_thread(|| Catalogue::embedded_with(&expression::check));
    assert_eq!(shipped.unwrap_or_else(|error| panic!("{error}")), **Catalogue::shipped());
}

#[test]
fn an_unknown_column_is_named_with_its_line() {
    let text = format!("{HEAD}{}", MEASURE.replace("opened_on", "opening_day"));
    assert_eq!(only_problem(&text), "year.toml:23: unknown column `opening_day`");
}

#[test]
fn an_expression_that_does_not_parse_is_named_with_its_line() {
    let text = format!("{HEAD}{}", MEASURE.replace("COUNT(*)", "COUNT(*"));
    assert!(only_problem(&text).starts_with("year.toml:24: does not parse: "), "{}", only_problem(&text));
}

#[test]
fn a_comparison_of_text_with_a_day_is_a_wrong_type() {
    let text = format!(
        "{HEAD}{}",
        MEASURE.replace("kind = 'ELDER_MEAL_POINT' AND opened_on", "capacity + 1 = 'x' AND opened_on")
    );
    assert!(only_problem(&text).starts_with("year.toml:23: wrong type: "), "{}", only_problem(&text));
    let text = format!("{HEAD}{}", MEASURE.replace("COUNT(*)", "MAX(unit_code)"));
    assert!(only_problem(&text).starts_with("year.toml:24: wrong type: "), "{}", only_problem(&text));
    let text = format!("{HEAD}{}", MEASURE.replace("COUNT(*)", "capacity"));
    assert!(only_problem(&text).contains("an aggregate such as COUNT or SUM is needed"));
}

#[test]
fn an_aggregate_is_additive_only_where_parts_add_up() {
    let additive = |sql: &str| expression::is_additive(&compile(sql).unwrap());
    assert!(additive("COUNT(*)"));
    assert!(additive("COUNT(*) FILTER (WHERE passed)"));
    assert!(additive("SUM(amount) / 100.0"));
    assert!(additive("SUM(a + b)"));
    assert!(additive("SUM(a * b)"));
    assert!(!additive("COUNT(DISTINCT code)"));
    assert!(!additive("COUNT(DISTINCT code) FILTER (WHERE passed)"));
    assert!(!additive("MAX(level)"));
    assert!(!additive("SUM(a) / SUM(b)"));
}
