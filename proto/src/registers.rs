//! The registers that the contracts declare: what the option `register` of a resource's message says.

use std::{collections::HashMap, sync::LazyLock};

use prost_reflect::{FieldDescriptor, MessageDescriptor, Value};

use crate::{
    common::v1 as pb,
    conventions::{field_option_string, is_set, message_option_string},
    descriptors,
};

/// A register as its contract declares it.
#[derive(Debug)]
pub struct Register {
    /// Collection in record names, as `elder_meal_points`.
    pub collection: String,
    /// Plural of the resource, as in the names of methods.
    pub plural: String,
    /// Name of the resource in Chinese.
    pub title_zh: String,
    /// The message of one record.
    pub resource: MessageDescriptor,
    /// Department that keeps it; none where every department keeps its own.
    pub keeper: Option<String>,
    /// Fields that tell a record from others.
    pub natural_key: Vec<String>,
    /// Who makes the id of a record whose creation names none.
    pub named_by: pb::NamedBy,
    /// Whether its service is written by hand.
    pub own_methods: bool,
    /// Columns that are kept beside what the resource says.
    pub columns: Vec<pb::Column>,
    /// Fields that name records of other registers.
    pub references: Vec<Reference>,
    dataset: String,
}

/// A field that names another register's record.
#[derive(Debug)]
pub struct Reference {
    /// The field of the resource, and the column that keeps it.
    pub field: String,
    /// Collection of the register whose record it names.
    pub collection: String,
    /// Whether it is kept with its collection; otherwise the id is.
    pub kept_whole: bool,
    /// Whether the record lies in the county of the one that it names.
    pub same_county: bool,
}

/// Returns the registers of the contracts, by collection.
pub fn registers() -> &'static [Register] {
    static ALL: LazyLock<Vec<Register>> = LazyLock::new(|| {
        let mut all: Vec<Register> = descriptors().all_messages().filter_map(Register::of).collect();
        all.sort_by(|one, other| one.collection.cmp(&other.collection));
        all
    });
    &ALL
}

/// Returns the register whose records are named in a collection.
pub fn register_of_collection(collection: &str) -> Option<&'static Register> {
    registers().iter().find(|register| register.collection == collection)
}

/// Returns the register whose records are messages of a type.
pub fn register_of<M: prost::Name>() -> Option<&'static Register> {
    static BY_MESSAGE: LazyLock<HashMap<&'static str, &'static Register>> =
        LazyLock::new(|| registers().iter().map(|register| (register.resource.full_name(), register)).collect());
    BY_MESSAGE.get(M::full_name().as_str()).copied()
}

/// Writes a name of the contract's messages as fields are written: `ElderMealPoints` as `elder_meal_points`.
pub fn snake_case(camel: &str) -> String {
    let mut snake = String::with_capacity(camel.len() + 4);
    for (index, letter) in camel.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

impl Reference {
    fn of(field: &FieldDescriptor) -> Option<Self> {
        Some(Self {
            field: field.name().to_owned(),
            collection: field_option_string(field, "refers_to")?,
            kept_whole: is_set(field, "kept_whole"),
            same_county: is_set(field, "same_county"),
        })
    }
}

impl Register {
    fn of(resource: MessageDescriptor) -> Option<Self> {
        let extension = descriptors().get_extension_by_name("minsheng.common.v1.register")?;
        let options = resource.options();
        if !options.has_extension(&extension) {
            return None;
        }
        let Value::Message(declared) = options.get_extension(&extension).into_owned() else { return None };
        let declared: pb::Register = declared.transcode_to().expect("an option of this type");
        Some(Self {
            collection: snake_case(&declared.plural),
            named_by: declared.named_by(),
            plural: declared.plural,
            title_zh: message_option_string(&resource, "title_zh").unwrap_or_default(),
            keeper: Some(declared.keeper).filter(|keeper| !keeper.is_empty()),
            natural_key: declared.natural_key,
            own_methods: declared.own_methods,
            columns: declared.columns,
            references: resource.fields().filter_map(|field| Reference::of(&field)).collect(),
            dataset: declared.dataset,
            resource,
        })
    }

    /// Returns the dataset in which a department tells the states of its records, as `health.institutions`.
    pub fn dataset(&self, department: &str) -> String {
        match self.keeper {
            Some(_) => self.dataset.clone(),
            None => format!("{}.{}", department.replace('-', "_"), self.dataset),
        }
    }

    /// Returns the dataset as it is declared, without a department where every one keeps its own.
    pub fn declared_dataset(&self) -> &str {
        &self.dataset
    }

    /// Returns the message of the dataset's row.
    pub fn row(&self) -> MessageDescriptor {
        let row = format!("{}Row", self.resource.full_name());
        descriptors().get_message_by_name(&row).expect("a register has a row")
    }

    /// Returns the field of the resource in the messages of its service, as `elder_meal_point`.
    pub fn field(&self) -> String {
        snake_case(self.resource.name())
    }

    /// Returns the full name of its service.
    pub fn service(&self) -> String {
        format!("{}Service", self.resource.full_name())
    }

    /// Returns the path of one of its methods, whose verb goes before the resource or before its plural.
    pub fn method(&self, verb: &str) -> String {
        let of_many = matches!(verb, "List" | "Upload" | "Submit");
        let what = if of_many { &self.plural } else { self.resource.name() };
        format!("/{}/{verb}{what}", self.service())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{datasets, is_personal};

    #[test]
    fn a_register_is_found_by_its_collection_and_by_its_message() {
        let register = register_of_collection("point_activities").expect("declared");
        assert_eq!(register.keeper.as_deref(), Some("community"));
        assert_eq!(register.field(), "point_activity");
        assert_eq!(register.method("Upload"), "/minsheng.community.v1.PointActivityService/UploadPointActivities");
        assert_eq!(register.method("Get"), "/minsheng.community.v1.PointActivityService/GetPointActivity");
        let same = register_of::<crate::community::v1::PointActivity>().expect("declared");
        assert_eq!(same.collection, register.collection);
        assert!(register_of::<pb::Date>().is_none() && register_of_collection("nothing").is_none());
    }

    #[test]
    fn a_dataset_of_every_department_has_the_department_before_it() {
        assert_eq!(
            register_of_collection("returns").expect("declared").dataset("social-security"),
            "social_security.returns"
        );
        assert_eq!(register_of_collection("aid_cases").expect("declared").dataset("education"), "education.aid");
    }

    #[test]
    fn what_a_register_declares_is_there() {
        let datasets: Vec<String> = datasets().into_iter().map(|dataset| dataset.name).collect();
        for register in registers() {
            let name = &register.collection;
            assert!(descriptors().get_service_by_name(&register.service()).is_some(), "{name} has no service");
            assert!(datasets.contains(&register.dataset), "{name} tells no dataset of the contracts");
            assert!(!register.title_zh.is_empty(), "{name} has no Chinese title");
            assert!(!register.natural_key.is_empty(), "{name}: which fields tell a record from others?");
            assert_ne!(register.named_by, pb::NamedBy::Unspecified, "{name}: who makes the id?");
            for field in &register.natural_key {
                let mut message = register.resource.clone();
                let mut steps = field.split('.').peekable();
                while let Some(step) = steps.next() {
                    let found = message.get_field_by_name(step).unwrap_or_else(|| panic!("{name} has no {field}"));
                    if steps.peek().is_some() {
                        message = found.kind().as_message().expect("a message").clone();
                    }
                }
            }
            for Reference { field, collection, .. } in &register.references {
                let named = register_of_collection(collection);
                let named = named.unwrap_or_else(|| panic!("{name}.{field} names no register"));
                // One database holds both, so that the one can be locked while the other goes in.
                assert_eq!(named.keeper, register.keeper, "{name}.{field} is kept elsewhere");
                let field = register.resource.get_field_by_name(field).expect("a field of the resource");
                assert!(!is_personal(&field), "{name}.{}", field.name());
            }
        }
    }
}
