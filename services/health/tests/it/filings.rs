//! Returns, milestones, parameters, history and accesses of this service, through its RPCs: the tests that every service
//! shares.

use minsheng_health::DEFINITION;

#[path = "../../../kit/tests/shared/mod.rs"]
mod shared;
