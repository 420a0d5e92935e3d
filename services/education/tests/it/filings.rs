//! Returns, milestones, parameters, history and accesses of this service, through its RPCs: the tests that every service
//! shares.

use minsheng_education::DEFINITION;

minsheng_testkit::shared_tests!(DEFINITION);
