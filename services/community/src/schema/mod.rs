// Written by `just gen` from the contracts.

//! The tables of the department's registers, and the records of their states.

mod housing_project;
mod meal_price;
mod point_activity;
mod service_point;

pub use housing_project::{HousingProjectRecord, housing_projects};
pub use meal_price::{MealPriceRecord, meal_prices};
pub use point_activity::{PointActivityRecord, point_activities};
pub use service_point::{ServicePointRecord, service_points};

diesel::allow_tables_to_appear_in_same_query!(housing_projects, meal_prices, point_activities, service_points);
