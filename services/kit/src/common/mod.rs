//! The services that every department has, whatever its registers.

use crate::{
    assembly::Assembly,
    context::Context,
    filings::{MilestoneRpc, Milestones, ReturnRpc},
};

/// Adds them.
pub(crate) fn add(assembly: Assembly, context: &Context) -> Assembly {
    let milestones = Milestones { service: context.service };
    assembly
        .serve(ReturnRpc::new(context.clone()).into_service())
        .serve(MilestoneRpc::new(milestones, context.clone()).into_service())
}
