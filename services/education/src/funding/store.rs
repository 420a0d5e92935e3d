//! What the store knows about a chunk of funding records: other records of the same school, fund and term.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{
    error::Error,
    load_among,
    register::{ACTIVE, Holders, Period},
    store::AnyConnection,
};

use crate::schema::{FundingRecord, funding_records};

/// A school, a fund, a year and a term: of these there is one record on a day.
type Once = (String, i64, i64, i64);

/// Returns which records are in force of the same schools, funds and terms, and on which days.
pub(super) fn there_already(connection: &mut AnyConnection, records: &[FundingRecord]) -> Result<Holders<Once>, Error> {
    let mut schools: Vec<&str> = records.iter().map(|record| record.school.as_str()).collect();
    schools.sort_unstable();
    schools.dedup();
    let years = records.iter().map(|record| record.term_year);
    let (Some(first), Some(last)) = (years.clone().min(), years.max()) else { return Ok(Holders::from_iter([])) };
    let in_force = funding_records::table
        .filter(funding_records::term_year.between(first, last))
        .filter(funding_records::state.eq(ACTIVE))
        .select((
            funding_records::school,
            funding_records::fund,
            funding_records::term_year,
            funding_records::term,
            funding_records::id,
            funding_records::effective_on,
            funding_records::effective_until,
        ));
    let found: Vec<(String, i64, i64, i64, String, i64, i64)> =
        load_among!(connection, in_force, funding_records::school, schools)?;
    let holder = |(school, fund, year, term, id, from, until)| ((school, fund, year, term), id, Period { from, until });
    Ok(found.into_iter().map(holder).collect())
}

/// Returns the school, fund, year and term of a record.
pub(super) fn once(record: &FundingRecord) -> Once {
    (record.school.clone(), record.fund, record.term_year, record.term)
}
