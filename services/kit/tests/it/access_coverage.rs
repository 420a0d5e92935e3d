//! Nobody can forget a policy: every method of every contract has one, and every policy speaks of what exists.

use std::collections::BTreeSet;

use minsheng_kit::access::AccessPolicies;
use minsheng_proto::descriptors;
use prost_reflect::{MethodDescriptor, ServiceDescriptor};

/// Services of others that ours serve beside their own, with their methods.
const OTHERS: [(&str, &[&str]); 4] = [
    ("grpc.health.v1.Health", &["Check", "List", "Watch"]),
    ("grpc.reflection.v1.ServerReflection", &["ServerReflectionInfo"]),
    ("grpc.reflection.v1alpha.ServerReflection", &["ServerReflectionInfo"]),
    (
        "arrow.flight.protocol.FlightService",
        &[
            "DoAction",
            "DoExchange",
            "DoGet",
            "DoPut",
            "GetFlightInfo",
            "GetSchema",
            "Handshake",
            "ListActions",
            "ListFlights",
            "PollFlightInfo",
        ],
    ),
];

/// Message that a question carries: the purpose, the case, the officer.
const QUESTION_CONTEXT: &str = "minsheng.common.v1.QuestionContext";

fn policies() -> AccessPolicies {
    AccessPolicies::embedded().expect("the policies of the build are sound")
}

fn own_services() -> impl Iterator<Item = ServiceDescriptor> {
    descriptors().services().filter(|service| service.full_name().starts_with("minsheng."))
}

fn name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

fn is_question(method: &MethodDescriptor) -> bool {
    method
        .input()
        .fields()
        .any(|field| field.kind().as_message().is_some_and(|message| message.full_name() == QUESTION_CONTEXT))
}

#[test]
fn every_method_has_a_policy() {
    let policies = policies();
    let own = own_services().flat_map(|service| service.methods().map(|m| name(&m)).collect::<Vec<_>>());
    let others = OTHERS.iter().flat_map(|(service, methods)| methods.iter().map(move |m| format!("{service}/{m}")));
    let methods: Vec<_> = own.chain(others).collect();
    assert!(methods.len() > 50, "the descriptors hold the contracts: {}", methods.len());
    let forgotten: Vec<_> = methods.into_iter().filter(|method| !policies.covers(method)).collect();
    assert!(forgotten.is_empty(), "no policy permits anybody to call {forgotten:#?}; see deploy/policies");
}

#[test]
fn every_policy_speaks_of_services_and_methods_that_exist() {
    let policies = policies();
    let mut services: BTreeSet<_> = own_services().map(|service| service.full_name().to_owned()).collect();
    services.extend(OTHERS.iter().map(|(service, _)| (*service).to_owned()));
    let unknown: Vec<_> = policies.services().into_iter().filter(|service| !services.contains(service)).collect();
    assert!(unknown.is_empty(), "policies name services that no contract has: {unknown:#?}");
    let methods: BTreeSet<_> = own_services().flat_map(|s| s.methods().map(|m| name(&m)).collect::<Vec<_>>()).collect();
    let unknown: Vec<_> = policies.methods().into_iter().filter(|method| !methods.contains(method)).collect();
    assert!(unknown.is_empty(), "policies name methods that no contract has: {unknown:#?}");
}

#[test]
fn every_question_is_answered_for_some_purpose_and_for_none_without_one() {
    let policies = policies();
    let purposes = descriptors().get_enum_by_name("minsheng.common.v1.Purpose").expect("the contract has purposes");
    let departments = policies.departments();
    let questions: Vec<_> =
        own_services().flat_map(|s| s.methods().collect::<Vec<_>>()).filter(is_question).map(|m| name(&m)).collect();
    assert!(!questions.is_empty());
    for question in questions {
        let asked_for = |purpose: &str| {
            departments.iter().any(|caller| {
                departments.iter().any(|owner| policies.authorise_question(caller, owner, &question, purpose).is_ok())
            })
        };
        assert!(purposes.values().any(|p| asked_for(p.name())), "no policy lets anybody ask {question}");
        assert!(!asked_for("PURPOSE_UNSPECIFIED"), "{question} is answered without a purpose");
    }
}
