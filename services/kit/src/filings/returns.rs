//! The contract's `ReturnService`: file, correct, approve, withdraw; the history stays.

use chrono::NaiveDate;
use minsheng_catalogue::Catalogue;
use minsheng_proto::{common::v1 as common, returns::v1 as pb};
use tonic::{Request, Response, Status, Streaming};

use super::{
    rules::{
        Figures, check_approval, check_figures, check_month, check_officer, check_scope, commitment_of, divisions_of,
        measure_of,
    },
    schema::ReturnRecord,
};
use crate::{
    context::Context,
    error::{Error, Violations},
    register::{
        Chunk, Declared as _, End, Engine, Envelope, Head, List, ListRequest, Register, RegisterService, RuleContext,
        Update, enum_number, month_start,
    },
    rpc,
    values::{
        calendar::{day_of_epoch, epoch_day},
        divisions::AreaCode,
    },
};

/// The register of returns of one service.
#[derive(Clone, Copy, Debug)]
pub struct Returns {
    /// The service in dataset names, as `social_security`.
    pub service: &'static str,
    /// The operator's catalogue; none for the one that the software ships with.
    pub catalogue: Option<&'static Catalogue>,
}

impl Envelope for Returns {
    const COLLECTION: &'static str = "returns";
    const FIELD: &'static str = "return";
    type Resource = pb::Return;

    fn name(resource: &pb::Return) -> &str {
        &resource.name
    }

    fn area(resource: &pb::Return) -> &str {
        &resource.area
    }

    fn set_envelope(resource: &mut pb::Return, name: String, area: String, meta: common::RecordMeta) {
        resource.name = name;
        resource.area = area;
        resource.meta = Some(meta);
    }
}

impl Register for Returns {
    type Record = ReturnRecord;
    type Row = pb::ReturnRow;

    fn kept_by(&self) -> &'static str {
        self.service
    }

    fn keeps_area(&self, _: AreaCode) -> bool {
        true
    }

    fn validate(
        &self,
        filed: &pb::Return,
        head: Head,
        previous: Option<&ReturnRecord>,
        context: RuleContext<'_>,
    ) -> Result<ReturnRecord, Violations> {
        let mut violations = Violations::new();
        let mut record = ReturnRecord::read(filed, head, context, &mut violations);
        let figures = Figures { numerator: filed.numerator, denominator: filed.denominator, value: filed.value };
        let catalogue = Catalogue::in_use(self.catalogue);
        if let Some(entry) = commitment_of(catalogue, &filed.commitment, &self.department(), &mut violations) {
            let area = AreaCode::parse(&record.area).ok();
            if let Some(area) = area {
                check_scope(entry, area, &mut violations);
            }
            if let Some(measure) = measure_of(entry, &filed.measure, &mut violations) {
                let area = area.filter(|_| !context.carried_over);
                let divisions = area.and_then(|area| divisions_of(entry, measure, area));
                check_figures(measure, &filed.unit, figures, divisions, &mut violations);
            }
        }
        if !context.carried_over {
            check_officer(&filed.filed_by, &mut violations);
        }
        check_month(record.month_from, epoch_day(context.today), &mut violations);
        // A corrected figure is filed again and needs a new approval.
        record.return_state = pb::ReturnState::Submitted as i64;
        record.correction_reason = previous.map(|_| filed.correction_reason.clone()).unwrap_or_default();
        violations.into_result(record)
    }

    fn encode(&self, record: &ReturnRecord, context: RuleContext<'_>, reveal: bool) -> Result<pb::Return, Error> {
        Ok(pb::Return { return_state: state_of(record).into(), ..record.resource(context, reveal)? })
    }

    fn row(&self, record: &ReturnRecord, _: RuleContext<'_>) -> pb::ReturnRow {
        pb::ReturnRow { return_state: state_of(record).into(), ..record.row() }
    }

    fn effective_on(&self, filed: &pb::Return, today: NaiveDate) -> NaiveDate {
        filed.month.as_ref().and_then(month_start).and_then(day_of_epoch).unwrap_or(today)
    }

    /// A figure is corrected for what it was filed for.
    fn check_immutable(&self, there: &pb::Return, sent: &pb::Return, violations: &mut Violations) {
        if !sent.commitment.is_empty() && sent.commitment != there.commitment {
            violations.add_immutable("commitment", &there.commitment);
        }
        if !sent.measure.is_empty() && measure_name(sent) != measure_name(there) {
            violations.add_immutable("measure", measure_name(there));
        }
        if sent.month.is_some() && sent.month != there.month {
            let month = there.month.unwrap_or_default();
            violations.add_immutable("month", &format!("{:04}-{:02}", month.year, month.month));
        }
    }

    /// Who corrects a figure is its filer from then on.
    fn take_always(&self, sent: &pb::Return, merged: &mut pb::Return) {
        merged.filed_by.clone_from(&sent.filed_by);
    }

    /// Where it stands was not a part of what an earlier version kept.
    fn restore(&self, _: &mut ReturnRecord, _: &pb::Return, _: &pb::ReturnRow) {}

    /// One figure for a commitment, a measure, an area and a month.
    fn natural_id(&self, filed: &pb::Return, _: RuleContext<'_>) -> Option<String> {
        let (month, measure) = (filed.month.as_ref()?, measure_name(filed));
        Some(format!("{}.{measure}.{}.{:04}-{:02}", filed.commitment, filed.area, month.year, month.month))
    }
}

impl Returns {
    /// Returns the department's name as the catalogue writes it.
    fn department(self) -> String {
        self.service.replace('_', "-")
    }
}

/// Returns the name of a return's measure, which is the primary one where it names none.
fn measure_name(filed: &pb::Return) -> &str {
    if filed.measure.is_empty() { "primary" } else { &filed.measure }
}

/// Returns the record as an officer has approved it, who is another one than filed it.
fn approved(record: &ReturnRecord, officer: &str) -> Result<ReturnRecord, Error> {
    check_approval(&record.filed_by, officer).map_err(Error::State)?;
    let return_state = pb::ReturnState::Approved as i64;
    Ok(ReturnRecord { return_state, approved_by: officer.to_owned(), ..record.clone() })
}

/// Returns where a return stands, for the answer and for the feed.
fn state_of(record: &ReturnRecord) -> pb::ReturnState {
    if record.state == common::RecordState::Withdrawn as i64 {
        return pb::ReturnState::Withdrawn;
    }
    pb::ReturnState::try_from(enum_number(record.return_state)).unwrap_or_default()
}

/// The contract's service over the register.
#[derive(Clone)]
pub struct ReturnRpc {
    engine: Engine<Returns>,
}

type Answer<T> = Result<Response<T>, Status>;

impl ReturnRpc {
    const SERVICE: &'static str = pb::return_service_server::SERVICE_NAME;

    /// Makes the service of the register.
    pub fn new(context: Context) -> Self {
        Self { engine: Engine::new(Returns { service: context.service, catalogue: context.catalogue }, context) }
    }
}

impl RegisterService for ReturnRpc {
    type Register = Returns;
    type Server = pb::return_service_server::ReturnServiceServer<Self>;

    fn engine(&self) -> &Engine<Returns> {
        &self.engine
    }

    fn into_service(self) -> Self::Server {
        pb::return_service_server::ReturnServiceServer::new(self)
            .max_decoding_message_size(rpc::LARGEST_MESSAGE)
            .max_encoding_message_size(rpc::LARGEST_MESSAGE)
    }
}

#[tonic::async_trait]
impl pb::return_service_server::ReturnService for ReturnRpc {
    async fn submit_returns(&self, request: Request<pb::SubmitReturnsRequest>) -> Answer<pb::SubmitReturnsResponse> {
        let list = List { field: "returns", of: |batch: &mut pb::SubmitReturnsRequest| &mut batch.returns };
        let (key, returns) = rpc::repeatable_list(Self::SERVICE, "SubmitReturns", request, list, |m| &m.request_id)?;
        let results = self.engine.record_all(key, &returns).await?;
        Ok(Response::new(pb::SubmitReturnsResponse { results }))
    }

    async fn correct_return(&self, request: Request<pb::CorrectReturnRequest>) -> Answer<pb::CorrectReturnResponse> {
        let (key, message) = rpc::repeatable(Self::SERVICE, "CorrectReturn", request, |m| &m.request_id)?;
        let mut corrected = rpc::required("return", message.r#return)?;
        corrected.correction_reason = message.reason;
        let mask = prost_types::FieldMask {
            paths: ["area", "numerator", "denominator", "value", "unit", "source", "confidence", "correction_reason"]
                .map(str::to_owned)
                .to_vec(),
        };
        let update = Update { etag: message.etag, update_mask: Some(mask), ..Update::default() };
        let corrected = self.engine.update(key, corrected, update).await?;
        Ok(Response::new(pb::CorrectReturnResponse { r#return: Some(corrected) }))
    }

    async fn approve_return(&self, request: Request<pb::ApproveReturnRequest>) -> Answer<pb::ApproveReturnResponse> {
        let (key, message) = rpc::repeatable(Self::SERVICE, "ApproveReturn", request, |m| &m.request_id)?;
        let (name, etag) = (message.name.clone(), message.etag.clone());
        let answer =
            self.engine.transition(key, &name, &etag, move |record, _| approved(record, &message.officer)).await?;
        Ok(Response::new(pb::ApproveReturnResponse { r#return: Some(answer) }))
    }

    async fn approve_returns(&self, request: Request<pb::ApproveReturnsRequest>) -> Answer<pb::ApproveReturnsResponse> {
        let (key, message) = rpc::repeatable(Self::SERVICE, "ApproveReturns", request, |m| &m.request_id)?;
        let pb::ApproveReturnsRequest { officer, approvals, .. } = message;
        let items = approvals.into_iter().map(|approval| (approval.name, approval.etag)).collect();
        let already = |record: &ReturnRecord| record.return_state == pb::ReturnState::Approved as i64;
        let results =
            self.engine
                .transition_all(key, items, move |record, _| {
                    if already(record) { Ok(None) } else { approved(record, &officer).map(Some) }
                })
                .await?;
        Ok(Response::new(pb::ApproveReturnsResponse { results }))
    }

    async fn withdraw_return(&self, request: Request<pb::WithdrawReturnRequest>) -> Answer<pb::WithdrawReturnResponse> {
        let (key, message) = rpc::repeatable(Self::SERVICE, "WithdrawReturn", request, |m| &m.request_id)?;
        let end = End { etag: message.etag, kind: common::EndKind::Withdrawn.into(), ..End::default() };
        let withdrawn = self.engine.end(key, &message.name, end).await?;
        Ok(Response::new(pb::WithdrawReturnResponse { r#return: Some(withdrawn) }))
    }

    async fn get_return(&self, request: Request<pb::GetReturnRequest>) -> Answer<pb::GetReturnResponse> {
        let message = rpc::checked(request)?;
        let found = self.engine.get(&message.name, message.on).await?;
        Ok(Response::new(pb::GetReturnResponse { r#return: Some(found) }))
    }

    async fn list_returns(&self, request: Request<pb::ListReturnsRequest>) -> Answer<pb::ListReturnsResponse> {
        let message = rpc::checked(request)?;
        let asked = ListRequest {
            area: &message.area,
            page_size: message.page_size,
            page_token: &message.page_token,
            on: message.on,
            in_force_only: message.in_force_only,
        };
        let page = self.engine.list(asked).await?;
        Ok(Response::new(pb::ListReturnsResponse { returns: page.items, next_page_token: page.next_page_token }))
    }

    type UploadReturnsStream = rpc::AnswerStream<pb::UploadReturnsResponse>;

    async fn upload_returns(
        &self,
        request: Request<Streaming<pb::UploadReturnsRequest>>,
    ) -> Answer<Self::UploadReturnsStream> {
        let take = |chunk: pb::UploadReturnsRequest| Chunk {
            upload_id: chunk.upload_id,
            number: chunk.chunk,
            validate_only: chunk.validate_only,
        };
        let list = List { field: "returns", of: |chunk: &mut pb::UploadReturnsRequest| &mut chunk.returns };
        let answer = |chunk, results| pb::UploadReturnsResponse { chunk, results };
        let answers = self.engine.upload(Self::SERVICE, "UploadReturns", request, list, take, answer)?;
        Ok(Response::new(answers))
    }
}
