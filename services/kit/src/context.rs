//! What a department's service shares among its registers: store, keys, parameters, calendar.

use std::sync::Arc;

use minsheng_catalogue::Catalogue;
use parking_lot::RwLock;

use crate::{
    assembly::Intervals,
    keys::Keys,
    register::{RuleContext, today},
    store::Store,
    values::{calendar::Calendar, parameters::Parameters},
};

/// The parameters in force, and the last of those filed among them.
#[derive(Clone, Debug)]
struct InForce {
    newest: i64,
    all: Arc<Parameters>,
}

/// A department's context. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// Name of the service in datasets, as `social_security`.
    pub service: &'static str,
    /// The store.
    pub store: Store,
    /// The keys.
    pub keys: Arc<Keys>,
    /// The operator's catalogue, for the life of the process; none for the one that the software ships with.
    pub catalogue: Option<&'static Catalogue>,
    /// How often it does what it does by itself.
    pub intervals: Intervals,
    parameters: Arc<RwLock<InForce>>,
    calendar: &'static Calendar,
}

impl Context {
    /// Makes the context of a service with the parameters that the software ships with.
    pub fn new(service: &'static str, store: Store, keys: Keys) -> Self {
        let keys = Arc::new(keys);
        Self {
            service,
            store: store.keyed(Arc::clone(&keys)),
            keys,
            catalogue: None,
            intervals: Intervals::default(),
            parameters: Arc::new(RwLock::new(InForce { newest: 0, all: Arc::new(Parameters::get().clone()) })),
            calendar: Calendar::get(),
        }
    }

    /// Calls with the context of an instant.
    pub fn with_rule_context<T>(&self, now: i64, f: impl FnOnce(RuleContext<'_>) -> T) -> T {
        let parameters = self.parameters();
        f(RuleContext {
            parameters: &parameters,
            calendar: self.calendar,
            keys: &self.keys,
            today: today(now),
            carried_over: false,
        })
    }

    /// Returns the parameters in force.
    pub fn parameters(&self) -> Arc<Parameters> {
        Arc::clone(&self.parameters.read().all)
    }

    /// Returns the position of the last parameter in force that was filed.
    pub(crate) fn newest_parameter(&self) -> i64 {
        self.parameters.read().newest
    }

    /// Puts parameters in force, up to the position of the last one filed among them. Of two that do so at the same
    /// time the one that saw more counts.
    pub(crate) fn put_in_force(&self, newest: i64, all: Parameters) {
        let mut in_force = self.parameters.write();
        if newest > in_force.newest {
            *in_force = InForce { newest, all: Arc::new(all) };
        }
    }
}
