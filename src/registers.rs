//! The registers that the contracts declare, as the operator's commands see them: by name, and with the departments that
//! keep them.

pub use minsheng_proto::{Register, registers as all};

use crate::{catalogue, error::Error, site::SERVICES};

/// Lists the names of all registers.
pub fn names() -> Vec<&'static str> {
    all().iter().map(|register| register.collection.as_str()).collect()
}

/// Finds a register by its collection or its Chinese title; hyphens may stand for underscores.
pub fn find(name: &str) -> Result<&'static Register, Error> {
    let wanted = name.replace('-', "_");
    all()
        .iter()
        .find(|register| register.collection == wanted || register.title_zh == name)
        .ok_or_else(|| Error::UnknownRegister(name.to_owned()))
}

/// Lists the departments that keep a register.
pub fn departments(register: &Register) -> Vec<&'static str> {
    let keeps = |department: &&'static str| register.keeper.as_deref().is_none_or(|keeper| keeper == *department);
    SERVICES.iter().map(|definition| definition.department).filter(keeps).collect()
}

/// Returns the department that takes a record: the register's own, or that of the record's commitment.
pub fn department_for(register: &'static Register, commitment: Option<&str>) -> Option<&'static str> {
    match &register.keeper {
        Some(keeper) => Some(keeper),
        None => {
            commitment.and_then(|id| catalogue::get().ok()?.entry(id)).map(|entry| entry.commitment.service.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_register_is_found_by_its_names() {
        for name in ["service_points", "service-points", "服务点"] {
            assert_eq!(find(name).expect("found").collection, "service_points");
        }
        assert!(find("nothing").is_err());
    }

    #[test]
    fn every_register_is_kept_by_departments_of_the_suite() {
        for register in all() {
            let kept_by = departments(register);
            assert_eq!(kept_by.len(), if register.keeper.is_some() { 1 } else { 4 }, "{}", register.collection);
        }
    }

    #[test]
    fn a_return_goes_to_the_department_of_its_commitment() {
        let returns = find("returns").expect("found");
        assert_eq!(department_for(returns, Some("hpv-vaccination")), Some("health"));
        assert_eq!(department_for(returns, Some("unknown")), None);
    }
}
