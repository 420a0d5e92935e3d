//! A list to begin with: no list of the region is published, so one is constructed and says so in its origin.
//!
//! Composition after the lists of other regions: about 110 tests, 75 imaging examinations named by modality, body part
//! and plain or contrast, 12 of electrophysiology, a few of ultrasound and nuclear medicine. LOINC codes stand where
//! they are known for the units in use; the windows are the dated parameters `recognition.window_*_days`.

use minsheng_kit::{
    register::date,
    values::{calendar::epoch_day, divisions::Divisions, parameters::Parameters},
};
use minsheng_proto::health::v1 as pb;
use serde::Deserialize;

const LIST: &str = include_str!("../../data/recognition-items.csv");
/// Edition of the list.
const EDITION: &str = "2025-1";
/// First day of the edition.
const ACTIVE_FROM: (i32, u32, u32) = (2025, 1, 1);

#[derive(Deserialize)]
struct ItemRow {
    code: String,
    title_zh: String,
    title_en: String,
    category: String,
    loinc: String,
    window: String,
}

/// Returns the items of the constructed list, kept by the region, named by edition and code, titled in both languages.
pub fn seed_items() -> Vec<pb::RecognitionItem> {
    csv::Reader::from_reader(LIST.as_bytes())
        .into_deserialize()
        .map(|row| item(row.expect("the compiled-in list is well-formed, as a test shows")))
        .collect()
}

fn item(row: ItemRow) -> pb::RecognitionItem {
    let (year, month, day) = ACTIVE_FROM;
    let from = chrono::NaiveDate::from_ymd_opt(year, month, day).expect("1 January exists");
    let region = Divisions::get().region();
    let category = pb::ItemCategory::from_str_name(&format!("ITEM_CATEGORY_{}", row.category));
    let window = Parameters::get().value_on(&format!("recognition.window_{}_days", row.window), region, from);
    pb::RecognitionItem {
        name: format!("recognition_items/{EDITION}.{}", row.code),
        area: region.as_str().to_owned(),
        code: row.code,
        title: format!("{} {}", row.title_zh, row.title_en),
        category: category.expect("a category of the contract, as a test shows").into(),
        loinc: row.loinc,
        edition: EDITION.to_owned(),
        origin: pb::ItemOrigin::Constructed.into(),
        active_from: date(epoch_day(from)),
        window_days: window.expect("a parameter of the table, as a test shows").value,
        ..pb::RecognitionItem::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use minsheng_kit::values::identifiers::LoincCode;

    use super::*;

    #[test]
    fn the_constructed_list_has_more_than_two_hundred_items_of_every_kind() {
        let items = seed_items();
        let mut kinds: BTreeMap<pb::ItemCategory, usize> = BTreeMap::new();
        for item in &items {
            *kinds.entry(item.category()).or_default() += 1;
        }
        assert!(items.len() > 200, "{}", items.len());
        assert_eq!(kinds[&pb::ItemCategory::Test], 112);
        assert_eq!(kinds[&pb::ItemCategory::Imaging], 75);
        assert_eq!(kinds[&pb::ItemCategory::Electrophysiology], 12);
        assert_eq!(kinds.len(), 5);
    }

    #[test]
    fn every_item_has_its_own_code_and_name_a_right_loinc_code_and_a_window() {
        let items = seed_items();
        let codes: BTreeSet<_> = items.iter().map(|item| item.code.as_str()).collect();
        let titles: BTreeSet<_> = items.iter().map(|item| item.title.as_str()).collect();
        assert_eq!((codes.len(), titles.len()), (items.len(), items.len()));
        let mut loinc = BTreeSet::new();
        for item in items.iter().filter(|item| !item.loinc.is_empty()) {
            LoincCode::parse(&item.loinc).expect("a right check digit");
            assert!(loinc.insert(item.loinc.as_str()), "{} twice", item.loinc);
        }
        assert!(loinc.len() >= 50);
        assert!(items.iter().all(|item| item.window_days > 0 && item.origin() == pb::ItemOrigin::Constructed));
    }

    #[test]
    fn every_item_keeps_the_contract() {
        for item in seed_items() {
            minsheng_kit::status::validate(&item).expect("valid");
        }
    }

    #[test]
    fn the_windows_are_those_of_the_practice_they_follow() {
        // Handbook, section 1.6.
        let of = |code: &str| seed_items().into_iter().find(|item| item.code == code).expect(code).window_days;
        for (code, days) in [
            ("LAB-ALB", 30),
            ("LAB-FER", 30),
            ("LAB-GLU", 30),
            ("LAB-TC", 30),
            ("LAB-TBIL", 30),
            ("LAB-ALT", 30),
            ("LAB-HBA1C", 60),
            ("LAB-K", 7),
            ("LAB-NA", 7),
            ("LAB-CL", 7),
            ("LAB-CA", 7),
        ] {
            assert_eq!(of(code), days, "{code}");
        }
        let on = chrono::NaiveDate::from_ymd_opt(2025, 6, 30).expect("a day");
        for (window, days) in [
            ("proteins", 30),
            ("ferritin", 30),
            ("glucose", 30),
            ("lipids", 30),
            ("bilirubin", 30),
            ("enzymes", 30),
            ("hba1c", 60),
            ("electrolytes", 7),
            ("blood_count", 7),
            ("coagulation", 7),
            ("thyroid", 30),
            ("immunoglobulins", 30),
            ("tumour_markers", 30),
            ("hepatitis_serology", 30),
            ("hepatitis_serology_stable", 90),
            ("hcg", 3),
            ("urine_stool", 3),
            ("ecg", 3),
            ("ultrasound", 30),
            ("xray", 30),
            ("ct", 30),
            ("mri", 60),
            ("nuclear", 180),
            ("blood_group", 0),
        ] {
            let key = format!("recognition.window_{window}_days");
            let found = Parameters::get().value_on(&key, Divisions::get().region(), on).expect("in force").value;
            assert_eq!(found, days, "{window}");
        }
    }
}
