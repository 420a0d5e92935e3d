//! How another record names a service point.

use minsheng_kit::{error::Violations, register::Envelope as _};

use super::rpc::ServicePoints;

/// Reads a reference, `service_points/{id}` or the id alone, as an id; notes a violation otherwise.
pub fn point_id(field: &str, reference: &str, violations: &mut Violations) -> String {
    let id =
        reference.strip_prefix(ServicePoints::COLLECTION).and_then(|rest| rest.strip_prefix('/')).unwrap_or(reference);
    let well_formed = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    violations.require(
        well_formed,
        field,
        "NOT_A_REFERENCE",
        "must be service_points/{id}",
        "须为 service_points/{id}",
    );
    id.to_owned()
}

/// Writes a reference, `service_points/{id}`.
pub fn point_name(id: &str) -> String {
    format!("{}/{id}", ServicePoints::COLLECTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_with_or_without_the_collection_and_survives_the_way_back() {
        for (given, id) in [("service_points/m1", "m1"), ("m1", "m1")] {
            let mut violations = Violations::new();
            let read = point_id("service_point", given, &mut violations);
            assert!(violations.is_empty());
            assert_eq!(read, id);
            assert_eq!(point_id("service_point", &point_name(&read), &mut violations), id);
        }
    }

    #[test]
    fn what_names_another_collection_is_refused() {
        for given in ["schools/m1", "service_points/", "service_points/a b", "service_points/a/b"] {
            let mut violations = Violations::new();
            point_id("service_point", given, &mut violations);
            assert_eq!(violations.iter().map(|v| v.reason).collect::<Vec<_>>(), ["NOT_A_REFERENCE"], "{given}");
        }
    }
}
