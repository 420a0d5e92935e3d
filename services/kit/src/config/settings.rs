//! Settings with the place that each comes from.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use super::Fault;

/// Variables, and the values of a file by dotted key.
#[derive(Debug)]
pub(super) struct Settings {
    variables: BTreeMap<String, String>,
    file: BTreeMap<String, FromFile>,
    known: BTreeSet<String>,
    faults: Vec<Fault>,
}

#[derive(Debug)]
struct FromFile {
    /// File and line.
    place: String,
    value: String,
}

impl Settings {
    /// Begins with the variables; an empty one counts as absent, as compose files give it.
    pub(super) fn new(variables: BTreeMap<String, String>) -> Self {
        let variables = variables.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        Self { variables, file: BTreeMap::new(), known: BTreeSet::new(), faults: Vec::new() }
    }

    /// Adds the keys of a TOML file.
    pub(super) fn add_file(&mut self, path: &str, text: &str) {
        match DeTable::parse(text) {
            Ok(table) => self.add_table(path, text, "", table.get_ref()),
            Err(error) => {
                let line = error.span().map_or(1, |span| line_at(text, span.start));
                self.fault(format!("{path}:{line}"), error.message().to_owned());
            }
        }
    }

    fn add_table(&mut self, path: &str, text: &str, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let place = format!("{path}:{}", line_at(text, key.span().start));
            let key = format!("{prefix}{}", key.get_ref());
            let value = match value.get_ref() {
                DeValue::Table(inner) => {
                    self.add_table(path, text, &format!("{key}."), inner);
                    continue;
                }
                DeValue::String(string) => string.to_string(),
                DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().to_owned(),
                other => {
                    let kind = other.type_str();
                    self.fault(place, format!("{key} is a {kind}; only strings, whole numbers and tables are read"));
                    self.known.insert(key);
                    continue;
                }
            };
            self.file.insert(key, FromFile { place, value });
        }
    }

    /// Looks a variable up.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    /// Lists what follows a prefix in the names of variables.
    pub(super) fn variables_with(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.variables.keys().filter_map(move |name| name.strip_prefix(prefix))
    }

    /// Lists what follows a prefix in the keys of the file.
    pub(super) fn keys_with(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.file.keys().filter_map(move |name| name.strip_prefix(prefix))
    }

    /// Reads a setting, from the variable or else from the file. What cannot be parsed is noted as a fault.
    pub(super) fn read<T>(
        &mut self,
        variable: &str,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.known.insert(key.to_owned());
        let value = self.variables.get(variable).or_else(|| self.file.get(key).map(|found| &found.value))?;
        match parse(value.trim()) {
            Ok(parsed) => Some(parsed),
            Err(problem) => {
                let place = self.place(variable, key);
                self.fault(place, problem);
                None
            }
        }
    }

    /// Reads a setting that must be there.
    pub(super) fn require<T>(
        &mut self,
        variable: &str,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.variables.contains_key(variable) && !self.file.contains_key(key) {
            self.known.insert(key.to_owned());
            self.fault(variable, format!("is not set, nor is `{key}` in the file"));
            return None;
        }
        self.read(variable, key, parse)
    }

    /// Returns where a setting stands.
    pub(super) fn place(&self, variable: &str, key: &str) -> String {
        match self.file.get(key) {
            Some(found) if !self.variables.contains_key(variable) => found.place.clone(),
            _ => variable.to_owned(),
        }
    }

    /// Notes a fault.
    pub(super) fn fault(&mut self, place: impl Into<String>, problem: impl Into<String>) {
        self.faults.push(Fault { place: place.into(), problem: problem.into() });
    }

    /// Returns the faults, those of keys that nobody reads included: a misspelt key must not be passed over.
    pub(super) fn finish(mut self) -> Vec<Fault> {
        for (key, found) in &self.file {
            if !self.known.contains(key) {
                let problem = format!("there is no setting `{key}`");
                self.faults.push(Fault { place: found.place.clone(), problem });
            }
        }
        self.faults
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
