//! Nobody can forget the rules: every request of every contract has some, and every text and list in it has a bound.

use minsheng_proto::descriptors;
use prost_reflect::{FieldDescriptor, Kind};

/// Reports whether the contract has a rule for a field.
fn has_rule(field: &FieldDescriptor) -> bool {
    let pool = descriptors();
    let rule = pool.get_extension_by_name("buf.validate.field").expect("the rules are in the descriptors");
    field.options().has_extension(&rule)
}

/// What has no bound of its own unless the contract sets one.
fn needs_a_bound(field: &FieldDescriptor) -> bool {
    field.is_list() || field.is_map() || matches!(field.kind(), Kind::String | Kind::Bytes)
}

#[test]
fn every_request_has_rules_and_every_text_and_list_in_it_a_bound() {
    let mut requests = 0;
    let mut faults = Vec::new();
    for service in descriptors().services().filter(|service| service.full_name().starts_with("minsheng.")) {
        for method in service.methods() {
            let request = method.input();
            requests += 1;
            if request.fields().len() > 0 && !request.fields().any(|field| has_rule(&field)) {
                faults.push(format!("{} has no rule", request.full_name()));
            }
            for field in request.fields().filter(|field| needs_a_bound(field) && !has_rule(field)) {
                faults.push(format!("{} has no bound", field.full_name()));
            }
        }
    }
    assert!(requests > 50, "the contracts have {requests} methods");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
