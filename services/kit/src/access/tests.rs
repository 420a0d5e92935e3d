//! The decisions that the policies of the build must make.

use super::{Access, AccessDenied, AccessPolicies, AccessPolicyError};
use crate::identity::{Caller, Department};

const CATEGORY: &str = "minsheng.socialsecurity.v1.QuestionService/GetAssistanceCategory";
const COVERAGE: &str = "minsheng.socialsecurity.v1.QuestionService/CheckCoverage";
const RECOGNISABLE: &str = "minsheng.health.v1.QuestionService/CheckRecognisable";
const INSTITUTION: &str = "minsheng.health.v1.InstitutionService/CreateInstitution";
const RETURNS: &str = "minsheng.returns.v1.ReturnService/SubmitReturns";
const FEED: &str = "arrow.flight.protocol.FlightService/DoGet";
const HEALTH: &str = "grpc.health.v1.Health/Check";

fn named(name: &str) -> Department {
    Department::new(name).expect("a sound name")
}

fn policies() -> AccessPolicies {
    AccessPolicies::embedded().expect("the policies of the build are sound")
}

fn may_call(caller: &str, owner: &str, method: &str) -> bool {
    policies().authorise_call(&named(caller), &named(owner), method).is_ok()
}

fn may_ask(caller: &str, owner: &str, method: &str, purpose: &str) -> bool {
    policies().authorise_question(&named(caller), &named(owner), method, purpose).is_ok()
}

#[test]
fn what_no_policy_permits_is_denied() {
    assert!(!may_call("health", "health", "minsheng.health.v1.UnheardOfService/Get"));
    assert!(!may_call("operator", "health", "minsheng.health.v1.UnheardOfService/Get"));
    assert!(!may_call("stranger", "health", INSTITUTION));
    assert!(!policies().covers("minsheng.health.v1.UnheardOfService/Get"));
    let none = AccessPolicies::from_sources(super::policies::EMBEDDED_SCHEMA, []).expect("an empty set is sound");
    assert!(none.authorise_call(&named("health"), &named("health"), HEALTH).is_err());
}

#[test]
fn a_department_calls_its_own_registers_and_no_other_department_does() {
    assert!(may_call("health", "health", INSTITUTION));
    assert!(may_call("operator", "health", INSTITUTION));
    assert!(!may_call("education", "health", INSTITUTION));
    assert!(!may_call("health", "education", INSTITUTION));
}

#[test]
fn returns_belong_to_the_department_that_serves_them() {
    assert!(may_call("education", "education", RETURNS));
    assert!(may_call("operator", "education", RETURNS));
    assert!(!may_call("health", "education", RETURNS));
    assert!(!may_call("analytics", "education", RETURNS));
}

#[test]
fn every_known_peer_reads_the_catalogue_of_every_department_and_nobody_else_does() {
    const COMMITMENTS: &str = "minsheng.returns.v1.CatalogueService/ListCommitments";
    for owner in ["health", "education", "community", "social-security"] {
        for caller in ["health", "education", "community", "social-security", "analytics", "operator"] {
            assert!(may_call(caller, owner, COMMITMENTS), "{caller} at {owner}");
        }
        assert!(!may_call("stranger", owner, COMMITMENTS), "{owner}");
    }
}

#[test]
fn analytics_reads_every_feed_and_nothing_else() {
    for owner in ["health", "education", "community", "social-security"] {
        assert!(may_call("analytics", owner, FEED));
        assert!(may_call("analytics", owner, HEALTH));
        for method in [INSTITUTION, RETURNS, RECOGNISABLE, CATEGORY] {
            assert!(!may_call("analytics", owner, method), "{method}");
        }
    }
    assert!(may_call("health", "health", FEED));
    assert!(!may_call("health", "education", FEED));
    assert!(!may_call("operator", "education", FEED));
}

#[test]
fn a_question_is_answered_to_its_asker_for_its_purpose_alone() {
    assert!(may_call("community", "social-security", CATEGORY));
    assert!(may_ask("community", "social-security", CATEGORY, "PURPOSE_MEAL_PRICE"));
    assert!(!may_ask("community", "social-security", CATEGORY, "PURPOSE_THREE_GUARANTEES"));
    assert!(!may_ask("community", "social-security", CATEGORY, "PURPOSE_UNSPECIFIED"));
    assert!(may_ask("education", "social-security", CATEGORY, "PURPOSE_THREE_GUARANTEES"));
    assert!(!may_ask("education", "social-security", CATEGORY, "PURPOSE_MEAL_PRICE"));
    assert!(may_ask("health", "social-security", COVERAGE, "PURPOSE_MEDICAL_SETTLEMENT"));
    assert!(!may_call("health", "social-security", CATEGORY));
    assert!(!may_call("operator", "social-security", CATEGORY));
    assert!(!may_call("community", "social-security", COVERAGE));
}

#[test]
fn every_department_may_ask_whether_a_result_is_recognised() {
    for caller in ["health", "education", "community", "social-security"] {
        assert!(may_ask(caller, "health", RECOGNISABLE, "PURPOSE_RESULT_RECOGNITION"));
        assert!(!may_ask(caller, "health", RECOGNISABLE, "PURPOSE_MEAL_PRICE"));
    }
    assert!(!may_ask("analytics", "health", RECOGNISABLE, "PURPOSE_RESULT_RECOGNITION"));
}

#[test]
fn a_grant_says_who_asked_what_and_why() {
    let grant = policies()
        .authorise_question(&named("community"), &named("social-security"), CATEGORY, "PURPOSE_MEAL_PRICE")
        .expect("permitted");
    assert_eq!(
        (grant.caller().as_str(), grant.method(), grant.purpose()),
        ("community", CATEGORY, "PURPOSE_MEAL_PRICE")
    );
}

#[test]
fn a_denial_names_caller_method_and_purpose_in_its_details() {
    use tonic_types::StatusExt;
    let denied = AccessDenied::Ask {
        caller: named("community"),
        method: CATEGORY.to_owned(),
        purpose: "PURPOSE_UNSPECIFIED".to_owned(),
    };
    let status = tonic::Status::from(denied);
    assert_eq!(status.code(), tonic::Code::PermissionDenied);
    let info = status.get_details_error_info().expect("an ErrorInfo");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("ACCESS_DENIED", "minsheng.internal"));
    assert_eq!(info.metadata["caller"], "community");
    assert_eq!(info.metadata["purpose"], "PURPOSE_UNSPECIFIED");
}

#[test]
fn a_question_for_another_purpose_is_denied_in_the_door_s_shape() {
    use minsheng_proto::{common::v1 as common, health::v1 as pb};
    use tonic_types::StatusExt;
    let caller = Caller { department: named("community") };
    let access = Access::new(std::sync::Arc::new(policies()), named("health"), caller, RECOGNISABLE);
    let date = Some(common::Date { year: 2026, month: 3, day: 2 });
    let mut request = tonic::Request::new(pb::CheckRecognisableRequest {
        context: Some(common::QuestionContext {
            purpose: common::Purpose::MealPrice.into(),
            case_number: "1".to_owned(),
            officer: "7".to_owned(),
        }),
        item_code: "LAB-K".to_owned(),
        performing_institution: "institutions/a".to_owned(),
        receiving_institution: "institutions/b".to_owned(),
        performed_on: date,
        on: date,
    });
    request.extensions_mut().insert(access);
    let denied = crate::rpc::Question::take(request, |message| message.context.as_ref()).expect_err("denied");
    let status = tonic::Status::from(denied);
    assert_eq!(status.code(), tonic::Code::PermissionDenied);
    let info = status.get_details_error_info().expect("an ErrorInfo");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("ACCESS_DENIED", "minsheng.internal"));
    assert_eq!(info.metadata["purpose"], "PURPOSE_MEAL_PRICE");
    assert_eq!(info.metadata["method"], RECOGNISABLE);
}

#[test]
fn a_policy_that_does_not_fit_the_schema_is_refused_by_name() {
    let text = r#"@id("x") permit (principal == Officer::"health", action == Action::"call", resource);"#;
    let error =
        AccessPolicies::from_sources(super::policies::EMBEDDED_SCHEMA, [("x.cedar", text)]).expect_err("refused");
    assert!(matches!(&error, AccessPolicyError::Invalid(why) if why.contains("Officer")), "{error}");
    let error =
        AccessPolicies::from_sources(super::policies::EMBEDDED_SCHEMA, [("y.cedar", "permit (")]).expect_err("refused");
    assert!(error.to_string().starts_with("y.cedar: "), "{error}");
}

#[test]
fn policies_of_a_directory_replace_those_of_the_build() {
    let directory = tempfile::tempdir().expect("a directory");
    let empty = AccessPolicies::from_dir(directory.path()).expect_err("no policies");
    assert!(matches!(empty, AccessPolicyError::Empty(_)));
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("written");
    write("schema.cedarschema", super::policies::EMBEDDED_SCHEMA);
    write("only.cedar", r#"@id("only") permit (principal == Department::"audit", action, resource);"#);
    let loaded = AccessPolicies::from_dir(directory.path()).expect("policies");
    assert!(loaded.authorise_call(&named("audit"), &named("health"), INSTITUTION).is_ok());
    assert!(loaded.authorise_call(&named("health"), &named("health"), INSTITUTION).is_err());
}
