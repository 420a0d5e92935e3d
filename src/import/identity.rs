//! Which row is which record, where a file gives no 编号: so that a file that is loaded again, or corrected and loaded
//! again, adds nothing twice.
//!
//! | named by | when | the name is made from |
//! |---|---|---|
//! | the file | the row has a 编号 | that |
//! | the server | the register has a natural key | that; it stands here only to find rows that contradict one another |
//! | the importer | otherwise | a UUID of version 5 of the register and its identifying cells; of the whole row where one of them is empty |
//!
//! A name out of an identity number could be guessed back by trying all numbers, and names travel to analytics. Such
//! names are made under a secret that follows from the operator's private key. Under another key the same row gets
//! another name; the register's own rules then refuse the person's second record.

use std::path::Path;

use prost::Message as _;
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};
use uuid::Uuid;

use crate::{error::Error, registers::Register};

/// Under it names of records are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d69_6e73_6865_6e67_2d69_6d70_6f72_7402);

/// Who names a record that the file does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// The server, by its natural key.
    Server,
    /// The importer.
    Importer,
    /// The importer, under the operator's secret: a person can be told by the cells.
    ImporterInSecret,
}

/// What identifies a record of each register; a register that is not here is identified by its whole rows.
const IDENTITIES: &[(&str, Names, &[&str])] = &[
    ("age_friendly_assessments", Names::Importer, &["institution", "assessed_on"]),
    ("aid_cases", Names::ImporterInSecret, &["resident_id", "school", "term_year"]),
    ("assistance_households", Names::ImporterInSecret, &["members.resident_id", "applied_on"]),
    ("enrolments", Names::ImporterInSecret, &["resident_id", "scheme", "applied_on"]),
    ("funding_records", Names::Server, &["school", "fund", "term_year", "term"]),
    ("housing_projects", Names::Importer, &["area", "title", "kind", "plan_year"]),
    ("institutions", Names::Importer, &["area", "title"]),
    ("meal_prices", Names::Server, &["resident_id", "service_point", "applied_on"]),
    ("milestones", Names::Server, &["commitment", "subject", "area"]),
    ("point_activities", Names::Server, &["service_point", "month"]),
    ("quality_certificates", Names::Server, &["institution", "round", "item_code"]),
    ("recognition_items", Names::Server, &["edition", "code"]),
    ("result_decisions", Names::ImporterInSecret, &["result_reference", "item_code", "receiving_institution"]),
    ("returns", Names::Server, &["commitment", "measure", "area", "month"]),
    ("schools", Names::Importer, &["area", "title", "stage"]),
    ("service_points", Names::Importer, &["area", "kind", "title"]),
];

/// What tells a row's record from others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Its 编号.
    Given(String),
    /// Its identifying cells, or the whole row.
    Cells(Vec<u8>),
}

fn known(register: &Register) -> (Names, &'static [&'static str]) {
    IDENTITIES
        .iter()
        .find(|(name, ..)| *name == register.name)
        .map_or((Names::Importer, &[]), |(_, names, fields)| (*names, *fields))
}

/// Lists the fields that identify a record of a register, in the contract's names.
pub fn fields(register: &Register) -> &'static [&'static str] {
    known(register).1
}

/// Says whether the importer names the records of a register that the file does not name.
pub fn is_named_here(register: &Register) -> bool {
    known(register).0 != Names::Server
}

/// Finds what tells a record from others.
pub fn of(register: &Register, message: &DynamicMessage) -> Identity {
    let given = message.get_field_by_name("name").and_then(|name| name.as_str().map(str::to_owned));
    if let Some(name) = given.filter(|name| !name.is_empty()) {
        return Identity::Given(name);
    }
    let (names, fields) = known(register);
    let mut cells = DynamicMessage::new(register.resource.clone());
    let mut complete = !fields.is_empty();
    for field in fields {
        complete &= match field.split_once('.') {
            Some((list, inner)) => copy_of_first(message, &mut cells, list, inner).is_some(),
            None => {
                // A natural key may have empty parts: a return's own measure has no name.
                copy(message, &mut cells, field).is_some() || names == Names::Server
            }
        };
    }
    Identity::Cells(if complete { cells.encode_to_vec() } else { message.encode_to_vec() })
}

fn copy(from: &DynamicMessage, to: &mut DynamicMessage, field: &str) -> Option<()> {
    let field = from.descriptor().get_field_by_name(field)?;
    from.has_field(&field).then(|| to.set_field(&field, from.get_field(&field).into_owned()))
}

/// Takes one field of a list's first member.
fn copy_of_first(from: &DynamicMessage, to: &mut DynamicMessage, list: &str, inner: &str) -> Option<()> {
    let list = from.descriptor().get_field_by_name(list)?;
    let members = from.get_field(&list);
    let first = members.as_list()?.first()?.as_message()?;
    let mut member = DynamicMessage::new(first.descriptor());
    copy(first, &mut member, inner)?;
    to.set_field(&list, Value::List(vec![Value::Message(member)]));
    Some(())
}

/// Gives names to records.
#[derive(Clone, Copy, Debug)]
pub struct Namer {
    namespace: Uuid,
}

impl Namer {
    /// Prepares names of a register's records; `pki` is where the operator's key lies.
    pub fn new(register: &Register, pki: &Path) -> Result<Self, Error> {
        let namespace = if known(register).0 == Names::ImporterInSecret {
            let path = pki.join("operator").join("key.pem");
            let key = std::fs::read(&path).map_err(Error::file(path))?;
            Uuid::new_v5(&NAMESPACE, &key)
        } else {
            NAMESPACE
        };
        Ok(Self { namespace: Uuid::new_v5(&namespace, register.name.as_bytes()) })
    }

    /// Gives the name of a record by its cells.
    pub fn name(&self, register: &Register, cells: &[u8]) -> String {
        format!("{}/{}", register.name, Uuid::new_v5(&self.namespace, cells).simple())
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
    fn every_register_says_what_identifies_its_records_by_fields_that_it_has() {
        for register in registers::all() {
            assert!(
                IDENTITIES.iter().any(|(name, ..)| *name == register.name),
                "{} is not in the table: which of its cells identify a record?",
                register.name
            );
            for field in fields(register) {
                let first = field.split('.').next().unwrap_or(field);
                assert!(register.resource.get_field_by_name(first).is_some(), "{}.{field}", register.name);
            }
            let personal = fields(register).iter().any(|field| field.ends_with("resident_id"));
            assert!(!personal || known(register).0 != Names::Importer, "{} could be guessed back", register.name);
        }
        for (name, ..) in IDENTITIES {
            assert!(registers::find(name).is_ok(), "{name}");
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
