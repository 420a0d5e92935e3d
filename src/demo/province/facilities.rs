//! Service points of every kind.

use chrono::NaiveDate;
use minsheng_kit::values::divisions::{CountyCode, Divisions};
use minsheng_proto::{common::v1::EndKind, community::v1 as pb};
use pb::{AreaLevel, OperatorKind as Operator, ServicePointKind as Kind};

use super::{Draw, LAST_DAY, Province, date, day_of, places};
use crate::upload::{Ending, Update};

/// Meal points open at the end of 2025, and when the last of the 176 opened: the target is missed by a few.
const MEAL_POINTS: u32 = 168;
/// Meal points that are planned and not open.
const MEAL_POINTS_PLANNED: u32 = 9;
/// Meal points open in June 2025 (public figure).
const MEAL_POINTS_JUNE: u32 = 139;
/// Share of villages and of townships with a fitness facility on the last day.
const VILLAGES_WITH_FITNESS: f64 = 0.905;
const TOWNSHIPS_WITH_FITNESS: f64 = 0.965;
/// One facility in so many closes for good during the records.
const CLOSED: usize = 97;
/// The oxygen sites by code, county and day of opening; the last two are not open yet.
const OXYGEN: [(&str, &str, &str, Option<NaiveDate>); 6] = [
    ("puma-yumco", "普莫雍措", "540531", Some(day_of(2025, 5, 1))),
    ("serling-tso", "色林措", "540625", Some(day_of(2025, 7, 10))),
    ("qilin-gorge", "奇林峡", "540629", Some(day_of(2025, 9, 20))),
    ("tangra-yumco", "当惹雍措", "540629", Some(day_of(2026, 2, 8))),
    ("laigu-glacier", "来古冰川", "540326", None),
    ("yiga-glacier", "依噶冰川", "540621", None),
];

/// What points of a kind have in common.
#[derive(Clone, Copy)]
struct Sort {
    kind: Kind,
    title: &'static str,
    total: u32,
    capacity: (i64, i64),
    opened: (NaiveDate, NaiveDate),
    household_prices: f64,
    medical: f64,
    operators: &'static [(Operator, u32)],
}

const GOVERNMENT: &[(Operator, u32)] = &[(Operator::Government, 9), (Operator::Private, 1)];
const MIXED: &[(Operator, u32)] = &[(Operator::Government, 3), (Operator::Private, 5), (Operator::Employer, 2)];
const VILLAGE: &[(Operator, u32)] = &[(Operator::Collective, 8), (Operator::Government, 2)];
const FROM: NaiveDate = day_of(2012, 1, 1);

const SORTS: [Sort; 7] = [
    Sort {
        kind: Kind::ElderCareHome,
        title: "养老院",
        total: 122,
        capacity: (40, 180),
        opened: (FROM, day_of(2025, 6, 30)),
        household_prices: 0.985,
        medical: 0.72,
        operators: GOVERNMENT,
    },
    Sort {
        kind: Kind::DayCareCentre,
        title: "日间照料中心",
        total: 65,
        capacity: (20, 60),
        opened: (FROM, day_of(2025, 6, 30)),
        household_prices: 0.97,
        medical: 0.4,
        operators: GOVERNMENT,
    },
    Sort {
        kind: Kind::MutualAidHome,
        title: "互助幸福院",
        total: 156,
        capacity: (8, 25),
        opened: (FROM, day_of(2025, 7, 31)),
        household_prices: 0.96,
        medical: 0.2,
        operators: VILLAGE,
    },
    Sort {
        kind: Kind::Nursery,
        title: "托育园",
        total: 132,
        capacity: (20, 90),
        opened: (day_of(2019, 3, 1), day_of(2026, 1, 31)),
        household_prices: 0.96,
        medical: 0.0,
        operators: MIXED,
    },
    Sort {
        kind: Kind::SportsVenue,
        title: "体育场馆",
        total: 316,
        capacity: (0, 0),
        opened: (FROM, day_of(2025, 12, 31)),
        household_prices: 0.0,
        medical: 0.0,
        operators: GOVERNMENT,
    },
    Sort {
        kind: Kind::CultureVenue,
        title: "文化馆",
        total: 262,
        capacity: (0, 0),
        opened: (FROM, day_of(2024, 12, 31)),
        household_prices: 0.0,
        medical: 0.0,
        operators: GOVERNMENT,
    },
    Sort {
        kind: Kind::DisabledHome,
        title: "残疾人之家",
        total: 86,
        capacity: (10, 40),
        opened: (FROM, day_of(2026, 2, 28)),
        household_prices: 0.95,
        medical: 0.3,
        operators: VILLAGE,
    },
];

/// Returns all points.
pub(super) fn points(province: Province) -> Vec<pb::ServicePoint> {
    let mut made = meal_points(province);
    made.extend(SORTS.iter().flat_map(|sort| of_sort(province, *sort)));
    made.extend(fitness(province));
    made.extend(OXYGEN.iter().map(|site| oxygen(province, site)));
    made
}

/// Reports whether a point files what it did each month.
pub(super) fn reports_monthly(point: &pb::ServicePoint) -> bool {
    matches!(point.kind(), Kind::ElderMealPoint | Kind::DayCareCentre | Kind::DisabledHome)
}

/// Some fitness facilities leave service: a change of the record from that day on.
pub(super) fn closures(province: Province) -> Vec<Update> {
    let mut draw = province.draw("closures");
    let facilities: Vec<pb::ServicePoint> = fitness(province);
    facilities
        .iter()
        .filter(|point| point.opened_on.is_some_and(|day| day.year < 2024))
        .step_by(CLOSED)
        .map(|point| {
            let closed_on = draw.day(day_of(2024, 4, 1), day_of(2026, 3, 1));
            let changed = pb::ServicePoint {
                name: point.name.clone(),
                closed_on: Some(date(closed_on)),
                ..pb::ServicePoint::default()
            };
            province.update(&changed, &point.name, 1, &["closed_on"], closed_on)
        })
        .collect()
}

/// What becomes of some homes of mutual aid: one was recorded twice, some have ended, one will end after the last day.
pub(super) fn ends(province: Province) -> Vec<Ending> {
    let ended = |on| (EndKind::Ended, Some(on));
    let ends = [
        (3, ended(day_of(2025, 11, 30))),
        (5, ended(day_of(2026, 2, 28))),
        (7, (EndKind::Withdrawn, None)),
        (11, ended(day_of(2026, 6, 30))),
    ];
    let name = |number: u32| province.name("service_points", format_args!("{}/{number}", Kind::MutualAidHome as i32));
    ends.map(|(number, (kind, on))| province.ending(name(number), kind, on)).into()
}

fn point(province: Province, key: &str, county: CountyCode, kind: Kind, title: &str) -> pb::ServicePoint {
    pb::ServicePoint {
        name: province.name("service_points", format_args!("{}/{key}", kind as i32)),
        area: county.as_str().to_owned(),
        title: format!("演示·{title}"),
        kind: kind.into(),
        operator: Operator::Government.into(),
        level: AreaLevel::County.into(),
        ..pb::ServicePoint::default()
    }
}

/// At least four where a prefecture's seat is, two elsewhere, the rest by residents; 139 by June 2025.
fn meal_points(province: Province) -> Vec<pb::ServicePoint> {
    let mut draw = province.draw("meal-points");
    let divisions = Divisions::get();
    let mut counties: Vec<CountyCode> = Vec::new();
    for round in 0..4 {
        for county in divisions.counties() {
            if round < 2 || divisions.profile(*county).prefecture_seat {
                counties.push(*county);
            }
        }
    }
    let all = MEAL_POINTS + MEAL_POINTS_PLANNED;
    let rest = all.saturating_sub(u32::try_from(counties.len()).unwrap_or(all));
    counties.extend(places::spread(rest).into_iter().flat_map(|(county, number)| (0..number).map(move |_| county)));
    counties
        .into_iter()
        .zip(0..all)
        .map(|(county, number)| {
            let title = format!("{}第{}老年助餐点", divisions.name_zh(county), number + 1);
            let mut made = point(province, &number.to_string(), county, Kind::ElderMealPoint, &title);
            let opened_on = if number < MEAL_POINTS_JUNE {
                Some(draw.day(day_of(2021, 3, 1), day_of(2025, 5, 31)))
            } else if number < MEAL_POINTS {
                Some(draw.day(day_of(2025, 6, 10), day_of(2026, 3, 10)))
            } else {
                None
            };
            made.operator =
                draw.weighted(&[(Operator::Government, 4), (Operator::Private, 4), (Operator::Collective, 2)]).into();
            made.capacity = draw.between(24, 62);
            made.floor_area_dm2 = draw.between(6_000, 30_000);
            made.free_or_low_charge = true;
            made.household_utility_prices = draw.chance(0.95);
            made.weekly_opening_minutes = 6 * 180;
            made.opened_on = opened_on.map(date);
            made
        })
        .collect()
}

fn of_sort(province: Province, sort: Sort) -> Vec<pb::ServicePoint> {
    let mut draw = province.draw(sort.title);
    let divisions = Divisions::get();
    let counties = places::spread(sort.total).into_iter().flat_map(|(county, number)| (0..number).map(move |_| county));
    counties
        .zip(0_u32..)
        .map(|(county, number)| {
            let title = format!("{}第{}{}", divisions.name_zh(county), number + 1, sort.title);
            let mut made = point(province, &number.to_string(), county, sort.kind, &title);
            made.operator = draw.weighted(sort.operators).into();
            made.capacity = draw.between(sort.capacity.0, sort.capacity.1);
            made.floor_area_dm2 = draw.between(20_000, 400_000);
            made.free_or_low_charge = draw.chance(0.62);
            made.household_utility_prices = draw.chance(sort.household_prices);
            made.medical_agreement = draw.chance(sort.medical);
            made.weekly_opening_minutes = draw.between(40, 63) * 60;
            made.opened_on = Some(date(draw.day(sort.opened.0, sort.opened.1)));
            made
        })
        .collect()
}

/// Fitness facilities: one in every county, most townships and villages, and more in counties, 9,000 together.
fn fitness(province: Province) -> Vec<pb::ServicePoint> {
    let mut draw = province.draw("fitness");
    let divisions = Divisions::get();
    let mut made = Vec::new();
    let open = |draw: &mut Draw| {
        // Most have stood for years; about one in twelve opened during the records.
        if draw.chance(0.085) { draw.day(day_of(2024, 1, 10), LAST_DAY) } else { draw.day(FROM, day_of(2023, 12, 31)) }
    };
    let equip = |draw: &mut Draw, point: &mut pb::ServicePoint, dm2: (i64, i64)| {
        point.floor_area_dm2 = draw.between(dm2.0, dm2.1);
        point.free_or_low_charge = true;
        point.weekly_opening_minutes = 7 * 720;
        point.opened_on = Some(date(open(draw)));
    };
    for (county, number) in places::spread(2_600) {
        for index in 0..=number {
            let title = format!("{}全民健身点{}", divisions.name_zh(county), index + 1);
            let mut point =
                point(province, &format!("{}/{index}", county.as_str()), county, Kind::FitnessFacility, &title);
            equip(&mut draw, &mut point, (30_000, 400_000));
            made.push(point);
        }
    }
    for township in divisions.townships() {
        if draw.chance(TOWNSHIPS_WITH_FITNESS) {
            let title = format!("{}健身广场", township.name_zh);
            let county = township.code.county();
            let mut point = point(province, township.code.as_str(), county, Kind::FitnessFacility, &title);
            point.level = AreaLevel::Township.into();
            point.township_code = township.code.to_string();
            equip(&mut draw, &mut point, (20_000, 120_000));
            made.push(point);
        }
    }
    for village in divisions.villages() {
        if draw.chance(VILLAGES_WITH_FITNESS) {
            let title = format!("{}健身点", village.name_zh);
            let mut point =
                point(province, village.code.as_str(), village.code.county(), Kind::FitnessFacility, &title);
            point.operator = Operator::Collective.into();
            point.level = AreaLevel::Village.into();
            point.township_code = village.code.township().to_string();
            point.village_code = village.code.to_string();
            equip(&mut draw, &mut point, (8_000, 60_000));
            made.push(point);
        }
    }
    made
}

fn oxygen(province: Province, site: &(&str, &str, &str, Option<NaiveDate>)) -> pb::ServicePoint {
    let (code, name, county, opened_on) = *site;
    let divisions = Divisions::get();
    let county = divisions.counties().iter().copied().find(|known| known.as_str() == county);
    let county = county.unwrap_or(divisions.counties()[0]);
    let mut made = point(province, code, county, Kind::OxygenSite, &format!("{name}增压补氧点"));
    made.site_code = code.into();
    made.weekly_opening_minutes = 7 * 480;
    made.opened_on = opened_on.map(date);
    made
}
