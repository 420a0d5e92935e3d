//! What an import says when it is done.

use super::send::{Outcome, Plan};
use crate::{lang::Lang, output, said};

/// Refusals that are printed one by one.
const MOST_PRINTED: usize = 200;

/// Prints every refusal, then the sums.
pub(super) fn print(outcome: &Outcome, plan: &Plan, lang: Lang) {
    for refusal in outcome.refusals.iter().take(MOST_PRINTED) {
        output::error(refusal.text(lang));
    }
    let more = outcome.refusals.len().saturating_sub(MOST_PRINTED);
    if more > 0 {
        output::error(said!(lang, "另有 {more} 处问题", "and {more} more"));
    }
    let refused = outcome.refused_rows();
    let Outcome { recorded, unchanged, valid, .. } = *outcome;
    output::line(if plan.dry_run {
        said!(
            lang,
            "可载入 {valid} 条,{refused} 行有误;未载入任何记录。",
            "{valid} could be loaded, {refused} rows are wrong; nothing was loaded."
        )
    } else if outcome.held_back {
        said!(lang, "{refused} 行有误,因此一条也未载入。", "{refused} rows are wrong, so none was loaded.")
    } else {
        said!(
            lang,
            "登记册中现有本文件的 {recorded} 条记录(其中 {unchanged} 条此前已有),拒绝 {refused} 行。",
            "{recorded} records of this file are in the register ({unchanged} were there before), {refused} rows were refused."
        )
    });
}
