//! The tables beside the datasets: divisions, months, first days, parameters, commitments and their measures.
//!
//! With them and the datasets anybody computes the same figures without our code; `docs/LAKE.md` says how.

use chrono::{DateTime, Utc};
use minsheng_values::divisions::Divisions;

use crate::catalogue::{Areas, Catalogue, Form};
use crate::lake::Published;
use crate::model::{Commitment, Level};
use crate::statistics::{BitemporalCutoff, Reference};

/// Returns the tables that belong to the figures of a cut-off.
pub(crate) fn tables(catalogue: &Catalogue, cutoff: &BitemporalCutoff, reference: &Reference) -> Vec<Published> {
    vec![
        divisions(),
        months(reference),
        first_days(reference),
        parameters(reference),
        commitments(&catalogue.commitments(cutoff.on)),
        measures(catalogue),
        // The last one says of which day and instant the others are.
        cutoff_table(catalogue, cutoff),
    ]
}

fn cutoff_table(catalogue: &Catalogue, cutoff: &BitemporalCutoff) -> Published {
    let as_of: DateTime<Utc> = cutoff.as_of;
    Published::new("reference.cutoff", "For which day, as known when, the other reference tables speak")
        .days("on_day", "the day that the figures are true for", [cutoff.on])
        .instants("as_of", "records up to this instant count", [as_of])
        .texts("catalogue", "digest of the catalogue of commitments", [catalogue.edition.clone()])
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Region => "region",
        Level::Prefecture => "prefecture",
        Level::County => "county",
    }
}

/// A division, of any level.
struct Division {
    code: String,
    level: &'static str,
    parent: Option<String>,
    prefecture: Option<String>,
    county: Option<String>,
    name_zh: String,
    name_en: Option<String>,
}

fn divisions() -> Published {
    let table = Divisions::get();
    let mut all: Vec<Division> = Vec::new();
    for area in Areas::of_the_region().all() {
        let prefecture = match area.level {
            Level::Region => None,
            Level::Prefecture => Some(area.code.clone()),
            Level::County => area.parent.clone(),
        };
        all.push(Division {
            code: area.code.clone(),
            level: word(area.level),
            parent: area.parent.clone(),
            prefecture,
            county: (area.level == Level::County).then(|| area.code.clone()),
            name_zh: area.name_zh.clone(),
            name_en: Some(area.name_en.clone()),
        });
    }
    let below = |county: minsheng_values::divisions::CountyCode| {
        (Some(county.prefecture().as_str().to_owned()), Some(county.as_str().to_owned()))
    };
    for township in table.townships() {
        let (prefecture, county) = below(township.code.county());
        let (code, parent) = (township.code.as_str().to_owned(), county.clone());
        let (name_zh, level) = (township.name_zh.clone(), "township");
        all.push(Division { code, level, parent, prefecture, county, name_zh, name_en: None });
    }
    for village in table.villages() {
        let (prefecture, county) = below(village.code.county());
        let parent = Some(village.code.township().as_str().to_owned());
        let (code, level) = (village.code.as_str().to_owned(), "village");
        all.push(Division { code, level, parent, prefecture, county, name_zh: village.name_zh.clone(), name_en: None });
    }
    Published::new("reference.divisions", "The region, its prefectures, counties, townships and villages")
        .texts(
            "code",
            "six digits (GB/T 2260), nine for a township, twelve for a village",
            all.iter().map(|one| one.code.clone()),
        )
        .texts("level", "region, prefecture, county, township, village", all.iter().map(|one| one.level.to_owned()))
        .texts("parent", "the division that it belongs to", all.iter().map(|one| one.parent.clone()))
        .texts("prefecture", "the prefecture that it is or lies in", all.iter().map(|one| one.prefecture.clone()))
        .texts("county", "the county that it is or lies in", all.iter().map(|one| one.county.clone()))
        .texts("name_zh", "Chinese name", all.iter().map(|one| one.name_zh.clone()))
        .texts("name_en", "English name of an area", all.iter().map(|one| one.name_en.clone()))
}

fn months(reference: &Reference) -> Published {
    let all = &reference.months;
    Published::new("reference.months", "The months of which each service's records speak")
        .texts("service", "the service", all.iter().map(|one| one.service.to_owned()))
        .days("on_month", "first day of the month", all.iter().map(|one| one.month))
        .days(
            "on_day",
            "the day for which its figures are true: its last, or the last known",
            all.iter().map(|one| one.day),
        )
        .flags("whole", "on_day is the month's last day", all.iter().map(|one| one.whole))
}

fn first_days(reference: &Reference) -> Published {
    let all = &reference.first_days;
    Published::new("reference.first_days", "Since when records of a dataset speak of an area; no row: none ever came")
        .texts("dataset", "the dataset", all.iter().map(|one| one.dataset.clone()))
        .texts("area", "the area", all.iter().map(|one| one.area.clone()))
        .days("first_day", "first day of which a record of the area spoke", all.iter().map(|one| one.inside))
        .days("first_day_around", "the same, of the area or of one around it", all.iter().map(|one| one.around))
}

fn parameters(reference: &Reference) -> Published {
    let all = &reference.parameters;
    Published::new("reference.parameters", "The figures that expressions use, as in force in each area from day to day")
        .texts("commitment", "the commitment whose expressions use it", all.iter().map(|one| one.commitment.clone()))
        .texts("name", "its name in the expressions", all.iter().map(|one| one.name.clone()))
        .texts(
            "key",
            "the department's parameter; null where the catalogue states it",
            all.iter().map(|one| one.key.clone()),
        )
        .texts("area", "the area", all.iter().map(|one| one.area.clone()))
        .days("valid_from", "first day on which it is in force", all.iter().map(|one| one.from))
        .days("valid_until", "first day on which it no longer is; null while it is", all.iter().map(|one| one.until))
        .numbers("value", "the figure; money in fen", all.iter().map(|one| one.value))
}

/// The word that files use for a value of an enumeration.
fn name_of(value: impl serde::Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}

fn commitments(all: &[Commitment]) -> Published {
    let scope = |one: &Commitment| (!one.scope.is_empty()).then(|| one.scope.join(","));
    Published::new("reference.commitments", "The commitments of the catalogue")
        .texts("commitment", "its id", all.iter().map(|one| one.id.clone()))
        .numbers("article", "the notice's article", all.iter().map(|one| i64::from(one.article)))
        .texts("service", "the service that keeps the records", all.iter().map(|one| one.service.clone()))
        .texts("title_zh", "Chinese title", all.iter().map(|one| one.title_zh.clone()))
        .texts("title_en", "English title", all.iter().map(|one| one.title_en.clone()))
        .texts("kind", "rate, count, amount, milestone, standard", all.iter().map(|one| name_of(one.kind)))
        .texts("basis", "stated, implied, trend", all.iter().map(|one| name_of(one.basis)))
        .texts("direction", "at_least, at_most, rising, falling", all.iter().map(|one| name_of(one.direction)))
        .decimals("target", "the target, in unit", all.iter().map(|one| one.target))
        .texts("unit", "unit of target and primary measure", all.iter().map(|one| one.unit.en.clone()))
        .texts("unit_zh", "the same in Chinese", all.iter().map(|one| one.unit.zh.clone()))
        .days("due", "last day on which the target must hold", all.iter().map(|one| one.due))
        .texts("source", "register, returns, milestones", all.iter().map(|one| name_of(one.source)))
        .texts("scope", "the areas it applies to, by comma; null for all", all.iter().map(scope))
        .texts(
            "lowest_level",
            "below it the figure does not exist",
            all.iter().map(|one| word(one.lowest_level).to_owned()),
        )
        .flags("standing", "the target has to hold every day", all.iter().map(|one| one.standing))
        .flags("cumulative", "the figure can only grow", all.iter().map(|one| one.cumulative))
}

fn measures(catalogue: &Catalogue) -> Published {
    let all = catalogue.entries.iter().flat_map(|entry| entry.measures.iter().map(move |measure| (entry, measure)));
    let all: Vec<_> = all.collect();
    let form = |form: Form| match form {
        Form::Share => "share",
        Form::Ratio => "ratio",
        Form::Figure => "figure",
    };
    Published::new("reference.measures", "The measures of each commitment; the primary one is judged")
        .texts("commitment", "the commitment", all.iter().map(|(entry, _)| entry.commitment.id.clone()))
        .texts("measure", "its name", all.iter().map(|(_, one)| one.name.clone()))
        .texts(
            "form",
            "share (percent of a whole), ratio, figure",
            all.iter().map(|(_, one)| form(one.form).to_owned()),
        )
        .texts("source", "register, returns, milestones", all.iter().map(|(_, one)| name_of(one.source)))
        .texts("dataset", "the dataset", all.iter().map(|(_, one)| one.dataset.clone()))
        .texts("unit", "its unit", all.iter().map(|(_, one)| one.unit.en.clone()))
        .texts("unit_zh", "the same in Chinese", all.iter().map(|(_, one)| one.unit.zh.clone()))
        .decimals("scale", "what the quotient is multiplied by", all.iter().map(|(_, one)| one.scale))
        .flags(
            "person_based",
            "it counts persons: small counts are withheld in reports",
            all.iter().map(|(_, one)| one.person_based),
        )
}
