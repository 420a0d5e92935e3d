//! The words of the bench's rows, in both languages, from `words.toml`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::lang::Text;

#[derive(Deserialize)]
struct Words {
    zh: String,
    en: String,
}

static ALL: LazyLock<BTreeMap<String, Words>> =
    LazyLock::new(|| toml::from_str(include_str!("words.toml")).expect("a test reads the words that are compiled in"));

/// Returns the words of a name, which must be in the file.
pub(super) fn words(name: &str) -> Text {
    let Words { zh, en } = ALL.get(name).unwrap_or_else(|| panic!("words.toml has no {name}"));
    Text { zh, en }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_the_bench_uses_has_words_in_both_languages_and_no_other_is_there() {
        let mut used = Vec::new();
        for source in [include_str!("bulk.rs"), include_str!("calls.rs"), include_str!("lake.rs")] {
            used.extend(source.split("words(\"").skip(1).filter_map(|rest| rest.split('"').next()));
        }
        used.sort_unstable();
        used.dedup();
        assert_eq!(ALL.keys().map(String::as_str).collect::<Vec<_>>(), used);
        assert!(ALL.values().all(|words| !words.zh.is_empty() && !words.en.is_empty()));
    }
}
