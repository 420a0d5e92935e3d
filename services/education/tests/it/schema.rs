//! The schema of the department's database is one in SQLite, in PostgreSQL and in the code.

use minsheng_education::{
    DEFINITION,
    schema::{aid_cases, funding_records, schools},
};

minsheng_testkit::schema_test!(DEFINITION: aid_cases, funding_records, schools);
