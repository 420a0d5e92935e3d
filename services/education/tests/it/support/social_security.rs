//! A stand-in for the social-security department: its contract's questions, answered by one rule instead of registers,
//! over the real server, policies and access log.

use diesel::{QueryDsl as _, RunQueryDsl as _, connection::Connection as _};
use minsheng_kit::{
    assembly::{Assembly, Definition, Parts},
    context::Context,
    error::Error,
    rpc::Question,
    store::{Migrations, schema::accesses},
};
use minsheng_proto::social_security::v1 as pb;
use minsheng_testkit::{TestDatabase, TestSite};
use pb::question_service_server::{QuestionService, QuestionServiceServer};
use tonic::{Request, Response, Status};

/// The stand-in as a service. It has no register of its own, so only the kit's tables.
pub(crate) static DEFINITION: Definition =
    Definition { department: "social-security", service: "social_security", migrations: Migrations::NONE, assemble };

fn assemble(parts: Parts) -> Result<Assembly, Error> {
    let questions = Questions { context: parts.context.clone() };
    Ok(Assembly::new(parts.context)?.serve(QuestionServiceServer::new(questions)))
}

struct Questions {
    context: Context,
}

#[tonic::async_trait]
impl QuestionService for Questions {
    async fn check_coverage(
        &self,
        _: Request<pb::CheckCoverageRequest>,
    ) -> Result<Response<pb::CheckCoverageResponse>, Status> {
        Err(Status::unimplemented("education does not ask this"))
    }

    /// Who is born on the first of a month is on the minimum allowance, everybody else in no category.
    async fn get_assistance_category(
        &self,
        request: Request<pb::GetAssistanceCategoryRequest>,
    ) -> Result<Response<pb::GetAssistanceCategoryResponse>, Status> {
        let (question, message) = Question::take(request, |message| message.context.as_ref())?;
        let answer = question
            .answer_about(&self.context, &message.resident_id, |_, resident| {
                let first = chrono::Datelike::day(&resident.birth_date()) == 1;
                let category = if first { pb::AssistanceCategory::Dibao } else { pb::AssistanceCategory::None };
                Ok(pb::GetAssistanceCategoryResponse { category: category.into(), valid_until: None })
            })
            .await?;
        Ok(Response::new(answer))
    }
}

/// Reads who was asked about, for which purpose and case, oldest first.
pub(crate) fn questions(site: &TestSite, database: TestDatabase) -> Vec<(String, i64, String)> {
    let url = site.database(database, "social-security").expect("database");
    let query = accesses::table.order(accesses::position).select((
        accesses::department,
        accesses::purpose,
        accesses::case_number,
    ));
    match database {
        TestDatabase::Sqlite => {
            let path = url.strip_prefix("sqlite:").expect("a path");
            query.load(&mut diesel::SqliteConnection::establish(path).expect("opens")).expect("reads")
        }
        TestDatabase::Postgres => {
            query.load(&mut diesel::PgConnection::establish(&url).expect("opens")).expect("reads")
        }
    }
}
