//! Which datasets are about persons: no row of theirs is ever shown to a reader of figures.
//!
//! It follows from the contract, and what does not follow counts as about persons.

use std::collections::BTreeSet;

use minsheng_proto::common::v1::NamedBy;
use minsheng_proto::{Register, is_personal, registers};
use prost_reflect::MessageDescriptor;

use crate::catalogue::{SERVICES, columns_of};

/// Reports whether rows of a dataset are persons, or what happened to one.
pub fn is_about_persons(dataset: &str) -> bool {
    let of = |register: &&Register| SERVICES.iter().any(|service| register.dataset(service) == dataset);
    let things = |register: &Register| {
        register.named_by != NamedBy::CallerInSecret && !holds_personal(&register.resource, &mut BTreeSet::new())
    };
    // A pseudonym tells persons apart, even where nothing of the record that it stands for is personal.
    let pseudonyms = columns_of(dataset).is_none_or(|columns| columns.iter().any(|column| column.name == "person"));
    pseudonyms || !registers().iter().find(of).is_some_and(things)
}

/// Reports whether a message, or one within it, has a field with personal data.
fn holds_personal(message: &MessageDescriptor, seen: &mut BTreeSet<String>) -> bool {
    seen.insert(message.full_name().to_owned())
        && message.fields().any(|field| {
            is_personal(&field) || field.kind().as_message().is_some_and(|inner| holds_personal(inner, seen))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_cases_and_what_nobody_declared_are_not_shown_and_things_are() {
        let about = [
            "social_security.enrolments",
            "social_security.assistance",
            "education.aid",
            "community.meal_prices",
            "health.result_decisions",
            "health.parameters",
            "health.nothing",
        ];
        let not = [
            "community.service_points",
            "community.housing",
            "education.schools",
            "health.institutions",
            "health.quality_certificates",
            "health.returns",
            "social_security.milestones",
        ];
        for (datasets, persons) in [(&about[..], true), (&not, false)] {
            for dataset in datasets {
                assert_eq!(is_about_persons(dataset), persons, "{dataset}");
            }
        }
    }
}
