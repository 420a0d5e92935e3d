//! What a department's service shares among its registers: store, keys, parameters, calendar.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::{
    error::Error,
    keys::Keys,
    register::{Facts, today},
    store::Store,
    values::{calendar::Calendar, parameters::Parameters},
};

/// A department's context. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// Name of the service in datasets, as `social_security`.
    pub service: &'static str,
    /// The store.
    pub store: Store,
    /// The keys.
    pub keys: Arc<Keys>,
    parameters: Arc<RwLock<Arc<Parameters>>>,
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
            parameters: Arc::new(RwLock::new(Arc::new(Parameters::get().clone()))),
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
        Arc::clone(&self.parameters.read())
    }

    /// Puts other parameters in force.
    pub fn set_parameters(&self, parameters: Parameters) {
        *self.parameters.write() = Arc::new(parameters);
    }

    /// Adds the parameters that operators have recorded to those the software ships with.
    pub async fn load_parameters(&self) -> Result<(), Error> {
        let recorded = self.store.read(crate::common::parameters::recorded).await?;
        if !recorded.is_empty() {
            let mut all = Parameters::get().clone();
            all.extend(recorded).map_err(Error::internal)?;
            self.set_parameters(all);
        }
        Ok(())
    }
}
