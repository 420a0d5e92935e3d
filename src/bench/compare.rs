//! `bench --compare`: this build beside another one in turns, or beside a table that an earlier run wrote.
//!
//! One run differs from the next by more than most changes of the code do. So the builds alternate, each measurement
//! in a process of its own: old, new, old. The new build is always between two runs of the old one, so a machine that
//! slows down slows both; and the old build against itself shows how much a difference means.

use std::{
    fs::Metadata,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
};

use clap::ValueEnum as _;
use tokio::process::Command;

use super::{
    BenchArgs, Directory,
    change::{Changes, Round},
    measure_all,
    results::{Results, Unreadable},
};
use crate::{
    error::Error,
    lang::{Lang, Text},
    output::{self, EXIT_USAGE},
    said,
};

/// Rounds of turns unless another number is given.
const ROUNDS: u32 = 7;
/// Characters of a failed build's errors that are repeated.
const REPEATED: usize = 2_000;

/// Why a build or a table cannot be compared with.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A file that is not the table of a run.
    #[error("{path} is not a table of bench: {why}", path = path.display(), why = why.pick(Lang::En))]
    NotATable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: Reason,
    },
    /// A build that cannot be started.
    #[error("{binary} cannot be started", binary = binary.display())]
    NotStarted {
        /// Which.
        binary: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A build that ended with an error.
    #[error("{binary} failed: {status}", binary = binary.display())]
    Failed {
        /// Which.
        binary: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// What it printed of errors.
        errors: String,
    },
    /// An executable that printed something else than a table.
    #[error("{binary} printed no table of bench: {why}", binary = binary.display(), why = why.pick(Lang::En))]
    PrintedNoTable {
        /// Which.
        binary: PathBuf,
        /// Why.
        why: Reason,
    },
}

/// A reason in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    zh: String,
    en: String,
}

impl Reason {
    fn pick(&self, lang: Lang) -> &str {
        lang.of(&self.zh, &self.en)
    }
}

impl From<Unreadable> for Reason {
    fn from(unreadable: Unreadable) -> Self {
        let say = |lang| match &unreadable {
            Unreadable::NoTable => said!(lang, "其中没有结果表", "it has no table of results"),
            Unreadable::Line(line) => {
                said!(lang, "第 {line} 行不是表中的一行", "line {line} is not a row of the table")
            }
            Unreadable::Json(error) => said!(lang, "JSON 格式不符（{error}）", "its JSON is another ({error})"),
        };
        Self { zh: say(Lang::Zh), en: say(Lang::En) }
    }
}

impl CompareError {
    /// Renders it in a language.
    pub fn message(&self, lang: Lang) -> String {
        match self {
            Self::NotATable { path, why } => {
                let (path, why) = (path.display(), why.pick(lang));
                said!(
                    lang,
                    "不能与 {path} 比较：{why}；应为 bench --out 写出的文件，或另一版本的可执行文件",
                    "cannot compare with {path}: {why}; give a file that `bench --out` wrote, or another build's executable"
                )
            }
            Self::NotStarted { binary, source } => {
                let binary = binary.display();
                said!(lang, "无法运行 {binary}：{source}", "cannot run {binary}: {source}")
            }
            Self::Failed { binary, status, errors } => {
                let binary = binary.display();
                said!(lang, "{binary} 运行失败（{status}）：{errors}", "{binary} failed ({status}): {errors}")
            }
            Self::PrintedNoTable { binary, why } => {
                let (binary, why) = (binary.display(), why.pick(lang));
                said!(
                    lang,
                    "{binary} 没有给出 bench 的结果：{why}；它是 minsheng 的可执行文件吗？",
                    "{binary} gave no results of bench: {why}; is it an executable of minsheng?"
                )
            }
        }
    }
}

/// Compares this build with an executable or an earlier table, and returns the text that says what changed.
pub(super) async fn run(arguments: &BenchArgs, with: &Path, lang: Lang) -> Result<String, Error> {
    let metadata = std::fs::metadata(with).map_err(Error::file(with))?;
    match read_table(with) {
        Ok(earlier) => with_table(arguments, with, &earlier, lang).await,
        // On some file systems every file is executable, so the contents come first.
        Err(_) if is_executable(&metadata) => with_build(arguments, with, lang).await,
        Err(error) => Err(error),
    }
}

fn read_table(path: &Path) -> Result<Results, Error> {
    let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    let not_a_table =
        |unreadable: Unreadable| CompareError::NotATable { path: path.to_owned(), why: unreadable.into() };
    Ok(Results::parse(&text).map_err(not_a_table)?)
}

fn is_executable(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
}

async fn with_table(arguments: &BenchArgs, path: &Path, earlier: &Results, lang: Lang) -> Result<String, Error> {
    let table = measure_all(arguments, lang).await?;
    let changes = Changes::since(earlier, &Results::of(&table, earlier.lang));
    let path = path.display();
    let intro = said!(
        lang,
        "未并排测量：“旧”取自先前一次运行写出的 {path}，“新”为本版本此刻所测。其间机器可能已变，故“变化”指对照比值的变化；无旧对旧之差，不作判断。",
        "Not measured side by side: old is what {path} says of an earlier run, new is this build now. The machine may have changed in between, so the change is that of the ratio to the baseline; there is no old against old, and nothing is said about losses."
    );
    Ok(format!("{intro}\n\n{}", changes.markdown(lang)))
}

async fn with_build(arguments: &BenchArgs, binary: &Path, lang: Lang) -> Result<String, Error> {
    // Without a directory in it, a name would be searched for in PATH.
    let old = binary.canonicalize().map_err(Error::file(binary))?;
    let new = std::env::current_exe().map_err(Error::internal)?;
    let directory = Directory::make(&arguments.data)?;
    let form = Form::known_to(&old).await?;
    let rounds = arguments.rounds.unwrap_or(if arguments.quick { 1 } else { ROUNDS });
    let turns = Turns { arguments, directory: &directory.0, form, lang };
    let mut measured = Vec::new();
    for round in 1..=rounds {
        let announce = |build: Text| {
            let build = lang.pick(build);
            output::error(said!(lang, "第 {round}/{rounds} 轮：{build}……", "round {round} of {rounds}: {build} ..."));
        };
        announce(OLD);
        let first = turns.measure(&old).await?;
        announce(NEW);
        let new = turns.measure(&new).await?;
        announce(OLD);
        let last = turns.measure(&old).await?;
        // Each of the two series comes first as often as last.
        let (old, again) = if round.is_multiple_of(2) { (last, first) } else { (first, last) };
        measured.push(Round { old, new, again });
    }
    let (path, form) = (binary.display(), lang.pick(form.text()));
    let intro = said!(
        lang,
        "“旧”为 {path}，“新”为本版本，轮流测量，每轮依次为旧、新、旧；轮数：{rounds}；{form}。",
        "Old is {path}, new is this build. They took turns, in each round old, new, old; rounds: {rounds}; {form}."
    );
    Ok(format!("{intro}\n\n{}", Changes::over_rounds(&measured).markdown(lang)))
}

const OLD: Text = Text { zh: "旧", en: "old" };
const NEW: Text = Text { zh: "新", en: "new" };

/// How both builds are asked for their rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `--json`, one round for each turn.
    Json,
    /// The table that `--out` writes, of a full run, as builds before `--json` know it.
    Markdown,
}

impl Form {
    /// Asks a build for its help with the options of the JSON form, which measures nothing.
    async fn known_to(binary: &Path) -> Result<Self, Error> {
        let mut command = Command::new(binary);
        command.args(["--lang", "en", "bench", "--json", "--rounds", "1", "--help"]);
        let output = output_of(binary, command).await?;
        if output.status.code() == Some(i32::from(EXIT_USAGE)) {
            return Ok(Self::Markdown);
        }
        checked(binary, output).map(|_| Self::Json)
    }

    fn text(self) -> Text {
        match self {
            Self::Json => Text { zh: "每次各项只测一遍", en: "each turn measures every row once" },
            Self::Markdown => Text {
                zh: "旧版本尚无 --json，故每次都完整运行一遍",
                en: "each turn is a full run, because the old build does not know --json",
            },
        }
    }
}

/// What all turns have in common.
struct Turns<'a> {
    arguments: &'a BenchArgs,
    directory: &'a Path,
    form: Form,
    lang: Lang,
}

impl Turns<'_> {
    /// Lets a build measure in a process of its own, and reads its rows.
    async fn measure(&self, binary: &Path) -> Result<Results, Error> {
        let table = self.directory.join("table.md");
        let output = checked(binary, output_of(binary, self.command(binary, &table)).await?)?;
        let text = match self.form {
            Form::Json => String::from_utf8_lossy(&output.stdout).into_owned(),
            Form::Markdown => {
                let text =
                    std::fs::read_to_string(&table).map_err(|_| printed_no_table(binary, Unreadable::NoTable))?;
                std::fs::remove_file(&table).map_err(Error::file(&table))?;
                text
            }
        };
        Ok(Results::parse(&text).map_err(|unreadable| printed_no_table(binary, unreadable))?)
    }

    fn command(&self, binary: &Path, table: &Path) -> Command {
        let mut command = Command::new(binary);
        let lang = match self.lang {
            Lang::Zh => "zh",
            Lang::En => "en",
        };
        command.args(["--lang", lang, "bench", "--rows", &self.arguments.rows.to_string(), "--data"]);
        command.arg(self.directory.join("turn"));
        if self.arguments.quick {
            command.arg("--quick");
        }
        if let Some(url) = &self.arguments.postgres {
            command.args(["--postgres", url]);
        }
        for part in &self.arguments.only {
            if let Some(value) = part.to_possible_value() {
                command.args(["--only", value.get_name()]);
            }
        }
        match self.form {
            Form::Json => command.args(["--json", "--rounds", "1"]),
            Form::Markdown => command.arg("--out").arg(table),
        };
        command
    }
}

async fn output_of(binary: &Path, mut command: Command) -> Result<Output, CompareError> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    output.map_err(|source| CompareError::NotStarted { binary: binary.to_owned(), source })
}

fn checked(binary: &Path, output: Output) -> Result<Output, Error> {
    if output.status.success() {
        return Ok(output);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let errors = errors.trim();
    // The end says why; before it stand the messages of its progress.
    let skipped = errors.chars().count().saturating_sub(REPEATED);
    let errors = if errors.is_empty() { "–".to_owned() } else { errors.chars().skip(skipped).collect() };
    Err(CompareError::Failed { binary: binary.to_owned(), status: output.status, errors }.into())
}

fn printed_no_table(binary: &Path, unreadable: Unreadable) -> CompareError {
    CompareError::PrintedNoTable { binary: binary.to_owned(), why: unreadable.into() }
}
