//! What a data directory was filled with, in its `demo.json`: invented records and published figures never mix, nor do
//! two invented provinces.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::province::Province;
use crate::{
    cli::Profile,
    error::Error,
    lang::{InBothLanguages, Lang, Text},
    said,
    site::holds_records,
};

/// The file, in the data directory.
const FILE: &str = "demo.json";
/// Under it fingerprints of generators are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d69_6e73_6865_6e67_2d67_656e_6572_0001);
/// Records of each register that are looked at for the generator's fingerprint.
const SAMPLE: usize = 100;

/// Stands on everything that is made from an invented province.
const INVENTED: Text = Text {
    zh: "演示数据：除承诺事项、行政区划和公布的基数外，全部记录均为虚构。",
    en: "Demonstration data: all records are invented; commitments, divisions and baselines are real.",
};
/// Stands on everything that is made from published figures alone.
const PUBLIC: Text = Text {
    zh: "仅含已公布的数字：没有任何部门的登记记录，多数承诺因此无法评估。",
    en: "Published figures only, no department's records: most commitments cannot be assessed.",
};

/// What a demo loaded into a directory.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct DemoRecord {
    /// Which records.
    pub profile: Profile,
    /// What the invented province was made from.
    pub seed: u64,
    /// How many people and cases.
    pub scale: f64,
    /// Fingerprint of what the generator makes: the same as long as a rerun sends the same records.
    pub generator: String,
}

impl DemoRecord {
    /// Describes an invented province.
    pub fn synthetic(seed: u64, scale: f64) -> Self {
        let generator = generator(Province::new(seed, scale)).to_string();
        Self { profile: Profile::Synthetic, seed, scale, generator }
    }

    /// Describes published figures; `filed` is what is filed of them.
    pub fn public<'a>(filed: impl Iterator<Item = &'a [u8]>) -> Self {
        let generator = fingerprint(filed).to_string();
        Self { profile: Profile::Public, seed: 0, scale: 1.0, generator }
    }

    /// Reads what a directory was filled with; none where no demo was.
    pub fn read(directory: &Path) -> Result<Option<Self>, Error> {
        let path = directory.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| Error::File {
                path,
                source: std::io::Error::new(std::io::ErrorKind::InvalidData, error),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::File { path, source }),
        }
    }

    /// Claims a directory before anything is loaded: an empty one, or one that was filled with the same.
    pub fn claim(&self, directory: &Path) -> Result<(), Error> {
        match Self::read(directory)? {
            Some(there) if there == *self => Ok(()),
            there if there.is_some() || holds_records(directory) => {
                Err(OtherDemo { directory: directory.to_owned(), there, asked: self.clone() }.into())
            }
            _ => self.write(directory),
        }
    }

    /// Notes in the folder of a lake what its rows come from, for reports that are made of it by itself.
    pub fn remember(&self, lake: &Path) -> Result<(), Error> {
        if Self::read(lake)?.as_ref() == Some(self) { Ok(()) } else { self.write(lake) }
    }

    /// In one step: whoever reads it meanwhile sees all of it or nothing.
    fn write(&self, directory: &Path) -> Result<(), Error> {
        fs::create_dir_all(directory).map_err(Error::file(directory))?;
        let text = serde_json::to_string_pretty(self).map_err(Error::internal)?;
        let (path, unfinished) = (directory.join(FILE), directory.join(format!("{FILE}.tmp")));
        fs::write(&unfinished, text + "\n").map_err(Error::file(&unfinished))?;
        fs::rename(&unfinished, &path).map_err(Error::file(path))
    }

    /// Returns what stands on every report of it.
    pub fn notice(&self) -> Text {
        match self.profile {
            Profile::Synthetic => INVENTED,
            Profile::Public => PUBLIC,
        }
    }

    /// Says it in a few words.
    pub fn text(&self, lang: Lang) -> String {
        let Self { seed, scale, .. } = self;
        match self.profile {
            Profile::Synthetic => said!(
                lang,
                "虚构的自治区（种子 {seed}，规模 {scale}）",
                "an invented province (seed {seed}, scale {scale})"
            ),
            Profile::Public => said!(lang, "已公布的数字", "published figures"),
        }
    }
}

/// A data directory that holds something else than what a demo was asked to load.
#[derive(Debug, thiserror::Error)]
#[error("{} holds something else", directory.display())]
pub struct OtherDemo {
    /// The directory.
    pub directory: PathBuf,
    /// What it was filled with; none where no demo did it.
    pub there: Option<DemoRecord>,
    /// What was asked for.
    pub asked: DemoRecord,
}

impl InBothLanguages for OtherDemo {
    fn message(&self, lang: Lang) -> String {
        let (directory, wanted) = (self.directory.display(), self.asked.text(lang));
        let Some(record) = &self.there else {
            return said!(
                lang,
                "{directory} 中已有不是本演示载入的记录，不能再载入{wanted}；请用 --data 指定另一目录",
                "{directory} holds records that no demo of this version loaded, so {wanted} cannot be added; name another directory with --data"
            );
        };
        let held = record.text(lang);
        if held == wanted {
            return said!(
                lang,
                "{directory} 由本程序的另一版本载入，两者的{wanted}并不相同；请用 --data 指定另一目录，或先删除它",
                "{directory} was filled by another version of this program, whose records differ from today's for {wanted}; name another directory with --data, or remove it first"
            );
        }
        said!(
            lang,
            "{directory} 中是{held}，不能再载入{wanted}，二者不可混合；请用 --data 指定另一目录，或先删除它",
            "{directory} holds {held}; {wanted} cannot be added, for the two must not mix: name another directory with --data, or remove it first"
        )
    }
}

impl From<OtherDemo> for Error {
    fn from(error: OtherDemo) -> Self {
        Self::Taken(Box::new(error))
    }
}

/// Makes the fingerprint of a generator out of the first records of every register and of all changes.
fn generator(province: Province) -> Uuid {
    let mut content = Vec::new();
    for lane in province.lanes() {
        for batch in lane.batches.into_iter().chain(lane.filings) {
            content.push(batch.register.as_bytes().to_vec());
            content.extend(batch.records.take(SAMPLE).map(|record| record.to_vec()));
        }
        for changes in lane.changes.into_iter().chain(lane.cases) {
            content.push(changes.register.as_bytes().to_vec());
            content.extend(changes.creations.iter().take(SAMPLE).map(|made| made.resource.to_vec()));
            content.extend(changes.updates.iter().take(SAMPLE).map(|update| update.resource.to_vec()));
        }
    }
    fingerprint(content.iter().map(Vec::as_slice))
}

fn fingerprint<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Uuid {
    parts.fold(NAMESPACE, |so_far, part| Uuid::new_v5(&so_far, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(profile: Profile, seed: u64, scale: f64, generator: &str) -> DemoRecord {
        DemoRecord { profile, seed, scale, generator: generator.to_owned() }
    }

    fn other_demo(error: &Error) -> &OtherDemo {
        let Error::Taken(by) = error else { panic!("{error:?}") };
        let by: &dyn std::error::Error = by.as_ref();
        by.downcast_ref().expect("a demo's")
    }

    #[test]
    fn a_directory_takes_the_same_again_and_nothing_else() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = record(Profile::Synthetic, 1, 0.1, "a");
        first.claim(directory.path()).expect("empty");
        first.claim(directory.path()).expect("the same");
        for other in [
            record(Profile::Public, 1, 0.1, "a"),
            record(Profile::Synthetic, 2, 0.1, "a"),
            record(Profile::Synthetic, 1, 1.0, "a"),
            record(Profile::Synthetic, 1, 0.1, "b"),
        ] {
            let refused = other.claim(directory.path()).expect_err("another");
            assert!(other_demo(&refused).there.is_some(), "{refused:?}");
        }
        let newer = record(Profile::Synthetic, 1, 0.1, "b").claim(directory.path()).expect_err("another version");
        assert!(newer.message(Lang::Zh).contains("另一版本") && newer.message(Lang::En).contains("another version"));
    }

    #[test]
    fn a_directory_with_records_that_no_demo_loaded_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("health.db"), b"").expect("written");
        let refused = record(Profile::Public, 0, 1.0, "a").claim(directory.path()).expect_err("records");
        assert!(other_demo(&refused).there.is_none(), "{refused:?}");
        assert!(!directory.path().join(FILE).exists());
    }

    #[test]
    fn the_fingerprint_follows_seed_and_scale_and_is_the_same_again() {
        let made = |seed, scale| DemoRecord::synthetic(seed, scale).generator;
        assert_eq!(made(1, 0.02), made(1, 0.02));
        assert_ne!(made(1, 0.02), made(2, 0.02));
    }
}
