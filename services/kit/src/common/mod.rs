//! The services that every department has, whatever its registers.

pub(crate) mod parameters;
mod records;

use minsheng_proto::common::v1::{
    parameter_service_server::ParameterServiceServer, record_service_server::RecordServiceServer,
};

use crate::{
    assembly::Assembly,
    filings::{MilestoneRpc, Milestones, ReturnRpc},
};

/// Adds them.
pub(crate) fn add(assembly: Assembly) -> Assembly {
    let context = assembly.context().clone();
    let milestones = Milestones { service: context.service };
    assembly
        .serve(ReturnRpc::new(context.clone()).into_service())
        .serve(MilestoneRpc::new(milestones, context.clone()).into_service())
        .serve(ParameterServiceServer::new(parameters::ParameterRpc::new(context.clone())))
        .serve(RecordServiceServer::new(records::RecordRpc::new(context)))
}
