//! `parameters list`: the figures that rules read, with their days, sources and how sure we are of them.

use chrono::NaiveDate;
use minsheng_kit::values::parameters::{Confidence, HeldParameter, Parameter, Parameters};

use crate::{lang::Lang, lang::Text, output, said};

const HIGH: Text = Text { zh: "高", en: "high" };
const MEDIUM: Text = Text { zh: "中", en: "medium" };
const LOW: Text = Text { zh: "低", en: "low" };

pub(super) fn list(prefix: &str, on: Option<NaiveDate>, lang: Lang) {
    let parameters = Parameters::get();
    let wanted = |parameter: &&Parameter| parameter.key.starts_with(prefix);
    let shown: Vec<&Parameter> = match on {
        None => parameters.iter().filter(wanted).collect(),
        Some(day) => {
            let holds = |held: &HeldParameter<'_>| held.from <= day && held.until.is_none_or(|until| day < until);
            let held = parameters.series().filter_map(|series| series.into_iter().find(holds));
            held.map(|held| held.parameter).filter(wanted).collect()
        }
    };
    let mut key = "";
    for parameter in shown {
        if key != parameter.key {
            key = &parameter.key;
            let meaning = parameters.meaning(key).map_or("", |meaning| lang.of(&meaning.zh, &meaning.en));
            output::line(format!("{key}  {meaning}"));
        }
        let sure = lang.pick(match parameter.confidence {
            Confidence::High => HIGH,
            Confidence::Medium => MEDIUM,
            Confidence::Low => LOW,
        });
        let (from, area) = (parameter.effective_from, parameter.area.as_str());
        let to = parameter.effective_to.map_or_else(String::new, |day| day.to_string());
        let (value, unit, source) = (parameter.value, parameter.unit.name(), &parameter.source);
        output::line(format!("  {area}  {from} – {to:10}  {value:>10} {unit:<12} {sure}  {source}"));
    }
    for (key, note) in parameters.unknown().filter(|(key, _)| key.starts_with(prefix)) {
        output::line(said!(lang, "{key}  未知：{note}", "{key}  not known: {note}"));
    }
}
