//! Returns for every commitment that is reported rather than counted, by county and month.
//!
//! The catalogue says what is filed and in which unit; [`course_of`] says how it goes in this province.

use chrono::NaiveDate;
use minsheng_analytics::{
    catalogue::{Form, Measure},
    model::{Commitment, Level, PRIMARY_MEASURE, SourceKind},
};
use minsheng_kit::values::divisions::Divisions;
use minsheng_proto::returns::v1 as pb;

use super::{Batch, Draw, LAST_DAY, Province, day_of, encoded, months, part, places, year_month};

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

/// Makes the returns that a department's service takes.
pub(super) fn batch(province: Province, department: &'static str) -> Batch {
    let specs: Vec<Spec> = specs(department);
    let per_month: usize = specs.iter().map(|spec| spec.areas.len()).sum();
    let expected = u64::try_from(per_month * months().count()).unwrap_or_default();
    let records = specs.into_iter().flat_map(move |spec| {
        let mut draw = province.draw(&format!("returns/{}/{}", spec.commitment, spec.measure));
        let mut made = Vec::new();
        for (area, size) in &spec.areas {
            made.extend(figures(&mut draw, &spec, area, *size).map(|filed| encoded(&filed)));
        }
        made
    });
    Batch { register: "returns", expected, records: Box::new(records) }
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
}

fn specs(department: &str) -> Vec<Spec> {
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
                specs.push(spec(commitment, measure, primary, course));
            }
        }
    }
    specs
}

fn spec(commitment: &Commitment, measure: &Measure, primary: bool, course: Course) -> Spec {
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
fn figures(draw: &mut Draw, spec: &Spec, area: &str, share: f64) -> impl Iterator<Item = pb::Return> {
    let all: Vec<NaiveDate> = months().collect();
    let last = f64::from(i32::try_from(all.len()).unwrap_or(1) - 1);
    let late = all.len() > 1 && spec.areas.len() > 7 && draw.chance(LATE_SHARE);
    let mut before = 0;
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
        let (numerator, denominator) = match spec.form {
            Form::Share => {
                let whole = part(spec.size, share).max(12);
                let degree =
                    if to >= 1.0 && month >= day_of(2025, 12, 1) && !late_to_goal(spec) { 1.0 } else { degree };
                (part(whole_of(whole), degree.clamp(0.0, 1.0)), Some(whole))
            }
            Form::Ratio => {
                let whole = part(spec.size, share).max(5);
                (part(whole_of(whole) * spec.ratio, degree), Some(whole))
            }
            Form::Figure if steady => (part(share, 1.0), None),
            Form::Figure => (part(spec.size * share, degree), None),
        };
        let numerator = if spec.cumulative { numerator.max(before) } else { numerator };
        before = numerator;
        filed.push(figure(spec, area, month, numerator, denominator));
    }
    filed.into_iter()
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
        confidence: minsheng_proto::common::v1::Confidence::Low.into(),
        ..pb::Return::default()
    }
}
