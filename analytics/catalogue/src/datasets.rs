//! The datasets and their columns, as the contracts declare them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minsheng_proto::datasets;
use prost_reflect::Kind;

/// The services that keep records, by the name that the catalogue uses.
pub const SERVICES: [&str; 4] = ["social-security", "education", "health", "community"];

/// What sort of value a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text, an enumeration's value without its prefix included.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number with a fraction.
    Decimal,
    /// True or false.
    Boolean,
    /// A day.
    Day,
}

/// A column of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// Returns a dataset's own columns in the order of the contract, without those that every journal row has.
pub fn columns_of(dataset: &str) -> Option<&'static [Column]> {
    DATASETS.get(dataset).map(Vec::as_slice)
}

/// Returns the names of all datasets.
pub fn dataset_names() -> impl Iterator<Item = &'static str> {
    DATASETS.keys().map(String::as_str)
}

/// Returns the service that keeps a dataset: `social-security` for `social_security.enrolments`.
pub fn service_of(dataset: &str) -> String {
    dataset.split('.').next().unwrap_or_default().replace('_', "-")
}

static DATASETS: LazyLock<BTreeMap<String, Vec<Column>>> = LazyLock::new(|| {
    let mut found = BTreeMap::new();
    for dataset in datasets() {
        let columns: Vec<Column> = dataset
            .row
            .fields()
            .filter_map(|field| kind_of(&field.kind()).map(|kind| Column { name: field.name().to_owned(), kind }))
            .collect();
        if dataset.name.contains('.') {
            found.insert(dataset.name, columns);
        } else {
            for service in SERVICES {
                found.insert(format!("{}.{}", service.replace('-', "_"), dataset.name), columns.clone());
            }
        }
    }
    found
});

fn kind_of(kind: &Kind) -> Option<ColumnKind> {
    match kind {
        Kind::String | Kind::Enum(_) => Some(ColumnKind::Text),
        Kind::Bool => Some(ColumnKind::Boolean),
        Kind::Double | Kind::Float => Some(ColumnKind::Decimal),
        Kind::Message(message) => (message.full_name() == "minsheng.common.v1.Date").then_some(ColumnKind::Day),
        Kind::Bytes => None,
        _ => Some(ColumnKind::Integer),
    }
}
