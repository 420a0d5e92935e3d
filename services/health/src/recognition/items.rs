//! The contract's `RecognitionItemService` over the register of the list.

use chrono::NaiveDate;
use minsheng_kit::{
    error::Violations,
    register::{Declared as _, Facts, Head, Register, day, natural_key},
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
        facts: Facts<'_>,
    ) -> Result<RecognitionItemRecord, Violations> {
        let mut violations = Violations::new();
        let record = RecognitionItemRecord::read(item, head, facts, &mut violations);
        violations.require(
            record.active_to.is_none_or(|last| last >= record.active_from),
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
        violations.into_result(record)
    }

    fn row(&self, record: &RecognitionItemRecord, _: Facts<'_>) -> pb::RecognitionItemRow {
        pb::RecognitionItemRow { item_code: record.code.clone(), ..record.row() }
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
