//! The contract's `QuestionService`: what other departments may ask, answered with the least that decides their case.
//!
//! Each answer and its entry in the access log are one unit of work: there is no answer without an entry.

use minsheng_kit::{
    context::Context,
    error::{Error, Violations},
    register::{Period, date, enum_number, required_day},
    rpc::Question,
};
use minsheng_proto::{
    common::v1 as common,
    social_security::v1::{
        self as pb,
        question_service_server::{QuestionService, QuestionServiceServer},
    },
};
use tonic::{Request, Response, Status};

use crate::{assistance::strongest_category, enrolments::cover_of_person};

/// Answers over both registers.
#[derive(Clone, Debug)]
pub struct Questions {
    context: Context,
}

impl Questions {
    /// Makes the service of the questions.
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Makes the tonic service.
    pub fn into_service(self) -> QuestionServiceServer<Self> {
        QuestionServiceServer::new(self)
    }
}

#[tonic::async_trait]
impl QuestionService for Questions {
    async fn check_coverage(
        &self,
        request: Request<pb::CheckCoverageRequest>,
    ) -> Result<Response<pb::CheckCoverageResponse>, Status> {
        let (question, message) = Question::take(request, |message| message.context.as_ref())?;
        let (on, scheme, context) = (day_asked(message.on.as_ref())?, message.scheme(), self.context.clone());
        let answer = question
            .answer_about(&self.context, &message.resident_id, move |tx, resident| {
                let cover = cover_of_person(tx.connection, &context.keys.blind(resident), scheme, on)?;
                Ok(pb::CheckCoverageResponse {
                    covered: cover.is_some(),
                    valid_until: cover.and_then(Period::last_day).and_then(date),
                })
            })
            .await?;
        Ok(Response::new(answer))
    }

    async fn get_assistance_category(
        &self,
        request: Request<pb::GetAssistanceCategoryRequest>,
    ) -> Result<Response<pb::GetAssistanceCategoryResponse>, Status> {
        let (question, message) = Question::take(request, |message| message.context.as_ref())?;
        let (on, context) = (day_asked(message.on.as_ref())?, self.context.clone());
        let answer = question
            .answer_about(&self.context, &message.resident_id, move |tx, resident| {
                let found = strongest_category(tx.connection, &context.keys.blind(resident), on)?;
                Ok(match found {
                    Some((category, last)) => pb::GetAssistanceCategoryResponse {
                        category: enum_number(category),
                        valid_until: last.and_then(date),
                    },
                    None => pb::GetAssistanceCategoryResponse {
                        category: pb::AssistanceCategory::None.into(),
                        valid_until: None,
                    },
                })
            })
            .await?;
        Ok(Response::new(answer))
    }
}

/// Reads the day in question.
fn day_asked(on: Option<&common::Date>) -> Result<i64, Error> {
    let mut violations = Violations::new();
    let day = required_day("on", on, &mut violations);
    Ok(violations.into_result(day)?)
}
