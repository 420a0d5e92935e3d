//! What can go wrong for an operator, in the language that was chosen.

use std::path::PathBuf;

use crate::{
    lang::{InBothLanguages, Lang, Text},
    said,
};

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
    /// Neither a data directory nor addresses were given.
    #[error("no services are known")]
    NoServices,
    /// Another process has the records of a data directory open.
    #[error("{} is in use", .0.display())]
    InUse(PathBuf),
    /// A data directory in which nothing was ever begun.
    #[error("{} is no data directory", .0.display())]
    NoData(PathBuf),
    /// A data directory holds something else than what is to be loaded.
    #[error("{0}")]
    Taken(Box<dyn InBothLanguages>),
    /// A service does not say that it serves.
    #[error("{department} does not serve: {why}")]
    NotServing {
        /// Which.
        department: String,
        /// What it said instead, or why it could not be asked.
        why: String,
    },
    /// The configuration is not sound.
    #[error("{0}")]
    Configuration(String),
    /// A file to import cannot be read as a table of the register.
    #[error("{0}")]
    Table(#[from] crate::import::TableError),
    /// A build or a table cannot be compared with.
    #[error(transparent)]
    Compare(#[from] crate::bench::compare::CompareError),
    /// Analytics failed.
    #[error("analytics failed")]
    Analytics(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The runtime cannot be started, or a task died.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// Wraps a failure to use a file.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// Wraps anything that nobody can mend at the keyboard.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }

    /// Renders it with its causes, in a language.
    pub fn message(&self, lang: Lang) -> String {
        let mut text = match self {
            Self::File { path, source } => {
                let (path, cause) = (path.display(), cause_text(lang, source));
                return said!(lang, "无法读写 {path}：{cause}", "cannot read or write {path}: {cause}");
            }
            Self::Service { department, .. } => {
                said!(lang, "服务 {department} 无法运行", "the service {department} does not run")
            }
            Self::Certificates(_) => said!(lang, "证书不可用", "the certificates cannot be used"),
            Self::Refused { department, method, status } => {
                let (code, message) = (status.code(), status.message());
                let hint = lang.pick(hint(code));
                return said!(
                    lang,
                    "{department} 对 {method} 的答复是 {code:?}({hint}):{message}",
                    "{department} answered {method} with {code:?} ({hint}): {message}"
                );
            }
            Self::UnknownRegister(name) => {
                let known = crate::registers::names().join(", ");
                return said!(
                    lang,
                    "没有名为 {name} 的台账；可用：{known}",
                    "there is no register {name}; there are: {known}"
                );
            }
            Self::NoAddress(department) => {
                let variable = format!("MINSHENG_UPSTREAM_{}", department.to_uppercase().replace('-', "_"));
                return said!(
                    lang,
                    "不知道部门 {department} 的地址：请给出 --data，或设置 {variable} 和 MINSHENG_PKI_DIR",
                    "no address is known for the department {department}: give --data, or set {variable} and MINSHENG_PKI_DIR"
                );
            }
            Self::NoServices => {
                return said!(
                    lang,
                    "不知道服务在哪里：请给出演示的数据目录，如 --data minsheng-data（演示以 --serve 运行时也可以）；或为另行运行的服务设置 MINSHENG_PKI_DIR 和 MINSHENG_UPSTREAM_部门",
                    "where the services are is not known: give the demo's data directory, as --data minsheng-data (beside a running `demo --serve` too), or set MINSHENG_PKI_DIR and MINSHENG_UPSTREAM_<DEPARTMENT> for services that run elsewhere"
                );
            }
            Self::InUse(directory) => {
                let place = directory.display();
                return said!(
                    lang,
                    "另一进程正在使用 {place}：请先等它结束，或停止它（Ctrl-C）",
                    "another process is using {place}: wait until it ends, or stop it (Ctrl-C) first"
                );
            }
            Self::NoData(directory) => {
                let place = directory.display();
                return said!(
                    lang,
                    "{place} 不是数据目录：其中没有证书，也没有记录。请核对 --data；尚无数据时，可先用 demo --data {place} 载入演示数据，或用 import 加 --new 新建",
                    "{place} is no data directory: it has neither certificates nor records. Check --data; where there is no data yet, `demo --data {place}` loads a demo, and `import` with --new begins a directory of your own"
                );
            }
            Self::Taken(by) => return by.message(lang),
            Self::NotServing { department, why } => {
                return said!(lang, "{department} 未在服务：{why}", "{department} does not serve: {why}");
            }
            Self::Configuration(what) => return said!(lang, "配置有误：{what}", "the configuration is wrong: {what}"),
            Self::Table(error) => return error.message(lang),
            Self::Compare(error) => return error.message(lang),
            Self::Analytics(_) => said!(lang, "统计分析失败", "analytics failed"),
            Self::Internal(what) => return said!(lang, "内部错误：{what}", "internal error: {what}"),
        };
        let mut cause = std::error::Error::source(self);
        let mut between = lang.pick(Text { zh: "；技术原因：", en: ": " });
        while let Some(error) = cause {
            text = format!("{text}{between}{}", cause_text(lang, error));
            cause = error.source();
            between = ": ";
        }
        text
    }
}

/// Renders a cause: what the system reports has words of its own in each language, with the system's behind them.
fn cause_text(lang: Lang, cause: &(dyn std::error::Error + 'static)) -> String {
    use std::io::ErrorKind;
    let zh = match cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(ErrorKind::NotFound) => "文件或目录不存在",
        Some(ErrorKind::PermissionDenied) => "没有权限",
        Some(ErrorKind::AddrInUse) => "端口已被占用",
        Some(ErrorKind::AddrNotAvailable) => "本机没有该地址",
        Some(ErrorKind::ConnectionRefused) => "对方没有在监听",
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => "磁盘已满",
        Some(ErrorKind::ReadOnlyFilesystem) => "文件系统只读",
        Some(ErrorKind::IsADirectory) => "是目录而不是文件",
        Some(ErrorKind::NotADirectory) => "路径中有一级不是目录",
        Some(ErrorKind::WouldBlock) => "正被另一进程使用",
        _ => return cause.to_string(),
    };
    said!(lang, "{zh}（{cause}）", "{cause}")
}

/// What an operator may make of a service's answer.
fn hint(code: tonic::Code) -> Text {
    use tonic::Code;
    match code {
        Code::Unavailable => Text { zh: "无法连接", en: "it cannot be reached" },
        Code::DeadlineExceeded => Text { zh: "超时", en: "it took too long" },
        Code::ResourceExhausted => Text { zh: "过于繁忙", en: "it is too busy" },
        Code::Unauthenticated | Code::PermissionDenied => Text { zh: "不允许", en: "it does not permit that" },
        Code::InvalidArgument => Text { zh: "请求有误", en: "the request is wrong" },
        Code::NotFound => Text { zh: "不存在", en: "there is no such thing" },
        Code::Aborted | Code::AlreadyExists => {
            Text { zh: "此前已有不同内容", en: "another content was there before" }
        }
        Code::FailedPrecondition => Text { zh: "条件不满足", en: "something else must be done first" },
        Code::Unimplemented => Text { zh: "服务版本不同", en: "its version is another" },
        _ => Text { zh: "服务出错", en: "it failed" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_reports_is_said_in_the_chosen_language_with_its_own_words_behind() {
        let missing = std::fs::File::open("/nowhere/file.csv").map_err(Error::file("/nowhere/file.csv"));
        let missing = missing.expect_err("there is no such file");
        let chinese = missing.message(Lang::Zh);
        assert!(chinese.starts_with("无法读写 /nowhere/file.csv：文件或目录不存在（"), "{chinese}");
        assert!(!missing.message(Lang::En).contains("文件"), "{}", missing.message(Lang::En));
        let taken = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        let taken = Error::Service { department: "health".to_owned(), source: Box::new(taken) }.message(Lang::Zh);
        assert!(taken.contains("端口已被占用"), "{taken}");
    }
}
