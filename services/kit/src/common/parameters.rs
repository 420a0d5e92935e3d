//! The contract's `ParameterService`: an operator lists the figures that rules read, and adds new ones.

use diesel::{QueryDsl as _, Queryable, RunQueryDsl as _};
use minsheng_proto::common::v1 as pb;
use tonic::{Request, Response, Status};

use crate::{
    context::Context,
    error::{Error, Violations},
    register::{date, day, required_day},
    rpc,
    store::{AnyConnection, Unit as WorkUnit, schema::parameters},
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::AreaCode,
        parameters::{Confidence, Parameter, Parameters, Unit},
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

/// Reads what operators have added.
pub(crate) fn recorded(connection: &mut AnyConnection) -> Result<Vec<Parameter>, Error> {
    let records: Vec<ParameterRecord> =
        parameters::table.order((parameters::key, parameters::area, parameters::effective_from)).load(connection)?;
    records.into_iter().map(ParameterRecord::into_parameter).collect()
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

    /// Checks a new value against all others: units, names, overlaps.
    fn judge(&self, message: &pb::Parameter) -> Result<(Parameter, Parameters), Violations> {
        let mut violations = Violations::new();
        let area = AreaCode::parse(&message.area);
        if let Err(error) = &area {
            violations.add("area", error.reason(), error.to_string(), error.message_zh());
        }
        let unit = Unit::parse(&message.unit);
        violations.require(unit.is_some(), "unit", "UNKNOWN_UNIT", "is not a unit of parameters", "单位不存在");
        let from = required_day("effective_from", message.effective_from.as_ref(), &mut violations);
        let to = message.effective_to.as_ref().and_then(day);
        let (Ok(area), Some(unit), Some(effective_from), Some(confidence)) =
            (area, unit, day_of_epoch(from), confidence(message.confidence.into()))
        else {
            return Err(violations);
        };
        violations.into_result(())?;
        let parameter = Parameter {
            key: message.key.clone(),
            area,
            value: message.value,
            unit,
            effective_from,
            effective_to: to,
            source: message.source.clone(),
            confidence,
            note: String::new(),
        };
        let mut all = (*self.context.parameters()).clone();
        all.extend([parameter.clone()]).map_err(|error| {
            let mut violations = Violations::new();
            violations.add("parameter", error.reason(), error.to_string(), error.message_zh());
            violations
        })?;
        Ok((parameter, all))
    }
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
        found.sort_by(|a, b| (&a.key, a.area, a.effective_from).cmp(&(&b.key, b.area, b.effective_from)));
        Ok(Response::new(pb::ListParametersResponse { parameters: found.into_iter().map(message).collect() }))
    }

    async fn set_parameter(
        &self,
        request: Request<pb::SetParameterRequest>,
    ) -> Result<Response<pb::SetParameterResponse>, Status> {
        let service = pb::parameter_service_server::SERVICE_NAME;
        let (key, asked) = rpc::repeatable(service, "SetParameter", request, |m| &m.request_id)?;
        let wanted = rpc::required("parameter", asked.parameter)?;
        let (parameter, all) = self.judge(&wanted).map_err(Error::Invalid)?;
        let answer = message(&parameter);
        let answer = self
            .context
            .store
            .write(WorkUnit::repeatable(key), move |tx| {
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
                crate::on_each!(tx.connection, c => {
                    diesel::insert_into(parameters::table).values(&record).execute(c)
                })?;
                Ok(pb::SetParameterResponse { parameter: Some(answer) })
            })
            .await?;
        self.context.set_parameters(all);
        Ok(Response::new(answer))
    }
}
