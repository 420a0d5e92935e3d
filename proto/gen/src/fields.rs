//! What the contract says of a message or a field: its comment, its options, its rules.

use minsheng_proto::descriptors;
use prost_reflect::{FieldDescriptor, FileDescriptor, MessageDescriptor};

/// Returns the comment of a message.
pub(crate) fn message_comment(message: &MessageDescriptor) -> String {
    comment(&message.parent_file(), message.path())
}

/// Returns the comment of a field.
pub(crate) fn field_comment(field: &FieldDescriptor) -> String {
    comment(&field.parent_file(), field.path())
}

fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let location = info.and_then(|info| info.location.iter().find(|location| location.path == path));
    let comment = location.and_then(|location| location.leading_comments.clone()).unwrap_or_default();
    comment.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reports whether the contract's rules demand a value: by `required`, or by refusing an enumeration's zero.
pub(crate) fn is_required(field: &FieldDescriptor) -> bool {
    let Some(extension) = descriptors().get_extension_by_name("buf.validate.field") else { return false };
    let options = field.options();
    let rules = options.get_extension(&extension);
    let Some(rules) = rules.as_message() else { return false };
    let required = rules.get_field_by_name("required").is_some_and(|value| value.as_bool() == Some(true));
    let of_enum = rules.get_field_by_name("enum");
    let not_in = of_enum.as_ref().and_then(|rules| rules.as_message()?.get_field_by_name("not_in"));
    let refuses_zero = not_in
        .as_ref()
        .and_then(|numbers| numbers.as_list())
        .is_some_and(|numbers| numbers.iter().any(|number| number.as_i32() == Some(0)));
    required || refuses_zero
}

/// Reports whether a scalar field may be absent.
pub(crate) fn is_optional(field: &FieldDescriptor) -> bool {
    field.field_descriptor_proto().proto3_optional()
}
