//! The schema of the department's database is one in SQLite, in PostgreSQL and in the code.

use minsheng_community::{
    DEFINITION,
    schema::{housing_projects, meal_prices, point_activities, service_points},
};

minsheng_testkit::schema_test!(DEFINITION: housing_projects, meal_prices, point_activities, service_points);
