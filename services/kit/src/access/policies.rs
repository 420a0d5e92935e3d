//! The policies: loaded, checked against their schema, asked.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};
use parking_lot::RwLock;
use thiserror::Error;
use tracing::error;

use crate::identity::Department;

/// File of the schema, in a directory of policies.
const SCHEMA: &str = "schema.cedarschema";

/// The policies of the build: the name of each file and its text.
const EMBEDDED: [(&str, &str); 6] = [
    ("analytics.cedar", include_str!("../../../../deploy/policies/analytics.cedar")),
    ("common.cedar", include_str!("../../../../deploy/policies/common.cedar")),
    ("community.cedar", include_str!("../../../../deploy/policies/community.cedar")),
    ("education.cedar", include_str!("../../../../deploy/policies/education.cedar")),
    ("health.cedar", include_str!("../../../../deploy/policies/health.cedar")),
    ("social-security.cedar", include_str!("../../../../deploy/policies/social-security.cedar")),
];
pub(super) const EMBEDDED_SCHEMA: &str = include_str!("../../../../deploy/policies/schema.cedarschema");

/// Decisions that are remembered; beyond it they are made again each time.
const REMEMBERED: usize = 8_192;

/// Policies that cannot be used.
#[derive(Debug, Error)]
pub enum AccessPolicyError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A directory holds no policy.
    #[error("{0} holds no *.cedar file")]
    Empty(PathBuf),
    /// The text of a file is not what its name says.
    #[error("{file}: {reason}")]
    Syntax {
        /// The file.
        file: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// A policy speaks of what the schema does not have, or two have the same id.
    #[error("the policies do not fit their schema: {0}")]
    Invalid(String),
}

/// A call or question that no policy permits.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AccessDenied {
    /// Nobody is known to be calling.
    #[error("the caller is not known")]
    Anonymous,
    /// The department may not call the method.
    #[error("the department {caller} may not call {method}")]
    Call {
        /// Who called.
        caller: Department,
        /// What, as `package.Service/Method`.
        method: String,
    },
    /// The department may not have the answer for this purpose.
    #[error("the department {caller} may not ask {method} for the purpose {purpose}")]
    Ask {
        /// Who asked.
        caller: Department,
        /// What, as `package.Service/Method`.
        method: String,
        /// For what, as `PURPOSE_MEAL_PRICE`.
        purpose: String,
    },
}

/// The proof that a department may have the answer to a question for a purpose. Only the policies make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionGrant {
    caller: Department,
    method: String,
    purpose: String,
}

impl QuestionGrant {
    /// Returns who asks.
    pub fn caller(&self) -> &Department {
        &self.caller
    }

    /// Returns what is asked, as `package.Service/Method`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the purpose, as `PURPOSE_MEAL_PRICE`.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }
}

/// A checked set of policies.
#[derive(Debug)]
pub struct AccessPolicies {
    authorizer: Authorizer,
    schema: Schema,
    policies: PolicySet,
    types: Types,
    /// Decisions by caller, owner, method and purpose: policies do not change while the process runs.
    remembered: RwLock<HashMap<String, bool>>,
}

#[derive(Debug)]
struct Types {
    action: EntityTypeName,
    department: EntityTypeName,
    service: EntityTypeName,
    method: EntityTypeName,
}

impl AccessPolicies {
    /// Loads the policies of the build.
    pub fn embedded() -> Result<Self, AccessPolicyError> {
        Self::from_sources(EMBEDDED_SCHEMA, EMBEDDED)
    }

    /// Loads `schema.cedarschema` and every `*.cedar` of a directory, instead of the policies of the build.
    pub fn from_dir(directory: &Path) -> Result<Self, AccessPolicyError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| AccessPolicyError::File { path, source }
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(directory).map_err(failed(directory))? {
            let path = entry.map_err(failed(directory))?.path();
            if path.extension().is_some_and(|extension| extension == "cedar") {
                files.push(path);
            }
        }
        if files.is_empty() {
            return Err(AccessPolicyError::Empty(directory.to_owned()));
        }
        files.sort();
        let read = |path: &Path| fs::read_to_string(path).map_err(failed(path));
        let schema = read(&directory.join(SCHEMA))?;
        let mut sources = Vec::new();
        for path in &files {
            sources.push((path.display().to_string(), read(path)?));
        }
        Self::from_sources(&schema, sources.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// Loads policies from their texts, each with the name of its file.
    pub fn from_sources<'a>(
        schema: &str,
        sources: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, AccessPolicyError> {
        let syntax = |file: &str, reason: &dyn std::fmt::Display| AccessPolicyError::Syntax {
            file: file.to_owned(),
            reason: reason.to_string(),
        };
        let (schema, _) = Schema::from_cedarschema_str(schema).map_err(|e| syntax(SCHEMA, &e))?;
        let mut policies = PolicySet::new();
        for (file, text) in sources {
            for policy in PolicySet::from_str(text).map_err(|e| syntax(file, &e))?.policies() {
                let id = policy.annotation("id").ok_or_else(|| syntax(file, &"a policy has no @id"))?;
                let named = policy.new_id(PolicyId::new(id));
                policies.add(named).map_err(|e| AccessPolicyError::Invalid(e.to_string()))?;
            }
        }
        let checked = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if !checked.validation_passed() {
            let faults: Vec<_> = checked.validation_errors().map(ToString::to_string).collect();
            return Err(AccessPolicyError::Invalid(faults.join("; ")));
        }
        let name = |text: &str| EntityTypeName::from_str(text).map_err(|e| AccessPolicyError::Invalid(e.to_string()));
        let types = Types {
            action: name("Action")?,
            department: name("Department")?,
            service: name("Service")?,
            method: name("Method")?,
        };
        let remembered = RwLock::new(HashMap::new());
        Ok(Self { authorizer: Authorizer::new(), schema, policies, types, remembered })
    }

    /// Decides whether `caller` may call `method`, given as `package.Service/Method`, at the department `owner`.
    pub fn authorise_call(&self, caller: &Department, owner: &Department, method: &str) -> Result<(), AccessDenied> {
        if self.decide(caller, owner, method, None) {
            Ok(())
        } else {
            Err(AccessDenied::Call { caller: caller.clone(), method: method.to_owned() })
        }
    }

    /// Decides whether `caller` may have the answer to a question of `owner` for a purpose, as `PURPOSE_MEAL_PRICE`.
    pub fn authorise_question(
        &self,
        caller: &Department,
        owner: &Department,
        method: &str,
        purpose: &str,
    ) -> Result<QuestionGrant, AccessDenied> {
        let (caller, method, purpose) = (caller.clone(), method.to_owned(), purpose.to_owned());
        if self.decide(&caller, owner, &method, Some(&purpose)) {
            Ok(QuestionGrant { caller, method, purpose })
        } else {
            Err(AccessDenied::Ask { caller, method, purpose })
        }
    }

    /// Reports whether any department at all may call the method: one that no policy speaks of was forgotten.
    pub fn covers(&self, method: &str) -> bool {
        let departments = self.departments();
        let allowed = |caller, owner| self.decide(caller, owner, method, None);
        departments.iter().any(|caller| departments.iter().any(|owner| allowed(caller, owner)))
    }

    /// Lists the departments that policies name.
    pub fn departments(&self) -> Vec<Department> {
        self.named(&self.types.department).iter().filter_map(|name| Department::new(name).ok()).collect()
    }

    /// Lists the services that policies name, as `minsheng.health.v1.InstitutionService`.
    pub fn services(&self) -> Vec<String> {
        self.named(&self.types.service)
    }

    /// Lists the methods that policies name one by one, as `minsheng.health.v1.QuestionService/CheckRecognisable`.
    pub fn methods(&self) -> Vec<String> {
        self.named(&self.types.method)
    }

    fn named(&self, of_type: &EntityTypeName) -> Vec<String> {
        let mut names: Vec<_> = self
            .policies
            .policies()
            .flat_map(cedar_policy::Policy::entity_literals)
            .filter(|uid| uid.type_name() == of_type)
            .map(|uid| uid.id().unescaped().to_owned())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn decide(&self, caller: &Department, owner: &Department, method: &str, purpose: Option<&str>) -> bool {
        let key = format!("{caller} {owner} {method} {}", purpose.unwrap_or_default());
        if let Some(decision) = self.remembered.read().get(&key) {
            return *decision;
        }
        let decision = self.evaluate(caller, owner, method, purpose).unwrap_or_else(|fault| {
            error!(%caller, %owner, method, purpose, %fault, "a policy cannot be evaluated; the call is denied");
            false
        });
        let mut remembered = self.remembered.write();
        if remembered.len() < REMEMBERED {
            remembered.insert(key, decision);
        }
        decision
    }

    fn evaluate(
        &self,
        caller: &Department,
        owner: &Department,
        method: &str,
        purpose: Option<&str>,
    ) -> Result<bool, Box<dyn std::error::Error>> {
        let uid =
            |of_type: &EntityTypeName, id: &str| EntityUid::from_type_name_and_id(of_type.clone(), EntityId::new(id));
        let (service, _) = method.split_once('/').unwrap_or((method, ""));
        let (caller, owner) =
            (uid(&self.types.department, caller.as_str()), uid(&self.types.department, owner.as_str()));
        let (service, method) = (uid(&self.types.service, service), uid(&self.types.method, method));
        let attributes = HashMap::from([("owner".to_owned(), RestrictedExpression::new_entity_uid(owner.clone()))]);
        let resource = Entity::new(method.clone(), attributes, HashSet::from([service.clone()]))?;
        let mut entities = vec![resource, Entity::with_uid(service), Entity::with_uid(caller.clone())];
        if owner != caller {
            entities.push(Entity::with_uid(owner));
        }
        let entities = Entities::from_entities(entities, Some(&self.schema))?;
        let (action, context) = match purpose {
            None => ("call", Context::empty()),
            Some(purpose) => {
                let purpose = RestrictedExpression::new_string(purpose.to_owned());
                ("ask", Context::from_pairs([("purpose".to_owned(), purpose)])?)
            }
        };
        let request = Request::new(caller, uid(&self.types.action, action), method, context, Some(&self.schema))?;
        let answer = self.authorizer.is_authorized(&request, &self.policies, &entities);
        // A policy that fails is skipped by the authoriser; were it a `forbid`, that would open a door.
        if let Some(fault) = answer.diagnostics().errors().next() {
            return Err(fault.to_string().into());
        }
        Ok(answer.decision() == Decision::Allow)
    }
}
