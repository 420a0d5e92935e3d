//! Ids that the content itself gives: the same item or certificate uploaded again without a name is the same record.

/// Longest id of a resource name.
const LONGEST_ID: usize = 64;

/// Joins the parts of a natural key to an id; nothing when a part has characters that ids do not have, or the dot
/// that joins them, or when the id would be too long.
pub(super) fn natural_key(parts: &[&str]) -> Option<String> {
    let plain = |part: &&str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let key = parts.join(".");
    (parts.iter().all(plain) && key.len() <= LONGEST_ID).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_contents_never_share_a_key() {
        assert_eq!(natural_key(&["2025-1", "LAB-K"]).as_deref(), Some("2025-1.LAB-K"));
        for parts in [["a.b", "c"], ["", "c"], ["第一批", "c"], [&"x".repeat(63), "c"]] {
            assert_eq!(natural_key(&parts), None, "{parts:?}");
        }
    }
}
