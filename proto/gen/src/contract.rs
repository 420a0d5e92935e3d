//! The contract of a register: name, area and meta of its resource, its service with the six methods, their messages, the
//! row of its dataset.
//!
//! What is written is known by its names, so a contract needs no marks: methods and messages of other names stay as and
//! where they are.

use minsheng_proto::Register;

use crate::row;

/// The fields that every resource begins with.
const ENVELOPE: &str = r#"  // Name of the record, `{collection}/{id}`. Chosen by the caller on creation where it has an id of its own, otherwise by the server.
  string name = 1 [
    (minsheng.common.v1.label_zh) = "编号",
    (buf.validate.field).string = {max_len: 160, pattern: "^({collection}/[A-Za-z0-9._-]{1,128})?$"}
  ];
  // County (GB/T 2260, six digits) that keeps the record.
  string area = 2 [
    (minsheng.common.v1.label_zh) = "区划代码",
    (buf.validate.field).string.pattern = "^[0-9]{6}$"
  ];
  // What the server knows beside the content. Output only.
  minsheng.common.v1.RecordMeta meta = 3;
"#;

/// The methods of every register.
const METHODS: &str = include_str!("methods.proto.in");
/// Their messages.
const MESSAGES: &str = include_str!("messages.proto.in");

/// Returns the text of a contract with what follows from the register's declaration written again.
pub(crate) fn written(text: &str, register: &Register) -> String {
    let fill = |template: &str| {
        template
            .replace("{collection}", &register.collection)
            .replace("{Plural}", &register.plural)
            .replace("{Resource}", register.resource.name())
            .replace("{resource}", &register.field())
    };
    let mut blocks = Block::all(text);
    let resource = format!("message {}", register.resource.name());
    for block in blocks.iter_mut().filter(|block| block.declares(&resource)) {
        block.text = with_envelope(&block.text, &fill(ENVELOPE));
    }
    let service = format!("service {}Service", register.resource.name());
    let messages = Block::all(&fill(MESSAGES));
    let mut own_methods = String::new();
    let mut comment = format!("// Keeps {} ({}).\n", words(&register.plural), register.title_zh);
    let mut place = None;
    let mut kept = Vec::with_capacity(blocks.len());
    for block in blocks {
        if block.declares(&service) {
            place = Some(kept.len());
            block.comment().clone_into(&mut comment);
            own_methods = other_methods(&block.text, &fill(METHODS));
        } else if !messages.iter().any(|message| message.names() == block.names()) {
            kept.push(block);
        }
    }
    // A new service stands behind its resource.
    let place = place.or_else(|| kept.iter().position(|block| block.declares(&resource)).map(|resource| resource + 1));
    let place = place.unwrap_or(kept.len());
    let service = Block { text: format!("{comment}{service} {{\n{}{own_methods}}}\n", fill(METHODS)) };
    kept.splice(place..place, std::iter::once(service).chain(messages));
    kept.into_iter().map(|block| block.text).collect::<Vec<_>>().join("\n")
}

/// Returns the text of a contract with the message of the dataset's row written again, where it stands or at the end.
pub(crate) fn with_row(text: &str, register: &Register) -> String {
    let declares = format!("message {}Row", register.resource.name());
    let message = row::message(register);
    let mut blocks = Block::all(text);
    if let Some(block) = blocks.iter_mut().find(|block| block.declares(&declares)) {
        block.text = format!("{}{message}", block.comment());
    } else {
        let comment = format!("// A row of the dataset of {}.\n", words(&register.plural));
        blocks.push(Block { text: format!("{comment}{message}") });
    }
    blocks.into_iter().map(|block| block.text).collect::<Vec<_>>().join("\n")
}

/// A part of a contract between empty lines at its outermost level: a declaration with its comment, or the head.
#[derive(Clone, Debug, PartialEq)]
struct Block {
    text: String,
}

impl Block {
    fn all(text: &str) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut current = String::new();
        let mut inside = false;
        for line in text.lines() {
            if line.is_empty() && !inside {
                if !current.is_empty() {
                    blocks.push(Self { text: std::mem::take(&mut current) });
                }
                continue;
            }
            let declares = line.starts_with("message ") || line.starts_with("service ") || line.starts_with("enum ");
            inside = (inside || (declares && !line.ends_with('}'))) && line != "}";
            current.push_str(line);
            current.push('\n');
        }
        if !current.is_empty() {
            blocks.push(Self { text: current });
        }
        blocks
    }

    /// Returns what it declares, as `message Institution`; nothing for the head of a file.
    fn names(&self) -> Option<&str> {
        let line = self.text.lines().find(|line| !line.starts_with("//"))?;
        line.strip_suffix(" {").or_else(|| line.strip_suffix(" {}"))
    }

    fn declares(&self, what: &str) -> bool {
        self.names() == Some(what)
    }

    fn comment(&self) -> &str {
        let end = self.text.lines().take_while(|line| line.starts_with("//")).map(|line| line.len() + 1).sum();
        &self.text[..end]
    }
}

/// Puts the envelope in place of the fields of these numbers, or before the first field.
fn with_envelope(resource: &str, envelope: &str) -> String {
    let (mut head, mut rest) = (String::new(), String::new());
    let mut lines = resource.lines();
    // The comment, the first line, and the options up to the first empty line.
    for line in lines.by_ref() {
        if line.is_empty() {
            break;
        }
        head.push_str(line);
        head.push('\n');
    }
    let mut field = String::new();
    for line in lines {
        field.push_str(line);
        field.push('\n');
        let ends_a_field = line.ends_with(';') && !line.trim_start().starts_with("//");
        if ends_a_field || line == "}" {
            if !matches!(number(&field), Some(1..=3)) {
                rest.push_str(&field);
            }
            field.clear();
        }
    }
    format!("{head}\n{envelope}{rest}")
}

/// Returns the number of a field of a message.
fn number(field: &str) -> Option<u32> {
    let line = field.lines().find(|line| !line.trim_start().starts_with("//"))?;
    let (_, number) = line.split_once(" = ")?;
    number.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// Returns the methods of a service that are not written here, with their comments.
fn other_methods(service: &str, methods: &str) -> String {
    let names: Vec<&str> = methods.lines().filter_map(method_name).collect();
    let (mut others, mut current) = (String::new(), String::new());
    for line in service.lines().filter(|line| line.starts_with("  ")) {
        current.push_str(line);
        current.push('\n');
        if let Some(name) = method_name(line) {
            if !names.contains(&name) {
                others.push_str(&current);
            }
            current.clear();
        }
    }
    others
}

fn method_name(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("rpc ")?.split('(').next()
}

/// Writes a name of the contract's messages as words: `ElderMealPoints` as `elder meal points`.
fn words(camel: &str) -> String {
    minsheng_proto::snake_case(camel).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use minsheng_proto::register_of_collection;

    use super::*;

    const NEW: &str = "syntax = \"proto3\";\n\n// Health.\npackage minsheng.health.v1;\n\n// One medical institution.\nmessage Institution {\n  option (minsheng.common.v1.title_zh) = \"医疗机构\";\n\n  // Name of the institution.\n  string title = 10 [\n    (minsheng.common.v1.label_zh) = \"机构名称\"\n  ];\n}\n";

    #[test]
    fn a_resource_alone_becomes_a_contract_and_a_contract_stays_as_it_is() {
        let register = register_of_collection("institutions").expect("declared");
        let first = written(NEW, register);
        assert!(first.contains("// Keeps institutions (医疗机构).\nservice InstitutionService {\n"), "{first}");
        assert!(first.contains("pattern: \"^(institutions/[A-Za-z0-9._-]{1,128})?$\""), "{first}");
        assert!(first.contains("message UploadInstitutionsResponse {"), "{first}");
        assert!(first.contains("string title = 10 ["), "{first}");
        assert_eq!(written(&first, register), first);
    }

    #[test]
    fn methods_and_messages_of_other_names_and_the_comment_of_the_service_stay() {
        let register = register_of_collection("institutions").expect("declared");
        let own = written(NEW, register)
            .replace("// Keeps institutions (医疗机构).", "// Keeps what is ours.")
            .replace(
                "\n}\n\n// Records one.\nmessage",
                "\n  // Moves one.\n  rpc MoveInstitution(A) returns (B);\n}\n\n// Records one.\nmessage",
            )
            .replace("  // Makes the call repeatable", "  // Damaged");
        let again = format!("{own}\n// Asks for a move.\nmessage A {{}}\n");
        let text = written(&again, register);
        assert!(text.contains("  // Moves one.\n  rpc MoveInstitution(A) returns (B);\n}\n"), "{text}");
        assert!(text.contains("// Keeps what is ours.\nservice"), "{text}");
        assert!(text.ends_with("// Asks for a move.\nmessage A {}\n"), "{text}");
        assert!(!text.contains("Damaged") && text.contains("Makes the call repeatable"), "{text}");
    }
}
