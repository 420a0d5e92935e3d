//! The contract's `QuestionService`: is this result recognisable there, and how many items are. No person is named.

use minsheng_kit::{
    context::Context,
    error::{Error, Violations},
    register::{declared::reference_id, required_day},
    rpc,
    store::AnyConnection,
    values::{
        calendar::day_of_epoch,
        divisions::{AreaCode, CountyCode},
    },
};
use minsheng_proto::health::v1 as pb;
use pb::question_service_server::{QuestionService, QuestionServiceServer};
use tonic::{Request, Response, Status};

use super::{
    evidence::{Asked, in_operation},
    rules::{Standing, Visit, mark, standing},
    store::{listed_item_count, recognisable_item_count, upward_only},
};
use crate::institutions::InstitutionReferences;

/// Answers questions about mutual recognition out of the store.
#[derive(Clone, Debug)]
pub struct RecognitionQuestions {
    context: Context,
}

impl RecognitionQuestions {
    /// Answers out of a department's store.
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Makes the tonic service.
    pub fn into_service(self) -> QuestionServiceServer<Self> {
        QuestionServiceServer::new(self)
    }
}

#[tonic::async_trait]
impl QuestionService for RecognitionQuestions {
    async fn check_recognisable(
        &self,
        request: Request<pb::CheckRecognisableRequest>,
    ) -> Result<Response<pb::CheckRecognisableResponse>, Status> {
        let (_, message) = rpc::Question::take(request, |message| message.context.as_ref())?;
        let asked = AskedResult::read(&message)?;
        let parameters = self.context.parameters();
        let answer = self
            .context
            .store
            .read_one(move |connection| {
                let AskedResult { item, performing, receiving, performed_on, on } = &asked;
                let (performed_on, on) = (*performed_on, *on);
                let Some(found) = Asked::find(connection, (performing, performed_on), (receiving, on), item)? else {
                    return not_there(connection, &asked);
                };
                let county = CountyCode::parse(&found.county).map_err(Error::internal)?;
                let visit = Visit {
                    performed_on,
                    on,
                    receiving: county,
                    in_operation: found.in_operation(performed_on, on),
                    downward: upward_only(&parameters, county, on) && found.is_lower(on),
                };
                Ok(answered(standing(&found.listed, &found.certified, visit)))
            })
            .await?;
        Ok(Response::new(answer))
    }

    async fn count_recognisable_items(
        &self,
        request: Request<pb::CountRecognisableItemsRequest>,
    ) -> Result<Response<pb::CountRecognisableItemsResponse>, Status> {
        let message = rpc::checked(request)?;
        let mut violations = Violations::new();
        let on = required_day("on", message.on.as_ref(), &mut violations);
        violations.into_result(()).map_err(Error::from)?;
        let area = AreaCode::parse(&message.area)
            .map_err(|error| Error::invalid("area", error.reason(), error.to_string(), error.message_zh()))?;
        let minimum = self.minimum_institutions(area, on)?;
        let (items, listed_items) = self
            .context
            .store
            .read_long(move |connection| {
                let items = recognisable_item_count(connection, area, on, minimum)?;
                Ok((items, listed_item_count(connection, area, on)?))
            })
            .await?;
        Ok(Response::new(pb::CountRecognisableItemsResponse { items, listed_items }))
    }
}

impl RecognitionQuestions {
    /// Returns how many institutions make an item recognisable in an area on a day.
    fn minimum_institutions(&self, area: AreaCode, on: i64) -> Result<i64, Error> {
        let day = day_of_epoch(on).unwrap_or_default();
        let parameters = self.context.parameters();
        parameters
            .value_on("recognition.minimum_institutions", area, day)
            .map(|parameter| parameter.value)
            .map_err(|error| Error::invalid("on", error.reason(), error.to_string(), error.message_zh()))
    }
}

/// A question about one result, read.
struct AskedResult {
    item: String,
    performing: String,
    receiving: String,
    performed_on: i64,
    on: i64,
}

impl AskedResult {
    fn read(message: &pb::CheckRecognisableRequest) -> Result<Self, Error> {
        let mut violations = Violations::new();
        let performing =
            reference_id("performing_institution", "institutions", &message.performing_institution, &mut violations);
        let receiving =
            reference_id("receiving_institution", "institutions", &message.receiving_institution, &mut violations);
        let performed_on = required_day("performed_on", message.performed_on.as_ref(), &mut violations);
        let on = required_day("on", message.on.as_ref(), &mut violations);
        violations.require(
            on >= performed_on,
            "on",
            "BEFORE_TEST",
            "lies before the day of the test",
            "就诊日期早于检查日期",
        );
        let item = message.item_code.clone();
        Ok(violations.into_result(Self { item, performing, receiving, performed_on, on })?)
    }
}

/// Answers a question of which an institution is not there, or begins after the visit.
fn not_there(connection: &mut AnyConnection, asked: &AskedResult) -> Result<pb::CheckRecognisableResponse, Error> {
    let AskedResult { performing, receiving, performed_on, on, .. } = asked;
    let institutions = InstitutionReferences::find(connection, [performing.as_str(), receiving.as_str()])?;
    let mut violations = Violations::new();
    institutions.require("performing_institution", performing, &mut violations);
    institutions.require("receiving_institution", receiving, &mut violations);
    violations.into_result(())?;
    if in_operation(&institutions, (performing, *performed_on), (receiving, *on)) {
        // It came in the meantime.
        return Err(Error::Raced);
    }
    Ok(answered(Standing::NotInOperation))
}

/// Puts a standing into the contract's words. The mark is the report's: it stands there whoever reads the report.
fn answered(found: Standing) -> pb::CheckRecognisableResponse {
    use pb::RecognisableReason as Reason;
    let (reason, certificate) = match found {
        Standing::NotInOperation => (Reason::InstitutionNotInOperation, None),
        Standing::ItemNotListed => (Reason::ItemNotListed, None),
        Standing::NoCertificate => (Reason::NoCertificate, None),
        Standing::OutOfScope(certificate) => (Reason::OutOfScope, Some(certificate)),
        Standing::LowerGrade(certificate) => (Reason::LowerGrade, Some(certificate)),
        Standing::WindowPassed(certificate) => (Reason::WindowPassed, Some(certificate)),
        Standing::Recognisable(certificate) => (Reason::Recognisable, Some(certificate)),
    };
    pb::CheckRecognisableResponse {
        recognisable: reason == Reason::Recognisable,
        reason: reason.into(),
        mark: certificate.map(|held| mark(held.scope, held.county)).unwrap_or_default(),
    }
}
