//! What a log says, as Parquet: a checkpoint, from which other engines go on instead of reading every commit.
//!
//! Its columns are structs that hold maps, which the statistics' engine does not write. So the few things of the format
//! that it takes are written here: one row group, one plain page for each column, no compression.

use serde_json::Value;

/// What a column, or a group of them, holds. All of it may be missing.
#[derive(Clone, Copy)]
enum Node {
    Truth,
    Int,
    Long,
    Text,
    /// Texts by text.
    Map,
    /// Texts.
    List,
    Group(&'static [(&'static str, Node)]),
}

/// The columns of a checkpoint.
const COLUMNS: &[(&str, Node)] = &[
    ("txn", Node::Group(&[("appId", Node::Text), ("version", Node::Long), ("lastUpdated", Node::Long)])),
    (
        "add",
        Node::Group(&[
            ("path", Node::Text),
            ("partitionValues", Node::Map),
            ("size", Node::Long),
            ("modificationTime", Node::Long),
            ("dataChange", Node::Truth),
            ("stats", Node::Text),
            ("tags", Node::Map),
        ]),
    ),
    (
        "remove",
        Node::Group(&[
            ("path", Node::Text),
            ("deletionTimestamp", Node::Long),
            ("dataChange", Node::Truth),
            ("extendedFileMetadata", Node::Truth),
            ("partitionValues", Node::Map),
            ("size", Node::Long),
            ("tags", Node::Map),
        ]),
    ),
    (
        "metaData",
        Node::Group(&[
            ("id", Node::Text),
            ("name", Node::Text),
            ("description", Node::Text),
            ("format", Node::Group(&[("provider", Node::Text), ("options", Node::Map)])),
            ("schemaString", Node::Text),
            ("partitionColumns", Node::List),
            ("configuration", Node::Map),
            ("createdTime", Node::Long),
        ]),
    ),
    ("protocol", Node::Group(&[("minReaderVersion", Node::Int), ("minWriterVersion", Node::Int)])),
];

const MAGIC: &[u8] = b"PAR1";

/// A physical type of the format.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Physical {
    Boolean = 0,
    Int32 = 1,
    Int64 = 2,
    ByteArray = 6,
}

/// How often something stands there.
#[derive(Clone, Copy)]
enum Repetition {
    Required = 0,
    Optional = 1,
    Repeated = 2,
}

/// What a group or a text is, as the format's first version says it.
#[derive(Clone, Copy)]
enum Converted {
    Utf8 = 0,
    Map = 1,
    List = 3,
}

/// Returns the actions of a log, each as its JSON object, as a checkpoint.
pub(super) fn encode(actions: &[Value]) -> Vec<u8> {
    let mut schema = vec![element("schema", None, None, Some(COLUMNS.len()), None)];
    let mut columns = Vec::new();
    for (name, node) in COLUMNS {
        declare(name, *node, &[], 0, &mut schema, &mut columns);
    }
    for action in actions {
        let mut left = columns.as_mut_slice();
        for (name, node) in COLUMNS {
            left = shred(*node, &action[*name], 0, 0, left);
        }
    }
    let mut file = MAGIC.to_vec();
    let mut chunks = Vec::new();
    for column in &columns {
        let offset = long(file.len());
        let page = column.page();
        file.extend_from_slice(&page);
        chunks.push(column.chunk(offset, long(page.len())));
    }
    let group = Struct::new().list(1, STRUCT, &chunks).i64(2, long(file.len())).i64(3, long(actions.len())).end();
    let footer = Struct::new()
        .i32(1, 1)
        .list(2, STRUCT, &schema)
        .i64(3, long(actions.len()))
        .list(4, STRUCT, &[group])
        .text(6, concat!("minsheng ", env!("CARGO_PKG_VERSION")))
        .end();
    file.extend_from_slice(&footer);
    file.extend_from_slice(&u32::try_from(footer.len()).unwrap_or_default().to_le_bytes());
    file.extend_from_slice(MAGIC);
    file
}

/// One column of values, with the levels that say where they stand.
struct Column {
    path: Vec<String>,
    kind: Physical,
    most_defined: u8,
    most_repeated: u8,
    repeated: Vec<u8>,
    defined: Vec<u8>,
    values: Vec<u8>,
    truths: Vec<bool>,
}

impl Column {
    fn push(&mut self, repeated: u8, defined: u8, value: &Value) {
        self.repeated.push(repeated);
        self.defined.push(defined);
        if defined < self.most_defined {
            return;
        }
        let number = value.as_i64().unwrap_or_default();
        match self.kind {
            Physical::Boolean => self.truths.push(value.as_bool().unwrap_or_default()),
            Physical::Int32 => self.values.extend(i32::try_from(number).unwrap_or_default().to_le_bytes()),
            Physical::Int64 => self.values.extend(number.to_le_bytes()),
            Physical::ByteArray => {
                let text = value.as_str().unwrap_or_default().as_bytes();
                self.values.extend(u32::try_from(text.len()).unwrap_or_default().to_le_bytes());
                self.values.extend_from_slice(text);
            }
        }
    }

    /// The column's only page, its header before it.
    fn page(&self) -> Vec<u8> {
        const PLAIN: i32 = 0;
        const RUNS: i32 = 3;
        let mut body = Vec::new();
        for (levels, most) in [(&self.repeated, self.most_repeated), (&self.defined, self.most_defined)] {
            if most > 0 {
                let runs = runs(levels);
                body.extend(u32::try_from(runs.len()).unwrap_or_default().to_le_bytes());
                body.extend(runs);
            }
        }
        body.extend_from_slice(&self.values);
        for eight in self.truths.chunks(8) {
            body.push(eight.iter().enumerate().fold(0, |byte, (bit, truth)| byte | (u8::from(*truth) << bit)));
        }
        let size = i32::try_from(body.len()).unwrap_or_default();
        let values = i32::try_from(self.defined.len()).unwrap_or_default();
        let header = Struct::new().i32(1, values).i32(2, PLAIN).i32(3, RUNS).i32(4, RUNS).end();
        let mut page = Struct::new().i32(1, 0).i32(2, size).i32(3, size).nested(5, &header).end();
        page.extend(body);
        page
    }

    /// What the footer says of the column, whose page begins at an offset.
    fn chunk(&self, offset: i64, size: i64) -> Vec<u8> {
        let path: Vec<Vec<u8>> = self.path.iter().map(|name| bytes(name)).collect();
        let metadata = Struct::new()
            .i32(1, self.kind as i32)
            .list(2, I32, &[varint(zigzag(0)), varint(zigzag(3))])
            .list(3, BINARY, &path)
            .i32(4, 0)
            .i64(5, long(self.defined.len()))
            .i64(6, size)
            .i64(7, size)
            .i64(9, offset)
            .end();
        Struct::new().i64(2, offset).nested(3, &metadata).end()
    }
}

/// Declares a column, or a group of them, below a path at which so many levels are defined.
fn declare(
    name: &str,
    node: Node,
    above: &[String],
    defined: u8,
    schema: &mut Vec<Vec<u8>>,
    columns: &mut Vec<Column>,
) {
    let path: Vec<String> = above.iter().cloned().chain([name.to_owned()]).collect();
    let mut leaf = |below: &[&str], kind, most_defined, most_repeated| {
        let path = path.iter().cloned().chain(below.iter().map(|name| (*name).to_owned())).collect();
        let (repeated, defined, values, truths) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        columns.push(Column { path, kind, most_defined, most_repeated, repeated, defined, values, truths });
    };
    let optional = Some(Repetition::Optional);
    let text = (Some(Physical::ByteArray), Some(Converted::Utf8));
    let mut simple = |kind, converted| {
        schema.push(element(name, Some(kind), optional, None, converted));
        leaf(&[], kind, defined + 1, 0);
    };
    match node {
        Node::Truth => simple(Physical::Boolean, None),
        Node::Int => simple(Physical::Int32, None),
        Node::Long => simple(Physical::Int64, None),
        Node::Text => simple(Physical::ByteArray, text.1),
        Node::Map => {
            schema.push(element(name, None, optional, Some(1), Some(Converted::Map)));
            schema.push(element("key_value", None, Some(Repetition::Repeated), Some(2), None));
            schema.push(element("key", text.0, Some(Repetition::Required), None, text.1));
            schema.push(element("value", text.0, optional, None, text.1));
            leaf(&["key_value", "key"], Physical::ByteArray, defined + 2, 1);
            leaf(&["key_value", "value"], Physical::ByteArray, defined + 3, 1);
        }
        Node::List => {
            schema.push(element(name, None, optional, Some(1), Some(Converted::List)));
            schema.push(element("list", None, Some(Repetition::Repeated), Some(1), None));
            schema.push(element("element", text.0, optional, None, text.1));
            leaf(&["list", "element"], Physical::ByteArray, defined + 3, 1);
        }
        Node::Group(children) => {
            schema.push(element(name, None, optional, Some(children.len()), None));
            for (child, node) in children {
                declare(child, *node, &path, defined + 1, schema, columns);
            }
        }
    }
}

/// Puts a value into its columns, the first ones; returns those behind them.
fn shred<'a>(node: Node, value: &Value, repeated: u8, defined: u8, columns: &'a mut [Column]) -> &'a mut [Column] {
    let again = |index: usize| if index == 0 { repeated } else { 1 };
    match node {
        Node::Truth | Node::Int | Node::Long | Node::Text => {
            columns[0].push(repeated, defined + u8::from(!value.is_null()), value);
            &mut columns[1..]
        }
        Node::Map => {
            let entries = value.as_object().filter(|entries| !entries.is_empty());
            let Some(entries) = entries else {
                let defined = defined + u8::from(!value.is_null());
                columns[..2].iter_mut().for_each(|column| column.push(repeated, defined, &Value::Null));
                return &mut columns[2..];
            };
            for (index, (key, value)) in entries.iter().enumerate() {
                columns[0].push(again(index), defined + 2, &Value::from(key.as_str()));
                columns[1].push(again(index), defined + 2 + u8::from(!value.is_null()), value);
            }
            &mut columns[2..]
        }
        Node::List => {
            match value.as_array().filter(|elements| !elements.is_empty()) {
                None => columns[0].push(repeated, defined + u8::from(!value.is_null()), &Value::Null),
                Some(elements) => {
                    for (index, value) in elements.iter().enumerate() {
                        columns[0].push(again(index), defined + 2 + u8::from(!value.is_null()), value);
                    }
                }
            }
            &mut columns[1..]
        }
        Node::Group(children) => {
            let there = !value.is_null();
            children.iter().fold(columns, |columns, (name, node)| {
                if there {
                    shred(*node, &value[*name], repeated, defined + 1, columns)
                } else {
                    absent(*node, repeated, defined, columns)
                }
            })
        }
    }
}

/// Says of the columns of something that it is not there, nor what it lies in.
fn absent(node: Node, repeated: u8, defined: u8, columns: &mut [Column]) -> &mut [Column] {
    let leaves = match node {
        Node::Group(children) => {
            return children.iter().fold(columns, |columns, (_, node)| absent(*node, repeated, defined, columns));
        }
        Node::Map => 2,
        _ => 1,
    };
    let (own, behind) = columns.split_at_mut(leaves);
    for column in own {
        column.push(repeated, defined, &Value::Null);
    }
    behind
}

/// Says of something in the schema what it is.
fn element(
    name: &str,
    kind: Option<Physical>,
    repetition: Option<Repetition>,
    children: Option<usize>,
    converted: Option<Converted>,
) -> Vec<u8> {
    let mut element = Struct::new();
    if let Some(kind) = kind {
        element = element.i32(1, kind as i32);
    }
    if let Some(repetition) = repetition {
        element = element.i32(3, repetition as i32);
    }
    element = element.text(4, name);
    if let Some(children) = children {
        element = element.i32(5, i32::try_from(children).unwrap_or_default());
    }
    if let Some(converted) = converted {
        element = element.i32(6, converted as i32);
    }
    element.end()
}

/// Levels as runs of the same one: each a length and, in one byte, the level.
fn runs(levels: &[u8]) -> Vec<u8> {
    let mut runs = Vec::new();
    for run in levels.chunk_by(|one, other| one == other) {
        runs.extend(varint(long(run.len()).unsigned_abs() << 1));
        runs.push(run[0]);
    }
    runs
}

fn long(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A struct of Thrift's compact protocol, in which the format writes what it says of itself.
struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    fn new() -> Self {
        Self { bytes: Vec::new(), last: 0 }
    }

    /// Begins a field; fields come in the order of their numbers.
    fn field(&mut self, number: u8, kind: u8) {
        self.bytes.push((number - self.last) << 4 | kind);
        self.last = number;
    }

    fn i32(mut self, number: u8, value: i32) -> Self {
        self.field(number, I32);
        self.bytes.extend(varint(zigzag(i64::from(value))));
        self
    }

    fn i64(mut self, number: u8, value: i64) -> Self {
        self.field(number, I64);
        self.bytes.extend(varint(zigzag(value)));
        self
    }

    fn text(mut self, number: u8, value: &str) -> Self {
        self.field(number, BINARY);
        self.bytes.extend(bytes(value));
        self
    }

    fn nested(mut self, number: u8, value: &[u8]) -> Self {
        self.field(number, STRUCT);
        self.bytes.extend_from_slice(value);
        self
    }

    fn list(mut self, number: u8, kind: u8, values: &[Vec<u8>]) -> Self {
        self.field(number, LIST);
        match u8::try_from(values.len()) {
            Ok(few) if few < 15 => self.bytes.push(few << 4 | kind),
            _ => {
                self.bytes.push(0xf0 | kind);
                self.bytes.extend(varint(long(values.len()).unsigned_abs()));
            }
        }
        self.bytes.extend(values.concat());
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = varint(long(text.len()).unsigned_abs());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let seven = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            bytes.push(seven);
            return bytes;
        }
        bytes.push(seven | 0x80);
    }
}
