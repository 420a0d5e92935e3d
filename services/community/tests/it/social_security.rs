//! A stand-in for social security: its question service behind the kit's own server, certificate and policies.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
};

use minsheng_kit::{
    access::AccessPolicies,
    pki::Credentials,
    rpc::Question,
    server::{Server, ServerConfig},
};
use minsheng_proto::social_security::v1 as pb;
use pb::question_service_server::{QuestionService, QuestionServiceServer};
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot},
    task::JoinHandle,
};
use tonic::{Request, Response, Status, service::Routes};

use crate::support::department;

/// Answers by person, and remembers what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Answers {
    /// Category by identity number; others are in none.
    pub(crate) categories: Arc<Mutex<HashMap<String, pb::AssistanceCategory>>>,
    /// The questions, in order.
    pub(crate) asked: Arc<Mutex<Vec<pb::GetAssistanceCategoryRequest>>>,
    /// Told of each question.
    pub(crate) arrived: Arc<Notify>,
}

#[tonic::async_trait]
impl QuestionService for Answers {
    async fn check_coverage(
        &self,
        _: Request<pb::CheckCoverageRequest>,
    ) -> Result<Response<pb::CheckCoverageResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn get_assistance_category(
        &self,
        request: Request<pb::GetAssistanceCategoryRequest>,
    ) -> Result<Response<pb::GetAssistanceCategoryResponse>, Status> {
        let (_, question) = Question::take(request, |message| message.context.as_ref())?;
        let category = self.categories.lock().expect("lock").get(&question.resident_id).copied();
        self.asked.lock().expect("lock").push(question);
        self.arrived.notify_one();
        Ok(Response::new(pb::GetAssistanceCategoryResponse {
            category: category.unwrap_or(pb::AssistanceCategory::None).into(),
            valid_until: None,
        }))
    }
}

/// The stand-in, serving.
pub(crate) struct SocialSecurity {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl SocialSecurity {
    /// Serves on a listener with the certificate of the site.
    pub(crate) fn serve(site: &Path, listener: TcpListener, answers: Answers) -> Self {
        let credentials = Credentials::load(site.join("pki"), &department("social-security")).expect("credentials");
        let access = Arc::new(AccessPolicies::embedded().expect("policies"));
        let server = Server::builder(credentials, access)
            .config(ServerConfig::default().without_notice())
            .routes(Routes::new(QuestionServiceServer::new(answers)))
            .service_names([pb::question_service_server::SERVICE_NAME])
            .build()
            .expect("a server");
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            server.serve(listener, stopped).await.expect("served");
        });
        Self { stop, served }
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.served.await.expect("no panic");
    }
}
