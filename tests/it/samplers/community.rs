//! Samples of community.

use chrono::{Datelike as _, NaiveDate};
use minsheng_proto::{common::v1 as common, community::v1 as pb};
use minsheng_testkit::sampler::{FIRST_DAY, Place, Question, Sample, Sampler};
use prost_reflect::Value;

use super::{bytes, date, need, numbers, on, sample, switch};

pub(super) const SAMPLERS: &[&dyn Sampler] = &[&Points, &Activities, &Prices, &Projects];

fn meal_point(place: &Place, name: &str) -> pb::ServicePoint {
    pb::ServicePoint {
        name: name.to_owned(),
        area: place.county.clone(),
        title: "演示助餐点".to_owned(),
        kind: pb::ServicePointKind::ElderMealPoint.into(),
        operator: pb::OperatorKind::Collective.into(),
        level: pb::AreaLevel::County.into(),
        capacity: 24,
        opened_on: date(FIRST_DAY),
        ..pb::ServicePoint::default()
    }
}

fn activity(place: &Place, name: &str, point: &str, served_on: NaiveDate) -> pb::PointActivity {
    let month = i32::try_from(served_on.month()).unwrap_or_default();
    pb::PointActivity {
        name: name.to_owned(),
        area: place.county.clone(),
        service_point: point.to_owned(),
        kind: pb::ServicePointKind::ElderMealPoint.into(),
        month: Some(common::YearMonth { year: served_on.year(), month }),
        days_open: 10,
        last_served_on: date(served_on),
        people_served: 20,
        services: 200,
        ..pb::PointActivity::default()
    }
}

struct Points;

impl Sampler for Points {
    fn register(&self) -> &'static str {
        "service_points"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        sample(vec![], &meal_point(place, name))
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        vec![("capacity", numbers([10, 24, 36])), ("free_or_low_charge", switch())]
    }

    fn questions(&self, place: &Place, name: &str, day: NaiveDate) -> Vec<Question> {
        let month = activity(place, &place.name("point_activities", "asked"), name, day);
        vec![Question::Takes { register: "point_activities", item: bytes(&month) }]
    }
}

struct Activities;

impl Sampler for Activities {
    fn register(&self) -> &'static str {
        "point_activities"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let point = pb::ServicePoint {
            opened_on: on(2024, 3, 1),
            ..meal_point(place, &place.name("service_points", "reporting"))
        };
        let month = activity(place, name, &point.name, NaiveDate::from_ymd_opt(2025, 1, 20).expect("a day"));
        sample(vec![need("service_points", &point)], &month)
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        vec![("people_served", numbers([20, 21, 22])), ("revenue_fen", numbers([0, 5_000]))]
    }
}

struct Prices;

impl Prices {
    fn price(place: &Place, name: &str, applied_on: NaiveDate) -> pb::MealPrice {
        pb::MealPrice {
            name: name.to_owned(),
            area: place.county.clone(),
            resident_id: place.person(1950, 0),
            service_point: place.name("service_points", "pricing"),
            base_price_fen: 1_500,
            applied_on: date(applied_on),
            ..pb::MealPrice::default()
        }
    }
}

impl Sampler for Prices {
    fn register(&self) -> &'static str {
        "meal_prices"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let point = pb::ServicePoint {
            opened_on: on(2024, 3, 1),
            ..meal_point(place, &place.name("service_points", "pricing"))
        };
        sample(vec![need("service_points", &point)], &Self::price(place, name, FIRST_DAY))
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        vec![("base_price_fen", numbers([1_000, 1_200, 1_500]))]
    }

    fn questions(&self, place: &Place, name: &str, day: NaiveDate) -> Vec<Question> {
        vec![Question::KeyIsFree { item: bytes(&Self::price(place, &format!("{name}.other"), day)) }]
    }
}

struct Projects;

impl Sampler for Projects {
    fn register(&self) -> &'static str {
        "housing_projects"
    }

    fn sample(&self, place: &Place, name: &str) -> Sample {
        let project = pb::HousingProject {
            name: name.to_owned(),
            area: place.county.clone(),
            title: "演示项目".to_owned(),
            kind: pb::HousingKind::PublicRental.into(),
            plan_year: 2025,
            units_planned: 100,
            ..pb::HousingProject::default()
        };
        sample(vec![], &project)
    }

    /// Numbers that name no day of counting are true from today on.
    fn names_its_first_day(&self) -> bool {
        false
    }

    fn variations(&self) -> Vec<(&'static str, Vec<Value>)> {
        vec![("units_planned", numbers([100, 120, 140])), ("plan_year", vec![Value::I32(2025), Value::I32(2026)])]
    }
}
