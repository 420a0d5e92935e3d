use std::collections::BTreeMap;

use super::*;

/// A record's state with what it says.
#[derive(Clone, Debug, PartialEq)]
struct State {
    head: Head,
    said: &'static str,
    told: Vec<u8>,
}

impl Table for State {
    fn id(&self) -> &str {
        &self.head.id
    }

    fn head(&self) -> Head {
        self.head.clone()
    }

    fn set_head(&mut self, head: Head) {
        self.head = head;
    }

    fn with_head(head: Head) -> Self {
        Self { head, said: "", told: Vec::new() }
    }

    fn recorded(&mut self, _: i64) {}

    fn told(&self) -> &[u8] {
        &self.told
    }

    fn set_told(&mut self, told: Vec<u8>) {
        self.told = told;
    }

    fn insert(_: &mut crate::store::AnyConnection, _: &[Self]) -> Result<(), Error> {
        unreachable!("nothing here is stored")
    }

    fn write(_: &mut crate::store::AnyConnection, _: &[Self], _: &[Self]) -> Result<bool, Error> {
        unreachable!("nothing here is stored")
    }

    fn lock(_: &mut crate::store::AnyConnection, _: &str) -> Result<Vec<Self>, Error> {
        unreachable!("nothing here is stored")
    }

    fn find(_: &mut crate::store::AnyConnection, _: &[String]) -> Result<Vec<Self>, Error> {
        unreachable!("nothing here is stored")
    }

    fn not_carried_over(_: &mut crate::store::AnyConnection, _: i64) -> Result<Vec<Self>, Error> {
        unreachable!("nothing here is stored")
    }

    fn count(_: &mut crate::store::AnyConnection, _: (&str, &str), _: i64) -> Result<Vec<(String, i64)>, Error> {
        unreachable!("nothing here is stored")
    }

    fn page(_: &mut crate::store::AnyConnection, _: (&str, &str), _: &str, _: i64) -> Result<Vec<Self>, Error> {
        unreachable!("nothing here is stored")
    }
}

fn created(on: i64, said: &'static str) -> Vec<State> {
    let head = Head { effective_on: on, effective_until: FOREVER, state: ACTIVE, ..Head::default() };
    vec![State { said, ..State::with_head(head) }]
}

/// What is said from which day on; an end says nothing.
fn days(states: &[State]) -> BTreeMap<i64, Option<&'static str>> {
    assert!(states.windows(2).all(|pair| pair[0].head.effective_until == pair[1].head.effective_on), "{states:?}");
    assert!(states.iter().all(|state| state.head.effective_on < state.head.effective_until), "{states:?}");
    assert_eq!(states.last().expect("a state").head.effective_until, FOREVER);
    states.iter().map(|state| (state.head.effective_on, state.head.is_active().then_some(state.said))).collect()
}

fn say(said: &'static str) -> impl FnMut(&State, Head) -> Result<Revised<State>, Error> {
    move |_, head| Ok(Revised { state: State { said, ..State::with_head(head) }, begins_earlier: None })
}

fn from(day: i64) -> Scope {
    Scope::From { day, resume: false }
}

fn reason(result: Result<impl Sized, Error>) -> &'static str {
    match result {
        Err(Error::State(violations) | Error::Invalid(violations)) => violations.iter().next().expect("one").reason,
        _ => "",
    }
}

#[test]
fn a_change_holds_until_the_next_state_and_later_states_stay() {
    let mut states = created(0, "a");
    update(&mut states, from(20), say("c")).expect("changed");
    assert_eq!(update(&mut states, from(10), say("b")).expect("changed"), 1);
    assert_eq!(days(&states), BTreeMap::from([(0, Some("a")), (10, Some("b")), (20, Some("c"))]));
    update(&mut states, from(10), say("B")).expect("on the first day of a state it takes its place");
    update(&mut states, from(-5), say("z")).expect("before the first state");
    assert_eq!(days(&states), BTreeMap::from([(-5, Some("z")), (0, Some("a")), (10, Some("B")), (20, Some("c"))]));
}

#[test]
fn a_correction_takes_the_days_of_its_state_and_no_other() {
    let mut states = created(0, "a");
    update(&mut states, from(10), say("b")).expect("changed");
    update(&mut states, Scope::On(9), say("A")).expect("corrected");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("A")), (10, Some("b"))]));
    update(&mut states, Scope::Present(30), say("B")).expect("corrected");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("A")), (10, Some("B"))]));
    update(&mut states, Scope::All, say("x")).expect("corrected");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("x")), (10, Some("x"))]));
    assert_eq!(reason(update(&mut states, Scope::On(-1), say("y"))), "NO_STATE_ON_DAY");
}

#[test]
fn a_correction_with_content_of_a_later_day_is_a_change_from_that_day_within_its_state() {
    let later = |day: i64| {
        move |_: &State, head: Head| {
            let head = Head { effective_on: day, ..head };
            Ok(Revised { state: State { said: "c", ..State::with_head(head) }, begins_earlier: None })
        }
    };
    let mut states = created(0, "a");
    update(&mut states, from(10), say("b")).expect("changed");
    assert_eq!(update(&mut states, Scope::On(2), later(4)).expect("changed"), 1);
    assert_eq!(days(&states), BTreeMap::from([(0, Some("a")), (4, Some("c")), (10, Some("b"))]));
    assert_eq!(reason(update(&mut states, Scope::On(2), later(4))), "AFTER_THE_STATE");
    update(&mut states, Scope::All, say("d")).expect("corrected");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("d")), (4, Some("d")), (10, Some("d"))]));
}

#[test]
fn a_correction_that_names_an_earlier_first_day_takes_days_from_the_state_before_and_leaves_one() {
    let earlier = |day: i64| {
        move |_: &State, head: Head| {
            Ok(Revised { state: State { said: "b", ..State::with_head(head) }, begins_earlier: Some(day) })
        }
    };
    let mut states = created(0, "a");
    update(&mut states, from(10), say("b")).expect("changed");
    update(&mut states, Scope::On(10), earlier(4)).expect("corrected");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("a")), (4, Some("b"))]));
    assert_eq!(reason(update(&mut states, Scope::On(10), earlier(0))), "BEFORE_FORMER_CONTENT");
    update(&mut states, Scope::On(0), earlier(-3)).expect("corrected");
    assert_eq!(days(&states), BTreeMap::from([(-3, Some("b")), (4, Some("b"))]));
}

#[test]
fn an_end_is_moved_lifted_and_takes_what_was_planned_behind_it_along() {
    let mut states = created(0, "a");
    update(&mut states, from(20), say("b")).expect("changed");
    end(&mut states, 10).expect("ended");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("a")), (10, None)]));
    assert_eq!(states[1].said, "a", "an ended state repeats what the one before it said");
    end(&mut states, 30).expect("moved");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("a")), (30, None)]));
    update(&mut states, Scope::On(0), say("A")).expect("corrected");
    assert_eq!(states[1].said, "A");
    lift(&mut states).expect("lifted");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("A"))]));
    assert_eq!(reason(lift(&mut states)), "NOT_ENDED");
    assert_eq!(reason(end(&mut states, -1)), "BEFORE_EFFECTIVE");
}

#[test]
fn a_record_that_ended_on_its_first_day_is_corrected_moved_and_lifted_like_another() {
    let mut states = created(0, "a");
    end(&mut states, 0).expect("ended");
    assert_eq!(days(&states), BTreeMap::from([(0, None)]));
    update(&mut states, Scope::Present(5), say("b")).expect("corrected");
    assert_eq!((states[0].said, states[0].head.is_ended()), ("b", true));
    end(&mut states, 7).expect("moved");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("b")), (7, None)]));
    end(&mut states, 0).expect("moved back");
    lift(&mut states).expect("lifted");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("b"))]));
}

#[test]
fn a_record_is_resumed_after_a_gap_and_only_by_who_says_so() {
    let mut states = created(0, "a");
    end(&mut states, 10).expect("ended");
    assert_eq!(reason(update(&mut states, from(10), say("b"))), "RECORD_ENDED");
    assert_eq!(reason(update(&mut states, Scope::From { day: 5, resume: true }, say("b"))), "NOT_ENDED");
    update(&mut states, Scope::From { day: 20, resume: true }, say("b")).expect("resumed");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("a")), (10, None), (20, Some("b"))]));
    assert_eq!(reason(end(&mut states, 15)), "RECORD_ENDED", "it holds on no day before");
    end(&mut states, 30).expect("ended again");
    take_back(&mut states, 20).expect("the resumption is taken back");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("a")), (10, None)]));
    update(&mut states, Scope::From { day: 10, resume: true }, say("c")).expect("resumed without a gap");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("a")), (10, Some("c"))]));
}

#[test]
fn a_change_that_is_taken_back_leaves_what_stood_before_it() {
    let mut states = created(0, "a");
    update(&mut states, from(10), say("b")).expect("changed");
    update(&mut states, from(20), say("c")).expect("changed");
    end(&mut states, 30).expect("ended");
    take_back(&mut states, 20).expect("taken back");
    assert_eq!(days(&states), BTreeMap::from([(0, Some("a")), (10, Some("b")), (30, None)]));
    assert_eq!(states[2].said, "b", "the end repeats what stands before it now");
    for day in [0, 5, 30] {
        assert_eq!(reason(take_back(&mut states, day)), "NO_SUCH_CHANGE", "{day}");
    }
}

#[test]
fn today_shows_todays_state_else_the_next_one_else_the_last() {
    let mut states = created(10, "a");
    update(&mut states, from(20), say("b")).expect("changed");
    let shown = |states: &[State], today| states[present(states, today)].said;
    assert_eq!(shown(&states, 5), "a");
    assert_eq!(shown(&states, 19), "a");
    assert_eq!(shown(&states, 20), "b");
    end(&mut states, 30).expect("ended");
    assert_eq!([ended_on(&states, 0), ended_on(&states, 1), ended_on(&states, 2)], [None, Some(30), Some(30)]);
}

#[test]
fn a_cut_leaves_what_is_said_on_every_day() {
    let mut states = created(0, "a");
    cut(&mut states, 10);
    cut(&mut states, 10);
    cut(&mut states, -1);
    assert_eq!(days(&states), BTreeMap::from([(0, Some("a")), (10, Some("a"))]));
}

#[test]
fn periods_overlap_when_they_share_a_day() {
    let period = |from, until| Period { from, until };
    assert!(period(0, 10).overlaps(period(9, FOREVER)));
    assert!(!period(0, 10).overlaps(period(10, FOREVER)));
    assert_eq!(period(0, 10).intersection(period(5, FOREVER)), Some(period(5, 10)));
    assert_eq!(period(0, 5).intersection(period(5, 6)), None);
    assert_eq!((period(0, 10).last_day(), period(0, FOREVER).last_day()), (Some(9), None));
}
