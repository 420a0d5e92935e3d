//! What the list and the certificates say about results: for a chunk of them at once, or for the one of a question.

use std::collections::{BTreeSet, HashMap};

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, QueryDsl as _,
    Queryable, RunQueryDsl as _,
};
use minsheng_kit::{
    error::Error,
    load_among, on_each,
    register::{ACTIVE, Period, WITHDRAWN},
    store::AnyConnection,
    values::divisions::{AreaCode, CountyCode},
};
use minsheng_proto::health::v1 as pb;

use super::{
    certificates::valid_to,
    rules::{CertifiedPeriod, ListedState},
};
use crate::{
    institutions::{InstitutionReferences, OperatingState, operating_state},
    schema::{institutions, quality_certificates, recognition_items},
};

/// What the list and the certificates say about some items of some institutions.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    listed: HashMap<String, Vec<ListedState>>,
    certified: HashMap<(String, String), Vec<CertifiedPeriod>>,
}

/// The columns of an item that say where and when it is in a list.
#[derive(Queryable)]
struct ListedRow {
    id: String,
    effective_on: i64,
    effective_until: i64,
    state: i64,
    area: String,
    active_from: i64,
    active_to: Option<i64>,
    window_days: i64,
}

/// The columns of a certificate that say where and when it vouches.
#[derive(Queryable)]
struct CertifiedRow {
    effective_on: i64,
    effective_until: i64,
    scope: i64,
    area: String,
    valid_from: i64,
    valid_to: i64,
    failed_on: Option<i64>,
}

macro_rules! listed_row {
    () => {
        (
            recognition_items::id,
            recognition_items::effective_on,
            recognition_items::effective_until,
            recognition_items::state,
            recognition_items::area,
            recognition_items::active_from,
            recognition_items::active_to,
            recognition_items::window_days,
        )
    };
}

macro_rules! certified_row {
    () => {
        (
            quality_certificates::effective_on,
            quality_certificates::effective_until,
            quality_certificates::scope,
            quality_certificates::area,
            quality_certificates::valid_from,
            quality_certificates::valid_to,
            quality_certificates::failed_on,
        )
    };
}

/// Certificates that vouch for something.
#[diesel::dsl::auto_type]
fn vouches() -> _ {
    let active: i64 = ACTIVE;
    quality_certificates::passed.eq(true).and(quality_certificates::state.eq(active))
}

impl ListedRow {
    fn listed(self) -> Result<ListedState, Error> {
        Ok(ListedState {
            item: self.id,
            days: Period { from: self.effective_on, until: self.effective_until },
            in_force: self.state == ACTIVE,
            area: AreaCode::parse(&self.area).map_err(Error::internal)?,
            from: self.active_from,
            to: self.active_to,
            window_days: self.window_days,
        })
    }
}

impl CertifiedRow {
    /// Returns when it vouches: on days of the state only.
    fn period(&self) -> Result<CertifiedPeriod, Error> {
        let scope = i32::try_from(self.scope).ok().and_then(|scope| pb::RecognitionScope::try_from(scope).ok());
        Ok(CertifiedPeriod {
            scope: scope.unwrap_or_default(),
            county: CountyCode::parse(&self.area).map_err(Error::internal)?,
            from: self.valid_from.max(self.effective_on),
            to: valid_to(self.valid_to, self.failed_on).min(self.effective_until - 1),
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
        let listed = recognition_items::table
            .filter(recognition_items::state.ne(WITHDRAWN))
            .select((recognition_items::code, listed_row!()));
        let items: Vec<(String, ListedRow)> = load_among!(connection, listed, recognition_items::code, codes)?;
        let passed = quality_certificates::table
            .filter(vouches())
            .filter(quality_certificates::item_code.eq_any(codes))
            .select((quality_certificates::institution, quality_certificates::item_code, certified_row!()));
        let certificates: Vec<(String, String, CertifiedRow)> =
            load_among!(connection, passed, quality_certificates::institution, holders)?;
        for (code, item) in items {
            evidence.listed.entry(code).or_default().push(item.listed()?);
        }
        for (institution, code, held) in certificates {
            evidence.certified.entry((institution, code)).or_default().push(held.period()?);
        }
        Ok(evidence)
    }

    /// Returns what the lists say of an item.
    pub(super) fn listed(&self, code: &str) -> &[ListedState] {
        self.listed.get(code).map_or(&[], Vec::as_slice)
    }

    /// Returns the periods in which an institution holds a passed certificate for an item.
    pub(super) fn certified(&self, institution: &str, code: &str) -> &[CertifiedPeriod] {
        self.certified.get(&(institution.to_owned(), code.to_owned())).map_or(&[], Vec::as_slice)
    }
}

/// Reports whether both institutions were in operation: the performing one on the day of the test, the receiving one on
/// that of the visit.
pub(super) fn in_operation(
    institutions: &InstitutionReferences,
    performing: (&str, i64),
    receiving: (&str, i64),
) -> bool {
    [performing, receiving].into_iter().all(|(id, day)| institutions.in_operation(id, day).is_some())
}

/// All that a question about one result reads, and no column more: the question is asked at every visit.
#[derive(Debug)]
pub(super) struct Asked {
    /// The states of the performing institution between the day of the test and that of the visit.
    performing: Vec<OperatingState>,
    /// The state of the receiving institution on the day of the visit.
    receiving: OperatingState,
    /// Its county.
    pub(super) county: String,
    /// What the lists say of the item between these days.
    pub(super) listed: Vec<ListedState>,
    /// Periods in which the performing institution holds a passed certificate for it.
    pub(super) certified: Vec<CertifiedPeriod>,
}

/// A state of the performing institution; county and state of the receiving one; an item of a list; a certificate.
type AskedRow = (OperatingState, (String, OperatingState), Option<ListedRow>, Option<CertifiedRow>);

impl Asked {
    /// Finds it by one statement, which is one snapshot and one round trip; nothing where an institution is not there,
    /// or begins after the visit.
    pub(super) fn find(
        connection: &mut AnyConnection,
        (performing, performed_on): (&str, i64),
        (receiving, on): (&str, i64),
        code: &str,
    ) -> Result<Option<Self>, Error> {
        // What a join compares with must be owned.
        let [performing, receiving, code] = [performing, receiving, code].map(str::to_owned);
        let (performed, received) = diesel::alias!(institutions as performing, institutions as receiving);
        let there = performed
            .inner_join(received.on(received.field(institutions::id).eq(receiving)))
            .left_join(
                recognition_items::table.on(recognition_items::code
                    .eq(code.clone())
                    .and(recognition_items::state.ne(WITHDRAWN))
                    .and(recognition_items::effective_on.le(on))
                    .and(recognition_items::effective_until.gt(performed_on))),
            )
            .left_join(
                quality_certificates::table.on(quality_certificates::institution
                    .eq(performing.clone())
                    .and(quality_certificates::item_code.eq(code))
                    .and(vouches())
                    .and(quality_certificates::effective_on.le(performed_on))
                    .and(quality_certificates::effective_until.gt(performed_on))),
            )
            .filter(performed.field(institutions::id).eq(performing))
            .filter(performed.field(institutions::state).ne(WITHDRAWN))
            .filter(performed.field(institutions::effective_on).le(on))
            .filter(performed.field(institutions::effective_until).gt(performed_on))
            .filter(received.field(institutions::state).ne(WITHDRAWN))
            .filter(received.field(institutions::effective_on).le(on))
            .filter(received.field(institutions::effective_until).gt(on))
            .select((
                performed.fields(operating_state!()),
                received.fields((institutions::area, operating_state!())),
                listed_row!().nullable(),
                certified_row!().nullable(),
            ));
        let rows: Vec<AskedRow> = on_each!(connection, c => there.load(c))?;
        let mut found: Option<Self> = None;
        // Each state of one stands beside each of the others.
        for (performing, (county, receiving), item, certificate) in rows {
            let asked = found.get_or_insert_with(|| Self {
                performing: Vec::new(),
                receiving,
                county,
                listed: Vec::new(),
                certified: Vec::new(),
            });
            once(&mut asked.performing, Some(performing));
            once(&mut asked.listed, item.map(ListedRow::listed).transpose()?);
            once(&mut asked.certified, certificate.map(|row| row.period()).transpose()?);
        }
        Ok(found)
    }

    /// Reports whether both were in operation: the performing one on the day of the test, the receiving one on that of
    /// the visit.
    pub(super) fn in_operation(&self, performed_on: i64, on: i64) -> bool {
        self.performing.iter().any(|state| state.operates_on(performed_on)) && self.receiving.operates_on(on)
    }

    /// Reports whether the performing institution has the lower grade on the day of the visit.
    pub(super) fn is_lower(&self, on: i64) -> bool {
        OperatingState::grade_on(&self.performing, on) < self.receiving.level
    }
}

/// Adds what is not there yet.
fn once<T: PartialEq>(all: &mut Vec<T>, one: Option<T>) {
    all.extend(one.filter(|one| !all.contains(one)));
}
