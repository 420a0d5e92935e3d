//! The contract's `RecognitionItemService` over the register of the list.

use chrono::NaiveDate;
use minsheng_kit::{
    error::Violations,
    register::{Declared as _, Head, Register, RuleContext, day},
    values::divisions::AreaCode,
};
use minsheng_proto::health::v1 as pb;

use super::rules::check_item;
use crate::schema::RecognitionItemRecord;

/// The register of items of the list, by edition.
#[derive(Clone, Copy, Debug)]
pub struct RecognitionItems;

impl Register for RecognitionItems {
    type Record = RecognitionItemRecord;
    type Row = pb::RecognitionItemRow;

    fn validate(
        &self,
        item: &pb::RecognitionItem,
        head: Head,
        _: Option<&RecognitionItemRecord>,
        context: RuleContext<'_>,
    ) -> Result<RecognitionItemRecord, Violations> {
        let mut violations = Violations::new();
        let record = RecognitionItemRecord::read(item, head, context, &mut violations);
        check_item(&record, &mut violations);
        violations.into_result(record)
    }

    fn row(&self, record: &RecognitionItemRecord, _: RuleContext<'_>) -> pb::RecognitionItemRow {
        pb::RecognitionItemRow { item_code: record.code.clone(), window_days: Some(record.window_days), ..record.row() }
    }

    fn effective_on(&self, item: &pb::RecognitionItem, today: NaiveDate) -> NaiveDate {
        item.active_from.as_ref().and_then(day).unwrap_or(today)
    }

    /// The region keeps the list; prefectures and counties may keep additions to it.
    fn keeps_area(&self, _: AreaCode) -> bool {
        true
    }
}

minsheng_kit::register_api! {
    package: minsheng_proto::health::v1,
    register: RecognitionItems,
    resource: RecognitionItem as recognition_item,
    plural: RecognitionItems as recognition_items,
}
