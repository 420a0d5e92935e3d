//! What social security is asked for a case, and what its answer decides.

use minsheng_kit::{
    clients::OutgoingRequest as _,
    error::Error,
    register::{Envelope as _, EvidenceRegister, RuleContext, asked},
    store::AnyConnection,
    values::calendar::epoch_day,
};
use minsheng_proto::{
    common::v1 as common,
    education::v1 as pb,
    social_security::v1::{AssistanceCategory, GetAssistanceCategoryRequest},
};

use super::{
    mapping::AidCases,
    rules::{Decision, decide_by_category},
    store::waiting_cases,
};
use crate::schema::AidCaseRecord;

/// The department that is asked.
pub const EVIDENCE_FROM: &str = "social-security";
/// Who asks, in the provider's access log: no officer looks at the answer, the service decides by it.
const OFFICER: &str = "education-service";

impl EvidenceRegister for AidCases {
    type Evidence = AssistanceCategory;

    fn waits(&self, record: &AidCaseRecord) -> bool {
        record.outcome == pb::AidOutcome::WaitingForEvidence as i64
    }

    fn waiting(&self, connection: &mut AnyConnection, after: &str, limit: i64) -> Result<Vec<AidCaseRecord>, Error> {
        waiting_cases(connection, after, limit)
    }

    /// Asks for the category on the day of the application, so that the answer does not depend on when it comes.
    async fn ask(&self, case: &pb::AidCase) -> Result<AssistanceCategory, Error> {
        let mut client =
            self.client().ok_or_else(|| Error::DepartmentUnavailable { department: EVIDENCE_FROM.to_owned() })?;
        let case_number = case.name.strip_prefix(Self::COLLECTION).unwrap_or(&case.name).trim_start_matches('/');
        let question = GetAssistanceCategoryRequest {
            context: Some(common::QuestionContext {
                purpose: common::Purpose::ThreeGuarantees.into(),
                case_number: case_number.to_owned(),
                officer: OFFICER.to_owned(),
            }),
            resident_id: case.resident_id.clone(),
            on: case.applied_on,
        };
        let answer = client
            .get_assistance_category(tonic::Request::new(question).idempotent())
            .await
            .map_err(|status| asked(EVIDENCE_FROM, &status))?;
        Ok(answer.into_inner().category())
    }

    /// The question is about the day of the application, so the decision holds as that of a case which is decided at once;
    /// `decided_on` keeps the day on which the answer came.
    fn decide(
        &self,
        record: &mut AidCaseRecord,
        category: AssistanceCategory,
        context: RuleContext<'_>,
    ) -> Result<(), Error> {
        let decision = decide_by_category(category);
        if decision == Decision::NeedsCategory {
            return Err(Error::internal(format!("department {EVIDENCE_FROM} answered without a category")));
        }
        record.outcome = decision.outcome() as i64;
        record.assistance_category = category as i64;
        record.decided_on = Some(epoch_day(context.today));
        Ok(())
    }
}
