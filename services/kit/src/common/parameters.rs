//! The contract's `ParameterService`: an operator lists the figures that rules read, and adds new ones.
//!
//! What holds goes into the feed, the values that the software ships with included, so that analytics and everybody else
//! who reads the feed counts by the figures that the department judges by. A record of that dataset is a key in an area;
//! its states are the values from day to day. A replica of an older version tells nothing over what a newer one told.

use std::collections::BTreeMap;

use diesel::{ExpressionMethods as _, QueryDsl as _, Queryable, RunQueryDsl as _, dsl::max};
use minsheng_proto::common::v1 as pb;
use tonic::{Request, Response, Status};

use crate::{
    context::Context,
    error::{Error, Violations},
    register::{FOREVER, Head, ROWS_PER_INSERT, date, optional_day, required_day},
    rpc,
    store::{
        AnyConnection, JournalEntry, Tx, Unit as WorkUnit, lock_keys,
        schema::{journal_state, parameter_states, parameters},
    },
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::AreaCode,
        parameters::{Confidence, EDITION, HeldParameter, Parameter, ParameterError, Parameters, Unit},
    },
};

#[derive(Clone, Debug, Queryable, diesel::Insertable)]
#[diesel(table_name = parameters)]
struct ParameterRecord {
    key: String,
    area: String,
    value: i64,
    unit: String,
    effective_from: i64,
    effective_to: Option<i64>,
    source: String,
    confidence: i64,
    recorded_at: i64,
}

/// Puts in force what operators have filed since the last time, here or at another replica. Costs a lookup of one key when
/// there is nothing.
pub(crate) async fn load(context: &Context) -> Result<(), Error> {
    let known = context.newest_parameter();
    let filed = context.store.read(move |connection| filed_since(connection, known)).await?;
    if let Some((newest, all)) = filed {
        context.put_in_force(newest, all);
    }
    Ok(())
}

/// Returns the parameters that the software ships with and those that operators have filed, with the position of the last
/// one; nothing when none was filed behind a position.
fn filed_since(connection: &mut AnyConnection, position: i64) -> Result<Option<(i64, Parameters)>, Error> {
    let newest: Option<i64> = parameters::table.select(max(parameters::position)).first(connection)?;
    let Some(newest) = newest.filter(|newest| *newest > position) else { return Ok(None) };
    Ok(Some((newest, in_force(records(connection)?)?)))
}

/// Tells the journal which values hold, as far as it does not know: those that the software ships with when another version
/// of it starts, and what was filed before the feed carried parameters.
///
/// Costs a lookup when there is nothing, and may run at several replicas at once.
pub(crate) async fn tell_journal(context: &Context) -> Result<(), Error> {
    let service = context.service;
    let edition = journal_state::table.select(journal_state::parameters_edition);
    let known: i64 = context.store.read(move |c| Ok(crate::on_each!(c, c => edition.first(c))?)).await?;
    if known > EDITION {
        tracing::warn!(told = known, own = EDITION, "a newer version told its parameters here");
        return Ok(());
    }
    if known == EDITION {
        return Ok(());
    }
    let told = context.store.write(WorkUnit::of(&service.replace('_', "-")), move |tx| {
        lock_all(tx.connection)?;
        let all = in_force(records(tx.connection)?)?;
        let mut there: BTreeMap<String, Vec<ToldState>> = BTreeMap::new();
        for state in crate::on_each!(tx.connection, c => parameter_states::table.load::<ToldState>(c))? {
            there.entry(state.record.clone()).or_default().push(state);
        }
        for series in all.series() {
            let was = series.first().map(|first| record_of(first.parameter)).and_then(|record| there.remove(&record));
            tell(tx, service, was.unwrap_or_default(), &series)?;
        }
        for gone in there.into_values() {
            tell(tx, service, gone, &[])?;
        }
        let noted = diesel::update(journal_state::table).set(journal_state::parameters_edition.eq(EDITION));
        crate::on_each!(tx.connection, c => noted.execute(c))?;
        Ok(())
    });
    told.await
}

/// A value as the journal asserts it.
#[derive(Clone, Debug, PartialEq, Queryable, diesel::Insertable)]
#[diesel(table_name = parameter_states, treat_none_as_default_value = false)]
struct ToldState {
    record: String,
    assertion: i64,
    area: String,
    effective_on: i64,
    effective_until: i64,
    told: Vec<u8>,
}

impl ToldState {
    fn head(&self) -> Head {
        Head {
            id: self.record.clone(),
            area: self.area.clone(),
            assertion: self.assertion,
            effective_on: self.effective_on,
            effective_until: self.effective_until,
            ..Head::default()
        }
    }
}

/// Names a key in an area in the feed.
fn record_of(parameter: &Parameter) -> String {
    format!("{}/{}", parameter.key, parameter.area.as_str())
}

/// Tells the journal the values of a key in an area: retracts what no longer holds, asserts what is new.
fn tell(tx: &mut Tx<'_>, service: &str, mut was: Vec<ToldState>, series: &[HeldParameter<'_>]) -> Result<(), Error> {
    let dataset = dataset(service);
    // Numbers are never given twice: the rows that were retracted are kept as one whose days are none.
    let mut next = was.iter().map(|state| state.assertion + 1).max().unwrap_or_default();
    was.retain(|state| state.effective_on < state.effective_until);
    let mut new = Vec::new();
    for held in series {
        let told = prost::Message::encode_to_vec(&row_of(held.parameter));
        let (from, until) = (epoch_day(held.from), held.until.map_or(FOREVER, epoch_day));
        let stands =
            |state: &ToldState| (state.effective_on, state.effective_until) == (from, until) && state.told == told;
        if let Some(place) = was.iter().position(stands) {
            was.swap_remove(place);
            continue;
        }
        let (record, area) = (record_of(held.parameter), held.parameter.area.as_str().to_owned());
        new.push(ToldState { record, assertion: next, area, effective_on: from, effective_until: until, told });
        next += 1;
    }
    for gone in was {
        tx.journal(JournalEntry::retracts(&dataset, &gone.head(), &gone.told));
        let there = parameter_states::table.find((&gone.record, gone.assertion));
        let emptied = diesel::update(there).set(parameter_states::effective_until.eq(gone.effective_on));
        crate::on_each!(tx.connection, c => emptied.execute(c))?;
    }
    for state in &new {
        tx.journal(JournalEntry::asserts(&dataset, &state.head(), &state.told));
    }
    for part in new.chunks(ROWS_PER_INSERT) {
        crate::insert_rows!(tx.connection, parameter_states::table, part)?;
    }
    Ok(())
}

fn row_of(parameter: &Parameter) -> pb::ParameterRow {
    let message = message(parameter);
    pb::ParameterRow {
        key: message.key,
        value: message.value,
        unit: message.unit,
        effective_from: message.effective_from,
        effective_to: message.effective_to,
        confidence: message.confidence,
        source: message.source,
    }
}

/// One after the other: each is judged beside all that are there, and positions follow the commits.
fn lock_all(connection: &mut AnyConnection) -> Result<(), Error> {
    lock_keys(connection, "parameters", [b"all".as_slice()])
}

fn dataset(service: &str) -> String {
    format!("{service}.parameters")
}

/// Puts what was filed beside what the software ships with; of those filed with one key, area and first day the last
/// one holds.
fn in_force(records: Vec<ParameterRecord>) -> Result<Parameters, Error> {
    let mut all = Parameters::get().clone();
    let filed: Vec<Parameter> =
        records.into_iter().map(ParameterRecord::into_parameter).collect::<Result<_, Error>>()?;
    all.extend(filed).map_err(Error::internal)?;
    Ok(all)
}

/// Reads all that was filed, in its order.
fn records(connection: &mut AnyConnection) -> Result<Vec<ParameterRecord>, Error> {
    let records = parameters::table
        .order(parameters::position)
        .select((
            parameters::key,
            parameters::area,
            parameters::value,
            parameters::unit,
            parameters::effective_from,
            parameters::effective_to,
            parameters::source,
            parameters::confidence,
            parameters::recorded_at,
        ))
        .load(connection)?;
    Ok(records)
}

impl ParameterRecord {
    fn into_parameter(self) -> Result<Parameter, Error> {
        let damaged = || Error::internal(format!("recorded parameter {} cannot be read", self.key));
        Ok(Parameter {
            area: AreaCode::parse(&self.area).map_err(|_| damaged())?,
            unit: Unit::parse(&self.unit).ok_or_else(damaged)?,
            effective_from: day_of_epoch(self.effective_from).ok_or_else(damaged)?,
            effective_to: self.effective_to.and_then(day_of_epoch),
            confidence: confidence(self.confidence).ok_or_else(damaged)?,
            key: self.key,
            value: self.value,
            source: self.source,
            note: String::new(),
        })
    }
}

fn confidence(number: i64) -> Option<Confidence> {
    match number {
        1 => Some(Confidence::High),
        2 => Some(Confidence::Medium),
        3 => Some(Confidence::Low),
        _ => None,
    }
}

fn message(parameter: &Parameter) -> pb::Parameter {
    pb::Parameter {
        key: parameter.key.clone(),
        area: parameter.area.as_str().to_owned(),
        value: parameter.value,
        unit: parameter.unit.name().to_owned(),
        effective_from: date(epoch_day(parameter.effective_from)),
        effective_to: parameter.effective_to.and_then(|day| date(epoch_day(day))),
        source: parameter.source.clone(),
        confidence: match parameter.confidence {
            Confidence::High => pb::Confidence::High.into(),
            Confidence::Medium => pb::Confidence::Medium.into(),
            Confidence::Low => pb::Confidence::Low.into(),
        },
    }
}

/// The contract's service.
#[derive(Clone)]
pub(super) struct ParameterRpc {
    context: Context,
}

impl ParameterRpc {
    pub(super) fn new(context: Context) -> Self {
        Self { context }
    }

    /// Reads a new value.
    fn read(message: &pb::Parameter) -> Result<Parameter, Violations> {
        let mut violations = Violations::new();
        let area = AreaCode::parse(&message.area);
        if let Err(error) = &area {
            violations.add("area", error.reason(), error.to_string(), error.message_zh());
        }
        let unit = Unit::parse(&message.unit);
        violations.require(unit.is_some(), "unit", "UNKNOWN_UNIT", "is not a unit of parameters", "单位不存在");
        let from = required_day("effective_from", message.effective_from.as_ref(), &mut violations);
        let to = optional_day("effective_to", message.effective_to.as_ref(), &mut violations);
        let (Ok(area), Some(unit), Some(effective_from), Some(confidence)) =
            (area, unit, day_of_epoch(from), confidence(message.confidence.into()))
        else {
            return Err(violations);
        };
        violations.into_result(())?;
        Ok(Parameter {
            key: message.key.clone(),
            area,
            value: message.value,
            unit,
            effective_from,
            effective_to: to.and_then(day_of_epoch),
            source: message.source.clone(),
            confidence,
            note: String::new(),
        })
    }
}

/// Checks a new value against all others: units, names, its own days.
fn check(parameter: &Parameter, all: &mut Parameters) -> Result<(), Violations> {
    all.extend([parameter.clone()]).map_err(|error| {
        let field = match &error {
            ParameterError::EndBeforeStart { .. } => "effective_to",
            ParameterError::OutOfRange { .. } => "value",
            ParameterError::UnitMismatch { .. } => "unit",
            _ => "",
        };
        let mut violations = Violations::new();
        violations.add(field, error.reason(), error.to_string(), error.message_zh());
        under_parameter(violations)
    })
}

/// Reports what is wrong with a value under its field in the request.
fn under_parameter(found: Violations) -> Violations {
    let mut violations = Violations::new();
    violations.extend_under("parameter", found);
    violations
}

/// Returns where a value stands in the list: by key, area and first day.
fn place(parameter: &Parameter) -> String {
    // A space comes before whatever a key may hold.
    format!("{} {} {}", parameter.key, parameter.area.as_str(), parameter.effective_from)
}

#[tonic::async_trait]
impl pb::parameter_service_server::ParameterService for ParameterRpc {
    async fn list_parameters(
        &self,
        request: Request<pb::ListParametersRequest>,
    ) -> Result<Response<pb::ListParametersResponse>, Status> {
        let asked = rpc::checked(request)?;
        let on = match &asked.on {
            Some(date) => {
                let mut violations = Violations::new();
                let day = required_day("on", Some(date), &mut violations);
                violations.into_result(()).map_err(Error::Invalid)?;
                Some(day)
            }
            None => None,
        };
        let size = super::page_size(asked.page_size);
        let scope = format!("parameters/{}/{on:?}", asked.key_prefix);
        let after = match asked.page_token.as_str() {
            "" => None,
            token => Some(self.context.keys.read_page_token(&scope, token)?),
        };
        load(&self.context).await?;
        let all = self.context.parameters();
        let wanted = |parameter: &&Parameter| parameter.key.starts_with(&asked.key_prefix);
        let mut found: Vec<&Parameter> = match on.and_then(day_of_epoch) {
            None => all.iter().filter(wanted).collect(),
            Some(day) => {
                let holds = |held: &HeldParameter<'_>| held.from <= day && held.until.is_none_or(|until| day < until);
                let held = all.series().filter_map(|series| series.into_iter().find(holds));
                held.map(|held| held.parameter).filter(wanted).collect()
            }
        };
        found.sort_by_cached_key(|parameter| place(parameter));
        let begin = after.map_or(0, |after| found.partition_point(|parameter| place(parameter) <= after));
        let mut page = found.split_off(begin);
        let next_page_token = match page.get(size) {
            Some(_) => self.context.keys.page_token(&scope, &place(page[size - 1])),
            None => String::new(),
        };
        page.truncate(size);
        let parameters = page.into_iter().map(message).collect();
        Ok(Response::new(pb::ListParametersResponse { parameters, next_page_token }))
    }

    async fn set_parameter(
        &self,
        request: Request<pb::SetParameterRequest>,
    ) -> Result<Response<pb::SetParameterResponse>, Status> {
        let service = pb::parameter_service_server::SERVICE_NAME;
        let (key, asked) = rpc::repeatable(service, "SetParameter", request, |m| &m.request_id)?;
        let wanted = rpc::required("parameter", asked.parameter)?;
        let parameter = Self::read(&wanted).map_err(|found| Error::Invalid(under_parameter(found)))?;
        let answer = message(&parameter);
        let of_service = self.context.service;
        let answer = self
            .context
            .store
            .write(WorkUnit::repeatable(key), move |tx| {
                lock_all(tx.connection)?;
                let before = records(tx.connection)?;
                let record = ParameterRecord {
                    key: parameter.key.clone(),
                    area: parameter.area.as_str().to_owned(),
                    value: parameter.value,
                    unit: parameter.unit.name().to_owned(),
                    effective_from: epoch_day(parameter.effective_from),
                    effective_to: parameter.effective_to.map(epoch_day),
                    source: parameter.source.clone(),
                    confidence: i64::from(answer.confidence),
                    recorded_at: tx.now(),
                };
                let mut all = in_force(before)?;
                check(&parameter, &mut all)?;
                let edition = journal_state::table.select(journal_state::parameters_edition);
                if crate::on_each!(tx.connection, c => edition.first::<i64>(c))? > EDITION {
                    return Err(Error::Precondition {
                        reason: "NEWER_VERSION",
                        description: "a newer version of the software told its parameters; file at a replica of it"
                            .to_owned(),
                    });
                }
                let of_record = parameter_states::table.filter(parameter_states::record.eq(record_of(&parameter)));
                let was = crate::on_each!(tx.connection, c => of_record.load::<ToldState>(c))?;
                tell(tx, of_service, was, &all.series_of(&parameter.key, parameter.area))?;
                crate::on_each!(tx.connection, c => {
                    diesel::insert_into(parameters::table).values(&record).execute(c)
                })?;
                Ok(pb::SetParameterResponse { parameter: Some(answer.clone()) })
            })
            .await?;
        // It is filed, whatever comes now; what cannot be loaded at once is loaded soon.
        if let Err(error) = load(&self.context).await {
            tracing::warn!(%error, "a parameter that was filed is not in force yet");
        }
        Ok(Response::new(answer))
    }
}
