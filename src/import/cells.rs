//! One cell of a table into one field of a message.

use chrono::{Datelike as _, NaiveDate};
use minsheng_proto::{short_value_name, value_label_zh};
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::{lang::Lang, said};

/// Why a cell does not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellError {
    /// Neither of 是, 否, true, false, 1, 0.
    NotBoolean,
    /// Not a whole number, or too large.
    NotWhole,
    /// Not a number.
    NotNumber,
    /// Not of the form YYYY-MM-DD, or no day of the calendar.
    NotDate,
    /// Not of the form YYYY-MM.
    NotMonth,
    /// None of the values of the list.
    NotInList(Vec<String>),
    /// What a spreadsheet puts where a formula has no result.
    ErrorValue(String),
    /// A number of which a spreadsheet has lost the last digits.
    LongNumber,
}

impl CellError {
    /// Renders it in a language.
    pub fn message(&self, lang: Lang) -> String {
        match self {
            Self::NotBoolean => said!(lang, "应为 是 或 否", "must be 是 or 否, true or false"),
            Self::NotWhole => said!(lang, "应为整数", "must be a whole number"),
            Self::NotNumber => said!(lang, "应为数字", "must be a number"),
            Self::NotDate => said!(lang, "应为日期，形如 2025-09-01", "must be a day such as 2025-09-01"),
            Self::NotMonth => said!(lang, "应为月份，形如 2025-09", "must be a month such as 2025-09"),
            Self::NotInList(values) => {
                let values = values.join(", ");
                said!(lang, "应为以下之一：{values}", "must be one of: {values}")
            }
            Self::ErrorValue(text) => {
                said!(lang, "是表格软件的错误值 {text}，不是数据", "is the spreadsheet's error value {text}, no data")
            }
            Self::LongNumber => said!(
                lang,
                "数字超过 15 位，表格软件已丢失末尾数位；请把此列设为文本格式后重新输入",
                "is a number of more than 15 digits, of which the spreadsheet has lost the last; set the column to text and type it again"
            ),
        }
    }
}

/// What a column's cells hold, for the notes of a template and for reading.
#[derive(Clone, Debug, PartialEq)]
pub enum CellKind {
    /// Text as it is.
    Text,
    /// 是 or 否.
    Boolean,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// A day.
    Date,
    /// A month.
    Month,
    /// One value of a list.
    OneOf(EnumDescriptor),
}

impl CellKind {
    /// Finds what cells of a field hold; none for fields that no cell can.
    pub fn of(field: &FieldDescriptor) -> Option<Self> {
        Some(match field.kind() {
            Kind::String => Self::Text,
            Kind::Bool => Self::Boolean,
            Kind::Int32 | Kind::Int64 => Self::Whole,
            Kind::Double => Self::Number,
            Kind::Enum(list) => Self::OneOf(list),
            Kind::Message(message) if message.name() == "Date" => Self::Date,
            Kind::Message(message) if message.name() == "YearMonth" => Self::Month,
            _ => return None,
        })
    }
}

/// Lists the values of a list in both languages.
pub fn values_of(list: &EnumDescriptor) -> Vec<(String, String)> {
    list.values()
        .filter_map(|value| {
            let short = short_value_name(&value)?;
            Some((value_label_zh(&value).unwrap_or_else(|| short.clone()), short))
        })
        .collect()
}

/// Reads a cell that is not empty.
pub fn value(field: &FieldDescriptor, cell: &str) -> Result<Value, CellError> {
    let text = cell.trim();
    match (CellKind::of(field), field.kind()) {
        (Some(CellKind::Boolean), _) => boolean(text).map(Value::Bool),
        (Some(CellKind::Whole), Kind::Int32) => {
            whole(text).and_then(|number| i32::try_from(number).map_err(|_| CellError::NotWhole)).map(Value::I32)
        }
        (Some(CellKind::Whole), _) => whole(text).map(Value::I64),
        (Some(CellKind::Number), _) => text
            .replace(',', "")
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .map(Value::F64)
            .ok_or(CellError::NotNumber),
        (Some(CellKind::OneOf(list)), _) => one_of(&list, text),
        (Some(CellKind::Date), Kind::Message(message)) => {
            let day = date(text).ok_or(CellError::NotDate)?;
            let (month, day_of_month) = (small(day.month()), small(day.day()));
            Ok(parts(&message, &[("year", day.year()), ("month", month), ("day", day_of_month)]))
        }
        (Some(CellKind::Month), Kind::Message(message)) => {
            let (year, month) = month(text).ok_or(CellError::NotMonth)?;
            Ok(parts(&message, &[("year", year), ("month", month)]))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or_default()
}

fn parts(message: &MessageDescriptor, numbers: &[(&str, i32)]) -> Value {
    let mut made = DynamicMessage::new(message.clone());
    for (name, number) in numbers {
        made.set_field_by_name(name, Value::I32(*number));
    }
    Value::Message(made)
}

fn boolean(text: &str) -> Result<bool, CellError> {
    match text.to_ascii_lowercase().as_str() {
        "是" | "true" | "1" | "yes" | "y" => Ok(true),
        "否" | "false" | "0" | "no" | "n" => Ok(false),
        _ => Err(CellError::NotBoolean),
    }
}

fn whole(text: &str) -> Result<i64, CellError> {
    let text = text.replace(',', "");
    // Workbooks write whole numbers as 12.0 now and then.
    let text = text.strip_suffix(".0").unwrap_or(&text);
    text.parse().map_err(|_| CellError::NotWhole)
}

/// Reads `2025-09-01`, `2025/9/1` or `20250901`.
pub fn date(text: &str) -> Option<NaiveDate> {
    let text = text.split(['T', ' ']).next()?;
    ["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y%m%d"]
        .iter()
        .find_map(|form| NaiveDate::parse_from_str(text, form).ok())
}

fn month(text: &str) -> Option<(i32, i32)> {
    let (year, month) = match text.split_once(['-', '/', '年']) {
        Some((year, rest)) => (year, rest.trim_end_matches('月')),
        None if text.len() == 6 && text.is_ascii() => text.split_at(4),
        None => return date(text).map(|day| (day.year(), small(day.month()))),
    };
    let month = month.split('-').next()?;
    let (year, month) = (year.parse().ok()?, month.parse().ok()?);
    (1..=12).contains(&month).then_some((year, month))
}

fn one_of(list: &EnumDescriptor, text: &str) -> Result<Value, CellError> {
    let wanted = text.to_uppercase().replace([' ', '-'], "_");
    let found = list.values().find(|value| {
        let short = short_value_name(value);
        short.is_some()
            && (short.as_deref() == Some(&wanted)
                || value.name() == wanted
                || value_label_zh(value).as_deref() == Some(text))
    });
    found
        .map(|value| Value::EnumNumber(value.number()))
        .ok_or_else(|| CellError::NotInList(values_of(list).into_iter().map(|(zh, en)| format!("{zh} {en}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registers;

    fn field(register: &str, name: &str) -> FieldDescriptor {
        let register = registers::find(register).expect("a register");
        register.resource.get_field_by_name(name).expect("a field")
    }

    #[test]
    fn values_of_lists_are_read_in_both_languages() {
        let kind = field("service_points", "kind");
        for text in ["老年助餐点", "ELDER_MEAL_POINT", "elder meal point", "SERVICE_POINT_KIND_ELDER_MEAL_POINT"] {
            assert_eq!(value(&kind, text), Ok(Value::EnumNumber(1)), "{text}");
        }
        assert!(matches!(value(&kind, "饭店"), Err(CellError::NotInList(values)) if values.len() == 10));
        assert!(value(&kind, "UNSPECIFIED").is_err());
    }

    #[test]
    fn days_are_read_as_people_write_them_and_days_that_do_not_exist_are_refused() {
        let opened = field("service_points", "opened_on");
        for text in ["2025-09-01", "2025/9/1", "20250901", "2025年9月1日", "2025-09-01 00:00:00"] {
            assert!(matches!(value(&opened, text), Ok(Value::Message(_))), "{text}");
        }
        assert_eq!(value(&opened, "2025-02-30"), Err(CellError::NotDate));
    }

    #[test]
    fn booleans_and_numbers_are_read() {
        let free = field("service_points", "free_or_low_charge");
        assert_eq!(value(&free, "是"), Ok(Value::Bool(true)));
        assert_eq!(value(&free, "FALSE"), Ok(Value::Bool(false)));
        assert_eq!(value(&free, "也许"), Err(CellError::NotBoolean));
        let capacity = field("service_points", "capacity");
        assert_eq!(value(&capacity, "1,200"), Ok(Value::I64(1_200)));
        assert_eq!(value(&capacity, "12.0"), Ok(Value::I64(12)));
        assert_eq!(value(&capacity, "12.5"), Err(CellError::NotWhole));
    }

    #[test]
    fn months_are_read() {
        let month = field("returns", "month");
        for text in ["2025-09", "2025/9", "202509", "2025年9月", "2025-09-30"] {
            assert!(matches!(value(&month, text), Ok(Value::Message(_))), "{text}");
        }
        assert_eq!(value(&month, "2025-13"), Err(CellError::NotMonth));
    }
}
