//! The contract's `RecognitionItemService` over the register of the list.

use chrono::NaiveDate;
use minsheng_kit::{
    error::{Error, Violations},
    register::{
        Facts, Head, Register, Table as _, date, day, enum_field, enum_number, natural_key, optional_day, required_day,
    },
    values::{divisions::AreaCode, identifiers::LoincCode},
};
use minsheng_proto::health::v1 as pb;

use crate::schema::RecognitionItemRecord;

/// The register of items of the list, by edition.
#[derive(Clone, Copy, Debug)]
pub struct RecognitionItems;

impl Register for RecognitionItems {
    type Record = RecognitionItemRecord;
    type Row = pb::RecognitionItemRow;

    fn decode(
        &self,
        item: &pb::RecognitionItem,
        head: Head,
        _: Option<&RecognitionItemRecord>,
        _: Facts<'_>,
    ) -> Result<RecognitionItemRecord, Violations> {
        let mut violations = Violations::new();
        let category: pb::ItemCategory = enum_field("category", item.category, &mut violations);
        let origin: pb::ItemOrigin = enum_field("origin", item.origin, &mut violations);
        let active_from = required_day("active_from", item.active_from.as_ref(), &mut violations);
        let active_to = optional_day("active_to", item.active_to.as_ref(), &mut violations);
        violations.require(
            active_to.is_none_or(|last| last >= active_from),
            "active_to",
            "BEFORE_START",
            "lies before the first day in the list",
            "失效日期早于生效日期",
        );
        if !item.loinc.is_empty()
            && let Err(error) = LoincCode::parse(&item.loinc)
        {
            violations.add("loinc", error.reason(), error.to_string(), error.message_zh());
        }
        violations.into_result(RecognitionItemRecord {
            code: item.code.clone(),
            title: item.title.clone(),
            category: category as i64,
            loinc: item.loinc.clone(),
            edition: item.edition.clone(),
            origin: origin as i64,
            active_from,
            active_to,
            window_days: item.window_days,
            ..RecognitionItemRecord::with_head(head)
        })
    }

    fn encode(&self, record: &RecognitionItemRecord, _: Facts<'_>, _: bool) -> Result<pb::RecognitionItem, Error> {
        Ok(pb::RecognitionItem {
            code: record.code.clone(),
            title: record.title.clone(),
            category: enum_number(record.category),
            loinc: record.loinc.clone(),
            edition: record.edition.clone(),
            origin: enum_number(record.origin),
            active_from: date(record.active_from),
            active_to: record.active_to.and_then(date),
            window_days: record.window_days,
            ..pb::RecognitionItem::default()
        })
    }

    fn row(&self, record: &RecognitionItemRecord, _: Facts<'_>) -> pb::RecognitionItemRow {
        pb::RecognitionItemRow {
            item_code: record.code.clone(),
            category: enum_number(record.category),
            edition: record.edition.clone(),
            origin: enum_number(record.origin),
            active_from: date(record.active_from),
            active_to: record.active_to.and_then(date),
            window_days: Some(record.window_days),
        }
    }

    fn effective_on(&self, item: &pb::RecognitionItem, today: NaiveDate) -> NaiveDate {
        item.active_from.as_ref().and_then(day).unwrap_or(today)
    }

    /// The region keeps the list; prefectures and counties may keep additions to it.
    fn keeps_area(&self, _: AreaCode) -> bool {
        true
    }

    fn natural_id(&self, item: &pb::RecognitionItem, _: Facts<'_>) -> Option<String> {
        Some(natural_key(&[&item.edition, &item.code]))
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::health::v1,
    register: RecognitionItems,
    resource: RecognitionItem as recognition_item,
    plural: RecognitionItems as recognition_items,
}
