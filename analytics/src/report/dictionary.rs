//! `dictionary.csv`: every column of every file for machines, with its type and what it means, in both languages.
//!
//! Written down here beside the code that writes the columns; a test holds it against what is written.

use std::io::Write;

use super::ReportError;

/// A column, or a key of a JSON file: `list[].key` within a list, `object.key` within an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// `text`, `number`, `day`, `month`, `instant`, `word`, `true/false`, `code`.
    pub kind: &'static str,
    /// What it means, Chinese.
    pub zh: &'static str,
    /// What it means, English.
    pub en: &'static str,
}

/// A file with its columns.
#[derive(Debug, Clone, Copy)]
pub struct FileColumns {
    /// Its name.
    pub file: &'static str,
    /// Its columns, in their order.
    pub columns: &'static [Column],
}

const fn column(name: &'static str, kind: &'static str, zh: &'static str, en: &'static str) -> Column {
    Column { name, kind, zh, en }
}

const HISTORY: &[Column] = &[
    column("commitment", "code", "承诺事项", "the commitment"),
    column("article", "number", "通知的条目，1 至 10", "article of the notice, 1 to 10"),
    column("service", "code", "保存记录的服务", "the service that keeps the records"),
    column(
        "source",
        "word",
        "数字出自：register 业务登记、returns 报表、milestones 节点",
        "which records the figure was taken from: register, returns, milestones",
    ),
    column(
        "measure",
        "code",
        "指标；primary 为目标所指的指标",
        "the measure; primary is the one that the target speaks of",
    ),
    column("area", "code", "行政区划代码，GB/T 2260", "division, GB/T 2260"),
    column(
        "month",
        "month",
        "月份；数值为该月最后一日，报告当月为报告日",
        "the month; the value is that of its last day, or of the report's day in its own month",
    ),
    column(
        "numerator",
        "number",
        "分子；没有分母时即为数量",
        "numerator; the count itself where there is no denominator",
    ),
    column("denominator", "number", "分母", "denominator"),
    column(
        "value",
        "number",
        "数值，按 unit 计；空为无此数或已隐去",
        "the figure, in unit; empty where there is none or it is withheld",
    ),
    column("unit", "text", "单位，英文", "unit, English"),
];

const SDMX: &[Column] = &[
    column("STRUCTURE", "word", "结构类别：dataflow", "sort of structure: dataflow"),
    column("STRUCTURE_ID", "text", "结构标识", "identifier of the structure"),
    column("ACTION", "word", "动作：I，提供信息", "action: I, information"),
    column("COMMITMENT", "code", "承诺事项", "the commitment"),
    column(
        "MEASURE",
        "code",
        "指标；primary 为目标所指的指标",
        "the measure; primary is the one that the target speaks of",
    ),
    column("AREA", "code", "行政区划代码，GB/T 2260", "division, GB/T 2260"),
    column("TIME_PERIOD", "month", "月份", "the month"),
    column(
        "OBS_VALUE",
        "number",
        "数值；空为无此数或已隐去",
        "the figure; empty where there is none or it is withheld",
    ),
    column(
        "OBS_STATUS",
        "word",
        "A 正常，O 缺值，Q 已隐去（可能指向个人），V 报送后未经审核",
        "A normal, O missing, Q withheld because it could point to a person, V filed and approved by nobody",
    ),
    column("UNIT", "code", "单位，英文，空格写作下划线", "unit, English, with _ for a space"),
];

const COMPLETENESS: &[Column] = &[
    column("area", "code", "行政区划代码，GB/T 2260", "division, GB/T 2260"),
    column("service", "code", "保存记录的服务", "the service that keeps the records"),
    column(
        "source",
        "word",
        "数字出自：register、returns、milestones",
        "which records the figure is taken from: register, returns, milestones",
    ),
    column("dataset", "code", "数据集", "the dataset"),
    column("commitment", "code", "承诺事项", "the commitment"),
    column(
        "reported",
        "word",
        "in_time 已报，late 只有较早月份，never 从未报送",
        "in_time: the newest figure is there; late: older ones only; never: none ever",
    ),
    column("newest", "month", "已报的最近月份", "the newest month that it gave"),
    column("months_late", "number", "比最近月份晚几个月", "months between that and the newest that any area gave"),
];

const QUALITY: &[Column] = &[
    column("commitment", "code", "承诺事项", "the commitment"),
    column("area", "code", "行政区划代码，GB/T 2260", "division, GB/T 2260"),
    column(
        "grade",
        "word",
        "质量等级，A 最好，D 最差；规则见 docs/ATTAINMENT.md",
        "grade, A the best, D the worst; docs/ATTAINMENT.md has the rule",
    ),
    column(
        "reported",
        "number",
        "应报区划中按时报送的比例，0 至 1",
        "share of the areas that should have reported that did in time, 0 to 1",
    ),
    column("months_old", "number", "数字距报告几个月", "months between the figure's and the report's"),
    column("filed", "true/false", "由部门报送，而非逐条统计", "it was filed, not counted from records"),
    column(
        "source_incomplete",
        "true/false",
        "部门记录未读到报告的截止时刻",
        "the service's records are known only to an instant before that of the report",
    ),
    column(
        "breaks_a_rule",
        "true/false",
        "近十二个月内违反规则，见 marks.csv",
        "it breaks a rule in its last twelve months, see marks.csv",
    ),
    column(
        "unusual",
        "true/false",
        "近十二个月内异常，见 marks.csv",
        "it is out of the usual in its last twelve months, see marks.csv",
    ),
];

const MARKS: &[Column] = &[
    column("commitment", "code", "承诺事项", "the commitment"),
    column("measure", "code", "指标", "the measure"),
    column("area", "code", "行政区划代码，GB/T 2260", "division, GB/T 2260"),
    column("month", "month", "月份", "the month"),
    column(
        "fault",
        "word",
        "above_denominator 分子大于分母，below_zero 小于零，out_of_bounds 超出范围，fallen 只增之数下降，jump 变动达平常的十倍以上",
        "above_denominator, below_zero, out_of_bounds, fallen: what only grows has fallen; jump: a change of ten times the usual or more",
    ),
    column("broken_rule", "true/false", "违反规则（否则仅为异常）", "a rule is broken; otherwise it is only unusual"),
    column("found", "number", "所见之数", "the figure that was found"),
    column(
        "against",
        "number",
        "与之相比之数：分母、界限或上月数值",
        "what it is held against: the denominator, the bound, the value of the month before",
    ),
];

const DICTIONARY: &[Column] = &[
    column("file", "text", "文件", "the file"),
    column("column", "text", "列，或 JSON 的键", "the column, or the key of a JSON file"),
    column("type", "word", "类型", "its type"),
    column("meaning_zh", "text", "含义，中文", "what it means, Chinese"),
    column("meaning_en", "text", "含义，英文", "what it means, English"),
];

const DOCUMENT: &[Column] = &[
    column("on", "day", "数字所属日期", "the day that the figures are true for"),
    column("as_of", "instant", "计入此刻之前的记录", "records up to this instant were taken into account"),
    column("catalogue", "text", "目录版本", "digest of the catalogue of commitments"),
    column("sources[].service", "code", "服务", "the department's service"),
    column("sources[].position", "number", "所计入的变更日志最后位置", "last position of its journal that counts"),
    column("sources[].recorded_until", "instant", "记录读到的时刻", "the instant up to which its records are known"),
    column(
        "sources[].incomplete",
        "true/false",
        "截止时刻之前的记录可能还不全",
        "records before as_of may still be missing",
    ),
    column("calibration.figures", "number", "检验过预测的指标数", "figures whose forecasts were tried"),
    column("calibration.forecasts", "number", "检验次数", "trials"),
    column(
        "calibration.interval_coverage",
        "number",
        "落入区间的比例",
        "share of values that fell into their interval",
    ),
    column(
        "calibration.naive_interval_coverage",
        "number",
        "落入“保持不变”区间的比例",
        "the same for “stays as it is”",
    ),
    column("calibration.brier", "number", "概率的 Brier 分数", "Brier score of the probabilities"),
    column("calibration.base_rate_brier", "number", "总体达标率的 Brier 分数", "Brier score of the base rate"),
    column("notice.zh", "text", "须先告知读者的说明，中文", "what every reader must know first, Chinese"),
    column("notice.en", "text", "须先告知读者的说明，英文", "what every reader must know first, English"),
    column("commitments[].id", "code", "承诺事项", "the commitment"),
    column("commitments[].article", "number", "通知的条目，1 至 10", "article of the notice, 1 to 10"),
    column("commitments[].service", "code", "保存记录的服务", "the service that keeps the records"),
    column("commitments[].kind", "word", "数字类别", "what sort of figure it is judged by"),
    column(
        "commitments[].basis",
        "word",
        "目标依据：stated、implied、trend",
        "where its target comes from: stated, implied, trend",
    ),
    column(
        "commitments[].source",
        "word",
        "数字出自：register、returns、milestones",
        "which records the figure was taken from: register, returns, milestones",
    ),
    column("commitments[].area", "code", "行政区划代码，GB/T 2260", "division, GB/T 2260"),
    column("commitments[].month", "month", "报告月份", "the month of on"),
    column("commitments[].numerator", "number", "分子", "numerator"),
    column("commitments[].denominator", "number", "分母", "denominator"),
    column("commitments[].value", "number", "数值，按 unit 计", "the figure, in unit"),
    column("commitments[].unit", "text", "数值与目标的单位，英文", "unit of value and target, English"),
    column("commitments[].target", "number", "约束本区划的目标", "the target that binds this area"),
    column("commitments[].due", "day", "目标须成立的最后一日", "last day on which the target must hold"),
    column(
        "commitments[].pace",
        "number",
        "进度 P：完成之比除以时间之比",
        "P: share of the way that is done over share of the time that is gone",
    ),
    column("commitments[].status", "word", "结论", "the verdict"),
    column(
        "commitments[].reason",
        "word",
        "为何没有结论，或结论之外须知",
        "why there is no verdict, or what to know beside it",
    ),
    column("commitments[].title_zh", "text", "标题，中文", "title, Chinese"),
    column("commitments[].title_en", "text", "标题，英文", "title, English"),
    column("commitments[].unit_zh", "text", "单位，中文", "unit, Chinese"),
    column("commitments[].level", "word", "区划级别", "the area's level"),
    column("commitments[].area_name_zh", "text", "区划名称，中文", "name of the area, Chinese"),
    column("commitments[].area_name_en", "text", "区划名称，英文", "name of the area, English"),
    column("commitments[].dataset", "code", "数据集", "the dataset that the figure comes from"),
    column(
        "commitments[].direction",
        "word",
        "方向：at_least、at_most、rising、falling",
        "which way is better: at_least, at_most, rising, falling",
    ),
    column("commitments[].value_on", "day", "数值所属日期", "the day that the value is true for"),
    column("commitments[].baseline.value", "number", "基期数值", "starting point of pace: its value"),
    column("commitments[].baseline.on", "day", "基期日期", "starting point of pace: its day"),
    column(
        "commitments[].progress",
        "number",
        "从基期到目标已完成的比例",
        "share of the way from baseline to target that is done",
    ),
    column(
        "commitments[].growth_ratio",
        "number",
        "实际与所需年均增长率之比",
        "actual over required compound annual growth",
    ),
    column(
        "commitments[].projected_progress",
        "number",
        "到期时预计完成的比例",
        "the same share for the value expected on due",
    ),
    column("commitments[].met_on", "day", "自何日起一直达标", "since when the target has held without a break"),
    column("commitments[].change_12_months", "number", "与十二个月前相比的变化", "change against twelve months before"),
    column("commitments[].forecast.method", "word", "预测方法", "how the forecast was made"),
    column("commitments[].forecast.on", "day", "预测所指日期", "the day it is made for"),
    column("commitments[].forecast.value", "number", "预计数值", "the value expected then"),
    column("commitments[].forecast.low", "number", "区间下限", "lower end of its interval"),
    column("commitments[].forecast.high", "number", "区间上限", "upper end of its interval"),
    column(
        "commitments[].forecast.level",
        "number",
        "区间的名义覆盖率，0 至 1",
        "nominal coverage of the interval, 0 to 1",
    ),
    column(
        "commitments[].forecast.probability",
        "number",
        "届时达标的概率，0 至 1",
        "probability that the target holds then, 0 to 1",
    ),
    column("commitments[].forecast.met_on", "day", "预计达标日期", "when the expected value reaches the target"),
    column(
        "commitments[].forecast.pace_per_month",
        "number",
        "预计每月变化",
        "change per month that the forecast expects",
    ),
    column(
        "commitments[].forecast.needed_per_month",
        "number",
        "今后每月所需变化",
        "change per month that is needed from now on",
    ),
    column("commitments[].forecast.back_test.forecasts", "number", "回测次数", "back-test: trials"),
    column(
        "commitments[].forecast.back_test.months_ahead",
        "number",
        "回测提前月数",
        "back-test: months ahead of each",
    ),
    column(
        "commitments[].forecast.back_test.mean_absolute_error",
        "number",
        "回测平均绝对误差",
        "back-test: mean absolute error",
    ),
    column(
        "commitments[].forecast.back_test.naive_mean_absolute_error",
        "number",
        "“保持不变”的平均绝对误差",
        "back-test: mean absolute error of “stays as it is”",
    ),
    column(
        "commitments[].forecast.back_test.interval_coverage",
        "number",
        "落入区间的比例",
        "back-test: share of values that fell into the interval",
    ),
    column(
        "commitments[].forecast.back_test.naive_interval_coverage",
        "number",
        "落入“保持不变”区间的比例",
        "back-test: the same for “stays as it is”",
    ),
    column(
        "commitments[].forecast.back_test.brier",
        "number",
        "概率与实际结果之差的均方，0 至 1",
        "back-test: mean squared difference between the probability and what came, 0 to 1",
    ),
    column(
        "commitments[].forecast.back_test.held",
        "number",
        "回测中达标的次数",
        "back-test: trials in which the target held",
    ),
    column("commitments[].forecast.months_ahead", "number", "提前月数", "months from the last one known to the day"),
    column(
        "commitments[].forecast.months_tested",
        "number",
        "历史数据可检验的提前月数",
        "months ahead that the history allows to be tried",
    ),
    column(
        "commitments[].completeness.areas_reported",
        "number",
        "已有数据的区划",
        "areas below, or the area itself, with data",
    ),
    column("commitments[].completeness.areas_expected", "number", "应有数据的区划", "areas that should have data"),
    column(
        "commitments[].completeness.oldest",
        "day",
        "各部分数字中最早的日期",
        "the oldest of the days that the figure's parts are true for",
    ),
    column(
        "commitments[].suppressed",
        "true/false",
        "数字已隐去：可能指向个人",
        "the figures are withheld: they could point to a person",
    ),
    column(
        "commitments[].unapproved",
        "true/false",
        "数值含未经审核的报送数：列出，但不计入结论",
        "figures are in the value that nobody but their filer has approved: shown, and counted for no verdict",
    ),
    column(
        "commitments[].parts.level",
        "word",
        "所辖受目标约束地区的层级",
        "level of the areas below that the target binds too",
    ),
    column(
        "commitments[].parts.met",
        "number",
        "已达成（含逾期达成）的地区数",
        "areas that have met it, late ones too",
    ),
    column("commitments[].parts.on_track", "number", "进展正常的地区数", "areas on track"),
    column("commitments[].parts.behind", "number", "有风险或滞后的地区数", "areas at risk or off track"),
    column("commitments[].parts.missed", "number", "逾期未达的地区数", "areas that missed it"),
    column("commitments[].parts.unknown", "number", "无法评定的地区数", "areas that are not assessable"),
];

/// The files for machines, with all their columns. `attainment.sdmx.json` has the components of `attainment.sdmx.csv`.
pub const FILES: [FileColumns; 9] = [
    FileColumns { file: "attainment.json", columns: DOCUMENT },
    FileColumns { file: "attainment.csv", columns: HISTORY },
    FileColumns { file: "attainment.parquet", columns: HISTORY },
    FileColumns { file: "attainment.sdmx.csv", columns: SDMX },
    FileColumns { file: "attainment.sdmx.json", columns: SDMX.split_at(3).1 },
    FileColumns { file: "completeness.csv", columns: COMPLETENESS },
    FileColumns { file: "quality.csv", columns: QUALITY },
    FileColumns { file: "marks.csv", columns: MARKS },
    FileColumns { file: "dictionary.csv", columns: DICTIONARY },
];

/// Returns the names of a file's columns, in their order.
pub(super) fn names(file: &str) -> Vec<&'static str> {
    let found = FILES.iter().find(|known| known.file == file);
    found.map(|found| found.columns.iter().map(|column| column.name).collect()).unwrap_or_default()
}

/// Writes the dictionary.
pub fn write(out: &mut dyn Write) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(names("dictionary.csv"))?;
    for FileColumns { file, columns } in FILES {
        for Column { name, kind, zh, en } in columns {
            csv.write_record([file, name, kind, zh, en])?;
        }
    }
    csv.flush()?;
    Ok(())
}
