//! The schema of the kit's own tables is one in SQLite, in PostgreSQL and in the code.

use minsheng_kit::{
    assembly::{Assembly, Definition},
    store::Migrations,
};

static DEFINITION: Definition = Definition {
    department: "health",
    service: "health",
    migrations: Migrations::NONE,
    assemble: |parts| Assembly::new(parts.context),
};

minsheng_testkit::schema_test!(DEFINITION:);
