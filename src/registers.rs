//! The registers that the contracts declare, found by their descriptors.
//!
//! Every register's service has the same six methods with messages of the same shape, so that one uploader and one
//! importer serve all of them; a test holds the contracts to it.

use std::sync::LazyLock;

use minsheng_proto::{descriptors, message_option_string};
use prost_reflect::{Kind, MessageDescriptor, ServiceDescriptor};

use crate::{catalogue, error::Error};

/// Whose service keeps a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// One department.
    Department(&'static str),
    /// Every department keeps its own; the catalogue says which one takes what.
    ByCommitment,
}

/// One register.
#[derive(Debug)]
pub struct Register {
    /// As in record names: `elder_meal_points`.
    pub name: String,
    /// Name of its resource in Chinese.
    pub title_zh: String,
    /// The message of one record.
    pub resource: MessageDescriptor,
    /// Who keeps it.
    pub keeper: Keeper,
    service: String,
    plural: String,
}

/// Number of the field of an upload that holds the items.
const ITEMS_FIELD: u32 = 4;

/// Lists all registers by name.
pub fn all() -> &'static [Register] {
    static ALL: LazyLock<Vec<Register>> = LazyLock::new(|| {
        let mut found: Vec<Register> =
            descriptors().services().filter_map(|service| Register::of_service(&service)).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    });
    &ALL
}

/// Lists the names of all registers.
pub fn names() -> Vec<&'static str> {
    all().iter().map(|register| register.name.as_str()).collect()
}

/// Finds a register by its name; hyphens may stand for underscores.
pub fn find(name: &str) -> Result<&'static Register, Error> {
    let wanted = name.replace('-', "_");
    all()
        .iter()
        .find(|register| register.name == wanted || register.title_zh == name)
        .ok_or_else(|| Error::UnknownRegister(name.to_owned()))
}

impl Register {
    fn of_service(service: &ServiceDescriptor) -> Option<Self> {
        let upload =
            service.methods().find(|method| method.name().starts_with("Upload") && method.is_client_streaming())?;
        let items = upload.input().get_field(ITEMS_FIELD)?;
        let Kind::Message(resource) = items.kind() else { return None };
        let keeper = match service.package_name() {
            "minsheng.socialsecurity.v1" => Keeper::Department("social-security"),
            "minsheng.education.v1" => Keeper::Department("education"),
            "minsheng.health.v1" => Keeper::Department("health"),
            "minsheng.community.v1" => Keeper::Department("community"),
            _ => Keeper::ByCommitment,
        };
        Some(Self {
            name: items.name().to_owned(),
            title_zh: message_option_string(&resource, "title_zh").unwrap_or_default(),
            keeper,
            service: service.full_name().to_owned(),
            plural: upload.name().trim_start_matches("Upload").to_owned(),
            resource,
        })
    }

    /// Returns the path of its upload.
    pub fn upload_path(&self) -> String {
        format!("/{}/Upload{}", self.service, self.plural)
    }

    /// Returns the path of its list.
    pub fn list_path(&self) -> String {
        format!("/{}/List{}", self.service, self.plural)
    }

    /// Returns the name of the dataset that a department's journal asserts its states in.
    pub fn dataset(&self, department: &str) -> Option<String> {
        let row = format!("{}Row", self.resource.full_name());
        let row = descriptors().get_message_by_name(&row)?;
        let dataset = message_option_string(&row, "dataset")?;
        Some(if dataset.contains('.') { dataset } else { format!("{}.{dataset}", department.replace('-', "_")) })
    }

    /// Lists the departments that keep it.
    pub fn departments(&self) -> Vec<&'static str> {
        match self.keeper {
            Keeper::Department(department) => vec![department],
            Keeper::ByCommitment => crate::site::SERVICES.iter().map(|definition| definition.department).collect(),
        }
    }

    /// Returns the path of its creation.
    pub fn create_path(&self) -> String {
        format!("/{}/Create{}", self.service, self.resource.name())
    }

    /// Returns the path of its update.
    pub fn update_path(&self) -> String {
        format!("/{}/Update{}", self.service, self.resource.name())
    }

    /// Returns the path of the question for one record.
    pub fn get_path(&self) -> String {
        format!("/{}/Get{}", self.service, self.resource.name())
    }

    /// Returns the path of what ends a record.
    pub fn end_path(&self) -> String {
        format!("/{}/End{}", self.service, self.resource.name())
    }

    /// Returns the department that takes a record: the register's own, or that of the record's commitment.
    pub fn department_for(&self, commitment: Option<&str>) -> Option<&'static str> {
        match self.keeper {
            Keeper::Department(department) => Some(department),
            Keeper::ByCommitment => {
                commitment.and_then(|id| catalogue::get().ok()?.entry(id)).map(|entry| entry.commitment.service.as_str())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_registers_of_the_contracts_are_found() {
        let names = names();
        for name in ["enrolments", "schools", "institutions", "service_points", "returns", "milestones"] {
            assert!(names.contains(&name), "{name} is not in {names:?}");
        }
        assert_eq!(find("service-points").expect("found").keeper, Keeper::Department("community"));
        assert!(find("nothing").is_err());
    }

    #[test]
    fn every_upload_and_every_update_has_the_same_shape() {
        for register in all() {
            let upload = method(&register.upload_path());
            let fields: Vec<_> = upload.input().fields().map(|field| (field.number(), field.kind())).collect();
            assert!(matches!(fields[0], (1, Kind::String)), "{}", register.name);
            assert!(matches!(fields[1], (2, Kind::Int64)), "{}", register.name);
            assert!(matches!(fields[2], (3, Kind::Bool)), "{}", register.name);
            assert_eq!(fields.len(), 4, "{}", register.name);
            let answers: Vec<_> = upload.output().fields().map(|field| (field.number(), field.kind())).collect();
            assert!(matches!(answers[0], (1, Kind::Int64)), "{}", register.name);
            assert!(
                matches!(&answers[1], (2, Kind::Message(item)) if item.name() == "ItemResult"),
                "{}",
                register.name
            );
            let asked = names_of(&method(&register.list_path()));
            assert_eq!(asked, ["area", "page_size", "page_token", "on", "in_force_only"], "{}", register.name);
            assert_eq!(names_of(&method(&register.get_path())), ["name", "on"], "{}", register.name);
            if register.name == "returns" {
                continue; // a return is corrected, not updated
            }
            let update = method(&register.update_path());
            let scope = ["etag", "update_mask", "effective_on", "correct_on", "correct_all", "resume"];
            assert_eq!(names_of(&update)[2..], scope, "{}", register.name);
            let end = names_of(&method(&register.end_path()));
            assert_eq!(end, ["request_id", "name", "etag", "kind", "ended_on", "effective_on"], "{}", register.name);
            assert!(register.dataset("health").is_some(), "{}", register.name);
            let list = method(&register.list_path());
            let fields: Vec<_> = list.output().fields().map(|field| field.number()).collect();
            assert_eq!(fields, [1, 2], "{}", register.name);
            let names = names_of(&method(&register.create_path()));
            assert_eq!((names[0].as_str(), names[2].as_str()), ("request_id", "effective_on"), "{}", register.name);
        }
    }

    fn names_of(method: &prost_reflect::MethodDescriptor) -> Vec<String> {
        method.input().fields().map(|field| field.name().to_owned()).collect()
    }

    fn method(path: &str) -> prost_reflect::MethodDescriptor {
        let (service, name) = path.trim_start_matches('/').split_once('/').expect("a path");
        let service = descriptors().get_service_by_name(service).expect("in the contract");
        service.methods().find(|method| method.name() == name).expect("in the contract")
    }

    #[test]
    fn a_return_goes_to_the_department_of_its_commitment() {
        let returns = find("returns").expect("found");
        assert_eq!(returns.department_for(Some("hpv-vaccination")), Some("health"));
        assert_eq!(returns.department_for(Some("unknown")), None);
    }
}
