//! Community: service points with their months, meal prices, and the housing projects of the plan of 2025.

use chrono::NaiveDate;
use minsheng_kit::values::divisions::{CountyCode, Divisions};
use minsheng_proto::community::v1 as pb;

use super::{
    Batch, Changes, Draw, LAST_DAY, Province, date, day_of, earlier, encoded, facilities, later, month_end, months,
    places, social_security, year_month,
};

/// Prices of elders on assistance, at scale 1.
const MEAL_PRICES: u32 = 400;
/// Homes of the plan of 2025 (the notice).
const HOMES: u32 = 1_603;
/// Homes of one project, about.
const HOMES_OF_A_PROJECT: u32 = 54;
/// Day on which the plan of the year was made.
const PLANNED_ON: NaiveDate = day_of(2025, 1, 15);

pub(super) fn batches(province: Province) -> Vec<Batch> {
    let points = facilities::points(province);
    let count = |number: usize| u64::try_from(number).unwrap_or_default();
    let reporting: Vec<pb::ServicePoint> =
        points.iter().filter(|point| facilities::reports_monthly(point)).cloned().collect();
    let expected = count(points.len());
    let points = points.into_iter().map(|point| encoded(&point));
    let mut draw = province.draw("activity");
    let months_expected = count(reporting.len() * 24);
    let activity = reporting.into_iter().flat_map(move |point| activity(province, &mut draw, &point));
    vec![
        Batch { register: "service_points", expected, records: Box::new(points) },
        Batch {
            register: "point_activities",
            expected: months_expected,
            records: Box::new(activity.map(|made| encoded(&made))),
        },
    ]
}

/// Prices of meals, for which social security is asked.
pub(super) fn cases(province: Province) -> Vec<Changes> {
    let mut draw = province.draw("meal-prices");
    // Open throughout the time in which prices are asked for.
    let open: Vec<pb::ServicePoint> = facilities::points(province)
        .into_iter()
        .filter(|point| {
            point.kind() == pb::ServicePointKind::ElderMealPoint && point.opened_on.is_some_and(|day| day.year < 2025)
        })
        .collect();
    let creations = (0..province.scaled(MEAL_PRICES))
        .map(|number| {
            let price = meal_price(province, &mut draw, number, &open);
            province.creation(&price, &price.name, price.applied_on)
        })
        .collect();
    vec![Changes { register: "meal_prices", creations, updates: vec![], ends: vec![] }]
}

/// Projects go from stage to stage; points close, and open again elsewhere.
pub(super) fn changes(province: Province) -> Vec<Changes> {
    let mut draw = province.draw("housing-stages");
    let (mut creations, mut updates) = (Vec::new(), Vec::new());
    for project in projects() {
        let planned = planned(province, &project);
        let name = planned.name.clone();
        creations.push(province.creation(&planned, &name, Some(date(PLANNED_ON))));
        for (version, (on, started, acquired, completed, let_or_sold)) in (1..).zip(stages(&mut draw, &project)) {
            let changed = pb::HousingProject {
                name: name.clone(),
                units_started: started,
                units_acquired: acquired,
                units_completed: completed,
                units_let: let_or_sold,
                ..pb::HousingProject::default()
            };
            let fields = ["units_started", "units_acquired", "units_completed", "units_let"];
            updates.push(province.update(&changed, &name, version, &fields, on));
        }
    }
    vec![
        Changes { register: "housing_projects", creations, updates, ends: vec![] },
        Changes {
            register: "service_points",
            creations: vec![],
            updates: facilities::closures(province),
            ends: facilities::ends(province),
        },
    ]
}

/// The months of one point, from its opening to the last day.
fn activity(province: Province, draw: &mut Draw, point: &pb::ServicePoint) -> Vec<pb::PointActivity> {
    let Some(opened_on) = point.opened_on.as_ref().and_then(|day| {
        NaiveDate::from_ymd_opt(day.year, u32::try_from(day.month).ok()?, u32::try_from(day.day).ok()?)
    }) else {
        return vec![];
    };
    let size = point.capacity.max(12);
    let meal = point.kind() == pb::ServicePointKind::ElderMealPoint;
    months()
        .filter(|month| *month > opened_on)
        .map(|month| {
            let days_open = draw.between(19, 26);
            let people = draw.between(size / 2, size);
            let services = people * if meal { days_open } else { draw.between(4, 12) };
            let discounted = if meal { services * draw.between(20, 60) / 100 } else { 0 };
            let key = format!("{}/{month}", point.name);
            pb::PointActivity {
                name: province.name("point_activities", key),
                area: point.area.clone(),
                service_point: point.name.clone(),
                kind: point.kind,
                month: Some(year_month(month)),
                days_open,
                last_served_on: Some(date(later(month, draw.between(24, 27)).min(month_end(month)))),
                people_served: people,
                services,
                discounted_services: discounted,
                revenue_fen: if meal { (services - discounted) * 1_200 + discounted * 600 } else { 0 },
                ..pb::PointActivity::default()
            }
        })
        .collect()
}

fn meal_price(province: Province, draw: &mut Draw, number: u32, points: &[pb::ServicePoint]) -> pb::MealPrice {
    let point = draw.pick(points);
    let household = draw.0.u32(0..social_security::households(province));
    let resident_id = if draw.chance(0.5) {
        social_security::household_elder(household)
    } else {
        super::people::resident_id(super::people::ELDERS, u64::from(number))
    };
    pb::MealPrice {
        name: province.name("meal_prices", number),
        area: point.area.clone(),
        resident_id,
        service_point: point.name.clone(),
        base_price_fen: draw.between(10, 16) * 100,
        applied_on: Some(date(draw.day(day_of(2025, 9, 1), earlier(LAST_DAY, 10)))),
        ..pb::MealPrice::default()
    }
}

#[derive(Clone, Copy, Debug)]
struct Project {
    number: u32,
    county: CountyCode,
    homes: i64,
}

/// Projects of the plan, where people live, with all its homes.
fn projects() -> impl Iterator<Item = Project> {
    let total = HOMES.div_ceil(HOMES_OF_A_PROJECT);
    let counties = places::spread(total).into_iter().flat_map(|(county, number)| (0..number).map(move |_| county));
    counties.enumerate().map(move |(index, county)| {
        let number = u32::try_from(index).unwrap_or_default();
        let homes = HOMES / total + u32::from(number < HOMES % total);
        Project { number, county, homes: i64::from(homes) }
    })
}

fn planned(province: Province, project: &Project) -> pb::HousingProject {
    let kinds = [pb::HousingKind::PublicRental, pb::HousingKind::AffordableRental, pb::HousingKind::AllocatedSale];
    let kind = kinds[usize::try_from(project.number % 3).unwrap_or_default()];
    pb::HousingProject {
        name: province.name("housing_projects", project.number),
        area: project.county.as_str().to_owned(),
        title: format!("演示·{}2025年保障性住房{}号", Divisions::get().name_zh(project.county), project.number + 1),
        kind: kind.into(),
        plan_year: 2025,
        units_planned: project.homes,
        ..pb::HousingProject::default()
    }
}

/// The stages of a project: started in spring and summer of 2025, all but a few by the end of the year, those in the
/// first quarter of 2026 - the plan is met late.
fn stages(draw: &mut Draw, project: &Project) -> Vec<(NaiveDate, i64, i64, i64, i64)> {
    let acquired = if project.number.is_multiple_of(5) { project.homes / 4 } else { 0 };
    let build = project.homes - acquired;
    let half = build / 2;
    let last = if project.number.is_multiple_of(6) {
        draw.day(day_of(2026, 1, 12), day_of(2026, 2, 20))
    } else {
        draw.day(day_of(2025, 8, 1), day_of(2025, 12, 10))
    };
    let first = draw.day(day_of(2025, 3, 20), day_of(2025, 6, 30));
    let mut made = vec![(first, half, acquired, 0, 0), (last, build, acquired, acquired, 0)];
    if last < day_of(2025, 11, 1) {
        made.push((draw.day(day_of(2026, 2, 25), LAST_DAY), build, acquired, acquired + half, acquired));
    }
    made
}
