//! `serve`: one department's service as a process of its own.

use std::process::ExitCode;

use minsheng_kit::{
    config::{ConfigError, EXIT_BAD_CONFIGURATION, ServiceConfig},
    identity::Department,
};

use crate::{lang::Lang, output, said, site};

pub(super) fn run(name: &str, new_database: bool, lang: Lang) -> ExitCode {
    let Some(definition) = site::service(name) else {
        output::error(site::unknown_service(name, lang));
        return ExitCode::from(output::EXIT_USAGE);
    };
    // Read here first, so that its faults are said in the language of the command line.
    if let Ok(department) = Department::new(definition.department)
        && let Err(error) = ServiceConfig::load(&department)
    {
        output::error(faults(&error, lang));
        return ExitCode::from(EXIT_BAD_CONFIGURATION);
    }
    minsheng_kit::launch::main_with(definition, new_database)
}

/// Says in words what is wrong with a configuration.
pub(super) fn faults(error: &ConfigError, lang: Lang) -> String {
    let number = error.faults.len();
    let mut text = said!(
        lang,
        "配置不可用，共 {number} 处有误，未绑定端口：",
        "the configuration cannot be used, {number} faults, no port was bound:"
    );
    for fault in &error.faults {
        let (place, problem) = (&fault.place, in_words(&fault.problem, lang));
        text.push_str(&said!(lang, "\n  {place}：{problem}", "\n  {place}: {problem}"));
    }
    text
}

/// What a first start runs into is said in the language; anything else as the kit tells it.
fn in_words(problem: &str, lang: Lang) -> String {
    if lang == Lang::En {
        return problem.to_owned();
    }
    let missing = problem.strip_prefix("is not set, nor is ").and_then(|rest| rest.strip_suffix(" in the file"));
    missing.map_or_else(|| format!("有误（{problem}）"), |key| format!("未设置，配置文件中也没有 {key}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_that_is_missing_is_told_in_the_language() {
        let department = Department::new("health").expect("a department");
        let error = ServiceConfig::from_environment(&department, [].into()).expect_err("nothing is set");
        let text = faults(&error, Lang::Zh);
        assert!(text.contains("MINSHENG_DATABASE_URL：未设置，配置文件中也没有 `database_url`"), "{text}");
        assert!(faults(&error, Lang::En).contains("MINSHENG_KEYS_DIR: is not set"));
    }
}
