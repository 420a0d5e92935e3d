//! The services that every department has, whatever its registers.

mod catalogue;
pub(crate) mod parameters;
mod records;

use std::collections::BTreeMap;

use minsheng_proto::{
    common::v1::{parameter_service_server::ParameterServiceServer, record_service_server::RecordServiceServer},
    returns::v1::catalogue_service_server::CatalogueServiceServer,
};

use crate::{
    assembly::Assembly,
    filings::{MilestoneRpc, Milestones, ReturnRpc},
    register::CountInForce,
};

/// Entries of a page when the caller does not say; the contract bounds what it may say.
const USUAL_PAGE: usize = 100;

/// Returns the entries of a page.
fn page_size(asked: i32) -> usize {
    usize::try_from(asked).ok().filter(|asked| *asked > 0).unwrap_or(USUAL_PAGE)
}

/// Adds them.
pub(crate) fn add(assembly: Assembly) -> Assembly {
    let context = assembly.context().clone();
    let milestones = Milestones::of(&context);
    let refreshed = context.clone();
    assembly
        .every(
            |intervals| intervals.parameters,
            move || {
                let context = refreshed.clone();
                async move { parameters::load(&context).await }
            },
        )
        .register(ReturnRpc::new(context.clone()))
        .register(MilestoneRpc::new(milestones, context.clone()))
        .serve(CatalogueServiceServer::new(catalogue::CatalogueRpc::new(context.clone())))
        .serve(ParameterServiceServer::new(parameters::ParameterRpc::new(context)))
}

/// Adds what speaks of every register, once all are known.
pub(crate) fn add_records(assembly: Assembly, counted: BTreeMap<&'static str, CountInForce>) -> Assembly {
    let records = records::RecordRpc::new(assembly.context().clone(), counted);
    assembly.serve(RecordServiceServer::new(records))
}
