//! Turns what a file says into commitments and measures, and says everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use chrono::NaiveDate;
use minsheng_values::parameters as values;
use toml::Spanned;

use super::areas::{Areas, DivisionLevel};
use super::datasets::{Column, SERVICES, columns_of, service_of};
use super::file::{RawCommitment, RawEnded, RawMeasure, RawParameter, RawRestriction, RawSilent, RawWhole, Source};
use super::{
    Baseline, Basis, Bilingual, CheckExpression, Commitment, Count, Denominator, Entry, Figure, Form, Group, Kind,
    Level, Measure, PRIMARY_MEASURE, Parameter, Problem, REGION, Restriction, Scope, SecondaryMeasure, Silent,
    SourceKind, StandardFigure, Wanted, Whole,
};

/// Percent of what is expected from which a figure is added up, where the catalogue says nothing else: all but one of
/// ten counties, all of a prefecture of eight.
const COMPLETE_FROM: f64 = 90.0;

/// Collects the problems of one file.
struct Checker<'a> {
    source: &'a Source,
    problems: &'a mut Vec<Problem>,
    expression: CheckExpression<'a>,
    areas: &'a Areas,
    departments: &'a Arc<values::Parameters>,
}

/// Checks the files; entries are complete only if no problem was found.
pub(super) fn check(
    files: Vec<(Source, Vec<Spanned<RawCommitment>>)>,
    expression: CheckExpression<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Entry> {
    let areas = Areas::of_the_region();
    let departments = Arc::new(values::Parameters::get().clone());
    let mut seen = BTreeSet::new();
    let mut entries = Vec::new();
    for (source, commitments) in files {
        let mut checker = Checker { source: &source, problems, expression, areas: &areas, departments: &departments };
        for raw in commitments {
            if !seen.insert(raw.get_ref().id.get_ref().clone()) {
                checker.problem(&raw.get_ref().id.span(), format!("duplicate id `{}`", raw.get_ref().id.get_ref()));
            }
            entries.push(checker.entry(raw));
        }
    }
    entries
}

/// Returns where the records of a dataset come from.
fn source_of(dataset: &str) -> SourceKind {
    match dataset.split_once('.').map(|(_, name)| name) {
        Some("returns") => SourceKind::Returns,
        Some("milestones") => SourceKind::Milestones,
        _ => SourceKind::Register,
    }
}

impl Checker<'_> {
    fn problem(&mut self, place: &Range<usize>, message: impl Into<String>) {
        self.problems.push(self.source.problem(place.start, message));
    }

    fn entry(&mut self, raw: Spanned<RawCommitment>) -> Entry {
        let place = raw.span();
        let raw = raw.into_inner();
        if !SERVICES.contains(&raw.service.get_ref().as_str()) {
            self.problem(&raw.service.span(), format!("unknown service `{}`", raw.service.get_ref()));
        }
        if !(1..=10).contains(raw.article.get_ref()) {
            self.problem(&raw.article.span(), "the notice has articles 1 to 10");
        }
        if *raw.basis.get_ref() == Basis::Trend && raw.target.is_some() {
            self.problem(&raw.basis.span(), "a trend has no target");
        }
        if *raw.basis.get_ref() != Basis::Trend && raw.target.is_none() {
            self.problem(&raw.basis.span(), "a stated or implied commitment needs a target");
        }
        let start = self.optional_day(raw.start.as_ref());
        let due = self.optional_day(raw.due.as_ref());
        if let (Some(start), Some(due), Some(spanned)) = (start, due, raw.due.as_ref())
            && due < start
        {
            self.problem(&spanned.span(), format!("due {due} is before start {start}"));
        }
        match (&raw.due, &raw.due_basis) {
            (Some(due), None) => self.problem(&due.span(), "due_basis says whether the due date is stated or inferred"),
            (None, Some(basis)) => self.problem(&basis.span(), "there is no due date"),
            _ => {}
        }
        let standing = raw.standing.as_ref().is_some_and(|standing| *standing.get_ref());
        match (&raw.standing, &raw.window) {
            (Some(spanned), None) if standing => {
                self.problem(&spanned.span(), "a standing duty names the window of what it counts");
            }
            (_, Some(window)) if !standing => self.problem(&window.span(), "only a standing duty has a window"),
            _ => {}
        }
        for area in &raw.scope {
            self.area(area.get_ref(), &area.span());
        }
        for (area, target) in &raw.area_targets {
            self.area(area, &target.span());
        }
        let mut standards = BTreeMap::new();
        for standard in &raw.standards {
            let unit = Bilingual { zh: standard.unit_zh.clone(), en: standard.unit.clone() };
            standards.insert(self.day(&standard.from), StandardFigure { value: standard.value, unit });
        }
        let parameters: Vec<Parameter> = raw.parameters.iter().filter_map(|raw| self.parameter(raw)).collect();
        let complete_from = raw.complete_from.as_ref().map_or(COMPLETE_FROM, |percent| *percent.get_ref());
        if let Some(percent) = raw.complete_from.as_ref().filter(|percent| !(0.0..=100.0).contains(percent.get_ref())) {
            self.problem(&percent.span(), "complete_from is a percentage");
        }
        let baseline =
            raw.baseline.as_ref().map(|baseline| Baseline { value: baseline.value, on: self.day(&baseline.on) });
        let unit = Bilingual { zh: raw.unit_zh.clone(), en: raw.unit.clone() };
        let measures = self.measures(&raw, &parameters, &unit, &place);
        let primary = measures.first();
        if let Some(primary) = primary
            && primary.source != *raw.source.get_ref()
        {
            self.problem(&raw.source.span(), format!("the primary measure reads `{}`", primary.dataset));
        }
        let form = primary.map_or(Form::Figure, |primary| primary.form);
        let commitment = Commitment {
            id: raw.id.into_inner(),
            article: raw.article.into_inner(),
            service: raw.service.into_inner(),
            leads: raw.leads,
            title_zh: raw.title_zh,
            title_en: raw.title_en,
            kind: raw.kind,
            basis: raw.basis.into_inner(),
            direction: raw.direction,
            target: raw.target,
            unit,
            standard: None,
            baseline,
            start,
            due,
            due_basis: raw.due_basis.map(Spanned::into_inner),
            scope: raw.scope.into_iter().map(Spanned::into_inner).collect(),
            source: raw.source.into_inner(),
            dataset: primary.map_or_else(String::new, |primary| primary.dataset.clone()),
            cumulative: raw.cumulative,
            standing,
            window: raw.window.map(Spanned::into_inner),
            every_area: raw.every_area.unwrap_or(form == Form::Share),
            area_targets: raw.area_targets.into_iter().map(|(area, target)| (area, target.into_inner())).collect(),
            lowest_level: raw.lowest_level.unwrap_or(Level::County),
            bounds: raw.bounds.map(|[low, high]| (low, high)).or((form == Form::Share).then_some((0.0, 100.0))),
            person_based: raw.person_based,
            clause: raw.clause,
            promise: Bilingual { zh: raw.promise_zh, en: raw.promise_en },
            measure: Bilingual { zh: raw.text_zh, en: raw.text_en },
            waits_for: raw.waits_for_zh.zip(raw.waits_for_en).map(|(zh, en)| Bilingual { zh, en }),
            secondary: measures.iter().skip(1).map(secondary).collect(),
        };
        let department = Arc::clone(self.departments);
        Entry { commitment, standards, parameters, department, complete_from, measures }
    }

    /// Reads a parameter of the entry's own, or the key of one of the services'.
    fn parameter(&mut self, raw: &RawParameter) -> Option<Parameter> {
        let name = raw.name.get_ref();
        match (&raw.key, raw.value, &raw.from, &raw.confidence, &raw.note) {
            (Some(key), None, None, None, None) => {
                let of_region =
                    |found: &values::Parameter| found.key == *key.get_ref() && found.area.as_str() == REGION;
                if !self.departments.iter().any(of_region) {
                    self.problem(&key.span(), format!("no parameter `{}` of the region is known", key.get_ref()));
                }
                Some(Parameter { name: name.clone(), figure: Figure::OfDepartment(key.get_ref().clone()) })
            }
            (None, Some(value), Some(from), Some(_), Some(_)) => {
                Some(Parameter { name: name.clone(), figure: Figure::Stated { value, from: self.day(from) } })
            }
            _ => {
                let message = format!("parameter `{name}` has either a key, or value, from, confidence and note");
                self.problem(&raw.name.span(), message);
                None
            }
        }
    }

    fn measures(
        &mut self,
        raw: &RawCommitment,
        parameters: &[Parameter],
        unit: &Bilingual,
        place: &Range<usize>,
    ) -> Vec<Measure> {
        if raw.measures.is_empty() {
            self.problem(place, format!("`{}` has no measure", raw.id.get_ref()));
        }
        let mut names = BTreeSet::new();
        let mut measures = Vec::new();
        for (index, spanned) in raw.measures.iter().enumerate() {
            let measure = spanned.get_ref();
            let name = measure.name.get_ref();
            if !names.insert(name.as_str()) {
                self.problem(&measure.name.span(), format!("duplicate measure `{name}`"));
            }
            if (index == 0) != (name == PRIMARY_MEASURE) {
                self.problem(&measure.name.span(), "the first measure, and only it, is `primary`");
            }
            if index > 0 && (measure.title_zh.is_none() || measure.unit.is_none() || measure.unit_zh.is_none()) {
                self.problem(
                    &measure.name.span(),
                    format!("measure `{name}` needs title_zh, title_en, unit and unit_zh"),
                );
            }
            if index == 0 && raw.kind == Kind::Rate && measure.form == Form::Figure {
                self.problem(&measure.name.span(), "a rate's primary measure has the form `share` or `ratio`");
            }
            measures.push(self.measure(measure, &spanned.span(), raw, parameters, unit));
        }
        measures
    }

    fn measure(
        &mut self,
        raw: &RawMeasure,
        place: &Range<usize>,
        commitment: &RawCommitment,
        parameters: &[Parameter],
        unit: &Bilingual,
    ) -> Measure {
        let dataset = raw.dataset.get_ref();
        let source = source_of(dataset);
        let unit = Bilingual {
            zh: raw.unit_zh.clone().unwrap_or_else(|| unit.zh.clone()),
            en: raw.unit.clone().unwrap_or_else(|| unit.en.clone()),
        };
        let title = Bilingual {
            zh: raw.title_zh.clone().unwrap_or_else(|| commitment.title_zh.clone()),
            en: raw.title_en.clone().unwrap_or_else(|| commitment.title_en.clone()),
        };
        let (mut count, mut known_whole) = (None, None);
        match columns_of(dataset) {
            None => self.problem(&raw.dataset.span(), format!("unknown dataset `{dataset}`")),
            Some(_) if service_of(dataset) != *commitment.service.get_ref() => {
                self.problem(
                    &raw.dataset.span(),
                    format!("`{dataset}` is not kept by {}", commitment.service.get_ref()),
                );
            }
            Some(_) if !raw.least_of.is_empty() => self.least_of(raw, commitment, place),
            Some(columns) if source == SourceKind::Register => {
                count = Some(self.count(raw, place, columns, parameters));
            }
            Some(_) if raw.condition.is_some() || raw.numerator.is_some() || raw.denominator.is_some() => {
                self.problem(place, format!("`{dataset}` is filed, it has no expressions"));
            }
            Some(_) if source == SourceKind::Returns => {
                let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
                known_whole = self.divisions(raw.denominator_divisions.as_ref()).map(Denominator::Divisions);
                known_whole = known_whole.or_else(|| self.whole(raw.denominator_from.as_ref()?, &names));
                if known_whole.is_some() && raw.form == Form::Figure {
                    self.problem(place, format!("measure `{}` has a denominator but is a figure", raw.name.get_ref()));
                }
            }
            Some(_) => {}
        }
        let silent = self.silent(raw);
        if source == SourceKind::Milestones
            && raw.name.get_ref() == PRIMARY_MEASURE
            && let Some(target) = commitment.target
            && f64::from(u32::try_from(raw.subjects.len()).unwrap_or(u32::MAX)) < target
        {
            self.problem(place, format!("the {target} subjects that fulfil the target are not all named"));
        }
        if let Some(by) = &raw.complete_by
            && !commitment.measures.iter().any(|other| {
                let other = other.get_ref();
                other.name.get_ref() == by.get_ref() && other.form == Form::Share && other.period == raw.period
            })
        {
            let message = format!("no measure `{}` is a share of the same period", by.get_ref());
            self.problem(&by.span(), message);
        }
        if !raw.subjects.is_empty() && source != SourceKind::Milestones {
            self.problem(place, "only milestones have subjects");
        }
        if raw.rolls_up.is_some() && source != SourceKind::Returns {
            self.problem(place, "rolls_up is for what is filed");
        }
        let scale = raw.scale.unwrap_or(if raw.form == Form::Share { 100.0 } else { 1.0 });
        Measure {
            name: raw.name.get_ref().clone(),
            title,
            unit,
            form: raw.form,
            person_based: raw.person_based || commitment.person_based && raw.name.get_ref() == PRIMARY_MEASURE,
            figure: raw.figure.clone(),
            source,
            dataset: dataset.clone(),
            scale,
            count,
            rolls_up: raw.rolls_up.unwrap_or(true),
            complete_by: raw.complete_by.as_ref().map(|by| by.get_ref().clone()),
            subjects: raw.subjects.clone(),
            known_whole,
            least_of: raw.least_of.iter().map(|name| name.get_ref().clone()).collect(),
            silent,
        }
    }

    /// Checks a measure that is the least of others: each a share that is counted from the same dataset.
    fn least_of(&mut self, raw: &RawMeasure, commitment: &RawCommitment, place: &Range<usize>) {
        if raw.form != Form::Share || raw.numerator.is_some() || raw.condition.is_some() || raw.group_by.is_some() {
            self.problem(
                place,
                format!("measure `{}` is the least of shares and counts nothing itself", raw.name.get_ref()),
            );
        }
        for name in &raw.least_of {
            let fits = commitment.measures.iter().map(Spanned::get_ref).any(|other| {
                other.name.get_ref() == name.get_ref()
                    && other.form == Form::Share
                    && other.least_of.is_empty()
                    && other.dataset.get_ref() == raw.dataset.get_ref()
            });
            if !fits {
                self.problem(&name.span(), format!("no measure `{}` is a share of the same dataset", name.get_ref()));
            }
        }
    }

    /// Reads what bounds the figure of an area that did not report.
    fn silent(&mut self, raw: &RawMeasure) -> Option<Silent> {
        let divisions = self.divisions(raw.silent_divisions.as_ref());
        match (raw.silent.as_ref().map(|silent| (*silent.get_ref(), silent.span())), divisions) {
            (Some((RawSilent::Divisions, _)), Some(levels)) => Some(Silent::Divisions(levels)),
            (Some((RawSilent::Divisions, place)), None) => {
                self.problem(&place, "silent_divisions says which divisions");
                None
            }
            (Some((RawSilent::Denominator, place)), _) if raw.form == Form::Figure => {
                self.problem(&place, "a figure has no denominator");
                None
            }
            (Some((RawSilent::Denominator, _)), _) => Some(Silent::Denominator),
            (Some((RawSilent::Plan, _)), _) => Some(Silent::Plan),
            (None, _) => None,
        }
    }

    fn count(&mut self, raw: &RawMeasure, place: &Range<usize>, columns: &[Column], parameters: &[Parameter]) -> Count {
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let scope = Scope { columns, parameters: &names };
        let mut checked = |sql: &Option<Spanned<String>>, wanted| {
            let spanned = sql.as_ref()?;
            self.expression(spanned.get_ref(), &spanned.span(), scope, wanted);
            Some(spanned.get_ref().clone())
        };
        let condition = checked(&raw.condition, Wanted::Condition);
        let numerator = checked(&raw.numerator, Wanted::GroupNumber);
        let by_expression = checked(&raw.denominator, Wanted::GroupNumber).map(Denominator::Expression);
        let having = checked(&raw.having, Wanted::GroupCondition);
        let columns = [&raw.latest, &raw.latest_of, &raw.group_by, &raw.division_column];
        for column in columns.into_iter().flatten() {
            if !scope.contains(column.get_ref().as_str()) {
                self.problem(&column.span(), format!("unknown column `{}`", column.get_ref()));
            }
        }
        let group = match (&raw.group_by, having) {
            (Some(column), Some(having)) => Some(Group { column: column.get_ref().clone(), having }),
            (None, None) => None,
            _ => {
                self.problem(place, "group_by and having go together");
                None
            }
        };
        if numerator.is_some() == group.is_some() {
            self.problem(place, "either a numerator or group_by with having is needed");
        }
        if let Some(of) = raw.latest_of.as_ref().filter(|_| raw.latest.is_none()) {
            self.problem(&of.span(), "latest_of says whose latest: latest is needed");
        }
        let denominator = by_expression
            .or_else(|| self.divisions(raw.denominator_divisions.as_ref()).map(Denominator::Divisions))
            .or_else(|| self.whole(raw.denominator_from.as_ref()?, &names));
        if denominator.is_some() != (raw.form != Form::Figure) {
            let name = raw.name.get_ref();
            let message = if denominator.is_some() {
                format!("measure `{name}` has a denominator but is a figure")
            } else {
                format!("measure `{name}` is a share and its denominator is missing")
            };
            self.problem(place, message);
        }
        Count {
            condition,
            ended_included: raw.ended == Some(RawEnded::Included),
            latest: raw.latest.as_ref().map(|column| column.get_ref().clone()),
            latest_of: raw.latest_of.as_ref().map(|column| column.get_ref().clone()),
            period: raw.period,
            empty: raw.empty,
            restrictions: raw.restrict.iter().map(|raw| self.restriction(raw, scope)).collect(),
            group,
            numerator,
            denominator,
            division_column: raw.division_column.as_ref().map(|column| column.get_ref().clone()),
            holds_below: raw.holds_below,
        }
    }

    fn divisions(&mut self, names: Option<&Spanned<Vec<String>>>) -> Option<Vec<DivisionLevel>> {
        let names = names?;
        let mut levels = Vec::new();
        for name in names.get_ref() {
            match DivisionLevel::parse(name) {
                Some(level) => levels.push(level),
                None => self
                    .problem(&names.span(), format!("unknown level `{name}`: prefecture, county, township or village")),
            }
        }
        Some(levels)
    }

    fn whole(&mut self, raw: &Spanned<RawWhole>, parameters: &[&str]) -> Option<Denominator> {
        let place = raw.span();
        let raw = raw.get_ref();
        let Some(columns) = columns_of(&raw.dataset) else {
            self.problem(&place, format!("unknown dataset `{}`", raw.dataset));
            return None;
        };
        let scope = Scope { columns, parameters };
        let wanted =
            raw.condition.iter().map(|sql| (sql, Wanted::Condition)).chain([(&raw.count, Wanted::GroupNumber)]);
        for (sql, wanted) in wanted {
            self.expression(sql, &place, scope, wanted);
        }
        let (dataset, condition, count) = (raw.dataset.clone(), raw.condition.clone(), raw.count.clone());
        Some(Denominator::Other(Whole { dataset, condition, count }))
    }

    fn restriction(&mut self, raw: &Spanned<RawRestriction>, own: Scope<'_>) -> Restriction {
        let place = raw.span();
        let raw = raw.get_ref();
        if !own.contains(&raw.column) {
            self.problem(&place, format!("unknown column `{}`", raw.column));
        }
        match columns_of(&raw.dataset) {
            None => self.problem(&place, format!("unknown dataset `{}`", raw.dataset)),
            Some(columns) => {
                let scope = Scope { columns, parameters: own.parameters };
                if !scope.contains(&raw.key) {
                    self.problem(&place, format!("unknown column `{}`", raw.key));
                }
                if let Some(condition) = &raw.condition {
                    self.expression(condition, &place, scope, Wanted::Condition);
                }
            }
        }
        Restriction {
            column: raw.column.clone(),
            dataset: raw.dataset.clone(),
            key: raw.key.clone(),
            condition: raw.condition.clone(),
            ended_included: raw.ended == Some(RawEnded::Included),
            without: raw.without,
            covering: raw.covering,
        }
    }

    fn expression(&mut self, sql: &str, place: &Range<usize>, scope: Scope<'_>, wanted: Wanted) {
        if let Err(problem) = (self.expression)(sql, scope, wanted) {
            self.problem(place, problem);
        }
    }

    fn area(&mut self, code: &str, place: &Range<usize>) {
        if self.areas.get(code).is_none() {
            self.problem(place, format!("unknown area `{code}`"));
        }
    }

    fn optional_day(&mut self, text: Option<&Spanned<String>>) -> Option<NaiveDate> {
        text.map(|text| self.day(text))
    }

    fn day(&mut self, text: &Spanned<String>) -> NaiveDate {
        text.get_ref().parse().unwrap_or_else(|_| {
            self.problem(&text.span(), format!("not a day: `{}`", text.get_ref()));
            NaiveDate::default()
        })
    }
}

fn secondary(measure: &Measure) -> SecondaryMeasure {
    SecondaryMeasure {
        name: measure.name.clone(),
        title: measure.title.clone(),
        unit: measure.unit.clone(),
        person_based: measure.person_based,
    }
}
