//! The community department's service: service points and what they do, the prices that elders pay for meals, and
//! affordable housing.
//!
//! | register | folder | dataset |
//! |---|---|---|
//! | service points | [`service_points`] | `community.service_points` |
//! | their monthly activity | [`service_points`] | `community.point_activities` |
//! | meal prices | [`meal_prices`] | `community.meal_prices` |
//! | affordable housing projects | [`housing`] | `community.housing` |
//!
//! It answers no other department's questions; it asks social security one (待遇类别), for meal prices.

pub mod housing;
pub mod meal_prices;
pub mod schema;
pub mod service_points;

use minsheng_kit::{
    assembly::{Assembly, Definition, Parts},
    error::Error,
};

/// The service, for its own process, the demo and the tests.
pub static DEFINITION: Definition =
    Definition { department: "community", service: "community", migrations: minsheng_kit::migrations!(), assemble };

fn assemble(parts: Parts) -> Result<Assembly, Error> {
    let (context, upstreams) = (parts.context, parts.upstreams);
    let meal_prices = meal_prices::MealPrices::asking(upstreams.to("social-security").ok());
    let meal_prices = meal_prices::MealPriceRpc::new(meal_prices, context.clone());
    let waiting = meal_prices.engine().clone();
    Ok(Assembly::new(context.clone())?
        .register(service_points::ServicePointRpc::new(service_points::ServicePoints, context.clone()))
        .register(service_points::PointActivityRpc::new(service_points::PointActivities, context.clone()))
        .register(meal_prices)
        .register(housing::HousingProjectRpc::new(housing::HousingProjects, context))
        .every(
            |intervals| intervals.settle,
            move || {
                let waiting = waiting.clone();
                async move { waiting.settle().await.map(drop) }
            },
        ))
}
