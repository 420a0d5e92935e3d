//! The schema of the department's database is one in SQLite, in PostgreSQL and in the code.

use minsheng_health::{
    DEFINITION,
    schema::{
        age_friendly_assessments, capabilities, institutions, quality_certificates, recognition_items, result_decisions,
    },
};

minsheng_testkit::schema_test!(
    DEFINITION: age_friendly_assessments,
    capabilities,
    institutions,
    quality_certificates,
    recognition_items,
    result_decisions,
);
