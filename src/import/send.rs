//! Rows to the services: checked only, all or nothing, or each by itself; resumed after a cut connection.
//!
//! An upload's id is fresh in every run and the same when the run resumes: what was refused once is judged again when
//! the file is imported again, and what went in is recognised by its record's name.
//!
//! What `--all-or-nothing` promises: one row that is refused keeps all of them out. Up to [`UNIT`] rows of a department
//! then go in as one unit of work, all or none even when the service dies. More go in as several; when one of them does
//! not arrive, those before it are there, the outcome says so, and running again completes the file. A record that
//! somebody else writes between the check and the writing can still refuse a row; the outcome says that too.

use std::collections::{BTreeMap, BTreeSet};

use minsheng_proto::common::v1 as common;
use tonic::{Code, Status};
use uuid::Uuid;

use super::{
    columns::Columns,
    identity::Identity,
    rows::{Item, Refusal, Rows},
};
use crate::{error::Error, lang::Lang, output::Progress, registers::Register, site::Endpoints, upload::Uploader};

/// Records of one chunk; small, so that a cut connection repeats little.
const CHUNK: usize = 500;
/// Records of one chunk where all or none are to go in: as many as the contract takes in one unit of work.
pub const UNIT: usize = 2000;
/// Times that a cut upload is taken up again without an answer in between.
const ATTEMPTS: u32 = 4;
/// The first pause before that.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(500);

/// What is to be done with the rows.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The register.
    pub register: &'static Register,
    /// Names this run's uploads.
    pub run: Uuid,
    /// Check only.
    pub dry_run: bool,
    /// Load all rows or none.
    pub all_or_nothing: bool,
}

/// What became of the rows.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Records that are in the register now.
    pub recorded: u64,
    /// Of them those that were there before.
    pub unchanged: u64,
    /// Records that would be recorded, by a check alone.
    pub valid: u64,
    /// Records that were there already, by a check alone.
    pub there: u64,
    /// Why rows were refused, by line.
    pub refusals: Vec<Refusal>,
    /// True when nothing was loaded because one row was bad.
    pub held_back: bool,
    /// True once a pass that records has begun.
    pub writing: bool,
}

impl Outcome {
    /// Counts the rows that were refused.
    pub fn refused_rows(&self) -> u64 {
        let lines: BTreeSet<u64> = self.refusals.iter().map(|refusal| refusal.line).collect();
        u64::try_from(lines.len()).unwrap_or(u64::MAX)
    }
}

/// Sends the rows as the plan says. The outcome is what became of them so far, whatever ended it.
pub async fn rows(
    plan: &Plan,
    rows: &Rows,
    endpoints: &Endpoints,
    progress: &Progress,
    lang: Lang,
) -> (Outcome, Result<(), Error>) {
    let mut outcome = Outcome { refusals: rows.refusals.clone(), ..Outcome::default() };
    let done = passes(plan, rows, endpoints, &mut outcome, progress, lang).await;
    outcome.refusals.sort_by_key(|refusal| refusal.line);
    (outcome, done)
}

async fn passes(
    plan: &Plan,
    rows: &Rows,
    endpoints: &Endpoints,
    outcome: &mut Outcome,
    progress: &Progress,
    lang: Lang,
) -> Result<(), Error> {
    if plan.dry_run || plan.all_or_nothing {
        pass(plan, rows, endpoints, true, outcome, progress, lang).await?;
        if plan.dry_run {
            return Ok(());
        }
        if !outcome.refusals.is_empty() {
            outcome.held_back = true;
            return Ok(());
        }
    }
    outcome.writing = true;
    pass(plan, rows, endpoints, false, outcome, progress, lang).await
}

/// Sends all records once, checked or recorded, to the departments that take them.
async fn pass(
    plan: &Plan,
    rows: &Rows,
    endpoints: &Endpoints,
    validate_only: bool,
    outcome: &mut Outcome,
    progress: &Progress,
    lang: Lang,
) -> Result<(), Error> {
    let columns = Columns::of(plan.register);
    let mut by_department: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in &rows.items {
        by_department.entry(item.department).or_default().push(item);
    }
    let total = u64::try_from(rows.items.len()).unwrap_or_default();
    let bar = progress.bar(lang.of(&plan.register.title_zh, &plan.register.collection), total);
    for (department, items) in by_department {
        let upload_id = Uuid::new_v5(&plan.run, format!("{}/{department}", plan.register.collection).as_bytes());
        let mut uploader = Uploader::new(endpoints.channel("operator", department)?, plan.register, upload_id);
        if validate_only {
            uploader = uploader.validate_only();
        }
        let chunks: Vec<&[&Item]> = items.chunks(if plan.all_or_nothing { UNIT } else { CHUNK }).collect();
        let mut answered = 0_usize;
        let mut attempts = 0;
        while answered < chunks.len() {
            let before = answered;
            let rest: Vec<Vec<_>> =
                chunks[answered..].iter().map(|chunk| chunk.iter().map(|item| item.bytes.clone()).collect()).collect();
            let first = i64::try_from(answered).map_err(Error::internal)?;
            let sent = uploader
                .send(first, futures::stream::iter(rest), |answer| {
                    if let Some(chunk) = chunks.get(answered) {
                        bar.inc(u64::try_from(chunk.len()).unwrap_or_default());
                        take(outcome, plan, (rows, &columns), chunk, answer.results, validate_only);
                    }
                    answered += 1;
                })
                .await;
            attempts = if answered > before { 0 } else { attempts + 1 };
            if let Err(status) = sent {
                if !worth_another_try(&status) || attempts >= ATTEMPTS {
                    return Err(Error::Refused {
                        department: department.to_owned(),
                        method: plan.register.method("Upload"),
                        status: Box::new(status),
                    });
                }
                tokio::time::sleep(PAUSE * 2_u32.pow(attempts)).await;
            } else if answered == before {
                return Err(Error::internal("an upload ended without an answer"));
            }
        }
    }
    bar.finish();
    Ok(())
}

/// A service that restarts or is busy takes the rest later.
fn worth_another_try(status: &Status) -> bool {
    // The deadline is that of one stream: a long upload goes on in the next. Aborted is a chunk that met another writer.
    // Unknown is a connection that broke in the middle of an answer; no service answers so by itself.
    matches!(
        status.code(),
        Code::Unavailable
            | Code::ResourceExhausted
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::Unknown
    )
}

/// Consumes the answers to a chunk.
fn take(
    outcome: &mut Outcome,
    plan: &Plan,
    (rows, columns): (&Rows, &Columns),
    items: &[&Item],
    results: Vec<common::ItemResult>,
    validate_only: bool,
) {
    for (item, result) in items.iter().zip(results) {
        match result.outcome() {
            common::ItemOutcome::Created => outcome.recorded += 1,
            common::ItemOutcome::Unchanged if validate_only => outcome.there += 1,
            common::ItemOutcome::Unchanged => {
                outcome.recorded += 1;
                outcome.unchanged += 1;
            }
            common::ItemOutcome::Valid => outcome.valid += 1,
            common::ItemOutcome::Rejected | common::ItemOutcome::Unspecified => {
                for violation in result.violations {
                    let refusal = if violation.reason == RECORD_EXISTS {
                        exists(plan.register, rows, columns, item, &result.name)
                    } else {
                        Refusal {
                            line: line_of(item, &violation.field),
                            column: rows.header_of(&violation.field, columns),
                            zh: violation.description_zh,
                            en: violation.description,
                        }
                    };
                    outcome.refusals.push(refusal);
                }
            }
        }
    }
}

/// The rule by which a register refuses a second record of a name.
const RECORD_EXISTS: &str = "RECORD_EXISTS";

/// Returns the refusal of a record that is there with another content: what makes it the same record.
fn exists(register: &Register, rows: &Rows, columns: &Columns, item: &Item, name: &str) -> Refusal {
    let (zh, en) = match item.identity {
        Identity::Given(_) => (String::new(), String::new()),
        Identity::Cells(_) => {
            let headers: Vec<String> =
                register.natural_key.iter().map(|field| rows.header_of(field, columns)).collect();
            let (zh, en) = (headers.join("、"), headers.join(", "));
            (format!("（按 {zh} 识别）"), format!(" (told by {en})"))
        }
    };
    Refusal {
        line: item.line,
        column: String::new(),
        zh: format!("台账中已有此记录 {name}{zh}，内容不同；导入不更改已有记录"),
        en: format!(
            "the register has this record, {name}{en}, with another content; an import changes no record that is there"
        ),
    }
}

/// A violation within a list is on the line of its member.
fn line_of(item: &Item, path: &str) -> u64 {
    let index = path
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .and_then(|(index, _)| index.parse::<usize>().ok());
    index.and_then(|index| item.member_lines.get(index)).copied().unwrap_or(item.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_that_ran_out_is_taken_up_again_and_a_wrong_request_is_not() {
        let passing = [
            Code::DeadlineExceeded,
            Code::Unavailable,
            Code::ResourceExhausted,
            Code::Cancelled,
            Code::Aborted,
            Code::Unknown,
        ];
        for code in passing {
            assert!(worth_another_try(&Status::new(code, "")), "{code:?}");
        }
        assert!(!worth_another_try(&Status::invalid_argument("")));
    }

    #[test]
    fn a_violation_of_a_member_stands_on_the_member_s_line() {
        let item = Item {
            line: 4,
            member_lines: vec![4, 5, 6],
            department: "social-security",
            bytes: bytes::Bytes::new(),
            identity: Identity::Given("h1".to_owned()),
        };
        assert_eq!(line_of(&item, "members[2].resident_id"), 6);
        assert_eq!(line_of(&item, "valid_to"), 4);
        assert_eq!(line_of(&item, "members[9].relation"), 4);
    }

    #[test]
    fn rows_with_several_faults_count_once() {
        let refusal = |line| Refusal { line, column: String::new(), zh: String::new(), en: String::new() };
        let outcome = Outcome { refusals: vec![refusal(2), refusal(2), refusal(7)], ..Outcome::default() };
        assert_eq!(outcome.refused_rows(), 2);
    }
}
