//! What the list and the certificates say about results: for a chunk of them at once, or for the one of a question.

use std::collections::{BTreeSet, HashMap};

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, QueryDsl as _,
    Queryable, RunQueryDsl as _,
};
use minsheng_kit::{
    error::Error,
    load_among, on_each,
    store::AnyConnection,
    values::divisions::{AreaCode, CountyCode},
};
use minsheng_proto::health::v1 as pb;

use super::{
    certificates::valid_to,
    items::active_to,
    rules::{CertifiedPeriod, ListedPeriod},
    store::WITHDRAWN,
};
use crate::schema::{institutions, quality_certificates, recognition_items};

/// What the list and the certificates say about some items of some institutions.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    listed: HashMap<String, Vec<ListedPeriod>>,
    certified: HashMap<(String, String), Vec<CertifiedPeriod>>,
}

/// The columns of an item that say where and when it is in a list.
#[derive(Queryable)]
struct ListedRow {
    area: String,
    active_from: i64,
    active_to: Option<i64>,
    ended_on: Option<i64>,
    window_days: i64,
}

/// The columns of a certificate that say where and when it vouches.
#[derive(Queryable)]
struct CertifiedRow {
    scope: i64,
    area: String,
    valid_from: i64,
    valid_to: i64,
    ended_on: Option<i64>,
    failed_on: Option<i64>,
}

macro_rules! listed_row {
    () => {
        (
            recognition_items::area,
            recognition_items::active_from,
            recognition_items::active_to,
            recognition_items::ended_on,
            recognition_items::window_days,
        )
    };
}

macro_rules! certified_row {
    () => {
        (
            quality_certificates::scope,
            quality_certificates::area,
            quality_certificates::valid_from,
            quality_certificates::valid_to,
            quality_certificates::ended_on,
            quality_certificates::failed_on,
        )
    };
}

/// Items that a list has or had.
#[diesel::dsl::auto_type]
fn in_a_list() -> _ {
    let withdrawn: i64 = WITHDRAWN;
    recognition_items::state.ne(withdrawn)
}

/// Certificates that vouch for something.
#[diesel::dsl::auto_type]
fn vouches() -> _ {
    let withdrawn: i64 = WITHDRAWN;
    quality_certificates::passed.eq(true).and(quality_certificates::state.ne(withdrawn))
}

impl ListedRow {
    fn period(&self) -> Result<ListedPeriod, Error> {
        Ok(ListedPeriod {
            area: AreaCode::parse(&self.area).map_err(Error::internal)?,
            from: self.active_from,
            to: active_to(self.active_to, self.ended_on),
            window_days: self.window_days,
        })
    }
}

impl CertifiedRow {
    fn period(&self) -> Result<CertifiedPeriod, Error> {
        let scope = i32::try_from(self.scope).ok().and_then(|scope| pb::RecognitionScope::try_from(scope).ok());
        Ok(CertifiedPeriod {
            scope: scope.unwrap_or_default(),
            county: CountyCode::parse(&self.area).map_err(Error::internal)?,
            from: self.valid_from,
            to: valid_to(self.valid_to, self.ended_on, self.failed_on),
        })
    }
}

impl Evidence {
    /// Finds it for pairs of institution and item, in two queries.
    pub(super) fn find<'a>(
        connection: &mut AnyConnection,
        asked: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Error> {
        let (holders, codes): (BTreeSet<&str>, BTreeSet<&str>) = asked.into_iter().unzip();
        let mut evidence = Self::default();
        let (holders, codes) = (Vec::from_iter(holders), Vec::from_iter(codes));
        let listed = recognition_items::table.filter(in_a_list()).select((recognition_items::code, listed_row!()));
        let items: Vec<(String, ListedRow)> = load_among!(connection, listed, recognition_items::code, codes)?;
        let passed = quality_certificates::table
            .filter(vouches())
            .filter(quality_certificates::item_code.eq_any(codes))
            .select((quality_certificates::institution, quality_certificates::item_code, certified_row!()));
        let certificates: Vec<(String, String, CertifiedRow)> =
            load_among!(connection, passed, quality_certificates::institution, holders)?;
        for (code, item) in items {
            evidence.listed.entry(code).or_default().push(item.period()?);
        }
        for (institution, code, held) in certificates {
            evidence.certified.entry((institution, code)).or_default().push(held.period()?);
        }
        Ok(evidence)
    }

    /// Gives the periods in which an item is in the list.
    pub(super) fn listed(&self, code: &str) -> &[ListedPeriod] {
        self.listed.get(code).map_or(&[], Vec::as_slice)
    }

    /// Gives the periods in which an institution holds a passed certificate for an item.
    pub(super) fn certified(&self, institution: &str, code: &str) -> &[CertifiedPeriod] {
        self.certified.get(&(institution.to_owned(), code.to_owned())).map_or(&[], Vec::as_slice)
    }
}

/// All that a question about one result reads.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) performing_level: i64,
    pub(super) receiving_level: i64,
    pub(super) receiving_area: String,
    /// Periods in which the item is in a list.
    pub(super) listed: Vec<ListedPeriod>,
    /// Periods in which the performing institution holds a passed certificate for it.
    pub(super) certified: Vec<CertifiedPeriod>,
}

/// Grade of the performing institution, grade and county of the receiving one, an item of a list, a certificate.
type AskedRow = (i64, i64, String, Option<ListedRow>, Option<CertifiedRow>);

impl Asked {
    /// Finds it by one statement, which is one moment and one journey; nothing where an institution is not there.
    pub(super) fn find(
        connection: &mut AnyConnection,
        performing: &str,
        receiving: &str,
        code: &str,
    ) -> Result<Option<Self>, Error> {
        // What a join compares with must be owned.
        let [performing, receiving, code] = [performing, receiving, code].map(str::to_owned);
        let (performed, received) = diesel::alias!(institutions as performing, institutions as receiving);
        let there = performed
            .inner_join(received.on(received.field(institutions::id).eq(receiving)))
            .left_join(recognition_items::table.on(recognition_items::code.eq(code.clone()).and(in_a_list())))
            .left_join(
                quality_certificates::table.on(quality_certificates::institution
                    .eq(performing.clone())
                    .and(quality_certificates::item_code.eq(code))
                    .and(vouches())),
            )
            .filter(performed.field(institutions::id).eq(performing))
            .filter(performed.field(institutions::state).ne(WITHDRAWN))
            .filter(received.field(institutions::state).ne(WITHDRAWN))
            .select((
                performed.field(institutions::level),
                received.field(institutions::level),
                received.field(institutions::area),
                listed_row!().nullable(),
                certified_row!().nullable(),
            ));
        let rows: Vec<AskedRow> = on_each!(connection, c => there.load(c))?;
        let mut found: Option<Self> = None;
        // Each item of a list stands beside each certificate.
        for (performing_level, receiving_level, receiving_area, listed, certified) in rows {
            let asked = found.get_or_insert_with(|| Self {
                performing_level,
                receiving_level,
                receiving_area,
                listed: Vec::new(),
                certified: Vec::new(),
            });
            once(&mut asked.listed, listed.map(|row| row.period()).transpose()?);
            once(&mut asked.certified, certified.map(|row| row.period()).transpose()?);
        }
        Ok(found)
    }
}

/// Adds what is not there yet.
fn once<T: PartialEq>(all: &mut Vec<T>, one: Option<T>) {
    all.extend(one.filter(|one| !all.contains(one)));
}
