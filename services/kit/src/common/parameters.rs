//! The contract's `ParameterService`: an operator lists the figures that rules read, and adds new ones.
//!
//! What is filed here goes into the feed with it, so that analytics counts by the figures that the department judges by.
//! What the software ships with does not: analytics ships with the same, and a replica of another version that started
//! later would otherwise file its own over the newer ones.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{ExpressionMethods as _, QueryDsl as _, Queryable, RunQueryDsl as _, dsl::max};
use minsheng_proto::common::v1 as pb;
use tonic::{Request, Response, Status};

use crate::{
    context::Context,
    error::{Error, Violations},
    journal::Change,
    register::{date, enum_number, optional_day, required_day},
    rpc,
    store::{
        AnyConnection, JournalEntry, Unit as WorkUnit, hold_keys,
        schema::{journal, parameters},
    },
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::AreaCode,
        parameters::{Confidence, Parameter, ParameterError, Parameters, Unit},
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

/// Gives the parameters that the software ships with and those that operators have filed, with the position of the last
/// one; nothing when none was filed behind a position.
pub(crate) fn filed_since(connection: &mut AnyConnection, position: i64) -> Result<Option<(i64, Parameters)>, Error> {
    let newest: Option<i64> = parameters::table.select(max(parameters::position)).first(connection)?;
    let Some(newest) = newest.filter(|newest| *newest > position) else { return Ok(None) };
    Ok(Some((newest, in_force(records(connection)?)?)))
}

/// Tells the journal what was filed before the feed carried parameters. Costs a look when there is nothing, and may run
/// at several replicas at once.
pub(crate) async fn tell_journal(context: &Context) -> Result<(), Error> {
    let service = context.service;
    if context.store.read(move |connection| untold(connection, service)).await?.is_empty() {
        return Ok(());
    }
    let unit = WorkUnit::of(&service.replace('_', "-"));
    let told = context.store.write(unit, move |tx| {
        hold_all(tx.connection)?;
        for record in untold(tx.connection, service)? {
            tx.journal(record.entry(service, Change::Created));
        }
        Ok(())
    });
    told.await
}

/// Reads what was filed and is not in the journal: of each value the last that was filed.
fn untold(connection: &mut AnyConnection, service: &str) -> Result<Vec<ParameterRecord>, Error> {
    let mut filed: BTreeMap<String, ParameterRecord> =
        records(connection)?.into_iter().map(|record| (record.id(), record)).collect();
    if !filed.is_empty() {
        let told = journal::table.filter(journal::dataset.eq(dataset(service))).select(journal::record);
        let told: BTreeSet<String> = told.load(connection)?.into_iter().collect();
        filed.retain(|id, _| !told.contains(id));
    }
    Ok(filed.into_values().collect())
}

/// One after the other: each is judged beside all that are there, and positions follow the commits.
fn hold_all(connection: &mut AnyConnection) -> Result<(), Error> {
    hold_keys(connection, "parameters", [b"all".as_slice()])
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
    /// Names the value in the feed: one that corrects it has the same name.
    fn id(&self) -> String {
        let from = day_of_epoch(self.effective_from).unwrap_or_default();
        format!("{}.{}.{from}", self.key, self.area)
    }

    fn entry(&self, service: &str, change: Change) -> JournalEntry {
        let row = pb::ParameterRow {
            key: self.key.clone(),
            value: self.value,
            unit: self.unit.clone(),
            effective_from: date(self.effective_from),
            effective_to: self.effective_to.and_then(date),
            confidence: enum_number(self.confidence),
            source: self.source.clone(),
        };
        JournalEntry::new(&dataset(service), &self.id(), change, self.effective_from, &self.area, &row)
    }

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

/// Says where a value stands in the list: by key, area and first day.
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
        self.context.load_parameters().await?;
        let all = self.context.parameters();
        let mut found: Vec<&Parameter> = all
            .iter()
            .filter(|parameter| parameter.key.starts_with(&asked.key_prefix))
            .filter(|parameter| {
                on.is_none_or(|on| {
                    epoch_day(parameter.effective_from) <= on
                        && parameter.effective_to.is_none_or(|last| epoch_day(last) >= on)
                })
            })
            .collect();
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
                hold_all(tx.connection)?;
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
                let corrects = before.iter().any(|other| other.id() == record.id());
                check(&parameter, &mut in_force(before)?)?;
                tx.journal(record.entry(of_service, if corrects { Change::Changed } else { Change::Created }));
                crate::on_each!(tx.connection, c => {
                    diesel::insert_into(parameters::table).values(&record).execute(c)
                })?;
                Ok(pb::SetParameterResponse { parameter: Some(answer.clone()) })
            })
            .await?;
        // It is filed, whatever comes now; what cannot be loaded at once is loaded soon.
        if let Err(error) = self.context.load_parameters().await {
            tracing::warn!(%error, "a parameter that was filed is not in force yet");
        }
        Ok(Response::new(answer))
    }
}
