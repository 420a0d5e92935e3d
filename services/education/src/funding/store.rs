//! What the store knows about a chunk of funding records: other records of the same school, fund and term.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use minsheng_kit::{error::Error, load_among, register::Holders, store::AnyConnection};
use minsheng_proto::common::v1::RecordState;

use crate::schema::{FundingEntry, funding_records};

/// A school, a fund, a year and a term: of these there is one record.
type Once = (String, i64, i64, i64);

/// Gives, by school, fund and term, the id of the record that is there and was not withdrawn.
pub(super) fn there_already(connection: &mut AnyConnection, records: &[FundingEntry]) -> Result<Holders<Once>, Error> {
    let mut schools: Vec<&str> = records.iter().map(|record| record.school.as_str()).collect();
    schools.sort_unstable();
    schools.dedup();
    let years = records.iter().map(|record| record.term_year);
    let (Some(first), Some(last)) = (years.clone().min(), years.max()) else { return Ok(Holders::from_iter([])) };
    let standing = funding_records::table
        .filter(funding_records::term_year.between(first, last))
        .filter(funding_records::state.ne(RecordState::Withdrawn as i64))
        .select((
            funding_records::school,
            funding_records::fund,
            funding_records::term_year,
            funding_records::term,
            funding_records::id,
        ));
    let found: Vec<(String, i64, i64, i64, String)> =
        load_among!(connection, standing, funding_records::school, schools)?;
    Ok(found.into_iter().map(|(school, fund, year, term, id)| ((school, fund, year, term), id)).collect())
}

/// Gives the school, fund, year and term of a record.
pub(super) fn once(record: &FundingEntry) -> Once {
    (record.school.clone(), record.fund, record.term_year, record.term)
}
