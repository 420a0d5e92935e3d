//! The measures of a catalogue that are counted from registers, as SQL views over the lake's tables.
//!
//! Generated, so that the views say what the catalogue says; the shipped ones are `analytics/sql/attainment.sql`. They
//! keep to SQL that engines share, and name a table as the lake does, with `_` for the dot: `health.institutions` is
//! `health_institutions`. `standing_health_institutions` then holds its rows as known at the cut-off, each measure is a
//! view of its own, `elder_meal_points__primary`, and `attainment` holds all of them. What is protected is not withheld
//! here: whoever reads the lake sees records anyway.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::catalogue::{
    Catalogue, ColumnKind, Count, Denominator, DivisionLevel, Empty, Entry, Form, Measure, Period, Restriction, Whole,
    columns_of, service_of,
};
use crate::model::{Level, REGION, SourceKind};

/// What comes before the measures: which area counts which rows.
const HEAD: &str = "\
-- Generated from the catalogue of commitments; see docs/LAKE.md. Not to be edited.

-- The rows of which areas count for an area.
CREATE OR REPLACE VIEW areas_inside AS
SELECT counted.code AS _counted, counted.level AS _counted_level, inside.code AS _inside
FROM reference_divisions AS counted
JOIN reference_divisions AS inside
  ON counted.level = 'region' OR inside.code = counted.code OR inside.prefecture = counted.code
WHERE counted.level IN ('region', 'prefecture', 'county') AND inside.level IN ('region', 'prefecture', 'county');

-- The same where a row of an area counts in every area inside it too.
CREATE OR REPLACE VIEW areas_around AS
SELECT counted.code AS _counted, counted.level AS _counted_level, around.code AS _inside
FROM reference_divisions AS counted
JOIN reference_divisions AS around
  ON counted.level = 'region' OR around.level = 'region' OR around.code = counted.code
  OR around.prefecture = counted.code OR around.code = counted.prefecture
WHERE counted.level IN ('region', 'prefecture', 'county') AND around.level IN ('region', 'prefecture', 'county');
";

/// Returns the views of a catalogue, in an order in which they can be created.
pub fn views(catalogue: &Catalogue) -> String {
    let counted = catalogue.entries.iter().flat_map(|entry| {
        let measures = entry.measures.iter().filter(|measure| measure.source == SourceKind::Register);
        measures.filter_map(move |measure| Some(View { entry, measure, count: measure.count.as_ref()? }))
    });
    let mut counted: Vec<View<'_>> = counted.collect();
    let mut text = HEAD.to_owned();
    let datasets: BTreeSet<&str> = counted.iter().flat_map(View::datasets).collect();
    for dataset in datasets {
        text.push_str(&standing(dataset));
    }
    let least = catalogue.entries.iter().flat_map(|entry| {
        let measures = entry.measures.iter().filter(|measure| !measure.least_of.is_empty());
        measures.map(move |measure| (name(&entry.commitment.id, &measure.name), least_of(entry, measure)))
    });
    let least: Vec<(String, String)> = least.collect();
    // One that depends on how much was reported comes behind the one that says it.
    counted.sort_by_key(|view| view.measure.complete_by.is_some());
    for view in &counted {
        text.push_str(&view.text());
    }
    for (_, view) in &least {
        text.push_str(view);
    }
    let names = counted.iter().map(View::name).chain(least.into_iter().map(|(name, _)| name));
    let all: BTreeSet<String> = names.map(|name| format!("SELECT * FROM {name}")).collect();
    let all = all.into_iter().collect::<Vec<_>>().join("\nUNION ALL ");
    let _ = write!(text, "\n-- All of them.\nCREATE OR REPLACE VIEW attainment AS\n{all};\n");
    text
}

/// The view of a measure that is the least of others, area by area.
fn least_of(entry: &Entry, measure: &Measure) -> String {
    let commitment = &entry.commitment.id;
    let others = (1..).zip(&measure.least_of).map(|(place, other)| {
        format!("SELECT {place} AS place, * FROM {} WHERE value IS NOT NULL", name(commitment, other))
    });
    format!(
        "\n-- {commitment}, {measure}: {}\nCREATE OR REPLACE VIEW {} AS\n\
         WITH others AS (\n  {}),\nranked AS (\n  \
         SELECT *, ROW_NUMBER() OVER (PARTITION BY area, month ORDER BY value, place) AS rank FROM others)\n\
         SELECT commitment, '{measure}' AS measure, area, month, numerator, denominator, value\n\
         FROM ranked WHERE rank = 1;\n",
        measure.title.en,
        name(commitment, &measure.name),
        others.collect::<Vec<_>>().join("\n  UNION ALL "),
        measure = measure.name,
    )
}

/// Returns the name of a dataset's table in SQL.
pub fn table_name(dataset: &str) -> String {
    dataset.replace('.', "_")
}

/// The rows of a dataset that stand as known at the cut-off.
fn standing(dataset: &str) -> String {
    let table = table_name(dataset);
    format!(
        "\n-- What stands of {dataset} as known at the cut-off.\n\
         CREATE OR REPLACE VIEW standing_{table} AS\n\
         SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id\n\
         FROM {table} AS told\n\
         WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)\n  \
         AND NOT EXISTS (\n    \
         SELECT 1 FROM {table} AS taken\n    \
         WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)\n      \
         AND taken._record = told._record AND taken._assertion = told._assertion);\n"
    )
}

/// A measure that is counted.
struct View<'a> {
    entry: &'a Entry,
    measure: &'a Measure,
    count: &'a Count,
}

impl<'a> View<'a> {
    fn name(&self) -> String {
        name(&self.entry.commitment.id, &self.measure.name)
    }

    fn datasets(&self) -> Vec<&'a str> {
        let mut all = vec![self.measure.dataset.as_str()];
        all.extend(self.count.restrictions.iter().map(|restriction| restriction.dataset.as_str()));
        if let Some(Denominator::Other(whole)) = &self.count.denominator {
            all.push(&whole.dataset);
        }
        all
    }

    fn text(&self) -> String {
        let (count, dataset) = (self.count, self.measure.dataset.as_str());
        let mut parts = vec![format!(
            "shown AS (\n  SELECT _counted, _inside FROM {}\n  WHERE {}{})",
            if count.holds_below { "areas_around" } else { "areas_inside" },
            self.levels(),
            self.in_scope("_counted")
        )];
        parts.extend(self.partners());
        parts.extend(self.rows("counted", dataset, count));
        parts.push(self.first_day());
        parts.extend(self.numbers("numbers", "counted", count));
        let denominator = match &count.denominator {
            None => "CAST(NULL AS DOUBLE)",
            Some(Denominator::Expression(_)) => "COALESCE(numbers.denominator, 0)",
            Some(Denominator::Divisions(levels)) => {
                parts.push(self.divisions(levels));
                "CAST(COALESCE(divisions.number, 0) AS DOUBLE)"
            }
            Some(Denominator::Other(whole)) => {
                parts.extend(self.whole(whole));
                "COALESCE(whole.numerator, 0)"
            }
        };
        parts.push(self.cells(denominator));
        let (commitment, measure) = (&self.entry.commitment.id, &self.measure.name);
        let mut text = format!(
            "\n-- {commitment}, {measure}: {}\nCREATE OR REPLACE VIEW {} AS\nWITH {}\n",
            self.measure.title.en,
            self.name(),
            parts.join(",\n")
        );
        let scale = self.measure.scale;
        let value = match self.measure.form {
            Form::Figure => format!("cells.numerator * {scale}"),
            Form::Share | Form::Ratio => {
                format!("CASE WHEN cells.denominator > 0 THEN cells.numerator * {scale} / cells.denominator END")
            }
        };
        let _ = write!(
            text,
            "SELECT '{commitment}' AS commitment, '{measure}' AS measure, cells.area AS area, cells.month AS month,\n  \
             cells.numerator AS numerator, cells.denominator AS denominator, CAST({value} AS DOUBLE) AS value\n\
             FROM cells"
        );
        if let Some(by) = self.measure.complete_by.as_ref().filter(|_| self.entry.complete_from > 0.0) {
            let reported = name(commitment, by);
            let _ = write!(
                text,
                "\nJOIN {reported} AS reported ON reported.area = cells.area AND reported.month = cells.month\n\
                 WHERE reported.value IS NULL OR reported.value >= {}",
                self.entry.complete_from
            );
        }
        text.push_str(";\n");
        text
    }

    /// The levels at which the figure exists.
    fn levels(&self) -> &'static str {
        match self.entry.commitment.lowest_level {
            Level::Region => "_counted_level = 'region'",
            Level::Prefecture => "_counted_level IN ('region', 'prefecture')",
            Level::County => "_counted_level IN ('region', 'prefecture', 'county')",
        }
    }

    /// A condition that an area lies in the commitment's scope, or is the region; nothing without a scope.
    fn in_scope(&self, column: &str) -> String {
        let scope = &self.entry.commitment.scope;
        if scope.is_empty() {
            return String::new();
        }
        let inside = scope.iter().map(|area| {
            let prefix = minsheng_values::divisions::prefix_of(area);
            format!("{column} LIKE '{prefix}%'")
        });
        format!(" AND ({column} = '540000' OR {})", inside.collect::<Vec<_>>().join(" OR "))
    }

    /// Names the entry's figures that an expression uses.
    fn figures_in(&self, sql: &str) -> Vec<&'a str> {
        let used: BTreeSet<&str> = self.entry.parameters.iter().map(|figure| figure.name.as_str()).collect();
        used.into_iter().filter(|name| words(sql).any(|word| word == *name)).collect()
    }

    /// Joins the figures that are in force in an area on the day; `area` is an expression.
    fn join_figures(&self, names: &[&str], area: &str) -> (String, String) {
        let (mut columns, mut joins) = (String::new(), String::new());
        for name in names {
            let _ = write!(columns, ", CAST(of_{name}.value AS INTEGER) AS {name}");
            let _ = write!(
                joins,
                "\n    LEFT JOIN reference_parameters AS of_{name}\n      \
                 ON of_{name}.commitment = '{}' AND of_{name}.name = '{name}' AND of_{name}.area = {area}\n      \
                 AND of_{name}.valid_from <= on_day\n      \
                 AND (of_{name}.valid_until IS NULL OR of_{name}.valid_until > on_day)",
                self.entry.commitment.id
            );
        }
        (columns, joins)
    }

    /// Each row of a dataset in each month on whose day it is true, with the figures that expressions use.
    fn on_days(&self, dataset: &str, expressions: &str) -> String {
        let (columns, joins) = self.join_figures(&self.figures_in(expressions), "told._area");
        let whole = if self.count.period == Some(Period::Month) { " AND months.whole" } else { "" };
        format!(
            "(\n    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day{columns}\n    \
             FROM standing_{} AS told\n    \
             JOIN reference_months AS months\n      \
             ON months.service = '{}'{whole}\n      \
             AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day){joins}\n  \
             ) AS days",
            table_name(dataset),
            service_of(dataset)
        )
    }

    /// The rows that restrictions look for.
    fn partners(&self) -> Vec<String> {
        let restrictions = self.count.restrictions.iter().enumerate();
        let partner = |(index, restriction): (usize, &Restriction)| {
            let mut conditions = Vec::new();
            if !restriction.ended_included {
                conditions.push("NOT _ended".to_owned());
            }
            let condition = restriction.condition.as_deref();
            conditions.extend(condition.map(|sql| format!("({})", shared(sql, &restriction.dataset))));
            let key = if restriction.column == "_id" { short(&restriction.key) } else { restriction.key.clone() };
            format!(
                "partners_{index} AS (\n  \
                 SELECT DISTINCT {key} AS _partner, _area AS _partner_area, on_month AS _month\n  \
                 FROM {}{})",
                self.on_days(&restriction.dataset, condition.unwrap_or_default()),
                where_all(&conditions)
            )
        };
        restrictions.map(partner).collect()
    }

    /// The rows that are counted, in each month.
    fn rows(&self, name: &str, dataset: &str, count: &Count) -> Vec<String> {
        let mut conditions = Vec::new();
        if !count.ended_included {
            conditions.push("NOT _ended".to_owned());
        }
        conditions.extend(count.condition.as_deref().map(|sql| format!("({})", shared(sql, dataset))));
        conditions.extend(self.of_base(count));
        for (index, restriction) in count.restrictions.iter().enumerate() {
            let own = &restriction.column;
            let own = if restriction.key == "_id" { short(&format!("days.{own}")) } else { format!("days.{own}") };
            let around = if restriction.covering {
                " AND _partner_area IN (days._area, concat(substr(days._area, 1, 4), '00'), '540000')"
            } else {
                ""
            };
            let not = if restriction.without { "NOT " } else { "" };
            conditions.push(format!(
                "{not}EXISTS (\n      \
                 SELECT 1 FROM partners_{index} WHERE _partner = {own} AND _month = days.on_month{around})"
            ));
        }
        let denominator = match &count.denominator {
            Some(Denominator::Expression(sql)) => Some(sql),
            _ => None,
        };
        let expressions = [count.condition.as_ref(), count.numerator.as_ref(), denominator].into_iter().flatten();
        let from = self.on_days(dataset, &expressions.map(String::as_str).collect::<Vec<_>>().join("\n"));
        let all = where_all(&conditions);
        let Some(latest) = &count.latest else {
            return vec![format!("{name} AS (\n  SELECT days.* FROM {from}{all})")];
        };
        let of = count.latest_of.as_ref().map(|of| format!(", {}", self.named(of))).unwrap_or_default();
        vec![
            format!(
                "{name}_all AS (\n  SELECT days.*, MAX({latest}) OVER (PARTITION BY on_month{of}) AS _latest\n  \
                 FROM {from}{all})"
            ),
            format!("{name} AS (SELECT * FROM {name}_all WHERE {latest} = _latest)"),
        ]
    }

    /// What holds for a row whatever the day, beside its own condition.
    fn of_base(&self, count: &Count) -> Vec<String> {
        let mut conditions = Vec::new();
        if !self.entry.commitment.scope.is_empty() {
            conditions.push("_area IN (SELECT _counted FROM shown)".to_owned());
        }
        if let (Some(column), Some(Denominator::Divisions(levels))) = (&count.division_column, &count.denominator) {
            conditions.push(format!(
                "{column} IN (SELECT code FROM reference_divisions WHERE level IN ({}))",
                names_of(levels)
            ));
        }
        conditions
    }

    /// The first day of which any record of the register spoke: from then on it says 0 where no row fits.
    fn first_day(&self) -> String {
        format!(
            "kept AS (\n  SELECT MIN(first_day) AS first_day FROM reference_first_days\n  \
             WHERE dataset = '{}' AND area = '{REGION}')",
            self.measure.dataset
        )
    }

    /// Numerator and denominator by area and month.
    fn numbers(&self, name: &str, rows: &str, count: &Count) -> Vec<String> {
        if let Some(group) = &count.group {
            let figures = self.figures_in(&group.having);
            let (columns, joins) = self.join_figures(&figures, "shown._counted");
            let (column, having) = (self.named(&group.column), self.named(&group.having));
            return vec![
                format!(
                    "grouped AS (\n  SELECT _counted, on_month, {column} AS _group\n  FROM (\n    \
                     SELECT {rows}.*, shown._counted AS _counted{columns}\n    FROM {rows}\n    \
                     JOIN shown ON shown._inside = {rows}._area{joins}\n  ) AS of_areas\n  \
                     WHERE {column} IS NOT NULL\n  GROUP BY _counted, on_month, {column}\n  HAVING {having})"
                ),
                format!(
                    "{name} AS (\n  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,\n    \
                     CAST(NULL AS DOUBLE) AS denominator\n  FROM grouped GROUP BY _counted, on_month)"
                ),
            ];
        }
        let dataset = &self.measure.dataset;
        let of_rows = |sql: &str| self.named(&shared(sql, dataset));
        let numerator = count.numerator.as_deref().map_or_else(|| "0".to_owned(), of_rows);
        let denominator = match &count.denominator {
            Some(Denominator::Expression(sql)) => of_rows(sql),
            _ => "NULL".to_owned(),
        };
        vec![format!(
            "{name} AS (\n  SELECT _counted, on_month, CAST({numerator} AS DOUBLE) AS numerator,\n    \
             CAST({denominator} AS DOUBLE) AS denominator\n  \
             FROM {rows} JOIN shown ON _inside = _area\n  GROUP BY _counted, on_month)"
        )]
    }

    /// An expression in which columns that name records do so by their ids alone, with a collection before them or not.
    fn named(&self, sql: &str) -> String {
        let named = self.count.restrictions.iter().filter(|restriction| restriction.key == "_id");
        let columns: BTreeSet<&str> = named.map(|restriction| restriction.column.as_str()).collect();
        columns.into_iter().fold(sql.to_owned(), |sql, column| with_word(&sql, column, &short(column)))
    }

    /// The divisions of some levels in each area.
    fn divisions(&self, levels: &[DivisionLevel]) -> String {
        format!(
            "divisions AS (\n  SELECT _counted, COUNT(*) AS number\n  \
             FROM shown JOIN reference_divisions AS division ON division.county = _inside\n  \
             WHERE division.level IN ({}){}\n  GROUP BY _counted)",
            names_of(levels),
            self.in_scope("division.county")
        )
    }

    /// The whole that another dataset counts.
    fn whole(&self, whole: &Whole) -> Vec<String> {
        let count =
            Count { condition: whole.condition.clone(), numerator: Some(whole.count.clone()), ..Count::default() };
        let mut parts = self.rows("of_whole", &whole.dataset, &count);
        parts.extend(self.numbers("whole", "of_whole", &count));
        parts
    }

    /// Numerator and denominator of each area and month that says anything.
    fn cells(&self, denominator: &str) -> String {
        let (count, dataset) = (self.count, &self.measure.dataset);
        let mut joins =
            "\n  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month"
                .to_owned();
        let mut known = vec!["numbers._counted IS NOT NULL".to_owned()];
        match &count.denominator {
            Some(Denominator::Divisions(_)) => {
                joins.push_str("\n  LEFT JOIN divisions ON divisions._counted = areas._counted");
            }
            Some(Denominator::Other(_)) => {
                joins.push_str(
                    "\n  LEFT JOIN whole ON whole._counted = areas._counted AND whole.on_month = months.on_month",
                );
                known.push("whole._counted IS NOT NULL".to_owned());
            }
            _ => {}
        }
        let whole = if count.period == Some(Period::Month) { " AND months.whole" } else { "" };
        let speaks = match count.empty {
            Empty::Zero => String::new(),
            Empty::Unknown => format!(" AND ({})", known.join(" OR ")),
            Empty::ZeroWhereKnown => {
                let _ = write!(
                    joins,
                    "\n  LEFT JOIN reference_first_days AS heard\n    \
                     ON heard.dataset = '{dataset}' AND heard.area = areas._counted"
                );
                let column = if count.holds_below { "first_day_around" } else { "first_day" };
                format!(" AND heard.{column} <= months.on_day")
            }
        };
        format!(
            "cells AS (\n  SELECT areas._counted AS area, months.on_month AS month,\n    \
             COALESCE(numbers.numerator, 0) AS numerator, {denominator} AS denominator\n  \
             FROM (SELECT DISTINCT _counted FROM shown) AS areas\n  CROSS JOIN reference_months AS months\n  \
             CROSS JOIN kept{joins}\n  \
             WHERE months.service = '{}'{whole} AND kept.first_day <= months.on_day{speaks})",
            service_of(dataset)
        )
    }
}

fn name(commitment: &str, measure: &str) -> String {
    format!("{commitment}__{measure}").replace('-', "_")
}

fn names_of(levels: &[DivisionLevel]) -> String {
    let name = |level: &DivisionLevel| match level {
        DivisionLevel::Prefecture => "'prefecture'",
        DivisionLevel::County => "'county'",
        DivisionLevel::Township => "'township'",
        DivisionLevel::Village => "'village'",
    };
    levels.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// A record's name without its collection.
fn short(column: &str) -> String {
    format!("regexp_replace({column}, '^.*/', '')")
}

fn where_all(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!("\n  WHERE {}", conditions.join("\n    AND ")) }
}

/// The words of an expression that may be names; what stands in quotes is none.
fn words(sql: &str) -> impl Iterator<Item = &str> {
    let unquoted = sql.split('\'').step_by(2);
    unquoted.flat_map(|part| part.split(|letter: char| !letter.is_alphanumeric() && letter != '_'))
}

/// Puts something in the place of a name, wherever it stands outside of quotes.
fn with_word(sql: &str, name: &str, other: &str) -> String {
    let part_of_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let replaced = |part: &str| {
        let (mut text, mut rest) = (String::new(), part);
        while let Some(begin) = rest.find(name) {
            let (before, behind) = (&rest[..begin], &rest[begin + name.len()..]);
            let whole = !before.ends_with(part_of_name) && !behind.starts_with(part_of_name);
            text.push_str(before);
            text.push_str(if whole { other } else { name });
            rest = behind;
        }
        text + rest
    };
    let parts = sql.split('\'').enumerate();
    let parts = parts.map(|(index, part)| if index % 2 == 0 { replaced(part) } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("'")
}

/// An expression in the SQL that engines share: days are counted on by days, where ours reads them as numbers, and a
/// number with a fraction is no decimal of so many places.
fn shared(sql: &str, dataset: &str) -> String {
    let days: BTreeSet<&str> = columns_of(dataset)
        .unwrap_or_default()
        .iter()
        .filter(|column| column.kind == ColumnKind::Day)
        .map(|column| column.name.as_str())
        .chain(["on_day", "on_month", "_from"])
        .collect();
    let mut text = sql.to_owned();
    for day in days {
        text = text.replace(&format!("CAST({day} AS INTEGER)"), day);
    }
    let fraction = |word: &str| word.contains('.') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let words = text.split(' ');
    let words = words.map(|word| if fraction(word) { format!("CAST({word} AS DOUBLE)") } else { word.to_owned() });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_views_are_those_of_the_catalogue() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/attainment.sql");
        let found = views(Catalogue::shipped());
        if std::env::var_os("MINSHENG_ACCEPT").is_some() {
            std::fs::write(&path, &found).expect("the file of views");
        }
        let shipped = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(shipped == found, "analytics/sql/attainment.sql is not the catalogue's; accept with MINSHENG_ACCEPT=1");
    }

    #[test]
    fn a_name_is_replaced_where_it_stands_for_itself() {
        let sql = "COUNT(DISTINCT school) FILTER (WHERE school_kind = 'school' AND old_school <> school)";
        let expected = "COUNT(DISTINCT S) FILTER (WHERE school_kind = 'school' AND old_school <> S)";
        assert_eq!(with_word(sql, "school", "S"), expected);
    }

    #[test]
    fn days_are_days_in_every_engine() {
        let sql = "CAST(last_served_on AS INTEGER) > CAST(on_day AS INTEGER) - window_days AND services >= 3";
        let expected = "last_served_on > on_day - window_days AND services >= 3";
        assert_eq!(shared(sql, "community.point_activities"), expected);
        assert_eq!(
            shared("SUM(price_fen) / 100.0", "health.result_decisions"),
            "SUM(price_fen) / CAST(100.0 AS DOUBLE)"
        );
    }
}
