//! What each kind of service point must and may say: one table, read by the rules.

use minsheng_proto::community::v1::ServicePointKind as Kind;

/// What is particular to one kind of service point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a table, each column a question of its own")]
pub struct KindRules {
    /// The kind.
    pub kind: Kind,
    /// True when the point must say how many it can serve at once (座、床、托位), once it is open.
    pub needs_capacity: bool,
    /// True when the point may have an agreement with a medical institution (医养签约): people stay there.
    pub may_have_medical_agreement: bool,
    /// True when household prices for water, power and gas (水电气居民价) are meant for it: elders, infants and
    /// disabled people are looked after there.
    pub may_have_household_prices: bool,
    /// Key of the parameter that says within how many days it must have served to be in operation; absent where
    /// being in service is enough.
    pub operating_window: Option<&'static str>,
    /// True when the point is one of the [`NAMED_SITES`].
    pub is_named_site: bool,
}

/// A kind at which nobody is looked after: it says what it likes about its capacity.
const fn venue(kind: Kind) -> KindRules {
    KindRules {
        kind,
        needs_capacity: false,
        may_have_medical_agreement: false,
        may_have_household_prices: false,
        operating_window: None,
        is_named_site: false,
    }
}

/// A kind at which people are looked after.
const fn care(kind: Kind, operating_window: Option<&'static str>) -> KindRules {
    KindRules {
        needs_capacity: true,
        may_have_medical_agreement: true,
        may_have_household_prices: true,
        operating_window,
        ..venue(kind)
    }
}

const MEAL_WINDOW: Option<&str> = Some("meal_point.operating_window_days");
const CARE_WINDOW: Option<&str> = Some("care_home.activity_window_days");

/// The rules of every kind.
pub const KINDS: [KindRules; 10] = [
    KindRules { may_have_medical_agreement: false, ..care(Kind::ElderMealPoint, MEAL_WINDOW) },
    care(Kind::ElderCareHome, CARE_WINDOW),
    care(Kind::DayCareCentre, CARE_WINDOW),
    care(Kind::MutualAidHome, CARE_WINDOW),
    care(Kind::Nursery, None),
    venue(Kind::FitnessFacility),
    venue(Kind::SportsVenue),
    KindRules { is_named_site: true, ..venue(Kind::OxygenSite) },
    venue(Kind::CultureVenue),
    // A station (残疾人驿站) has no beds or seats to count.
    KindRules { needs_capacity: false, ..care(Kind::DisabledHome, None) },
];

/// Returns the rules of a kind; nothing for one that was not said.
pub fn rules_of(kind: Kind) -> Option<&'static KindRules> {
    KINDS.iter().find(|rules| rules.kind == kind)
}

/// A scenic area at which pressurised oxygen is demonstrated (增压供氧示范景区).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedSite {
    /// Code in records and datasets.
    pub code: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// Chinese name.
    pub name_zh: &'static str,
}

/// The six sites that the notice of 2025-08-05 names. The commitment counts them by their codes.
pub const NAMED_SITES: [NamedSite; 6] = [
    NamedSite { code: "puma-yumco", name_en: "Puma Yumco", name_zh: "普莫雍措" },
    NamedSite { code: "serling-tso", name_en: "Serling Tso", name_zh: "色林措" },
    NamedSite { code: "qilin-gorge", name_en: "Qilin Gorge", name_zh: "奇林峡" },
    NamedSite { code: "tangra-yumco", name_en: "Tangra Yumco", name_zh: "当惹雍措" },
    NamedSite { code: "laigu-glacier", name_en: "Laigu Glacier", name_zh: "来古冰川" },
    NamedSite { code: "yiga-glacier", name_en: "Yiga Glacier", name_zh: "依噶冰川" },
];

/// Finds a named site by its code.
pub fn named_site(code: &str) -> Option<&'static NamedSite> {
    NAMED_SITES.iter().find(|site| site.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use minsheng_kit::values::parameters::Parameters;

    #[test]
    fn every_kind_of_the_contract_has_its_rules_once() {
        let contract: Vec<Kind> = (1..).map_while(|number| Kind::try_from(number).ok()).collect();
        assert_eq!(KINDS.map(|rules| rules.kind).to_vec(), contract);
        assert_eq!(rules_of(Kind::Unspecified), None);
    }

    #[test]
    fn the_windows_named_are_parameters() {
        for key in KINDS.iter().filter_map(|rules| rules.operating_window) {
            assert!(Parameters::get().meaning(key).is_some(), "{key}");
        }
    }

    #[test]
    fn each_named_site_has_a_code_of_its_own() {
        for site in &NAMED_SITES {
            assert_eq!(named_site(site.code), Some(site));
        }
        assert_eq!(named_site("everest"), None);
    }
}
