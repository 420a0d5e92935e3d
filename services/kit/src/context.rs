//! What a department's service shares among its registers: store, keys, parameters, calendar.

use std::sync::Arc;

use minsheng_catalogue::Catalogue;
use parking_lot::RwLock;

use crate::{
    error::Error,
    keys::Keys,
    register::{Facts, today},
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
            parameters: Arc::new(RwLock::new(InForce { newest: 0, all: Arc::new(Parameters::get().clone()) })),
            calendar: Calendar::get(),
        }
    }

    /// Calls with the facts of a moment.
    pub fn with_facts<T>(&self, now: i64, f: impl FnOnce(Facts<'_>) -> T) -> T {
        let parameters = self.parameters();
        f(Facts { parameters: &parameters, calendar: self.calendar, keys: &self.keys, today: today(now) })
    }

    /// Gives the parameters in force.
    pub fn parameters(&self) -> Arc<Parameters> {
        Arc::clone(&self.parameters.read().all)
    }

    /// Puts in force what operators have filed since the last time, here or at another replica. Costs one look at a
    /// key when there is nothing.
    pub async fn load_parameters(&self) -> Result<(), Error> {
        let known = self.parameters.read().newest;
        let filed =
            self.store.read(move |connection| crate::common::parameters::filed_since(connection, known)).await?;
        if let Some((newest, all)) = filed {
            let mut in_force = self.parameters.write();
            // Of two that load at the same time the one that saw more counts.
            if newest > in_force.newest {
                *in_force = InForce { newest, all: Arc::new(all) };
            }
        }
        Ok(())
    }
}
