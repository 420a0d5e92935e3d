//! Rows to the services: checked only, all or nothing, or each by itself; resumed after a cut connection.

use std::collections::{BTreeMap, BTreeSet};

use minsheng_proto::common::v1 as common;
use tonic::{Code, Status};
use uuid::Uuid;

use super::{
    columns::Columns,
    rows::{Item, Refusal, Rows},
};
use crate::{error::Error, lang::Lang, output::Progress, registers::Register, site::Endpoints, upload::Uploader};

/// Records of one chunk; small, so that a cut connection repeats little.
const CHUNK: usize = 500;
/// Times that a cut upload is taken up again without an answer in between.
const ATTEMPTS: u32 = 4;
/// The first pause before that.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(500);

/// What is to be done with the rows.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The register.
    pub register: &'static Register,
    /// Fingerprint of the file's content, from which the upload's id is made.
    pub content: Uuid,
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
    /// Records that would be recorded.
    pub valid: u64,
    /// Why rows were refused, by line.
    pub refusals: Vec<Refusal>,
    /// True when nothing was loaded because one row was bad.
    pub held_back: bool,
}

impl Outcome {
    /// Counts the rows that were refused.
    pub fn refused_rows(&self) -> u64 {
        let lines: BTreeSet<u64> = self.refusals.iter().map(|refusal| refusal.line).collect();
        u64::try_from(lines.len()).unwrap_or(u64::MAX)
    }
}

/// Sends the rows as the plan says.
pub async fn rows(
    plan: &Plan,
    rows: &Rows,
    endpoints: &Endpoints,
    progress: &Progress,
    lang: Lang,
) -> Result<Outcome, Error> {
    let mut outcome = Outcome { refusals: rows.refusals.clone(), ..Outcome::default() };
    if plan.dry_run || plan.all_or_nothing {
        pass(plan, rows, endpoints, true, &mut outcome, progress, lang).await?;
        if plan.dry_run {
            return Ok(sorted(outcome));
        }
        if !outcome.refusals.is_empty() {
            outcome.held_back = true;
            return Ok(sorted(outcome));
        }
    }
    pass(plan, rows, endpoints, false, &mut outcome, progress, lang).await?;
    Ok(sorted(outcome))
}

fn sorted(mut outcome: Outcome) -> Outcome {
    outcome.refusals.sort_by_key(|refusal| refusal.line);
    outcome
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
    let columns = Columns::of(&plan.register.resource);
    let mut by_department: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in &rows.items {
        by_department.entry(item.department).or_default().push(item);
    }
    let total = u64::try_from(rows.items.len()).unwrap_or_default();
    let bar = progress.bar(lang.of(&plan.register.title_zh, &plan.register.name), total);
    for (department, items) in by_department {
        let upload_id = Uuid::new_v5(&plan.content, format!("{}/{department}", plan.register.name).as_bytes());
        let mut uploader = Uploader::new(endpoints.channel("operator", department)?, plan.register, upload_id);
        if validate_only {
            uploader = uploader.validate_only();
        }
        let chunks: Vec<&[&Item]> = items.chunks(CHUNK).collect();
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
                        take(outcome, rows, &columns, chunk, answer.results);
                    }
                    answered += 1;
                })
                .await;
            attempts = if answered > before { 0 } else { attempts + 1 };
            if let Err(status) = sent {
                if !worth_another_try(&status) || attempts >= ATTEMPTS {
                    return Err(Error::Refused {
                        department: department.to_owned(),
                        method: plan.register.upload_path(),
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
    matches!(status.code(), Code::Unavailable | Code::ResourceExhausted | Code::Cancelled)
}

fn take(outcome: &mut Outcome, rows: &Rows, columns: &Columns, items: &[&Item], results: Vec<common::ItemResult>) {
    for (item, result) in items.iter().zip(results) {
        match result.outcome() {
            common::ItemOutcome::Created => outcome.recorded += 1,
            common::ItemOutcome::Unchanged => {
                outcome.recorded += 1;
                outcome.unchanged += 1;
            }
            common::ItemOutcome::Valid => outcome.valid += 1,
            common::ItemOutcome::Rejected | common::ItemOutcome::Unspecified => {
                for violation in result.violations {
                    outcome.refusals.push(Refusal {
                        line: line_of(item, &violation.field),
                        column: rows.header_of(&violation.field, columns),
                        zh: violation.description_zh,
                        en: violation.description,
                    });
                }
            }
        }
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
    fn a_violation_of_a_member_stands_on_the_member_s_line() {
        let item =
            Item { line: 4, member_lines: vec![4, 5, 6], department: "social-security", bytes: bytes::Bytes::new() };
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
