//! The schema of the department's database is one in SQLite, in PostgreSQL and in the code.

use minsheng_social_security::{
    DEFINITION,
    assistance::assistance_members,
    schema::{assistance_households, enrolments},
};

minsheng_testkit::schema_test!(DEFINITION: assistance_households, assistance_members, enrolments);
