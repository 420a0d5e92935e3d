//! What may be filed for each commitment: read from the catalogue's own data, so that one entry serves filing,
//! counting and judging.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::values::divisions::AreaCode;

const ARTICLES: [&str; 10] = [
    include_str!("../../../../analytics/catalogue/article-01.toml"),
    include_str!("../../../../analytics/catalogue/article-02.toml"),
    include_str!("../../../../analytics/catalogue/article-03.toml"),
    include_str!("../../../../analytics/catalogue/article-04.toml"),
    include_str!("../../../../analytics/catalogue/article-05.toml"),
    include_str!("../../../../analytics/catalogue/article-06.toml"),
    include_str!("../../../../analytics/catalogue/article-07.toml"),
    include_str!("../../../../analytics/catalogue/article-08.toml"),
    include_str!("../../../../analytics/catalogue/article-09.toml"),
    include_str!("../../../../analytics/catalogue/article-10.toml"),
];

/// Name of a commitment's own measure.
pub const PRIMARY_MEASURE: &str = "primary";

/// How the figure of a measure is made.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// One number.
    Figure,
    /// A part of a whole, in percent.
    Share,
    /// One number over another.
    Ratio,
}

/// What may be filed for a measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasureSpec {
    /// How its figure is made.
    pub form: Form,
    /// Unit, as in the catalogue.
    pub unit: String,
    /// Name under which the figure was published, where it was.
    pub figure: Option<String>,
}

/// What may be filed for a commitment.
#[derive(Clone, Debug)]
pub struct CommitmentSpec {
    /// Department whose service takes it, as `social-security`.
    pub service: String,
    /// Areas within which it applies; empty for the whole region.
    pub scope: Vec<AreaCode>,
    /// By name; the commitment's own is [`PRIMARY_MEASURE`].
    pub measures: BTreeMap<String, MeasureSpec>,
}

#[derive(Deserialize)]
struct File {
    commitment: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    service: String,
    unit: Option<String>,
    #[serde(default)]
    scope: Vec<String>,
    #[serde(default)]
    measures: Vec<MeasureEntry>,
}

#[derive(Deserialize)]
struct MeasureEntry {
    name: String,
    unit: Option<String>,
    form: Form,
    figure: Option<String>,
}

/// Gives all commitments by id.
pub fn commitments() -> &'static BTreeMap<String, CommitmentSpec> {
    static ALL: LazyLock<BTreeMap<String, CommitmentSpec>> = LazyLock::new(|| {
        ARTICLES
            .iter()
            .flat_map(|article| {
                toml::from_str::<File>(article).expect("a test reads the compiled-in catalogue").commitment
            })
            .map(|entry| {
                let measures = entry
                    .measures
                    .into_iter()
                    .map(|measure| {
                        let unit = measure.unit.or_else(|| entry.unit.clone()).unwrap_or_default();
                        (measure.name, MeasureSpec { form: measure.form, unit, figure: measure.figure })
                    })
                    .collect();
                let scope = entry.scope.iter().filter_map(|code| AreaCode::parse(code).ok()).collect();
                (entry.id, CommitmentSpec { service: entry.service, scope, measures })
            })
            .collect()
    });
    &ALL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commitment_can_be_filed_for() {
        let entries = |article: &&str| article.matches("\n[[commitment]]\n").count();
        assert_eq!(commitments().len(), ARTICLES.iter().map(entries).sum::<usize>());
        for (id, commitment) in commitments() {
            assert!(commitment.measures.contains_key(PRIMARY_MEASURE), "{id} has no primary measure");
            for (name, measure) in &commitment.measures {
                assert!(!measure.unit.is_empty(), "{id}/{name} has no unit");
            }
        }
    }
}
