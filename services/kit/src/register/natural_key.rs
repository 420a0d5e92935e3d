//! Ids that the content itself gives: the same thing sent again without a name is the same record.

use uuid::Uuid;

/// Longest id that is made of the parts as they are: beside it a collection's name still reads well.
const LONGEST_ID: usize = 64;

/// Makes the id of a record out of what tells it from others: the parts, joined by dots, where they can be read so, and
/// a digest of them where one has characters that ids do not have, or the dot, or where the id would be long.
///
/// Every list of parts has an id, and no two have the same.
pub fn natural_key(parts: &[&str]) -> String {
    let plain = |part: &&str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let key = parts.join(".");
    if parts.iter().all(plain) && key.len() <= LONGEST_ID {
        return key;
    }
    let mut told_apart = Vec::new();
    for part in parts {
        told_apart.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        told_apart.extend_from_slice(part.as_bytes());
    }
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &told_apart).simple().to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn parts_that_ids_may_have_can_be_read_in_the_key() {
        assert_eq!(natural_key(&["2025-1", "LAB-K"]), "2025-1.LAB-K");
    }

    #[test]
    fn parts_in_any_script_and_of_any_length_have_a_key_and_two_contents_never_share_it() {
        let long = "x".repeat(63);
        let contents: [&[&str]; 8] = [
            &["a.b", "c"],
            &["a", "b.c"],
            &["a", "b", "c"],
            &["", "c"],
            &["c", ""],
            &["2025年第一批", "c"],
            &["2025年第二批", "c"],
            &[&long, "c"],
        ];
        let keys: BTreeSet<String> = contents.iter().map(|parts| natural_key(parts)).collect();
        assert_eq!(keys.len(), contents.len(), "{keys:?}");
        assert!(keys.iter().all(|key| key.len() <= LONGEST_ID && key.is_ascii()), "{keys:?}");
        assert_eq!(natural_key(&["2025年第一批", "c"]), natural_key(&["2025年第一批", "c"]));
    }
}
