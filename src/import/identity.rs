//! Which row is which record, where a file gives no 编号: so that a file that is loaded again, or corrected and loaded
//! again, adds nothing twice.
//!
//! | named by | when | the name is made from |
//! |---|---|---|
//! | the file | the row has a 编号 | that |
//! | the server | the register has a natural key | that; it stands here only to find rows that contradict one another |
//! | the importer | otherwise | a UUID of version 5 of the register and its identifying cells; of the whole row where
//! one of them is empty |
//!
//! A name out of an identity number could be guessed back by trying all numbers, and names travel to analytics. Such
//! names are made under a secret that follows from the operator's private key. Under another key the same row gets
//! another name; the register's own rules then refuse the person's second record.

use std::path::Path;

use minsheng_proto::common::v1::NamedBy;
use prost::Message as _;
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};
use uuid::Uuid;

use crate::{error::Error, registers::Register};

/// Under it names of records are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d69_6e73_6865_6e67_2d69_6d70_6f72_7402);

/// What tells a row's record from others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Its 编号.
    Given(String),
    /// Its identifying cells, or the whole row.
    Cells(Vec<u8>),
}

/// Reports whether the importer names the records of a register that the file does not name.
pub fn is_named_here(register: &Register) -> bool {
    register.named_by != NamedBy::Server
}

/// Finds what tells a record from others.
pub fn of(register: &Register, message: &DynamicMessage) -> Identity {
    let given = message.get_field_by_name("name").and_then(|name| name.as_str().map(str::to_owned));
    if let Some(name) = given.filter(|name| !name.is_empty()) {
        return Identity::Given(name);
    }
    let mut cells = DynamicMessage::new(register.resource.clone());
    let mut complete = true;
    for field in &register.natural_key {
        complete &= match field.split_once('.') {
            Some((list, inner)) => copy_of_first(message, &mut cells, list, inner).is_some(),
            None => {
                // A natural key may have empty parts: a return's own measure has no name.
                copy(message, &mut cells, field).is_some() || !is_named_here(register)
            }
        };
    }
    Identity::Cells(if complete { cells.encode_to_vec() } else { message.encode_to_vec() })
}

fn copy(from: &DynamicMessage, to: &mut DynamicMessage, field: &str) -> Option<()> {
    let field = from.descriptor().get_field_by_name(field)?;
    from.has_field(&field).then(|| to.set_field(&field, from.get_field(&field).into_owned()))
}

/// Returns one field of a list's first member.
fn copy_of_first(from: &DynamicMessage, to: &mut DynamicMessage, list: &str, inner: &str) -> Option<()> {
    let list = from.descriptor().get_field_by_name(list)?;
    let members = from.get_field(&list);
    let first = members.as_list()?.first()?.as_message()?;
    let mut member = DynamicMessage::new(first.descriptor());
    copy(first, &mut member, inner)?;
    to.set_field(&list, Value::List(vec![Value::Message(member)]));
    Some(())
}

/// Names records.
#[derive(Clone, Copy, Debug)]
pub struct Namer {
    namespace: Uuid,
}

impl Namer {
    /// Prepares names of a register's records; `pki` is where the operator's key lies.
    pub fn new(register: &Register, pki: &Path) -> Result<Self, Error> {
        let namespace = if register.named_by == NamedBy::CallerInSecret {
            let path = pki.join("operator").join("key.pem");
            let key = std::fs::read(&path).map_err(Error::file(path))?;
            Uuid::new_v5(&NAMESPACE, &key)
        } else {
            NAMESPACE
        };
        Ok(Self { namespace: Uuid::new_v5(&namespace, register.collection.as_bytes()) })
    }

    /// Returns the name of a record by its cells.
    pub fn name(&self, register: &Register, cells: &[u8]) -> String {
        format!("{}/{}", register.collection, Uuid::new_v5(&self.namespace, cells).simple())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registers;

    fn message(register: &Register, texts: &[(&str, &str)]) -> DynamicMessage {
        let mut message = DynamicMessage::new(register.resource.clone());
        for (field, text) in texts {
            message.set_field_by_name(field, Value::String((*text).to_owned()));
        }
        message
    }

    #[test]
    fn a_name_out_of_an_identity_number_is_made_in_secret() {
        for register in registers::all() {
            let personal = register.natural_key.iter().any(|field| field.ends_with("resident_id"));
            assert!(!personal || register.named_by != NamedBy::Caller, "{} could be guessed back", register.collection);
        }
    }

    #[test]
    fn identifying_cells_make_the_name_and_other_cells_do_not_change_it() {
        let register = registers::find("institutions").expect("a register");
        let namer = Namer::new(register, Path::new("nowhere")).expect("no secret is needed");
        let name = |texts: &[(&str, &str)]| match of(register, &message(register, texts)) {
            Identity::Given(name) => name,
            Identity::Cells(cells) => namer.name(register, &cells),
        };
        let first = name(&[("area", "540102"), ("title", "甲卫生院")]);
        assert_eq!(first, name(&[("title", "甲卫生院"), ("area", "540102")]));
        assert_ne!(first, name(&[("area", "540103"), ("title", "甲卫生院")]));
        assert!(first.starts_with("institutions/") && first.len() == "institutions/".len() + 32, "{first}");
        assert_eq!(name(&[("name", "institutions/a"), ("title", "甲卫生院")]), "institutions/a");
        // Without a title nothing identifies it but all that it says.
        assert_ne!(name(&[("area", "540102")]), name(&[("area", "540103")]));
    }

    #[test]
    fn names_of_persons_records_follow_from_the_operators_key() {
        let register = registers::find("enrolments").expect("a register");
        let directory = tempfile::tempdir().expect("a directory");
        assert!(Namer::new(register, directory.path()).is_err(), "there is no key");
        std::fs::create_dir(directory.path().join("operator")).expect("made");
        let name = |key: &str| {
            std::fs::write(directory.path().join("operator/key.pem"), key).expect("written");
            Namer::new(register, directory.path()).expect("a key").name(register, b"cells")
        };
        assert_eq!(name("one"), name("one"));
        assert_ne!(name("one"), name("two"));
    }
}
