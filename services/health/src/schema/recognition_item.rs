// Written by `just gen` from `proto/minsheng/health/v1/recognition_item_service.proto`: change the contract instead.

//! 互认项目: the table `recognition_items` and its record.

use minsheng_kit::{
    error::{Error, Violations},
    register::{Declared, Head, RuleContext, Table as _, declared},
};
use minsheng_proto::health::v1 as pb;

minsheng_kit::register_table! {
    /// One item of the list of tests and examinations to be recognised.
    recognition_items => RecognitionItemRecord {
        /// Code of the item in the list.
        code: Text = String,
        /// Name of the item.
        title: Text = String,
        /// Kind.
        category: BigInt = i64,
        /// LOINC code with check digit; empty where there is none.
        loinc: Text = String,
        /// Edition of the list, as `2025-1`.
        edition: Text = String,
        /// Where it comes from.
        origin: BigInt = i64,
        /// First day in the list.
        active_from: BigInt = i64,
        /// Last day in the list.
        active_to: Nullable<BigInt> = Option<i64>,
        /// Days for which a result is normally reused; 0 where it never is and the doctor alone decides, as the blood
        /// group before a transfusion.
        window_days: BigInt = i64,
    }
}

impl Declared for RecognitionItemRecord {
    type Resource = pb::RecognitionItem;
    type Row = pb::RecognitionItemRow;

    const FIELDS: &'static [&'static str] =
        &["code", "title", "category", "loinc", "edition", "origin", "active_from", "active_to", "window_days"];

    fn read(resource: &pb::RecognitionItem, head: Head, _: RuleContext<'_>, violations: &mut Violations) -> Self {
        Self {
            code: resource.code.clone(),
            title: resource.title.clone(),
            category: declared::enum_field::<pb::ItemCategory>("category", resource.category, violations) as i64,
            loinc: resource.loinc.clone(),
            edition: resource.edition.clone(),
            origin: declared::enum_field::<pb::ItemOrigin>("origin", resource.origin, violations) as i64,
            active_from: declared::required_day("active_from", resource.active_from.as_ref(), violations),
            active_to: declared::optional_day("active_to", resource.active_to.as_ref(), violations),
            window_days: resource.window_days,
            ..Self::with_head(head)
        }
    }

    fn resource(&self, _: RuleContext<'_>, _: bool) -> Result<pb::RecognitionItem, Error> {
        Ok(pb::RecognitionItem {
            code: self.code.clone(),
            title: self.title.clone(),
            category: declared::enum_number(self.category),
            loinc: self.loinc.clone(),
            edition: self.edition.clone(),
            origin: declared::enum_number(self.origin),
            active_from: declared::date(self.active_from),
            active_to: self.active_to.and_then(declared::date),
            window_days: self.window_days,
            ..pb::RecognitionItem::default()
        })
    }

    fn row(&self) -> pb::RecognitionItemRow {
        pb::RecognitionItemRow {
            category: declared::enum_number(self.category),
            edition: self.edition.clone(),
            origin: declared::enum_number(self.origin),
            active_from: declared::date(self.active_from),
            active_to: self.active_to.and_then(declared::date),
            ..pb::RecognitionItemRow::default()
        }
    }

    fn references(&self) -> Vec<declared::Named<'_>> {
        Vec::new()
    }

    fn natural_id(resource: &pb::RecognitionItem, _: RuleContext<'_>) -> Option<String> {
        Some(declared::natural_key(&[&resource.edition, &resource.code]))
    }

    fn take_field(field: &str, from: &pb::RecognitionItem, to: &mut pb::RecognitionItem) -> bool {
        match field {
            "code" => to.code.clone_from(&from.code),
            "title" => to.title.clone_from(&from.title),
            "category" => to.category = from.category,
            "loinc" => to.loinc.clone_from(&from.loinc),
            "edition" => to.edition.clone_from(&from.edition),
            "origin" => to.origin = from.origin,
            "active_from" => to.active_from = from.active_from,
            "active_to" => to.active_to = from.active_to,
            "window_days" => to.window_days = from.window_days,
            _ => return false,
        }
        true
    }

    fn clear_decided(_: &mut pb::RecognitionItem) {}

    fn restore_decided(&mut self, _: &pb::RecognitionItem) {}
}
