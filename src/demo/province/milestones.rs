//! Milestones of every commitment that is a step to be taken: some done in time, some late, some under way, some of
//! which nobody has heard.

use chrono::NaiveDate;
use minsheng_analytics::model::{Commitment, Level, SourceKind};
use minsheng_proto::returns::v1 as pb;
use pb::MilestoneState as State;

use super::{Batch, Province, date, day_of, encoded};

/// Steps that do not go the usual way: those taken and their days, then those under way.
const STEPS: [(&str, &[NaiveDate], u32); 8] = [
    ("medical-long-term-opinion", &[day_of(2025, 6, 23)], 0),
    // Under way when it was due and filed in the new year: met late.
    ("hospital-reform-application", &[day_of(2026, 1, 20)], 1),
    ("regional-medical-centres", &[day_of(2025, 9, 28)], 1),
    ("flexible-maternity-policy", &[], 1),
    ("resident-pension-opinion", &[], 0),
    ("plateau-medicine-centre", &[], 1),
    (
        "education-expansion-plan",
        &[day_of(2024, 5, 10), day_of(2024, 11, 2), day_of(2025, 6, 18), day_of(2026, 1, 8)],
        2,
    ),
    ("minimum-wage-adjusted", &[day_of(2024, 7, 1)], 0),
];

/// The commitment whose step is filed as done and was approved by nobody.
const WAITING: &str = "pension-transfer-measures";

/// Names the milestones of a department that are approved.
pub(super) fn approved(province: Province, department: &'static str) -> Vec<String> {
    let steps = steps(province, department).into_iter().filter(|step| step.commitment != WAITING);
    steps.map(|step| name_of(&step)).collect()
}

/// Names a milestone as the service does: by what it is about.
pub(in crate::demo) fn name_of(step: &pb::Milestone) -> String {
    format!("milestones/{}.{}.{}", step.commitment, step.subject, step.area)
}

/// Makes the milestones that a department's service takes.
pub(super) fn batch(province: Province, department: &'static str) -> Batch {
    let steps = steps(province, department);
    Batch {
        register: "milestones",
        expected: u64::try_from(steps.len()).unwrap_or_default(),
        records: Box::new(steps.into_iter().map(|milestone| encoded(&milestone))),
    }
}

fn steps(province: Province, department: &'static str) -> Vec<pb::Milestone> {
    let catalogue = crate::catalogue::get();
    let mut draw = province.draw(&format!("milestones/{department}"));
    let mut made = Vec::new();
    for entry in catalogue.iter().flat_map(|catalogue| &catalogue.entries) {
        let commitment = &entry.commitment;
        if commitment.service != department || commitment.source != SourceKind::Milestones {
            continue;
        }
        let declared = STEPS.iter().find(|(id, _, _)| *id == commitment.id);
        let usual = [draw.day(day_of(2025, 2, 1), day_of(2025, 12, 20))];
        let (done, under_way) = declared.map_or((usual.as_slice(), 0), |(_, done, under_way)| (*done, *under_way));
        // The subjects that decide come first.
        let deciding = &entry.primary().subjects;
        let subject = |number: u32| {
            let named = usize::try_from(number).ok().and_then(|number| deciding.get(number - 1));
            named.cloned().unwrap_or_else(|| format!("step-{number}"))
        };
        for (number, day) in (1..).zip(done) {
            made.push(step(commitment, number, subject(number), State::Done, *day));
        }
        let first = u32::try_from(done.len()).unwrap_or_default() + 1;
        for number in first..first + under_way {
            made.push(step(commitment, number, subject(number), State::UnderWay, day_of(2025, 10, 15)));
        }
    }
    made
}

fn step(commitment: &Commitment, number: u32, subject: String, state: State, day: NaiveDate) -> pb::Milestone {
    let area = match (commitment.lowest_level, commitment.scope.first()) {
        (_, Some(scope)) => scope.clone(),
        (Level::Region, None) => "540000".to_owned(),
        _ => "540100".to_owned(),
    };
    pb::Milestone {
        area,
        commitment: commitment.id.clone(),
        subject,
        title: format!("演示·{}({number})", commitment.title_zh),
        milestone_state: state.into(),
        happened_on: Some(date(day)),
        evidence: if state == State::Done {
            format!("演示〔{}〕{number}号", chrono::Datelike::year(&day))
        } else {
            String::new()
        },
        source: "synthetic province of the demo".to_owned(),
        filed_by: super::returns::FILER.to_owned(),
        confidence: minsheng_proto::common::v1::Confidence::Low.into(),
        ..pb::Milestone::default()
    }
}
