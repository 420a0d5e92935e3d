//! What one caller may hold at the same time, so that none can take all there is: connections, calls, streams, and how much
//! it may ask in an hour.
//!
//! A caller is a department, whatever certificates it has and over however many connections it comes. Departments are as
//! many as the authority has named, so what is kept of each stays.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ServerConfig;
use crate::identity::Department;

/// Services whose calls count as questions end so.
const QUESTIONS: &str = ".QuestionService/";
/// One hour.
const HOUR: Duration = Duration::from_hours(1);

/// The callers of a server and what each of them holds.
#[derive(Debug)]
pub(super) struct Callers {
    limits: Limits,
    known: Mutex<HashMap<Department, Arc<CallerPlaces>>>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    calls: usize,
    streams: usize,
    connections: usize,
    questions_per_hour: Option<u32>,
}

/// The places of one caller.
#[derive(Debug)]
pub(crate) struct CallerPlaces {
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    questions: Option<Mutex<Bucket>>,
}

/// What a caller has too many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallerLimit {
    /// Connections that are open.
    Connections,
    /// Calls that run.
    Calls,
    /// Calls that run and stream.
    Streams,
    /// Questions in an hour.
    Questions,
}

impl CallerLimit {
    /// Returns its name in metrics and details, as `calls`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Calls => "calls",
            Self::Streams => "streams",
            Self::Questions => "questions",
        }
    }
}

impl Callers {
    pub(super) fn new(config: &ServerConfig) -> Self {
        let limits = Limits {
            calls: config.calls_per_caller,
            streams: config.streams_per_caller,
            connections: config.connections_per_caller,
            questions_per_hour: Some(config.questions_per_hour).filter(|questions| *questions > 0),
        };
        Self { limits, known: Mutex::default() }
    }

    /// Returns the places of a department.
    pub(super) fn of(&self, department: &Department) -> Arc<CallerPlaces> {
        let mut known = self.known.lock();
        if let Some(places) = known.get(department) {
            return Arc::clone(places);
        }
        let places = Arc::new(CallerPlaces::new(self.limits));
        known.insert(department.clone(), Arc::clone(&places));
        places
    }
}

impl CallerPlaces {
    fn new(limits: Limits) -> Self {
        let semaphore = |places: usize| Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Self {
            calls: semaphore(limits.calls),
            streams: semaphore(limits.streams),
            connections: semaphore(limits.connections),
            questions: limits.questions_per_hour.map(|questions| Mutex::new(Bucket::full(questions, Instant::now()))),
        }
    }

    /// Takes a place for a connection.
    pub(super) fn connection(&self) -> Result<OwnedSemaphorePermit, CallerLimit> {
        Arc::clone(&self.connections).try_acquire_owned().map_err(|_| CallerLimit::Connections)
    }

    /// Takes the places of a call; the time after which another try is worth it where there is none.
    pub(super) fn call(&self, path: &str, streams: bool) -> Result<CallPlaces, (CallerLimit, Duration)> {
        const SOON: Duration = Duration::from_secs(1);
        let place = Arc::clone(&self.calls).try_acquire_owned().map_err(|_| (CallerLimit::Calls, SOON))?;
        let stream = if streams {
            Some(Arc::clone(&self.streams).try_acquire_owned().map_err(|_| (CallerLimit::Streams, SOON))?)
        } else {
            None
        };
        if let Some(questions) = self.questions.as_ref().filter(|_| path.contains(QUESTIONS)) {
            questions.lock().take(Instant::now()).map_err(|wait| (CallerLimit::Questions, wait))?;
        }
        Ok(CallPlaces { _call: place, _stream: stream })
    }
}

/// The places that a call holds while it runs.
#[derive(Debug)]
pub(crate) struct CallPlaces {
    _call: OwnedSemaphorePermit,
    _stream: Option<OwnedSemaphorePermit>,
}

/// A bucket that holds an hour's questions and fills evenly.
#[derive(Debug)]
struct Bucket {
    per_hour: f64,
    left: f64,
    at: Instant,
}

impl Bucket {
    fn full(per_hour: u32, now: Instant) -> Self {
        Self { per_hour: f64::from(per_hour), left: f64::from(per_hour), at: now }
    }

    /// Takes one; returns the time until there is one otherwise.
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let passed = now.saturating_duration_since(self.at);
        self.left = (self.left + passed.as_secs_f64() / HOUR.as_secs_f64() * self.per_hour).min(self.per_hour);
        self.at = now;
        if self.left < 1.0 {
            return Err(HOUR.mul_f64((1.0 - self.left) / self.per_hour));
        }
        self.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers() -> Callers {
        Callers::new(&ServerConfig {
            calls_per_caller: 3,
            streams_per_caller: 1,
            connections_per_caller: 2,
            questions_per_hour: 2,
            ..ServerConfig::default()
        })
    }

    fn department(name: &str) -> Department {
        Department::new(name).expect("a name")
    }

    #[test]
    fn one_caller_s_places_are_none_of_another_s() {
        let callers = callers();
        let (health, education) = (callers.of(&department("health")), callers.of(&department("education")));
        let held: Vec<_> = (0..3).map(|_| health.call("/a.B/C", false).expect("a place")).collect();
        assert_eq!(callers.of(&department("health")).call("/a.B/C", false).expect_err("none").0, CallerLimit::Calls);
        education.call("/a.B/C", false).expect("its own place");
        drop(held);
        health.call("/a.B/C", false).expect("free again");
    }

    #[test]
    fn streams_are_calls_of_which_there_are_fewer() {
        let places = callers().of(&department("health"));
        let stream = places.call("/a.B/C", true).expect("a place");
        assert_eq!(places.call("/a.B/C", true).expect_err("none").0, CallerLimit::Streams);
        // What was refused holds nothing.
        let calls = [(); 2].map(|()| places.call("/a.B/C", false).expect("a place"));
        drop((stream, calls));
    }

    #[test]
    fn connections_are_counted_while_they_are_open() {
        let places = callers().of(&department("health"));
        let open = [(); 2].map(|()| places.connection().expect("a place"));
        assert_eq!(places.connection().expect_err("none"), CallerLimit::Connections);
        drop(open);
        drop(places.connection().expect("a place"));
    }

    #[test]
    fn questions_are_counted_by_the_hour_and_other_calls_are_not() {
        let places = callers().of(&department("health"));
        let question = || places.call("/minsheng.health.v1.QuestionService/CheckRecognisable", false);
        drop([(); 2].map(|()| question().expect("asked")));
        let (limit, wait) = question().expect_err("two an hour");
        assert_eq!(limit, CallerLimit::Questions);
        assert!(wait > Duration::from_mins(29) && wait <= Duration::from_mins(30), "{wait:?}");
        places.call("/minsheng.health.v1.InstitutionService/GetInstitution", false).expect("no question");
    }

    #[test]
    fn a_bucket_fills_evenly_and_never_above_an_hour_s_questions() {
        let start = Instant::now();
        let mut bucket = Bucket::full(60, start);
        (0..60).for_each(|_| bucket.take(start).expect("there"));
        bucket.take(start).expect_err("empty");
        bucket.take(start + Duration::from_secs(61)).expect("one a minute");
        bucket.take(start + Duration::from_secs(61)).expect_err("and no second one");
        let later = start + 10 * HOUR;
        (0..60).for_each(|_| bucket.take(later).expect("an hour's"));
        bucket.take(later).expect_err("no more than an hour's");
    }
}
