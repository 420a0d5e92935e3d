//! The catalogue of commitments: what the government promised, and how each promise is measured, as data.
//!
//! One TOML file per article under `analytics/catalogue/data`, compiled in; an operator may name a directory of such
//! files instead. It is checked when it is loaded: every problem of every file is reported at once, with file and line.
//! Services and analytics read the same. Nothing here reads records, judges progress, or knows the engine that computes
//! expressions: whoever has one passes its check ([`Catalogue::read_with`]).

mod areas;
mod check;
mod commitment;
mod datasets;
mod file;
pub mod wire;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use chrono::NaiveDate;
use minsheng_values::{
    divisions::{AreaCode, Divisions},
    parameters::Parameters,
};
use sha2::{Digest, Sha256};

pub use areas::{Areas, DivisionLevel, contains, in_scope};
pub use commitment::{
    Area, Baseline, Basis, Bilingual, Clause, Commitment, Direction, DueBasis, Kind, Level, PRIMARY_MEASURE, REGION,
    SecondaryMeasure, SourceKind, StandardFigure, Window,
};
pub use datasets::{Column, ColumnKind, SERVICES, columns_of, dataset_names, service_of};

/// Columns that every journal row has beside its dataset's own, as expressions may use them.
///
/// `_id` is the record's name without its collection; `on_day` and `on_month` are the day in question and the first
/// day of its month.
pub const DAY_COLUMNS: [&str; 2] = ["on_day", "on_month"];

/// Text columns that every journal row has beside its dataset's own.
pub const TEXT_COLUMNS: [&str; 3] = ["_record", "_id", "_area"];

/// The day from which a row holds, as expressions may use it.
pub const FROM_COLUMN: &str = "_from";

/// What an expression may name: a dataset's columns, those of every row, and the entry's dated figures.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The dataset's own columns.
    pub columns: &'a [Column],
    /// The names of the entry's figures.
    pub parameters: &'a [&'a str],
}

impl Scope<'_> {
    /// Reports whether an expression may name this.
    pub fn contains(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name)
            || self.parameters.contains(&name)
            || TEXT_COLUMNS.contains(&name)
            || DAY_COLUMNS.contains(&name)
            || name == FROM_COLUMN
    }
}

/// What an expression has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// True or false for a row.
    Condition,
    /// True or false for a group of rows.
    GroupCondition,
    /// A number for a group of rows.
    GroupNumber,
}

/// Checks an expression; the error says what is wrong with it.
pub type CheckExpression<'a> = &'a dyn Fn(&str, Scope<'_>, Wanted) -> Result<(), String>;

/// A catalogue that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// The commitments in the order of the files.
    pub entries: Vec<Entry>,
    /// Digest of the files and of the parameters that they name, as the software ships with them: two catalogues of the
    /// same edition give the same figures.
    pub edition: String,
}

/// One commitment with the way it is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What assessment and report know of it; its `standard` is filled in by [`Catalogue::commitments`].
    pub commitment: Commitment,
    /// The figure that every provider has to reach, by the first day on which it holds.
    pub standards: BTreeMap<NaiveDate, StandardFigure>,
    /// Figures that the expressions use, dated.
    pub parameters: Vec<Parameter>,
    /// What the department judges by: as the software ships with it, until what was filed is put beside it.
    pub department: Arc<Parameters>,
    /// Percent of what is expected (counties that file, points that report) from which a figure is given; below it
    /// too little is known to add anything up.
    pub complete_from: f64,
    /// The measures; the first is the primary one.
    pub measures: Vec<Measure>,
}

/// A dated figure that an entry's expressions use by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name in the expressions.
    pub name: String,
    /// The figure, in its own unit, which the name tells.
    pub figure: Figure,
}

/// Where a parameter's figure comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// The entry says it.
    Stated {
        /// The figure.
        value: i64,
        /// First day on which it holds.
        from: NaiveDate,
    },
    /// The department judges by it: the key of its parameter.
    OfDepartment(String),
}

/// What sort of figure a measure gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A part of a whole, in percent: the numerator is never above the denominator.
    Share,
    /// A numerator for each unit of the denominator, as yuan per student.
    Ratio,
    /// A count, a sum or a level.
    Figure,
}

/// One measure of a commitment.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// [`PRIMARY_MEASURE`] or its own name.
    pub name: String,
    /// What it is.
    pub title: Bilingual,
    /// Its unit.
    pub unit: Bilingual,
    /// What sort of figure it gives.
    pub form: Form,
    /// It counts persons, so that small counts are suppressed at county level.
    pub person_based: bool,
    /// Its name in the list of published figures, where it has one.
    pub figure: Option<String>,
    /// Where its figures come from.
    pub source: SourceKind,
    /// The dataset.
    pub dataset: String,
    /// Value = numerator / denominator * scale, or numerator * scale.
    pub scale: f64,
    /// How it is counted from a register's rows; none for what is filed.
    pub count: Option<Count>,
    /// What areas file adds up to the figure of the area above; a median or a rate in yuan does not.
    pub rolls_up: bool,
    /// The measure, a share of those that reported, without which enough of this one is not known.
    pub complete_by: Option<String>,
    /// The subjects of milestones that decide; empty for any, where there is no target that they could fulfil.
    pub subjects: Vec<String>,
    /// What a filed share is a share of, where a register or the division table knows it better than who files.
    pub known_whole: Option<Denominator>,
    /// The measures of which this one is the least, area by area; empty where it is counted or filed itself.
    pub least_of: Vec<String>,
    /// What an area that did not report has at most; none where nothing bounds it.
    pub silent: Option<Silent>,
}

/// What bounds the figure of an area that did not report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silent {
    /// The denominator that it filed last.
    Denominator,
    /// The number of its divisions of these levels.
    Divisions(Vec<DivisionLevel>),
    /// Its own part of the plan: the target of the area.
    Plan,
}

/// How a measure is counted from the rows that were true on a day.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Count {
    /// Which rows take part.
    pub condition: Option<String>,
    /// Rows of records that have ended by the day take part too (events, unlike things that exist).
    pub ended_included: bool,
    /// Only rows with the greatest value of this column take part.
    pub latest: Option<String>,
    /// The greatest among those that agree in this column, such as the latest term of each school.
    pub latest_of: Option<String>,
    /// What one figure is about; none for the state on a day.
    pub period: Option<Period>,
    /// What an area without a row says.
    pub empty: Empty,
    /// Only rows that have a partner in another dataset take part.
    pub restrictions: Vec<Restriction>,
    /// The groups that are counted, where it is groups and not rows.
    pub group: Option<Group>,
    /// Aggregate that gives the numerator; none where groups are counted.
    pub numerator: Option<String>,
    /// What gives the denominator.
    pub denominator: Option<Denominator>,
    /// Column with the code of a division; rows whose code is not in the division table take no part.
    pub division_column: Option<String>,
    /// A row of an area counts in every area inside it too, as an item of the region's list does in each prefecture.
    pub holds_below: bool,
}

/// What a figure is about when it is not the state on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A whole month: the running one has no figure yet.
    Month,
}

/// What an area says of which no row takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// Nothing was there, if any record of the dataset ever came from the area; otherwise nobody knows.
    #[default]
    ZeroWhereKnown,
    /// Nothing was there: an area without any record has none of the things.
    Zero,
    /// Nobody knows: what was not reported for the month may yet be.
    Unknown,
}

/// A condition on another dataset: rows stay where `column` is among its `key`s.
#[derive(Debug, Clone, PartialEq)]
pub struct Restriction {
    /// Column of the measure's own dataset.
    pub column: String,
    /// The other dataset.
    pub dataset: String,
    /// Column of the other dataset.
    pub key: String,
    /// Which of its rows.
    pub condition: Option<String>,
    /// Rows of records that have ended by the day take part too.
    pub ended_included: bool,
    /// The rows without a partner stay, not those with one.
    pub without: bool,
    /// The partner's area must be the row's or contain it.
    pub covering: bool,
}

/// Groups of rows, counted where they fulfil a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Column to group by.
    pub column: String,
    /// Aggregate condition on a group.
    pub having: String,
}

/// What a share is a share of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denominator {
    /// An aggregate over the rows.
    Expression(String),
    /// The number of divisions of these levels in the area, by the division table.
    Divisions(Vec<DivisionLevel>),
    /// What another dataset of the service counts.
    Other(Whole),
}

/// The whole of a share, counted from another dataset than the part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// The dataset.
    pub dataset: String,
    /// Which of its rows.
    pub condition: Option<String>,
    /// Aggregate over them.
    pub count: String,
}

/// Something wrong in a catalogue file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Why a catalogue could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The files have problems.
    #[error("the catalogue has {} problem(s):{}", .0.len(), listed(.0))]
    Invalid(Vec<Problem>),
    /// A file cannot be read.
    #[error("cannot read the catalogue at {path}: {source}")]
    Unreadable {
        /// The file or directory.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A directory has no file.
    #[error("there is no *.toml file in {path}")]
    Empty {
        /// The directory.
        path: String,
    },
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut text, problem| {
        let _ = write!(text, "\n  {problem}");
        text
    })
}

macro_rules! articles {
    ($($name:literal),*) => {[$(($name, include_str!(concat!("../data/", $name)))),*]};
}

/// The files of the notice, as compiled in.
const ARTICLES: [(&str, &str); 10] = articles!(
    "article-01.toml",
    "article-02.toml",
    "article-03.toml",
    "article-04.toml",
    "article-05.toml",
    "article-06.toml",
    "article-07.toml",
    "article-08.toml",
    "article-09.toml",
    "article-10.toml"
);

impl Catalogue {
    /// Returns the catalogue of the notice of August 2025, as compiled in, read once.
    pub fn shipped() -> &'static Arc<Self> {
        static SHIPPED: LazyLock<Arc<Catalogue>> =
            LazyLock::new(|| Arc::new(Catalogue::embedded().expect("a test reads the compiled-in catalogue")));
        &SHIPPED
    }

    /// Returns the operator's catalogue, or the shipped one where there is none.
    pub fn in_use(operators: Option<&'static Self>) -> &'static Self {
        operators.unwrap_or_else(|| Self::shipped())
    }

    /// Reads the catalogue of the notice of August 2025, as compiled in.
    pub fn embedded() -> Result<Self, CatalogueError> {
        Self::parse(&ARTICLES)
    }

    /// Reads the catalogue as compiled in, its expressions checked too.
    pub fn embedded_with(check: CheckExpression<'_>) -> Result<Self, CatalogueError> {
        Self::parse_with(&ARTICLES, check)
    }

    /// Reads the `*.toml` files of a directory, in the order of their names; expressions are not checked.
    pub fn read(directory: &Path) -> Result<Self, CatalogueError> {
        Self::read_with(directory, &|_, _, _| Ok(()))
    }

    /// Reads the `*.toml` files of a directory, in the order of their names.
    pub fn read_with(directory: &Path, check: CheckExpression<'_>) -> Result<Self, CatalogueError> {
        let unreadable = |path: &Path| {
            let path = path.display().to_string();
            move |source| CatalogueError::Unreadable { path, source }
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable(directory))? {
            let path = entry.map_err(unreadable(directory))?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
                let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                files.push((name, text));
            }
        }
        if files.is_empty() {
            return Err(CatalogueError::Empty { path: directory.display().to_string() });
        }
        files.sort();
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Self::parse_with(&files, check)
    }

    /// Reads and checks files given as name and text; expressions are not checked.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, CatalogueError> {
        Self::parse_with(files, &|_, _, _| Ok(()))
    }

    /// Reads and checks files given as name and text.
    pub fn parse_with(files: &[(&str, &str)], check: CheckExpression<'_>) -> Result<Self, CatalogueError> {
        let mut problems = Vec::new();
        let mut raw = Vec::new();
        for (name, text) in files {
            match file::parse(name, text) {
                Ok(commitments) => raw.push((file::Source::new(name, text), commitments)),
                Err(problem) => problems.push(problem),
            }
        }
        let entries = check::check(raw, check, &mut problems);
        if !problems.is_empty() {
            problems.sort();
            return Err(CatalogueError::Invalid(problems));
        }
        let edition = edition(files, &entries);
        Ok(Self { entries, edition })
    }

    /// Returns an entry by its id.
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.commitment.id == id)
    }

    /// Returns what assessment and report know of the commitments, with the standards in force on a day.
    pub fn commitments(&self, on: NaiveDate) -> Vec<Commitment> {
        self.entries.iter().map(|entry| entry.commitment_on(on)).collect()
    }
}

impl Entry {
    /// Returns the commitment with the standard in force on a day.
    pub fn commitment_on(&self, on: NaiveDate) -> Commitment {
        let standard = self.standards.range(..=on).next_back().or_else(|| self.standards.iter().next());
        Commitment { standard: standard.map(|(_, figure)| figure.clone()), ..self.commitment.clone() }
    }

    /// Returns the parameters in force in the region on a day, by name.
    pub fn parameters_on(&self, on: NaiveDate) -> BTreeMap<&str, i64> {
        self.parameters_in(Divisions::get().region(), on)
    }

    /// Returns the parameters in force in an area on a day, by name; those of the department are looked up as it does.
    pub fn parameters_in(&self, area: AreaCode, on: NaiveDate) -> BTreeMap<&str, i64> {
        let dated = self.parameters.iter().filter_map(|parameter| {
            let (from, value) = match &parameter.figure {
                Figure::Stated { value, from } => (*from, *value),
                Figure::OfDepartment(key) => (NaiveDate::MIN, self.department.value_on(key, area, on).ok()?.value),
            };
            (from <= on).then_some((parameter.name.as_str(), from, value))
        });
        let mut dated: Vec<(&str, NaiveDate, i64)> = dated.collect();
        dated.sort_by_key(|(_, from, _)| *from);
        dated.into_iter().map(|(name, _, value)| (name, value)).collect()
    }

    /// Returns the keys of the department's parameters that the expressions use.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter_map(|parameter| match &parameter.figure {
            Figure::OfDepartment(key) => Some(key.as_str()),
            Figure::Stated { .. } => None,
        })
    }

    /// Returns the measure that the target speaks of.
    pub fn primary(&self) -> &Measure {
        self.measures.first().expect("the check refuses an entry without measures")
    }
}

impl Count {
    /// Lists the expressions over the dataset's own rows.
    pub fn expressions(&self) -> impl Iterator<Item = &str> {
        let denominator = match &self.denominator {
            Some(Denominator::Expression(sql)) => Some(sql),
            _ => None,
        };
        let having = self.group.as_ref().map(|group| &group.having);
        [self.condition.as_ref(), self.numerator.as_ref(), denominator, having]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// Lists the columns that are named outside expressions.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let group = self.group.as_ref().map(|group| &group.column);
        let named = [self.latest.as_ref(), self.latest_of.as_ref(), self.division_column.as_ref(), group];
        named
            .into_iter()
            .flatten()
            .chain(self.restrictions.iter().map(|restriction| &restriction.column))
            .map(String::as_str)
    }
}

fn edition(files: &[(&str, &str)], entries: &[Entry]) -> String {
    let mut digest = Sha256::new();
    let keys: BTreeSet<&str> = entries.iter().flat_map(Entry::keys).collect();
    for shipped in Parameters::get().iter().filter(|shipped| keys.contains(shipped.key.as_str())) {
        let (from, to) = (shipped.effective_from, shipped.effective_to);
        digest.update(format!("{} {} {} {from} {to:?}\0", shipped.key, shipped.area, shipped.value));
    }
    for (name, text) in files {
        digest.update(name.as_bytes());
        digest.update([0]);
        digest.update(text.as_bytes());
        digest.update([0]);
    }
    digest.finalize().iter().take(8).fold(String::from("sha256:"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
