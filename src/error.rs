//! What can go wrong for an operator, in the language that was chosen.

use std::path::PathBuf;

use crate::{lang::Lang, said};

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A service cannot be started, or stopped with an error.
    #[error("the service {department} does not run")]
    Service {
        /// Whose.
        department: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Certificates cannot be made or read.
    #[error("the certificates cannot be used")]
    Certificates(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A department's service answered a call with an error.
    #[error("{department} answered {method} with {status}")]
    Refused {
        /// Which department.
        department: String,
        /// Which call.
        method: String,
        /// Its answer.
        status: Box<tonic::Status>,
    },
    /// No register of that name.
    #[error("there is no register {0}")]
    UnknownRegister(String),
    /// A department whose address is not known.
    #[error("no address is known for the department {0}")]
    NoAddress(String),
    /// The configuration is not sound.
    #[error("{0}")]
    Configuration(String),
    /// A file to import cannot be read as a table of the register.
    #[error("{0}")]
    Table(#[from] crate::import::TableError),
    /// Analytics failed.
    #[error("analytics failed")]
    Analytics(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The runtime cannot be started, or a task died.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// Takes up a failure to use a file.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// Takes up anything that nobody can mend at the keyboard.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }

    /// Says it with its causes, in a language.
    pub fn message(&self, lang: Lang) -> String {
        let mut text = match self {
            Self::File { path, source } => {
                let path = path.display();
                return said!(lang, "无法读写 {path}:{source}", "cannot read or write {path}: {source}");
            }
            Self::Service { department, .. } => {
                said!(lang, "服务 {department} 无法运行", "the service {department} does not run")
            }
            Self::Certificates(_) => said!(lang, "证书不可用", "the certificates cannot be used"),
            Self::Refused { department, method, status } => {
                let (code, message) = (status.code(), status.message());
                return said!(
                    lang,
                    "{department} 对 {method} 的答复是 {code:?}:{message}",
                    "{department} answered {method} with {code:?}: {message}"
                );
            }
            Self::UnknownRegister(name) => {
                let known = crate::registers::names().join(", ");
                return said!(
                    lang,
                    "没有名为 {name} 的登记册;可用:{known}",
                    "there is no register {name}; there are: {known}"
                );
            }
            Self::NoAddress(department) => {
                let variable = format!("MINSHENG_UPSTREAM_{}", department.to_uppercase().replace('-', "_"));
                return said!(
                    lang,
                    "不知道部门 {department} 的地址:请给出 --data,或设置 {variable} 和 MINSHENG_PKI_DIR",
                    "no address is known for the department {department}: give --data, or set {variable} and MINSHENG_PKI_DIR"
                );
            }
            Self::Configuration(what) => return said!(lang, "配置有误:{what}", "the configuration is wrong: {what}"),
            Self::Table(error) => return error.message(lang),
            Self::Analytics(_) => said!(lang, "统计分析失败", "analytics failed"),
            Self::Internal(what) => return said!(lang, "内部错误:{what}", "internal error: {what}"),
        };
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}
