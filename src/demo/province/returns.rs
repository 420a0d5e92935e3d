//! Returns for every commitment that is reported rather than counted, by county and month.
//!
//! The catalogue says what is filed and in which unit; [`course_of`] says how it goes in this province.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use minsheng_analytics::{
    catalogue::{Areas, Denominator, DivisionLevel, Form, Measure},
    model::{Commitment, Level, PRIMARY_MEASURE, SourceKind},
};
use minsheng_kit::values::divisions::Divisions;
use minsheng_proto::returns::v1 as pb;

use super::{
    Batch, Draw, LAST_DAY, Province, day_of, education, encoded, health, month_end, months, part, places, year_month,
};

/// How a commitment goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Course {
    /// From one share of its goal to another over the records.
    From(f64, f64),
    /// Nobody files it: the page must say that it is not known.
    Silent,
    /// Filed until a month of 2025 and then no more.
    Stopped,
}

/// The courses that are not the usual one of their kind.
const COURSES: [(&str, Course); 22] = [
    ("graduate-subsidies-paid", Course::From(0.90, 1.0)),
    ("needy-pension-premiums-paid", Course::From(1.0, 1.0)),
    ("critical-illness-cap-raised", Course::From(0.92, 1.0)),
    ("maternity-allowance-direct", Course::From(0.30, 0.985)),
    ("low-income-monitoring", Course::From(0.80, 0.965)),
    ("dibao-standard-pegged", Course::From(1.0, 1.0)),
    ("school-age-warning", Course::From(0.20, 0.74)),
    ("cross-area-marriage", Course::From(0.70, 1.0)),
    ("service-standard", Course::From(0.60, 0.86)),
    ("migrant-children-enrolled", Course::From(0.96, 0.995)),
    ("sunshine-enrolment", Course::From(0.90, 0.99)),
    ("balanced-compulsory-education", Course::From(0.10, 0.28)),
    ("drug-catalogues", Course::From(0.25, 0.48)),
    ("disability-certificates", Course::From(0.75, 0.93)),
    ("children-in-difficulty", Course::From(0.70, 0.97)),
    ("hpv-vaccination", Course::From(0.62, 0.91)),
    ("hospital-delivery-subsidy", Course::From(0.985, 1.0)),
    ("disability-two-subsidies", Course::From(0.97, 1.0)),
    ("care-land-planning", Course::Silent),
    ("union-childcare-budget", Course::Silent),
    ("money-follows-person", Course::Silent),
    ("tourism-order", Course::Stopped),
];

/// The month after which nothing more comes for a commitment whose filing stopped.
const STOPPED_AFTER: NaiveDate = day_of(2025, 8, 31);
/// The county that has filed nothing for years' ends, and how many more are late with the last month.
const LATE_SHARE: f64 = 0.04;

/// The officer who files figures and steps, and the one who approves them.
pub(in crate::demo) const FILER: &str = "0107";
pub(in crate::demo) const APPROVER: &str = "0231";
/// The first month whose figures are approved, where a verdict asks for it: the month before most commitments fell due.
const APPROVED_FROM: NaiveDate = day_of(2025, 11, 1);
/// The commitment whose newest figures nobody has approved yet.
const WAITING: &str = "critical-illness-cap-raised";
/// The month that waits.
const WAITING_FROM: NaiveDate = day_of(2026, 3, 1);

/// Reports whether somebody has approved a figure: those by which a commitment is judged, but for the ones that wait.
fn is_approved(spec: &Spec, month: NaiveDate) -> bool {
    let waits = spec.commitment == WAITING && month >= WAITING_FROM;
    // What is judged by a pace is judged from its first month on.
    spec.judged && !waits && (spec.dated || month >= APPROVED_FROM)
}

/// Names the returns of a department that are approved.
pub(super) fn approved(province: Province, department: &'static str) -> Vec<String> {
    let mut names = Vec::new();
    for spec in specs(province, department).into_iter().filter(|spec| spec.judged) {
        let figures = filed(province, &spec).into_iter();
        names.extend(figures.filter(|(month, _)| is_approved(&spec, *month)).map(|(_, figure)| name_of(&figure)));
    }
    names
}

/// The commitment of which some counties correct a month after it was approved, and the month.
const CORRECTED: &str = "children-in-difficulty";
const CORRECTED_MONTH: NaiveDate = day_of(2025, 12, 1);
/// Every so many counties correct it.
const CORRECTED_ONE_OF: usize = 12;

/// The returns of a department that are corrected late, with the figures that are right.
pub(super) fn corrections(province: Province, department: &'static str) -> Vec<pb::Return> {
    let specs = specs(province, department).into_iter().filter(|spec| spec.judged && spec.commitment == CORRECTED);
    let figures = specs.flat_map(|spec| filed(province, &spec));
    let month = figures.filter(|(month, _)| *month == CORRECTED_MONTH).step_by(CORRECTED_ONE_OF);
    let corrected = month.map(|(_, figure)| {
        let numerator = figure.numerator.map(|numerator| (numerator - 2.0).max(0.0));
        pb::Return { name: name_of(&figure), numerator, ..figure }
    });
    corrected.collect()
}

/// Names a return as the service does: by what it is about.
pub(in crate::demo) fn name_of(figure: &pb::Return) -> String {
    let measure = if figure.measure.is_empty() { PRIMARY_MEASURE } else { &figure.measure };
    let month = figure.month.unwrap_or_default();
    format!("returns/{}.{measure}.{}.{:04}-{:02}", figure.commitment, figure.area, month.year, month.month)
}

/// Makes the returns that a department's service takes.
pub(super) fn batch(province: Province, department: &'static str) -> Batch {
    let specs: Vec<Spec> = specs(province, department);
    let per_month: usize = specs.iter().map(|spec| spec.areas.len()).sum();
    let expected = u64::try_from(per_month * months().count()).unwrap_or_default();
    let records = specs.into_iter().flat_map(move |spec| {
        let figures = filed(province, &spec).into_iter();
        figures.map(|(_, figure)| encoded(&figure)).collect::<Vec<_>>()
    });
    Batch { register: "returns", expected, records: Box::new(records) }
}

/// The figures of a measure in all areas, each with its month.
fn filed(province: Province, spec: &Spec) -> Vec<(NaiveDate, pb::Return)> {
    let mut draw = province.draw(&format!("returns/{}/{}", spec.commitment, spec.measure));
    let mut made = Vec::new();
    for (area, size) in &spec.areas {
        made.extend(figures(&mut draw, spec, area, *size));
    }
    made
}

/// One measure that is filed.
#[derive(Debug)]
struct Spec {
    commitment: String,
    measure: String,
    unit: String,
    form: Form,
    course: Course,
    cumulative: bool,
    /// The sum that all areas together make at the goal, for a figure; the denominator of all areas, for a rate.
    size: f64,
    /// Value of a ratio at its goal.
    ratio: f64,
    /// Area codes with their share of the size.
    areas: Vec<(String, f64)>,
    /// A target is judged by it.
    judged: bool,
    /// It has a due date.
    dated: bool,
    /// What the whole of the share is in an area and a month, where the division table or a register knows it.
    known: Option<Known>,
}

/// Whoever knows the whole of a share.
#[derive(Debug)]
enum Known {
    Divisions(Vec<DivisionLevel>),
    /// Schools or hospitals by county: the days on which each opened and closed.
    Register(BTreeMap<String, Vec<(NaiveDate, Option<NaiveDate>)>>),
}

impl Known {
    fn of(province: Province, measure: &Measure) -> Option<Self> {
        match measure.known_whole.as_ref()? {
            Denominator::Divisions(levels) => Some(Self::Divisions(levels.clone())),
            Denominator::Other(whole) if whole.dataset == "education.schools" => {
                Some(Self::Register(education::admitting(province)))
            }
            Denominator::Other(_) => Some(Self::Register(health::public_hospitals())),
            Denominator::Expression(_) => None,
        }
    }

    fn whole(&self, area: &str, month: NaiveDate) -> i64 {
        let day = month_end(month);
        let number = match self {
            Self::Divisions(levels) => Areas::of_the_region().count_divisions(area, levels, &[]),
            Self::Register(places) => {
                let open = |(opened, closed): &&(NaiveDate, Option<NaiveDate>)| {
                    *opened <= day && closed.is_none_or(|closed| closed > day)
                };
                places.get(area).map_or(0, |places| places.iter().filter(open).count())
            }
        };
        i64::try_from(number).unwrap_or_default()
    }
}

fn specs(province: Province, department: &str) -> Vec<Spec> {
    let Ok(catalogue) = crate::catalogue::get() else { return vec![] };
    let mut specs = Vec::new();
    for entry in &catalogue.entries {
        let commitment = &entry.commitment;
        if commitment.service != department {
            continue;
        }
        for measure in entry.measures.iter().filter(|measure| measure.source == SourceKind::Returns) {
            let primary = measure.name == PRIMARY_MEASURE;
            let course = course_of(commitment, primary);
            if course != Course::Silent {
                specs.push(spec(province, commitment, measure, primary, course));
            }
        }
    }
    specs
}

fn spec(province: Province, commitment: &Commitment, measure: &Measure, primary: bool, course: Course) -> Spec {
    let size = match measure.form {
        Form::Share => 60_000.0,
        Form::Ratio => 20_000.0,
        Form::Figure => commitment.target.filter(|_| primary).unwrap_or_else(|| usual_size(&measure.unit.en)),
    };
    // What stands beside the primary figure is filed once for the region.
    let level = if primary { commitment.lowest_level } else { Level::Region };
    Spec {
        commitment: commitment.id.clone(),
        measure: if primary { String::new() } else { measure.name.clone() },
        unit: measure.unit.en.clone(),
        form: measure.form,
        course,
        cumulative: commitment.cumulative,
        size,
        ratio: if measure.unit.en.contains("yuan") { 3_000.0 } else { 12.0 },
        areas: if fixed(course) && measure.form == Form::Figure {
            given_out(commitment)
        } else {
            areas(commitment, level)
        },
        judged: primary && commitment.target.is_some(),
        dated: commitment.due.is_some(),
        known: Known::of(province, measure),
    }
}

/// Reports whether a figure stands at its goal throughout.
fn fixed(course: Course) -> bool {
    course == Course::From(1.0, 1.0)
}

/// Things that are counted one by one where they stand, at the goal: so many hospitals, so many cities.
fn given_out(commitment: &Commitment) -> Vec<(String, f64)> {
    let target = part(commitment.target.unwrap_or(1.0), 1.0);
    if commitment.lowest_level == Level::County {
        let number = u32::try_from(target).unwrap_or_default();
        let spread = places::spread(number).into_iter();
        return spread.map(|(county, number)| (county.as_str().to_owned(), f64::from(number))).collect();
    }
    areas(commitment, commitment.lowest_level).into_iter().map(|(code, _)| (code, 1.0)).collect()
}

fn usual_size(unit: &str) -> f64 {
    match unit {
        "yuan" => 240_000_000.0,
        "days" | "months" => 12.0,
        unit if unit.contains("people") || unit.contains("person") => 60_000.0,
        _ => 2_400.0,
    }
}

/// The areas that file: those of the lowest level at which the figure exists, within its scope, by residents.
fn areas(commitment: &Commitment, level: Level) -> Vec<(String, f64)> {
    let inside = |code: &str| {
        commitment.scope.is_empty()
            || commitment.scope.iter().any(|scope| code.starts_with(scope.trim_end_matches('0')))
    };
    let region = Divisions::get().region().as_str().to_owned();
    let codes: Vec<(String, f64)> = match level {
        Level::Region if commitment.scope.is_empty() => vec![(region, 1.0)],
        Level::Region | Level::Prefecture => Divisions::get()
            .prefectures()
            .iter()
            .map(|area| (area.as_str().to_owned(), 1.0))
            .filter(|(code, _)| inside(code))
            .collect(),
        Level::County => places::COUNTIES
            .iter()
            .map(|place| (place.county.as_str().to_owned(), f64::from(place.residents)))
            .filter(|(code, _)| inside(code))
            .collect(),
    };
    let total: f64 = codes.iter().map(|(_, weight)| weight).sum();
    codes.into_iter().map(|(code, weight)| (code, weight / total)).collect()
}

fn course_of(commitment: &Commitment, primary: bool) -> Course {
    let declared = COURSES.iter().find(|(id, _)| *id == commitment.id).map(|(_, course)| *course);
    match declared {
        Some(course @ (Course::Silent | Course::Stopped)) => course,
        Some(course) if primary => course,
        _ if commitment.id == "three-day-registration" => Course::From(0.30, 1.06),
        _ if commitment.id == "group-aid-hospitals" || commitment.id == "child-friendly-cities" => {
            Course::From(1.0, 1.0)
        }
        _ => Course::From(0.55, 0.82),
    }
}

/// The figures of one area, month by month.
fn figures(draw: &mut Draw, spec: &Spec, area: &str, share: f64) -> Vec<(NaiveDate, pb::Return)> {
    let all: Vec<NaiveDate> = months().collect();
    let last = f64::from(i32::try_from(all.len()).unwrap_or(1) - 1);
    let late = all.len() > 1 && spec.areas.len() > 7 && draw.chance(LATE_SHARE);
    let mut before = 0;
    // Where the whole is one, it is there from some degree on.
    let threshold = if spec.known.is_some() { draw.real(0.02, 0.98) } else { 0.0 };
    let mut filed = Vec::with_capacity(all.len());
    for (month, step) in all.iter().copied().zip(0_i32..) {
        if (late && month > day_of(2026, 2, 1)) || (spec.course == Course::Stopped && month > STOPPED_AFTER) {
            continue;
        }
        let (from, to) = match spec.course {
            Course::From(from, to) => (from, to),
            _ => (0.4, 0.8),
        };
        let steady = fixed(spec.course);
        let noise = if steady { 1.0 } else { draw.real(0.985, 1.015) };
        let degree = (from + (to - from) * f64::from(step) / last) * noise;
        let at_goal = to >= 1.0 && month >= day_of(2025, 12, 1) && !late_to_goal(spec);
        let (numerator, denominator) = match (spec.form, &spec.known) {
            (_, Some(known)) => {
                let whole = known.whole(area, month);
                let degree = if at_goal { 1.0 } else { degree.clamp(0.0, 1.0) };
                // Things are there or not: none is nearly there.
                let whole_ones = |degree: f64| part((whole_of(whole) * degree).floor(), 1.0);
                let there = if whole == 1 { i64::from(degree >= threshold) } else { whole_ones(degree) };
                (there, None)
            }
            (Form::Share, None) => {
                let whole = part(spec.size, share).max(12);
                let degree = if at_goal { 1.0 } else { degree };
                (part(whole_of(whole), degree.clamp(0.0, 1.0)), Some(whole))
            }
            (Form::Ratio, None) => {
                let whole = part(spec.size, share).max(5);
                (part(whole_of(whole) * spec.ratio, degree), Some(whole))
            }
            (Form::Figure, None) if steady => (part(share, 1.0), None),
            (Form::Figure, None) => (part(spec.size * share, degree), None),
        };
        let numerator = if spec.cumulative { numerator.max(before) } else { numerator };
        before = numerator;
        filed.push((month, figure(spec, area, month, numerator, denominator)));
    }
    filed
}

/// Lhasa's hospitals joined the pilot of one registration for three days by February 2026, after its date.
fn late_to_goal(spec: &Spec) -> bool {
    spec.commitment == "three-day-registration"
}

fn whole_of(whole: i64) -> f64 {
    f64::from(i32::try_from(whole).unwrap_or(i32::MAX))
}

fn figure(spec: &Spec, area: &str, month: NaiveDate, numerator: i64, denominator: Option<i64>) -> pb::Return {
    #[expect(clippy::cast_precision_loss, reason = "figures of a province are far below 2^52")]
    let real = |number: i64| number as f64;
    debug_assert!(month <= LAST_DAY);
    pb::Return {
        area: area.to_owned(),
        commitment: spec.commitment.clone(),
        measure: spec.measure.clone(),
        month: Some(year_month(month)),
        numerator: Some(real(numerator)),
        denominator: denominator.map(real),
        unit: spec.unit.clone(),
        source: "synthetic province of the demo".to_owned(),
        filed_by: FILER.to_owned(),
        confidence: minsheng_proto::common::v1::Confidence::Low.into(),
        ..pb::Return::default()
    }
}
