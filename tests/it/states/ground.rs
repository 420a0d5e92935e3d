//! The four services of a test with one clock.

use chrono::NaiveDate;
use minsheng::{
    registers::{self, Register},
    site::SERVICES,
};
use minsheng_kit::clients::DepartmentChannel;
use minsheng_testkit::{TestClock, TestDatabase, TestService, TestSite};

/// Departments that another one asks, before those that ask.
const ORDER: [&str; 4] = ["social-security", "health", "education", "community"];

/// Running services.
pub(super) struct Ground {
    site: TestSite,
    clock: TestClock,
    services: Vec<(&'static str, TestService)>,
}

impl Ground {
    /// Starts some of the services on a day.
    pub(super) async fn start(database: TestDatabase, departments: &[&str], on: NaiveDate) -> Self {
        let site = TestSite::new().expect("certificates");
        let mut ground = Self { site, clock: TestClock::on(on), services: Vec::new() };
        for department in ORDER.into_iter().filter(|department| departments.contains(department)) {
            let definition = minsheng::site::service(department).expect("one of the four");
            let upstreams: Vec<_> = ground
                .services
                .iter()
                .filter(|(name, _)| *name == "social-security")
                .map(|(name, s)| (*name, s))
                .collect();
            let service = ground.site.start(definition, database, &ground.clock, &upstreams).await.expect("starts");
            ground.services.push((department, service));
        }
        ground
    }

    pub(super) async fn start_all(database: TestDatabase, on: NaiveDate) -> Self {
        Self::start(database, &ORDER, on).await
    }

    /// Goes on to noon of a later day.
    pub(super) fn set_day(&self, day: NaiveDate) {
        self.clock.set(day);
    }

    /// Returns an instant behind all that was answered, microseconds UTC.
    pub(super) fn now(&self) -> i64 {
        (self.clock.clock())()
    }

    pub(super) fn directory(&self) -> &std::path::Path {
        self.site.path()
    }

    pub(super) fn departments(&self) -> impl Iterator<Item = &'static str> {
        self.services.iter().map(|(department, _)| *department)
    }

    /// Opens a channel to a department as another one.
    pub(super) fn channel(&self, caller: &str, department: &str) -> DepartmentChannel {
        let (_, service) = self.services.iter().find(|(name, _)| *name == department).expect("a department that runs");
        let definition = SERVICES.into_iter().find(|known| known.department == department).expect("one of the four");
        self.site.channel(caller, definition, service).expect("a channel")
    }

    /// Stops the services.
    pub(super) async fn stop(self) {
        for (_, service) in self.services.into_iter().rev() {
            service.stop().await.expect("stops");
        }
    }
}

pub(super) fn register(name: &str) -> &'static Register {
    registers::find(name).unwrap_or_else(|_| panic!("{name} is no register of the contracts"))
}
