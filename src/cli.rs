//! Commands and options, in both languages.
//!
//! The derive holds the structure and the English help; [`ZH`] holds the Chinese one by path, and a test sees that
//! none is missing.

use std::{ffi::OsString, path::PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use clap::{
    Args, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};
use serde::{Deserialize, Serialize};

use minsheng_analytics::model::REGION;

use crate::{bench::BenchArgs, lang::Lang};

/// Livelihood commitments: departments' records, and one page that says how far they have come.
#[derive(Debug, Parser)]
#[command(name = "minsheng", version, disable_help_subcommand = true)]
pub struct Cli {
    /// Language of what is printed: zh or en; otherwise that of the locale
    #[arg(long, global = true, value_name = "LANG", value_parser = ["zh", "en"], hide_possible_values = true)]
    pub lang: Option<String>,
    /// What is to be done.
    #[command(subcommand)]
    pub command: Action,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Start the four services, load a province through their RPCs, print the scoreboard
    Demo(DemoArgs),
    /// Run one department's service, configured by environment and file
    Serve(ServeArgs),
    /// Make the report of a day
    Report(ReportArgs),
    /// Make reports at the times of a cron expression, and serve the newest where `MINSHENG_LISTEN` says
    Schedule(ScheduleArgs),
    /// Say what stands behind a figure, down to the records
    Explain(ExplainArgs),
    /// Compare two reports: what was restated, what is new, and which records did it
    Diff(DiffArgs),
    /// Say which verdicts another target, due date or parameter would change; changes nothing
    WhatIf(WhatIfArgs),
    /// Load a CSV or XLSX file into a register
    Import(ImportArgs),
    /// Check the lake's files, and that every register holds as many records as the lake, county by county
    Verify(VerifyArgs),
    /// What the lake holds; compacts it, or lets it forget, where that is asked for
    Lake(LakeArgs),
    /// Whether a lake or a report is what analytics signed
    Signature(SignatureArgs),
    /// Ask a service whether it serves
    Health(HealthArgs),
    /// What the suite costs over a baseline, as ratios measured in one run
    Bench(BenchArgs),
    /// Development certificates for mutual TLS
    Pki {
        /// What is to be done.
        #[command(subcommand)]
        action: PkiAction,
    },
    /// Write the contracts as files, for a client of the services
    Contracts(ContractsArgs),
    /// The dated figures that rules read
    Parameters {
        /// What is to be done.
        #[command(subcommand)]
        action: ParametersAction,
    },
}

/// Which records the demo loads.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// An invented province.
    Synthetic,
    /// Published figures only.
    Public,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Data directory, made when missing; minsheng-data (synthetic) or minsheng-data-public (public) unless given
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// How many people and cases, as a multiple of the usual number
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    pub scale: f64,
    /// What the invented province is made from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// synthetic: an invented province; public: published figures only
    #[arg(long, value_enum, default_value_t = Profile::Synthetic, hide_possible_values = true)]
    pub profile: Profile,
    /// Keep the services running afterwards and print a line to try
    #[arg(long)]
    pub serve: bool,
    /// Day of the report; 2026-03-31 (synthetic) or today (public) unless given
    #[arg(long, value_name = "DATE")]
    pub on: Option<NaiveDate>,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// social-security, education, health or community
    pub service: String,
    /// Begin with an empty database though the department's secret is there
    #[arg(long)]
    pub new: bool,
}

/// Options of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Day that the figures are true for; today unless given
    #[arg(long, value_name = "DATE")]
    pub on: Option<NaiveDate>,
    /// Instant up to which records count, as 2026-04-01T00:00:00Z; all unless given
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<DateTime<Utc>>,
    /// Directory of the report
    #[arg(long, default_value = "report")]
    pub out: PathBuf,
    /// Directory of the lake; that of the data directory, or ./lake, unless given
    #[arg(long)]
    pub lake: Option<PathBuf>,
    /// Data directory of the demo; its services are started for the time of the run, or found where `demo --serve` runs
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Read no service: the lake speaks as it is
    #[arg(long, conflicts_with = "data")]
    pub offline: bool,
}

/// Options of `schedule`.
#[derive(Debug, Args)]
pub struct ScheduleArgs {
    /// When, as a cron expression
    #[arg(long, default_value = "0 6 * * *")]
    pub cron: String,
    /// Time zone of the expression
    #[arg(long, default_value = "Asia/Shanghai")]
    pub zone: String,
    /// Directory of the reports, one below it for each run
    #[arg(long, default_value = "reports")]
    pub out: PathBuf,
    /// Directory of the lake
    #[arg(long, default_value = "lake")]
    pub lake: PathBuf,
    /// How many reports are kept, at least 3: the newest; all unless given
    #[arg(long, value_name = "N", value_parser = reports_kept)]
    pub keep: Option<usize>,
    /// Address to which verdicts that changed are posted, http or https
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
}

/// Which lake is asked, and for when.
#[derive(Debug, Args)]
pub struct LakeOfDayArgs {
    /// Day that the figures are true for; today unless given
    #[arg(long, value_name = "DATE")]
    pub on: Option<NaiveDate>,
    /// Instant up to which records count, as 2026-04-01T00:00:00Z; all unless given
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<DateTime<Utc>>,
    /// Directory of the lake; that of the data directory, or ./lake, unless given
    #[arg(long)]
    pub lake: Option<PathBuf>,
    /// Data directory of the demo, whose lake is read as it is
    #[arg(long, conflicts_with = "lake")]
    pub data: Option<PathBuf>,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The commitment, as `elder-meal-points`
    pub commitment: String,
    /// The area: the region, a prefecture or a county, six digits
    #[arg(long, default_value = REGION, value_name = "CODE")]
    pub area: String,
    /// The lake, and the day.
    #[command(flatten)]
    pub of: LakeOfDayArgs,
    /// How many of the records behind the figure are named
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub records: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// Two directories of reports, the earlier first; without them two days of a lake are compared
    #[arg(num_args = 2, value_name = "REPORT")]
    pub reports: Vec<PathBuf>,
    /// Day of the earlier figures; that of the later ones unless given
    #[arg(long, value_name = "DATE", conflicts_with = "reports")]
    pub from_on: Option<NaiveDate>,
    /// Instant up to which records count in the earlier figures; that of the later ones unless given
    #[arg(long, value_name = "TIME", conflicts_with = "reports")]
    pub from_as_of: Option<DateTime<Utc>>,
    /// The lake, and the day.
    #[command(flatten)]
    pub of: LakeOfDayArgs,
    /// How many figures and records are printed of each sort; JSON has all
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub most: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `what-if`.
#[derive(Debug, Args)]
pub struct WhatIfArgs {
    /// The commitment, as `elder-meal-points`
    pub commitment: String,
    /// Another target
    #[arg(long, value_name = "NUMBER")]
    pub target: Option<f64>,
    /// Another last day on which the target must hold
    #[arg(long, value_name = "DATE")]
    pub due: Option<NaiveDate>,
    /// Another figure of its expressions, as NAME=VALUE; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameter: Vec<(String, i64)>,
    /// The lake, and the day.
    #[command(flatten)]
    pub of: LakeOfDayArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `import`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that is given or not")]
pub struct ImportArgs {
    /// The register, as `service_points`
    pub register: String,
    /// The file: CSV (UTF-8) or XLSX
    pub file: PathBuf,
    /// Write an empty file with headers and notes instead of reading one
    #[arg(long)]
    pub template: bool,
    /// Check every row, load none
    #[arg(long)]
    pub dry_run: bool,
    /// Load all rows or none: one bad row keeps all out; up to 2000 rows go in together, more in chunks of 2000 (run
    /// again after a crash)
    #[arg(long)]
    pub all_or_nothing: bool,
    /// Data directory of the demo; its services are started for the time of the import, or found where `demo --serve`
    /// runs
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Make the data directory if there is none; a demo is never loaded into it
    #[arg(long, requires = "data")]
    pub new: bool,
}

/// Options of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Day on which records are in force that are counted; today unless given
    #[arg(long, value_name = "DATE")]
    pub on: Option<NaiveDate>,
    /// Data directory of the demo; without it the services that the environment names, or minsheng-data
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Directory of the lake; that of the data directory, or ./lake, unless given
    #[arg(long)]
    pub lake: Option<PathBuf>,
}

/// Options of `lake`.
#[derive(Debug, Args)]
pub struct LakeArgs {
    /// Directory of the lake
    #[arg(long, default_value = "lake")]
    pub lake: PathBuf,
    /// Make one file of the small ones of each month now, however few they are
    #[arg(long)]
    pub compact: bool,
    /// Forget what was corrected before this instant, as 2025-01-01T00:00:00Z; no earlier one can be asked for then
    #[arg(long, value_name = "TIME")]
    pub forget_before: Option<DateTime<Utc>>,
}

/// Options of `signature`.
#[derive(Debug, Args)]
pub struct SignatureArgs {
    /// Directory of the lake or of the report
    pub directory: PathBuf,
    /// Directory with the authority's certificate, ca.pem
    #[arg(long, default_value = "minsheng-data/pki")]
    pub pki: PathBuf,
}

/// Options of `health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// social-security, education, health, community or analytics
    pub service: String,
    /// Where it listens, as https://HOST:PORT; where this machine's environment says unless given
    #[arg(long, value_name = "URL")]
    pub address: Option<String>,
}

/// Options of `contracts`.
#[derive(Debug, Args)]
pub struct ContractsArgs {
    /// Directory, made when missing
    #[arg(long)]
    pub out: PathBuf,
}

/// What is done with certificates.
#[derive(Debug, Subcommand)]
pub enum PkiAction {
    /// Make an authority and one certificate for each department
    Init {
        /// Directory
        #[arg(long, default_value = "minsheng-data/pki")]
        dir: PathBuf,
        /// Departments, separated by commas
        #[arg(long, value_delimiter = ',', default_values_t = crate::site::DEPARTMENTS.map(str::to_owned))]
        departments: Vec<String>,
    },
}

/// What is done with parameters.
#[derive(Debug, Subcommand)]
pub enum ParametersAction {
    /// List them with their days, sources and how sure they are
    List {
        /// Only keys that begin with this
        #[arg(default_value = "")]
        prefix: String,
        /// Only what holds on this day
        #[arg(long, value_name = "DATE")]
        on: Option<NaiveDate>,
    },
}

fn scale(text: &str) -> Result<f64, String> {
    text.parse::<f64>().ok().filter(|scale| *scale > 0.0 && *scale <= 100.0).ok_or_else(|| "0 < N <= 100".to_owned())
}

/// A report is protected beside the earlier ones that stand beside it.
fn reports_kept(text: &str) -> Result<usize, String> {
    text.parse::<usize>().ok().filter(|kept| *kept >= 3).ok_or_else(|| "N >= 3".to_owned())
}

fn parameter(text: &str) -> Result<(String, i64), String> {
    let parts = text.split_once('=').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
    parts.ok_or_else(|| "NAME=VALUE, a whole number".to_owned())
}

/// Chinese help by path: command, then option.
const ZH: &[(&str, &str)] = &[
    ("minsheng", "民生承诺：各部门的记录，汇成一页，看每项承诺落实到哪一步。"),
    ("minsheng.lang", "输出语言：zh 或 en；缺省取自系统区域设置"),
    ("minsheng.demo", "启动四个服务，经其 RPC 载入一个自治区的数据，打印进度一览"),
    ("minsheng.demo.data", "数据目录，没有则新建；缺省 minsheng-data（synthetic）或 minsheng-data-public(public)"),
    ("minsheng.demo.scale", "人员与案件数量，为常用数量的倍数"),
    ("minsheng.demo.seed", "虚构数据的种子"),
    ("minsheng.demo.profile", "synthetic：虚构的自治区；public：只用已公布的数字"),
    ("minsheng.demo.serve", "完成后保持服务运行，并打印一条可试用的命令"),
    ("minsheng.demo.on", "报告日期；缺省 2026-03-31（synthetic）或今天（public）"),
    ("minsheng.serve", "运行一个部门的服务，按环境变量和文件配置"),
    ("minsheng.serve.service", "social-security、education、health 或 community"),
    ("minsheng.serve.new", "部门密钥已存在而数据库为空时，仍从空库开始"),
    ("minsheng.report", "生成某日的报告"),
    ("minsheng.report.on", "数字所属日期；缺省今天"),
    ("minsheng.report.as_of", "计入此刻之前的记录，如 2026-04-01T00:00:00Z；缺省全部"),
    ("minsheng.report.out", "报告目录"),
    ("minsheng.report.lake", "数据湖目录；缺省为数据目录下的或 ./lake"),
    ("minsheng.report.data", "演示的数据目录；运行期间启动其中的服务，或使用 demo --serve 正在运行的"),
    ("minsheng.report.offline", "不读任何服务，只用数据湖"),
    ("minsheng.schedule", "按 cron 表达式定时生成报告，并在 MINSHENG_LISTEN 所示地址提供最新一份的数据"),
    ("minsheng.schedule.cron", "何时，cron 表达式"),
    ("minsheng.schedule.zone", "表达式的时区"),
    ("minsheng.schedule.out", "报告目录，每次运行一个子目录"),
    ("minsheng.schedule.lake", "数据湖目录"),
    ("minsheng.schedule.keep", "保留最近多少份报告，至少 3；缺省全部保留"),
    ("minsheng.schedule.webhook", "结论改变时通知的地址，http 或 https"),
    ("minsheng.explain", "说明一个数字由什么得来，直到其背后的记录"),
    ("minsheng.explain.commitment", "承诺事项，如 elder-meal-points"),
    ("minsheng.explain.area", "区划：自治区、地（市）或县（区），六位代码"),
    ("minsheng.explain.on", "数字所属日期；缺省今天"),
    ("minsheng.explain.as_of", "计入此刻之前的记录，如 2026-04-01T00:00:00Z；缺省全部"),
    ("minsheng.explain.lake", "数据湖目录；缺省为数据目录下的或 ./lake"),
    ("minsheng.explain.data", "演示的数据目录，按其数据湖现状读取"),
    ("minsheng.explain.records", "列出多少条背后的记录"),
    ("minsheng.explain.json", "输出 JSON"),
    ("minsheng.diff", "比较两份报告：哪些数字被修订，哪些是新的，由哪些记录引起"),
    ("minsheng.diff.reports", "两个报告目录，先旧后新；不给则比较数据湖的两个日期"),
    ("minsheng.diff.from_on", "较早一组数字的日期；缺省与较晚一组相同"),
    ("minsheng.diff.from_as_of", "较早一组数字计入此刻之前的记录；缺省与较晚一组相同"),
    ("minsheng.diff.on", "数字所属日期；缺省今天"),
    ("minsheng.diff.as_of", "计入此刻之前的记录，如 2026-04-01T00:00:00Z；缺省全部"),
    ("minsheng.diff.lake", "数据湖目录；缺省为数据目录下的或 ./lake"),
    ("minsheng.diff.data", "演示的数据目录，按其数据湖现状读取"),
    ("minsheng.diff.most", "每类打印多少个数字和记录；JSON 中有全部"),
    ("minsheng.diff.json", "输出 JSON"),
    ("minsheng.what-if", "若目标、期限或参数不同，哪些结论会改变；不改动任何数据"),
    ("minsheng.what-if.commitment", "承诺事项，如 elder-meal-points"),
    ("minsheng.what-if.target", "另一目标值"),
    ("minsheng.what-if.due", "另一期限"),
    ("minsheng.what-if.parameter", "表达式所用参数的另一数值，NAME=VALUE；可多次给出"),
    ("minsheng.what-if.on", "数字所属日期；缺省今天"),
    ("minsheng.what-if.as_of", "计入此刻之前的记录，如 2026-04-01T00:00:00Z；缺省全部"),
    ("minsheng.what-if.lake", "数据湖目录；缺省为数据目录下的或 ./lake"),
    ("minsheng.what-if.data", "演示的数据目录，按其数据湖现状读取"),
    ("minsheng.what-if.json", "输出 JSON"),
    ("minsheng.import", "把 CSV 或 XLSX 文件载入台账"),
    ("minsheng.import.register", "台账，如 service_points 或 服务点"),
    ("minsheng.import.file", "文件：CSV（UTF-8）或 XLSX"),
    ("minsheng.import.template", "不读取，而是写出带表头和说明的空文件"),
    ("minsheng.import.dry_run", "检查每一行，一行也不载入"),
    (
        "minsheng.import.all_or_nothing",
        "要么全部载入，要么一行也不载入：有一行有误即全不载入；2000 行以内一次写入，更多则每 2000 行一批（中断后再次运行即补齐）",
    ),
    ("minsheng.import.data", "演示的数据目录；导入期间启动其中的服务，或使用 demo --serve 正在运行的"),
    ("minsheng.import.new", "数据目录不存在时新建；其中不能再载入演示数据"),
    ("minsheng.verify", "核对数据湖的文件，以及各台账与数据湖的记录条数是否逐县一致"),
    ("minsheng.verify.on", "清点哪一日有效的记录；缺省今天"),
    ("minsheng.verify.data", "演示的数据目录；不给则用环境变量所指的服务，或 minsheng-data"),
    ("minsheng.verify.lake", "数据湖目录；缺省为数据目录下的或 ./lake"),
    ("minsheng.lake", "数据湖的内容；按要求合并小文件，或不再保留已更正的旧记录"),
    ("minsheng.lake.lake", "数据湖目录"),
    ("minsheng.lake.compact", "立即把每月的小文件合并，不论多少"),
    ("minsheng.signature", "数据湖或报告是否与 analytics 签名时一致"),
    ("minsheng.signature.directory", "数据湖或报告的目录"),
    ("minsheng.signature.pki", "含签发机构证书 ca.pem 的目录"),
    ("minsheng.lake.forget_before", "不再保留此刻之前已更正的记录，如 2025-01-01T00:00:00Z；此后不能再查更早的时刻"),
    ("minsheng.health", "询问一个服务是否在服务"),
    ("minsheng.health.service", "social-security、education、health、community 或 analytics"),
    ("minsheng.health.address", "其地址，如 https://HOST:PORT；缺省为本机 MINSHENG_LISTEN 的端口"),
    ("minsheng.bench", "本系统相对于基线的开销，一次运行中测得的比值"),
    ("minsheng.bench.out", "同时写入此文件（Markdown）"),
    ("minsheng.bench.rows", "数据湖的行数"),
    ("minsheng.bench.postgres", "也在 PostgreSQL 上测量：可新建数据库的集群，postgres://USER@HOST:PORT"),
    ("minsheng.bench.data", "测量所用目录；新建，结束时删除"),
    ("minsheng.bench.quick", "每项只测片刻：只表明全部能运行，不作数"),
    ("minsheng.bench.only", "只测这一部分"),
    ("minsheng.bench.rounds", "每项测量的轮数；与 --compare 同用时，为轮流的轮数"),
    ("minsheng.bench.compare", "列出相对于另一版本的变化：其可执行文件，与本版本轮流测量；或先前一次运行写出的表"),
    ("minsheng.bench.statistics", "在行数很多的数据湖上计算全部来自登记库的承诺"),
    ("minsheng.bench.statistics.rows", "数据湖的行数；可多次给出"),
    ("minsheng.bench.statistics.rounds", "每种测量的次数；取中位数"),
    ("minsheng.bench.statistics.python", "装有 duckdb 与 duckdb-extension-delta 的 Python"),
    ("minsheng.bench.statistics.data", "数据湖所用目录；新建，结束时删除"),
    ("minsheng.bench.statistics.out", "同时写入此文件（Markdown）"),
    ("minsheng.bench.statistics.lake", "只测这个数据湖一次，以 JSON 给出开销"),
    ("minsheng.bench.statistics.keep", "留存所得，并从已留存的开始"),
    ("minsheng.bench.statistics.months", "最后一个月的序号"),
    ("minsheng.bench.statistics.known", "截止时刻所在月的序号"),
    ("minsheng.bench.json", "以 JSON 给出各行，供 --compare 读取"),
    ("minsheng.pki", "双向 TLS 的开发证书"),
    ("minsheng.pki.init", "建立签发机构和各部门的证书"),
    ("minsheng.pki.init.dir", "目录"),
    ("minsheng.pki.init.departments", "部门，以逗号分隔"),
    ("minsheng.contracts", "把接口定义写成文件，供对接系统生成客户端"),
    ("minsheng.contracts.out", "目录，没有则新建"),
    ("minsheng.parameters", "规则所用的带日期的标准"),
    ("minsheng.parameters.list", "列出标准及其日期、来源和可信度"),
    ("minsheng.parameters.list.prefix", "只列以此开头的"),
    ("minsheng.parameters.list.on", "只列此日有效的"),
];

/// What stands below the help, in both languages.
const EXIT_CODES: crate::lang::Text = crate::lang::Text {
    zh: "退出码：0 成功，1 失败，2 用法错误，3 有行或记录被拒绝，64 配置有误",
    en: "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 rows or records were refused, 64 wrong configuration",
};

/// Reads the command line.
pub fn parse(arguments: &[OsString], lang: Lang) -> Result<Action, clap::Error> {
    let matches = command(lang).try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches).map(|cli| cli.command)
}

/// Returns the command with its help in a language.
pub fn command(lang: Lang) -> Command {
    let mut command = Cli::command().after_help(lang.pick(EXIT_CODES));
    command.build();
    match lang {
        Lang::En => command,
        Lang::Zh => in_chinese(command, "minsheng"),
    }
}

fn zh(path: &str) -> Option<&'static str> {
    ZH.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
}

fn in_chinese(command: Command, path: &str) -> Command {
    let mut command = command
        .subcommand_help_heading("命令")
        .subcommand_value_name("命令")
        .help_template("{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}");
    if let Some(about) = zh(path) {
        command = command.about(about);
    }
    let own = path.to_owned();
    command = command.mut_args(|argument| {
        let text = match argument.get_id().as_str() {
            "help" => Some("打印帮助"),
            "version" => Some("打印版本"),
            "lang" => zh("minsheng.lang"),
            id => zh(&format!("{own}.{id}")),
        };
        let heading = if argument.is_positional() { "参数" } else { "选项" };
        let argument = argument.help_heading(heading);
        text.map_or(argument.clone(), |text| argument.help(text))
    });
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        let below = format!("{path}.{name}");
        command = command.mut_subcommand(name, |sub| in_chinese(sub, &below));
    }
    command
}

/// Says in a language what was not understood of the command line; help and version come as they are.
pub fn misunderstanding(error: &clap::Error, lang: Lang) -> String {
    let said = match lang {
        Lang::Zh if error.use_stderr() => misunderstood_zh(error),
        _ => None,
    };
    said.unwrap_or_else(|| error.render().to_string())
}

fn misunderstood_zh(error: &clap::Error) -> Option<String> {
    let context = |kind: ContextKind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join("、")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        ContextValue::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let mut text = match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} 需要一个值"),
        ErrorKind::InvalidValue => format!("{argument} 的值“{value}”无效"),
        ErrorKind::ValueValidation => {
            let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(":{cause}"));
            format!("{argument} 的值“{value}”无效{cause}")
        }
        ErrorKind::UnknownArgument => format!("不认识的参数 {argument}"),
        ErrorKind::InvalidSubcommand => {
            format!("没有命令 {}", context(ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::MissingRequiredArgument => format!("缺少必需的参数：{argument}"),
        ErrorKind::MissingSubcommand => "缺少命令".to_owned(),
        ErrorKind::ArgumentConflict => {
            let other = context(ContextKind::PriorArg).unwrap_or_default();
            if other.is_empty() || other == argument {
                format!("{argument} 不能重复给出，也不能与所给的其他参数同用")
            } else {
                format!("{argument} 不能与 {other} 同用")
            }
        }
        ErrorKind::TooManyValues => format!("{argument} 的值过多：“{value}”"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals => {
            format!("{argument} 的值数目不对")
        }
        ErrorKind::InvalidUtf8 => "参数不是 UTF-8 编码".to_owned(),
        _ => return None,
    };
    for (kind, words) in [
        (ContextKind::ValidValue, "可用的值："),
        (ContextKind::ValidSubcommand, "可用的命令："),
        (ContextKind::SuggestedArg, "是否指 "),
        (ContextKind::SuggestedSubcommand, "是否指 "),
        (ContextKind::SuggestedValue, "是否指 "),
    ] {
        if let Some(found) = context(kind).filter(|found| !found.is_empty()) {
            text = format!("{text}\n  {words}{found}");
        }
    }
    if let Some(usage) = context(ContextKind::Usage) {
        text = format!("{text}\n\n{}", usage.replacen("Usage:", "用法：", 1));
    }
    text.push_str("\n\n加 --help 查看说明。");
    Some(format!("错误：{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_said_in_chinese() {
        let said = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(OsString::from).collect();
            let error = parse(&words, Lang::Zh).expect_err("not understood");
            assert_eq!(error.exit_code(), 2);
            misunderstanding(&error, Lang::Zh)
        };
        for (words, expected) in [
            (&["minsheng", "demo", "--scale", "0"][..], "的值“0”无效"),
            (&["minsheng", "demo", "--profile", "church"], "synthetic"),
            (&["minsheng", "demo", "--sclae", "1"], "不认识的参数 --sclae"),
            (&["minsheng", "demmo"], "没有命令 demmo"),
            (&["minsheng", "import"], "缺少必需的参数"),
            (&["minsheng", "report", "--offline", "--data", "x"], "不能与"),
            (&["minsheng", "demo", "--lang", "fr"], "可用的值：zh、en"),
            (&["minsheng", "report", "--on", "tomorrow"], "的值“tomorrow”无效"),
        ] {
            let text = said(words);
            assert!(text.contains(expected), "{text}");
            for english in ["error", "Usage", "For more", "tip"] {
                assert!(!text.contains(english), "{text}");
            }
        }
    }

    fn paths(command: &Command, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            if !["help", "version"].contains(&id) && (id != "lang" || path == "minsheng") {
                found.push(format!("{path}.{id}"));
            }
        }
        for sub in command.get_subcommands() {
            paths(sub, &format!("{path}.{}", sub.get_name()), found);
        }
    }

    #[test]
    fn every_command_and_option_has_a_chinese_help_and_none_is_left_over() {
        let mut found = Vec::new();
        paths(&Cli::command(), "minsheng", &mut found);
        for path in &found {
            assert!(zh(path).is_some(), "{path} has no Chinese help");
        }
        for (path, _) in ZH {
            assert!(found.iter().any(|known| known == path), "{path} is no command or option");
        }
    }

    #[test]
    fn help_is_in_the_language_asked_for() {
        let help = |lang| command(lang).render_long_help().to_string();
        assert!(help(Lang::Zh).contains("启动四个服务") && !help(Lang::Zh).contains("Options:"));
        assert!(help(Lang::En).contains("Start the four services"));
    }

    #[test]
    fn a_wrong_scale_is_refused() {
        let words = ["minsheng", "demo", "--scale", "0"].map(OsString::from);
        assert_eq!(parse(&words, Lang::En).expect_err("refused").exit_code(), 2);
    }
}
