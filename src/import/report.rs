//! What an import says when it is done: every refusal, on the screen or in a file beside the imported one, and the sums.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    TableError,
    read::Table,
    rows::Refusal,
    send::{Outcome, Plan},
};
use crate::{lang::Lang, output, said};

/// Refusals that are printed one by one.
const MOST_PRINTED: usize = 200;
/// What the name of the file with all refusals ends with, after that of the imported file.
const REFUSED: &str = ".refused.csv";

/// Prints the refusals, then the sums; more refusals than a screen takes go into a file as well, all of them.
pub(super) fn print(
    outcome: &Outcome,
    plan: &Plan,
    table: &Table,
    file: &Path,
    finished: bool,
    lang: Lang,
) -> Result<(), TableError> {
    for refusal in outcome.refusals.iter().take(MOST_PRINTED) {
        output::error(refusal.text(lang));
    }
    let number = outcome.refusals.len();
    if number > MOST_PRINTED {
        let path = refused_path(file);
        write(&path, table, &outcome.refusals)?;
        let (more, place) = (number - MOST_PRINTED, path.display());
        output::error(said!(
            lang,
            "另有 {more} 处问题；全部 {number} 处连同原行写入 {place}",
            "and {more} more; all {number} with their rows are in {place}"
        ));
    }
    output::line(sums(outcome, plan, finished, lang));
    Ok(())
}

fn sums(outcome: &Outcome, plan: &Plan, finished: bool, lang: Lang) -> String {
    let refused = outcome.refused_rows();
    let Outcome { recorded, unchanged, valid, there, held_back, writing, .. } = *outcome;
    if !finished && writing {
        said!(
            lang,
            "中断：台账中现有本文件的 {recorded} 条记录（其中 {unchanged} 条此前已有），拒绝 {refused} 行；再次运行即从此处补齐。",
            "Cut short: {recorded} records of this file are in the register ({unchanged} were there before), {refused} rows were refused; running again completes it."
        )
    } else if !finished {
        said!(lang, "检查中断，未载入任何记录。", "The check was cut short; nothing was loaded.")
    } else if plan.dry_run {
        said!(
            lang,
            "可载入 {valid} 条，{there} 条此前已有，{refused} 行有误；未载入任何记录。",
            "{valid} could be loaded, {there} are there already, {refused} rows are wrong; nothing was loaded."
        )
    } else if held_back {
        said!(lang, "{refused} 行有误，因此一条也未载入。", "{refused} rows are wrong, so none was loaded.")
    } else if plan.all_or_nothing && refused > 0 {
        said!(
            lang,
            "检查之后台账有变：台账中现有本文件的 {recorded} 条记录，{refused} 行被拒绝。",
            "The register changed after the check: {recorded} records of this file are in it, {refused} rows were refused."
        )
    } else {
        said!(
            lang,
            "台账中现有本文件的 {recorded} 条记录（其中 {unchanged} 条此前已有），拒绝 {refused} 行。",
            "{recorded} records of this file are in the register ({unchanged} were there before), {refused} rows were refused."
        )
    }
}

fn refused_path(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(REFUSED);
    file.with_file_name(name)
}

/// Writes line, column and reason of every refusal, with the cells of its row.
fn write(path: &Path, table: &Table, refusals: &[Refusal]) -> Result<(), TableError> {
    let unwritable = |source: Box<dyn std::error::Error + Send + Sync>| TableError::Unwritable {
        path: path.display().to_string(),
        source,
    };
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let heads = ["行 / line", "列 / column", "原因", "reason"].map(str::to_owned);
    let mut records = vec![heads.iter().chain(&table.headers).cloned().collect::<Vec<_>>()];
    for refusal in refusals {
        let row = table.lines.binary_search_by_key(&refusal.line, |line| line.number);
        let cells = row.ok().and_then(|place| table.lines.get(place)).map(|line| line.cells.as_slice());
        let why = [refusal.line.to_string(), refusal.column.clone(), refusal.zh.clone(), refusal.en.clone()];
        records.push(why.iter().chain(cells.unwrap_or_default()).cloned().collect());
    }
    for record in records {
        writer.write_record(&record).map_err(|error| unwritable(Box::new(error)))?;
    }
    let rows = writer.into_inner().map_err(|error| unwritable(error.to_string().into()))?;
    // The mark makes spreadsheets read the file as UTF-8.
    let bytes = ["\u{feff}".as_bytes(), &rows].concat();
    fs::write(path, bytes).map_err(|error| unwritable(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{import::read::Line, registers};

    #[test]
    fn the_file_of_refusals_names_each_with_its_row() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = refused_path(&directory.path().join("a.xlsx"));
        let line = |number, cells: [&str; 2]| Line { number, cells: cells.map(str::to_owned).to_vec(), faults: vec![] };
        let table = Table {
            headers: ["名称", "容量"].map(str::to_owned).to_vec(),
            lines: vec![line(2, ["甲", "many"]), line(4, ["乙,丙", "30"])],
        };
        let refusal = |line, column: &str| Refusal {
            line,
            column: column.to_owned(),
            zh: "应为整数".to_owned(),
            en: "must be a whole number".to_owned(),
        };
        write(&path, &table, &[refusal(2, "容量"), refusal(4, "")]).expect("written");
        let text = std::fs::read_to_string(directory.path().join("a.xlsx.refused.csv")).expect("written");
        let rows: Vec<_> = text.lines().collect();
        assert_eq!(rows[1], "2,容量,应为整数,must be a whole number,甲,many");
        assert_eq!(rows[2], "4,,应为整数,must be a whole number,\"乙,丙\",30");
    }

    #[test]
    fn what_was_cut_short_says_how_far_it_came() {
        let register = registers::find("schools").expect("a register");
        let plan = Plan { register, run: Uuid::nil(), dry_run: false, all_or_nothing: true };
        let outcome = Outcome { recorded: 2000, writing: true, ..Outcome::default() };
        let text = sums(&outcome, &plan, false, Lang::En);
        assert!(text.contains("2000 records") && text.contains("running again completes it"), "{text}");
        let text = sums(&Outcome { valid: 2000, ..Outcome::default() }, &plan, false, Lang::Zh);
        assert_eq!(text, "检查中断，未载入任何记录。");
    }
}
