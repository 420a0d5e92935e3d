//! The two languages of everything that is printed.
//!
//! A message is written once, both texts side by side: [`said!`](crate::said) for one with values, [`Text`] for a fixed
//! one. The language is chosen once, at the start, and handed down.

use std::ffi::OsString;

/// Language of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

/// A fixed text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// 中文
    pub zh: &'static str,
    /// English
    pub en: &'static str,
}

impl Lang {
    /// Reads `--lang` before anything else is parsed, because errors of parsing are printed too; otherwise the locale.
    pub fn chosen(arguments: &[OsString]) -> Self {
        let given = arguments.iter().enumerate().find_map(|(index, argument)| {
            let text = argument.to_str()?;
            match text.strip_prefix("--lang") {
                Some("") => arguments.get(index + 1)?.to_str(),
                Some(value) => value.strip_prefix('='),
                None => None,
            }
        });
        match given {
            Some("zh") => Self::Zh,
            Some("en") => Self::En,
            // Any other is refused, in the locale's language.
            _ => Self::of_locale(sys_locale::get_locale().as_deref()),
        }
    }

    /// Returns the language of a locale such as `zh-CN` or `en_GB.UTF-8`; English for any other.
    pub fn of_locale(locale: Option<&str>) -> Self {
        if locale.is_some_and(|locale| locale.to_ascii_lowercase().starts_with("zh")) { Self::Zh } else { Self::En }
    }

    /// Picks a text.
    pub fn pick(self, text: Text) -> &'static str {
        match self {
            Self::Zh => text.zh,
            Self::En => text.en,
        }
    }

    /// Picks of two strings that come from data, where the Chinese one may be missing.
    pub fn of<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh if !zh.is_empty() => zh,
            _ => en,
        }
    }
}

/// Formats a message in the chosen language: `said!(lang, "已载入 {n} 条", "{n} records loaded")`.
#[macro_export]
macro_rules! said {
    ($lang:expr, $zh:literal, $en:literal $(, $($argument:tt)*)?) => {
        match $lang {
            $crate::lang::Lang::Zh => format!($zh $(, $($argument)*)?),
            $crate::lang::Lang::En => format!($en $(, $($argument)*)?),
        }
    };
}

/// An error that says itself in either language.
pub trait InBothLanguages: std::error::Error + Send + Sync + 'static {
    /// Returns what went wrong, and what to do.
    fn message(&self, lang: Lang) -> String;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_option_wins_wherever_it_stands() {
        assert_eq!(Lang::chosen(&arguments(&["minsheng", "demo", "--lang", "zh"])), Lang::Zh);
        assert_eq!(Lang::chosen(&arguments(&["minsheng", "--lang=en", "demo"])), Lang::En);
    }

    #[test]
    fn a_locale_that_is_not_chinese_reads_english() {
        assert_eq!(Lang::of_locale(Some("zh_CN.UTF-8")), Lang::Zh);
        assert_eq!(Lang::of_locale(Some("bo-CN")), Lang::En);
        assert_eq!(Lang::of_locale(None), Lang::En);
    }
}
