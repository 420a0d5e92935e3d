//! Service points (服务点) and what they do each month (服务点月报): two registers that know of each other.
//!
//! A point says that a place is there; its activity says that the place serves. Both are needed for the commitments
//! that count points in operation (运营), so activity is accepted only for a point that exists and is of the same
//! kind. What is particular to one kind of point stands in [`kinds`], nowhere else.

mod activity_mapping;
mod activity_rules;
mod coverage;
pub mod kinds;
mod mapping;
mod operation;
mod rules;
pub(crate) mod store;

pub use activity_mapping::{PointActivities, PointActivityRpc};
pub use activity_rules::{Activity, check_activity};
pub use coverage::{fewest_meal_points, fewest_meal_points_of};
pub use mapping::{ServicePointRpc, ServicePoints};
pub use operation::{InService, is_operating, operating_window};
pub use rules::{Place, check_place, unit_code};
