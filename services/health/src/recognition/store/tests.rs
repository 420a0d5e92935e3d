//! The count of items by query and by rule, on records made at random.

use minsheng_kit::{
    keys::Keys,
    on_each,
    register::{FOREVER, Head, Period, RuleContext, Table as _},
    store::{Store, StoreConfig, Tx, Unit, system_clock},
    values::calendar::Calendar,
};
use minsheng_proto::common::v1::RecordState;
use minsheng_testkit::{TestSite, databases};
use proptest::{
    collection::vec,
    prelude::{Strategy, any},
    strategy::ValueTree as _,
    test_runner::TestRunner,
};

use super::super::{
    rounds::{mark_new, mark_others},
    rules::{HeldCertificate, ListedState, OperatingInstitution, recognisable_items},
};
use super::*;
use crate::schema::{InstitutionRecord, QualityCertificateRecord, RecognitionItemRecord};

const COUNTIES: [&str; 4] = ["540102", "540121", "540202", "542521"];
const CASES: usize = 60;
const ON: i64 = 50;

/// A period around the day in question, what became of its record, and an area.
#[derive(Clone, Debug)]
struct Made {
    county: usize,
    item: usize,
    holder: usize,
    passed: bool,
    from: i64,
    to: Option<i64>,
    /// From this day on the record says the opposite; see [`Says`].
    changed_on: Option<i64>,
    ended_on: Option<i64>,
    withdrawn: bool,
}

/// Whether a state says what its record said first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    First,
    Opposite,
}

fn made() -> impl Strategy<Value = Made> {
    let day = || proptest::sample::select(vec![10_i64, 40, 49, 50, 51, 60, 90]);
    let place = (0..COUNTIES.len(), 0..5_usize, 0..6_usize);
    let rare = |chance: f64| proptest::bool::weighted(chance);
    let days = ((rare(0.3), day()), (rare(0.2), day()), (rare(0.15), day()));
    (place, rare(0.9), 0..53_i64, days, rare(0.1)).prop_map(
        |((county, item, holder), passed, from, ((ends, to), (changes, changed_on), (cut, ended_on)), withdrawn)| {
            Made {
                county,
                item,
                holder,
                passed,
                from,
                to: ends.then_some(to.max(from)),
                changed_on: changes.then_some(changed_on),
                ended_on: cut.then_some(ended_on),
                withdrawn,
            }
        },
    )
}

impl Made {
    /// The record's states: their heads, and what each says.
    fn states(&self, id: &str) -> Vec<(Head, Says)> {
        let end = self.ended_on.map_or(FOREVER, |ended| ended.max(self.from));
        let cuts = self.changed_on.filter(|day| self.from < *day && *day < end);
        let mut days = vec![(self.from, RecordState::Active, Says::First)];
        days.extend(cuts.map(|day| (day, RecordState::Active, Says::Opposite)));
        if end < FOREVER {
            let says = days.last().map_or(Says::First, |(_, _, says)| *says);
            days.retain(|(from, ..)| *from < end);
            days.push((end, RecordState::Ended, says));
        }
        let untils = days.iter().skip(1).map(|(from, ..)| *from).chain([FOREVER]);
        let states = (0..).zip(days.iter().zip(untils));
        let states = states.map(|(number, (&(effective_on, state, says), effective_until))| {
            let head = Head {
                id: id.to_owned(),
                number,
                area: COUNTIES[self.county].to_owned(),
                version: 1,
                effective_on,
                effective_until,
                state: if self.withdrawn { RecordState::Withdrawn } else { state } as i64,
                ..Head::default()
            };
            (head, says)
        });
        states.collect()
    }

    /// The states that count.
    fn in_force(&self, id: &str) -> impl Iterator<Item = (Period, Says)> {
        self.states(id).into_iter().filter(|(head, _)| head.is_active()).map(|(head, says)| (head.period(), says))
    }

    /// The area that keeps it, as an item of a list: the region, a prefecture or a county.
    fn list_area(&self) -> &'static str {
        ["540000", "540000", "540100", "540102", "540200", "540000"][self.holder]
    }

    /// As an item of a list: some have no window, or none from a day on.
    fn window_days(&self, says: Says) -> i64 {
        if self.passed == (says == Says::First) { 30 } else { 0 }
    }

    /// As an institution: it may be known from a day on that it never opens.
    fn operating_from(&self, says: Says) -> i64 {
        if says == Says::First { self.from } else { 1000 }
    }

    /// As an institution: the last day.
    fn operating_to(&self, says: Says) -> Option<i64> {
        self.to.filter(|_| says == Says::First)
    }

    /// As a certificate.
    fn has_passed(&self, says: Says) -> bool {
        self.passed == (says == Says::First)
    }
}

/// Records made at random, in both shapes.
struct Case {
    number: usize,
    institutions: Vec<Made>,
    items: Vec<Made>,
    certificates: Vec<Made>,
}

impl Case {
    fn write(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let connection = &mut *tx.connection;
        on_each!(connection, c => {
            diesel::delete(institutions::table).execute(c)?;
            diesel::delete(recognition_items::table).execute(c)?;
            diesel::delete(quality_certificates::table).execute(c)
        })?;
        let records = self.institutions.iter().enumerate().flat_map(|(n, made)| {
            made.states(&format!("h{n}")).into_iter().map(|(head, says)| InstitutionRecord {
                operating_from: made.operating_from(says),
                operating_to: made.operating_to(says),
                ..InstitutionRecord::with_head(head)
            })
        });
        InstitutionRecord::insert(connection, &records.collect::<Vec<_>>())?;
        let records = self.items.iter().enumerate().flat_map(|(n, made)| {
            made.states(&format!("r{n}")).into_iter().map(|(head, says)| RecognitionItemRecord {
                code: format!("i{}", made.item),
                active_from: made.from,
                active_to: made.to,
                window_days: made.window_days(says),
                ..RecognitionItemRecord::with_head(Head { area: made.list_area().to_owned(), ..head })
            })
        });
        RecognitionItemRecord::insert(connection, &records.collect::<Vec<_>>())?;
        let certificates = self.certificates.iter().enumerate().map(|(n, made)| {
            let states = made.states(&format!("c{}.{n}", self.number)).into_iter();
            let states = states.map(|(head, says)| QualityCertificateRecord {
                institution: format!("h{}", made.holder),
                item_code: format!("i{}", made.item),
                passed: made.has_passed(says),
                valid_from: made.from,
                valid_to: made.to.unwrap_or(1000),
                // As the register holds it to the county of the institution.
                ..QualityCertificateRecord::with_head(Head {
                    area: COUNTIES[self.institutions[made.holder].county].to_owned(),
                    ..head
                })
            });
            states.collect::<Vec<_>>()
        });
        // One after the other, as they come in, so that each must mark the others.
        let keys = Keys::derive(&[7; 32], "health");
        let context = RuleContext {
            parameters: Parameters::get(),
            calendar: Calendar::get(),
            keys: &keys,
            today: day_of_epoch(ON).expect("a day"),
            carried_over: false,
        };
        for mut states in certificates {
            mark_new(tx.connection, &mut states)?;
            QualityCertificateRecord::insert(tx.connection, &states)?;
            mark_others(tx, &states, context)?;
        }
        Ok(())
    }

    fn by_rule(&self, area: AreaCode, minimum: usize) -> usize {
        let institutions: Vec<_> = self
            .institutions
            .iter()
            .enumerate()
            .flat_map(|(n, made)| {
                made.in_force("").map(move |(days, says)| OperatingInstitution {
                    id: format!("h{n}"),
                    county: CountyCode::parse(COUNTIES[made.county]).expect("a county"),
                    from: made.operating_from(says).max(days.from),
                    to: made.operating_to(says).into_iter().chain(days.last_day()).min(),
                })
            })
            .collect();
        let listed: Vec<_> = self
            .items
            .iter()
            .flat_map(|made| {
                made.in_force("").map(|(days, says)| {
                    let state = ListedState {
                        item: String::new(),
                        days,
                        in_force: true,
                        area: AreaCode::parse(made.list_area()).expect("an area"),
                        from: made.from,
                        to: made.to,
                        window_days: made.window_days(says),
                    };
                    (format!("i{}", made.item), state)
                })
            })
            .collect();
        let certificates: Vec<_> = self
            .certificates
            .iter()
            .enumerate()
            .flat_map(|(n, made)| {
                made.in_force("").map(move |(days, says)| HeldCertificate {
                    id: format!("c{n}"),
                    days,
                    institution: format!("h{}", made.holder),
                    item_code: format!("i{}", made.item),
                    passed: made.has_passed(says),
                    from: made.from,
                    to: made.to.unwrap_or(1000),
                })
            })
            .collect();
        recognisable_items(&listed, &certificates, &institutions, area, ON, minimum).len()
    }
}

#[tokio::test]
async fn the_query_counts_what_the_rule_counts() {
    for database in databases() {
        let site = TestSite::new().expect("a directory");
        let url = site.database(database, "health").expect("named");
        let open = move || {
            let migrations = crate::DEFINITION.all_migrations();
            Store::open(&StoreConfig::new(url), &migrations, system_clock()).expect("opens")
        };
        let store = tokio::task::spawn_blocking(open).await.expect("opened");
        let mut runner = TestRunner::deterministic();
        let mut counted = 0;
        for number in 0..CASES {
            let records = (vec(made(), 6), vec(made(), 1..10), vec(made(), 0..60), any::<bool>());
            let (institutions, items, certificates, _) = records.new_tree(&mut runner).expect("made").current();
            // What certificates name is not withdrawn.
            let institutions = institutions.into_iter().map(|made| Made { withdrawn: false, ..made }).collect();
            let case = Case { number, institutions, items, certificates };
            let found = store
                .write(Unit::of("health"), move |tx| {
                    case.write(tx)?;
                    let mut total = 0;
                    for area in ["540000", "540100", "540200", "540102"] {
                        let area = AreaCode::parse(area).expect("an area");
                        for minimum in [1, 2] {
                            let counted = recognisable_item_count(tx.connection, area, ON, minimum)?;
                            let minimum = usize::try_from(minimum).expect("small");
                            let by_rule = i64::try_from(case.by_rule(area, minimum)).expect("small");
                            assert_eq!(counted, by_rule, "{area} {minimum}");
                            total += counted;
                        }
                    }
                    Ok(minsheng_proto::health::v1::CountRecognisableItemsResponse { items: total, listed_items: 0 })
                })
                .await
                .expect("counted");
            counted += found.items;
        }
        // The records are made such that there is something to count.
        assert!(counted > 100, "{counted}");
    }
}

#[test]
fn the_direction_is_a_dated_flag_of_the_area() {
    let series = "[parameter.'recognition.obliged_upward_only']\nen = 'x'\nzh = '甲'\nunit = 'flag'\nvalues = [\n\
                  { from = 2026-01-01, area = '540200', value = 1, confidence = 'low', source = 'a test' }]\n";
    let mut parameters = Parameters::get().clone();
    parameters.extend(Parameters::from_toml(series).expect("reads").iter().cloned()).expect("fits");
    let on = |day: &str| minsheng_kit::values::calendar::epoch_day(day.parse().expect("a day"));
    for (county, day, upward) in
        [("540202", "2025-12-31", false), ("540202", "2026-01-01", true), ("540102", "2026-01-01", false)]
    {
        let county = CountyCode::parse(county).expect("a county");
        assert_eq!(upward_only(&parameters, county, on(day)), upward, "{county} {day}");
    }
}
