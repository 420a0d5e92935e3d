//! The contract's `CatalogueService`: what may be filed, out of the catalogue that filings are checked by.

use minsheng_catalogue::{Catalogue, Entry, Form, Measure, SourceKind};
use minsheng_proto::returns::v1 as pb;
use tonic::{Request, Response, Status};

use crate::{context::Context, error::Error, register::date, rpc, values::calendar::epoch_day};

/// Serves the catalogue of a department's service.
pub(super) struct CatalogueRpc {
    context: Context,
}

impl CatalogueRpc {
    pub(super) fn new(context: Context) -> Self {
        Self { context }
    }
}

#[tonic::async_trait]
impl pb::catalogue_service_server::CatalogueService for CatalogueRpc {
    async fn list_commitments(
        &self,
        request: Request<pb::ListCommitmentsRequest>,
    ) -> Result<Response<pb::ListCommitmentsResponse>, Status> {
        let asked = rpc::checked(request)?;
        let catalogue = Catalogue::in_use(self.context.catalogue);
        let mut wanted = catalogue
            .entries
            .iter()
            .filter(|entry| asked.department.is_empty() || entry.commitment.service == asked.department);
        // A page belongs to the catalogue that it was read of: of another one the order may be another.
        let scope = format!("commitments/{}/{}", asked.department, catalogue.edition);
        if !asked.page_token.is_empty() {
            let after = self.context.keys.read_page_token(&scope, &asked.page_token)?;
            if !wanted.any(|entry| entry.commitment.id == after) {
                return Err(Error::internal("a page token names a commitment that its catalogue does not have").into());
            }
        }
        let size = super::page_size(asked.page_size);
        let mut entries: Vec<&Entry> = wanted.take(size + 1).collect();
        let more = entries.len() > size;
        entries.truncate(size);
        let next_page_token = match entries.last() {
            Some(last) if more => self.context.keys.page_token(&scope, &last.commitment.id),
            _ => String::new(),
        };
        let commitments = entries.into_iter().map(commitment).collect();
        let edition = catalogue.edition.clone();
        Ok(Response::new(pb::ListCommitmentsResponse { commitments, next_page_token, edition }))
    }
}

fn commitment(entry: &Entry) -> pb::Commitment {
    let commitment = &entry.commitment;
    let source = match commitment.source {
        SourceKind::Register => pb::CommitmentSource::Register,
        SourceKind::Returns => pb::CommitmentSource::Returns,
        SourceKind::Milestones => pb::CommitmentSource::Milestones,
    };
    pb::Commitment {
        id: commitment.id.clone(),
        article: commitment.article.into(),
        department: commitment.service.clone(),
        title_zh: commitment.title_zh.clone(),
        title_en: commitment.title_en.clone(),
        target: commitment.target,
        due: commitment.due.map(epoch_day).and_then(date),
        scope: commitment.scope.clone(),
        source: source.into(),
        measures: entry.measures.iter().map(measure).collect(),
    }
}

fn measure(measure: &Measure) -> pb::Measure {
    let form = match measure.form {
        Form::Figure => pb::MeasureForm::Figure,
        Form::Share => pb::MeasureForm::Share,
        Form::Ratio => pb::MeasureForm::Ratio,
    };
    pb::Measure {
        name: measure.name.clone(),
        title_zh: measure.title.zh.clone(),
        title_en: measure.title.en.clone(),
        unit: measure.unit.en.clone(),
        unit_zh: measure.unit.zh.clone(),
        form: form.into(),
    }
}
