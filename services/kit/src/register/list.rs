//! A request that carries a list: its own rules are checked without the items, and each item by the rules of its own
//! message. So a bad item is answered by itself and keeps no good one out, and none goes in unchecked, whatever the
//! contract's validation does with items inside a request.

use minsheng_proto::{Validate, descriptors};
use prost_reflect::Value;

use crate::{error::Violations, status};

/// What a refusal says about items at the most: it has to fit into the trailers of a call.
const ITEM_VIOLATIONS_TOLD: usize = 20;

/// The list of a request whose items are judged one by one: of a batch, of a chunk of an upload.
#[derive(Debug)]
pub struct List<Q, Item> {
    /// Name of its field.
    pub field: &'static str,
    /// Where a request holds it.
    pub of: fn(&mut Q) -> &mut Vec<Item>,
}

impl<Q, Item> Clone for List<Q, Item> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q, Item> Copy for List<Q, Item> {}

impl<Q: Validate + prost::Name, Item: Validate + prost::Name> List<Q, Item> {
    /// Takes the items out of a request and checks it by its own rules, of which one is how many items there may be.
    ///
    /// A request that breaks them is refused as a whole, then with what its items break, too, each under its path.
    pub fn take(self, request: &mut Q) -> Result<Vec<Item>, Violations> {
        let list = self.field;
        let items = std::mem::take((self.of)(request));
        let mut violations = Violations::new();
        if let Err(found) = status::validate(request) {
            violations.extend_under("", found.without(|field| field == list));
        }
        let (least, most) = self.size();
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        if count < least {
            let text = format!("must have at least {least} items, not {count}");
            violations.add(list, status::CONTRACT_RULE, text, format!("至少 {least} 条，现为 {count} 条"));
        }
        if count > most {
            let text = format!("must have at most {most} items, not {count}");
            violations.add(list, status::CONTRACT_RULE, text, format!("最多 {most} 条，现为 {count} 条"));
        } else if !violations.is_empty() {
            let own = violations.iter().count();
            for (index, item) in items.iter().enumerate() {
                if let Err(found) = status::validate(item) {
                    violations.extend_under(&format!("{list}[{index}]"), found);
                }
                if violations.iter().count() >= own + ITEM_VIOLATIONS_TOLD {
                    break;
                }
            }
        }
        violations.into_result(items)
    }

    /// Reads from the contract how many items a list has at least and at most.
    fn size(self) -> (u64, u64) {
        let rules = || {
            let list = descriptors().get_message_by_name(&Q::full_name())?.get_field_by_name(self.field)?;
            let rules =
                list.options().get_extension(&descriptors().get_extension_by_name("buf.validate.field")?).into_owned();
            let repeated = rules.as_message()?.get_field_by_name("repeated")?.into_owned();
            let repeated = repeated.as_message()?;
            let number = |name| {
                let set = repeated.has_field_by_name(name);
                repeated.get_field_by_name(name).filter(|_| set).as_deref().and_then(Value::as_u64)
            };
            Some((number("min_items"), number("max_items")))
        };
        let (least, most) = rules().unwrap_or_default();
        (least.unwrap_or_default(), most.unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use minsheng_proto::returns::v1 as pb;

    use super::*;

    const BATCH: List<pb::SubmitReturnsRequest, pb::Return> = List { field: "returns", of: |batch| &mut batch.returns };

    fn batch(returns: Vec<pb::Return>) -> pb::SubmitReturnsRequest {
        pb::SubmitReturnsRequest { request_id: "0198a1b2-0000-7000-8000-000000000001".to_owned(), returns }
    }

    fn fields(request: &mut pb::SubmitReturnsRequest) -> Vec<String> {
        let Err(violations) = BATCH.take(request) else { return Vec::new() };
        violations.iter().map(|violation| violation.field.clone()).collect()
    }

    #[test]
    fn how_many_items_there_may_be_is_checked_as_the_contract_says() {
        assert_eq!(BATCH.size(), (1, 1000));
        let chunk = List { field: "returns", of: |chunk: &mut pb::UploadReturnsRequest| &mut chunk.returns };
        assert_eq!(chunk.size(), (1, 2000));
        let many = |count| batch(vec![pb::Return::default(); count]);
        assert_eq!(fields(&mut many(0)), ["returns"]);
        assert_eq!(fields(&mut many(1001)), ["returns"], "and nothing of a thousand items beside");
        assert_eq!(BATCH.take(&mut many(1000)).expect("as many as may be").len(), 1000);
    }

    #[test]
    fn a_refusal_tells_what_its_first_items_break_and_fits_into_trailers() {
        let mut request = batch(vec![pb::Return::default(); 1000]);
        request.request_id.clear();
        let told = fields(&mut request);
        assert_eq!(told[0], "request_id");
        assert!(told[1..].iter().all(|field| field.starts_with("returns[")), "{told:?}");
        assert!((ITEM_VIOLATIONS_TOLD..2 * ITEM_VIOLATIONS_TOLD).contains(&(told.len() - 1)), "{told:?}");
    }
}
