//! The question to social security, and the decision that its answer makes.

use minsheng_kit::{
    clients::OutgoingRequest as _,
    error::Error,
    register::{EvidenceRegister, RuleContext, asked},
    store::AnyConnection,
    values::calendar::epoch_day,
};
use minsheng_proto::{
    common::v1 as common,
    community::v1 as pb,
    social_security::v1::{
        AssistanceCategory, GetAssistanceCategoryRequest, question_service_client::QuestionServiceClient,
    },
};

use super::{mapping::MealPrices, rules::price_of, store};
use crate::schema::MealPriceRecord;

/// The department that knows the category.
const PROVIDER: &str = "social-security";
/// Who asks: the service itself, by the register's name; no officer waits for the answer.
const OFFICER: &str = "service:meal-prices";

impl EvidenceRegister for MealPrices {
    type Evidence = AssistanceCategory;

    fn waits(&self, record: &MealPriceRecord) -> bool {
        record.outcome == pb::PriceOutcome::WaitingForEvidence as i64
    }

    fn waiting(&self, connection: &mut AnyConnection, after: &str, limit: i64) -> Result<Vec<MealPriceRecord>, Error> {
        store::meal_prices_waiting(connection, after, limit)
    }

    /// Asks for the category on the day of the application; the record's id is the case number.
    async fn ask(&self, price: &pb::MealPrice) -> Result<AssistanceCategory, Error> {
        let unavailable = || Error::DepartmentUnavailable { department: PROVIDER.to_owned() };
        let channel = self.social_security().ok_or_else(unavailable)?;
        let case_number = price.name.rsplit('/').next().unwrap_or_default();
        let question = GetAssistanceCategoryRequest {
            context: Some(common::QuestionContext {
                purpose: common::Purpose::MealPrice.into(),
                case_number: case_number.to_owned(),
                officer: OFFICER.to_owned(),
            }),
            resident_id: price.resident_id.clone(),
            on: price.applied_on,
        };
        let answer = QuestionServiceClient::new(channel)
            .get_assistance_category(tonic::Request::new(question).idempotent())
            .await
            .map_err(|status| asked(PROVIDER, &status))?;
        match answer.into_inner().category() {
            AssistanceCategory::Unspecified => Err(Error::internal("social security named no category")),
            category => Ok(category),
        }
    }

    fn decide(
        &self,
        record: &mut MealPriceRecord,
        category: AssistanceCategory,
        context: RuleContext<'_>,
    ) -> Result<(), Error> {
        record.assistance_category = category as i64;
        record.price_fen = price_of(record, context).map_err(|violations| {
            // The figures were there when the price was recorded; they have been taken back since.
            Error::Precondition { reason: "PRICE_NOT_KNOWN", description: violations.to_string() }
        })?;
        record.outcome = pb::PriceOutcome::Set as i64;
        record.decided_on = Some(epoch_day(context.today));
        Ok(())
    }
}
