//! Every register does what every register promises, on every database: the suite of the test kit over all samplers.

use minsheng::{registers, site};
use minsheng_testkit::{TestDatabase, conformance, databases};

use crate::samplers;

/// Checks the registers of a department on a database, where there is one of the kind.
async fn conforms(department: &str, database: TestDatabase) {
    if !databases().contains(&database) {
        return;
    }
    let sampled = samplers::all().into_iter().filter(|sampler| {
        let register = registers::find(sampler.register()).expect("a register of the contracts");
        samplers::department(register) == department
    });
    let definition = site::service(department).expect("one of the four");
    conformance::check(definition, database, sampled.collect()).await;
}

macro_rules! conform {
    ($($name:ident: $department:literal, $database:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            conforms($department, TestDatabase::$database).await;
        }
    )*};
}

conform! {
    registers_of_social_security_conform_on_sqlite: "social-security", Sqlite;
    registers_of_social_security_conform_on_postgresql: "social-security", Postgres;
    registers_of_education_conform_on_sqlite: "education", Sqlite;
    registers_of_education_conform_on_postgresql: "education", Postgres;
    registers_of_health_conform_on_sqlite: "health", Sqlite;
    registers_of_health_conform_on_postgresql: "health", Postgres;
    registers_of_community_and_filings_conform_on_sqlite: "community", Sqlite;
    registers_of_community_and_filings_conform_on_postgresql: "community", Postgres;
}
