//! The education department's service: schools, what they were given for each term, and pupils' cases for the three
//! guarantees (教育三包).
//!
//! | register | folder | dataset |
//! |---|---|---|
//! | schools and kindergartens | [`schools`] | `education.schools` |
//! | appropriations and payments | [`funding`] | `education.funding` |
//! | cases for the three guarantees | [`aid`] | `education.aid` |
//!
//! Beside the registers, [`balance`] holds the assessment of counties for balanced compulsory education as rules.

pub mod aid;
pub mod balance;
pub mod funding;
pub mod schema;
pub mod schools;

use minsheng_kit::{
    assembly::{Assembly, Definition, Parts},
    error::Error,
};

/// The service, for its own process, the demo and the tests.
pub static DEFINITION: Definition =
    Definition { department: "education", service: "education", migrations: minsheng_kit::migrations!(), assemble };

fn assemble(parts: Parts) -> Result<Assembly, Error> {
    let Parts { context, upstreams } = parts;
    let aid = aid::AidCaseRpc::new(aid::AidCases::asking(upstreams.to(aid::EVIDENCE_FROM).ok()), context.clone());
    let waiting = aid.engine().clone();
    Ok(Assembly::new(context.clone())?
        .register(schools::SchoolRpc::new(schools::Schools, context.clone()))
        .register(funding::FundingRecordRpc::new(funding::FundingRecords, context))
        .register(aid)
        .every(
            |intervals| intervals.settle,
            move || {
                let waiting = waiting.clone();
                async move { waiting.settle().await.map(drop) }
            },
        ))
}
