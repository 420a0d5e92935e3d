//! The words of the report, in Chinese and English.

use chrono::{DateTime, Utc};

use crate::model::{
    Basis, Bilingual, DueBasis, ForecastMethod, Kind, Level, Parts, Reason, ResyncReason, SourceKind, SourceRun,
    Status, Window,
};

/// A language of the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Returns the text in this language.
    pub fn of(self, text: &Bilingual) -> &str {
        self.pick(&text.zh, &text.en)
    }

    /// Returns the language's code.
    pub fn code(self) -> &'static str {
        self.pick("zh", "en")
    }

    /// Returns the first of a Chinese and an English text that is this language's.
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// A fixed text: Chinese, English.
pub type Words = (&'static str, &'static str);

/// Returns the word for a status.
pub fn status(status: Status) -> Words {
    match status {
        Status::Met => ("已达成", "met"),
        Status::OnTrack => ("进展正常", "on track"),
        Status::AtRisk => ("有风险", "at risk"),
        Status::OffTrack => ("滞后", "off track"),
        Status::Missed => ("逾期未达", "missed"),
        Status::MetLate => ("逾期达成", "met late"),
        Status::TrendOnly => ("仅看趋势", "trend only"),
        Status::NotAssessable => ("无法评定", "not assessable"),
    }
}

/// Returns the short name of a status that style sheets and machines use.
pub fn status_code(status: Status) -> &'static str {
    match status {
        Status::Met => "met",
        Status::OnTrack => "on-track",
        Status::AtRisk => "at-risk",
        Status::OffTrack => "off-track",
        Status::Missed => "missed",
        Status::MetLate => "met-late",
        Status::TrendOnly => "trend-only",
        Status::NotAssessable => "not-assessable",
    }
}

/// Returns a sign that tells statuses apart without colour.
pub fn status_sign(status: Status) -> &'static str {
    match status {
        Status::Met => "✓",
        Status::OnTrack => "→",
        Status::AtRisk => "!",
        Status::OffTrack => "↓",
        Status::Missed => "✗",
        Status::MetLate => "(✓)",
        Status::TrendOnly => "~",
        Status::NotAssessable => "?",
    }
}

/// Returns the sentence for a reason.
pub fn reason(reason: Reason) -> Words {
    match reason {
        Reason::NoData => ("无数据", "no data"),
        Reason::NoBaseline => ("没有基期", "no baseline"),
        Reason::BaselineEqualsTarget => ("基期等于目标", "baseline equals target"),
        Reason::MissingDenominator => ("缺少分母", "missing denominator"),
        Reason::ZeroDenominator => ("当期没有应办事项，分母为零", "no case in the period, denominator is zero"),
        Reason::OnePoint => ("只有一个月的数据", "one month of data only"),
        Reason::SourceTooOld => ("数据过旧", "source too old"),
        Reason::Incomplete => ("报送不全，未报部分足以改变结论", "incomplete: what has not reported decides"),
        Reason::NotApproved => ("已填报，尚未审核", "filed and not approved yet"),
        Reason::NoDueDate => ("通知未定期限", "the notice sets no date"),
        Reason::NotDueYet => ("未到期，无中间阶段可评", "not due yet, no stage in between"),
        Reason::NotStarted => ("尚未开始执行", "not in force yet"),
        Reason::NoDataOnDueDate => ("到期日没有数据", "no data on the due date"),
        Reason::LostAfterDue => ("到期时已达成，之后又回落", "held on the due date, lost since"),
        Reason::LostSinceBaseline => ("基期已达成，之后又回落", "held at the baseline, lost since"),
        Reason::NoTargetForArea => ("目标为全区总数，未分解到本地", "the target is the region's, not divided"),
        Reason::NotMeasuredAtLevel => ("该指标不统计到这一级", "not measured at this level"),
        Reason::OutOfScope => ("不在适用范围", "outside its scope"),
        Reason::ParameterUnusable => ("统计所用参数无法识别", "a parameter that it is counted by cannot be used"),
    }
}

/// Returns the word for a basis.
pub fn basis(basis: Basis) -> Words {
    match basis {
        Basis::Stated => ("通知明确", "stated"),
        Basis::Implied => ("应全覆盖", "must cover all"),
        Basis::Trend => ("仅有方向", "direction only"),
    }
}

/// Returns the words for the window of a standing duty.
pub fn window(window: Window) -> Words {
    match window {
        Window::SinceNotice => ("通知印发以来", "since the notice"),
        Window::TwelveMonths => ("近十二个月", "the last twelve months"),
        Window::Month => ("当月", "the month"),
        Window::Day => ("当日现状", "the state on the day"),
    }
}

/// Returns the word for where a due date comes from.
pub fn due_basis(basis: DueBasis) -> Words {
    match basis {
        DueBasis::Stated => ("通知明确", "stated in the notice"),
        DueBasis::Inferred => ("由通知推定", "inferred from the notice"),
    }
}

/// Returns how the areas below stand that a target binds too.
pub fn parts(parts: &Parts) -> (String, String) {
    let Parts { level: at, met, on_track, behind, missed, unknown } = *parts;
    let (zh, en) = level(at);
    let counts = [
        (met, "已达成", "met"),
        (on_track, "进展正常", "on track"),
        (behind, "落后", "behind"),
        (missed, "逾期未达", "missed"),
        (unknown, "未知", "unknown"),
    ];
    let some = || counts.iter().filter(|(count, _, _)| *count > 0);
    let zh_counts: Vec<String> = some().map(|(count, word, _)| format!("{count} 个{word}")).collect();
    let en_counts: Vec<String> = some().map(|(count, _, word)| format!("{count} {word}")).collect();
    let (total, plural) = (parts.total(), if en.ends_with('y') { "counties" } else { "prefectures" });
    (
        format!("{total} 个{zh}：{}", zh_counts.join("，")),
        format!("of {total} {}: {}", if total == 1 { en } else { plural }, en_counts.join(", ")),
    )
}

/// Returns the word for a kind.
pub fn kind(kind: Kind) -> Words {
    match kind {
        Kind::Rate => ("比率", "rate"),
        Kind::Count => ("数量", "count"),
        Kind::Amount => ("金额", "amount"),
        Kind::Milestone => ("节点", "milestone"),
        Kind::Standard => ("标准", "standard"),
    }
}

/// Returns the words for a source of figures.
pub fn source(source: SourceKind) -> Words {
    match source {
        SourceKind::Register => ("业务登记逐条统计", "counted from register records"),
        SourceKind::Returns => ("部门报表", "department's return"),
        SourceKind::Milestones => ("节点填报", "milestone filed"),
    }
}

/// Returns the words for how a service answered the run, and for what was read again from its beginning.
pub fn reached(run: &SourceRun, as_of: DateTime<Utc>) -> (String, String) {
    let (zh, en) = match (&run.unreached, run.not_asked) {
        (Some(_), _) => ("未连通", "not reached"),
        (None, true) => ("未询问（离线运行）", "not asked (run without services)"),
        (None, false) => ("已连通", "reached"),
    };
    match resynced(run, as_of) {
        Some((zh_resync, en_resync)) => (format!("{zh}；{zh_resync}"), format!("{en}; {en_resync}")),
        None => (zh.to_owned(), en.to_owned()),
    }
}

/// Returns the words for records that were read again from their beginning; none where they were not.
pub fn resynced(run: &SourceRun, as_of: DateTime<Utc>) -> Option<(String, String)> {
    let read = run.resynced.as_ref()?;
    let at = super::format::micros(read.at.timestamp_micros());
    let (zh, en) = match read.why {
        ResyncReason::JournalReplaced => ("部门变更日志已恢复或重建", "its journal was restored or recreated"),
        ResyncReason::CursorRefused => ("原读取位置已不被接受", "it did not accept the place to go on from"),
        ResyncReason::LakeReplaced => ("数据湖原为旧版格式", "the lake was of an earlier version"),
    };
    let (mut zh, mut en) = (format!("{at} 起从头重新读取（{zh}）"), format!("read again from {at} on ({en})"));
    if run.may_differ_from_before(as_of) {
        zh.push_str("，此前就同一时刻所出的报告可能与本报告不同");
        en.push_str(", reports of this moment that were made before may differ");
    }
    Some((zh, en))
}

/// Returns the word for a level.
pub fn level(level: Level) -> Words {
    match level {
        Level::Region => ("自治区", "region"),
        Level::Prefecture => ("地（市）", "prefecture"),
        Level::County => ("县（区）", "county"),
    }
}

/// Returns the words for a forecasting method.
pub fn method(method: ForecastMethod) -> Words {
    match method {
        ForecastMethod::Ets => ("指数平滑，自动选型", "exponential smoothing, model chosen automatically"),
        ForecastMethod::LinearPace => ("平均月进度外推", "average monthly pace carried on"),
        ForecastMethod::Average => {
            ("指数平滑与平均月进度外推取平均", "exponential smoothing and the average monthly pace, averaged")
        }
    }
}

/// Returns the name of one of the four services.
pub fn service(service: &str) -> (&str, &str) {
    match service {
        "social-security" => ("社会保障", "social security"),
        "education" => ("教育", "education"),
        "health" => ("卫生健康", "health"),
        "community" => ("社区与生活服务", "community"),
        other => (other, other),
    }
}

/// Returns the name of a department the notice makes responsible.
pub fn department(lead: &str) -> (&str, &str) {
    match lead {
        "hrss" => ("人力资源社会保障厅", "human resources and social security"),
        "finance" => ("财政厅", "finance"),
        "civil-affairs" => ("民政厅", "civil affairs"),
        "medical-insurance" => ("医保局", "medical insurance"),
        "ndrc" => ("发展改革委", "development and reform"),
        "education" => ("教育厅", "education"),
        "health" => ("卫生健康委", "health"),
        "housing" => ("住房城乡建设厅", "housing"),
        "industry-it" => ("经济和信息化厅", "industry and IT"),
        "commerce" => ("商务厅", "commerce"),
        "culture-tourism" => ("文化旅游厅", "culture and tourism"),
        "cultural-heritage" => ("文物局", "cultural heritage"),
        "sports" => ("体育局", "sports"),
        "publicity" => ("党委宣传部", "publicity"),
        "disabled-federation" => ("残联", "disabled persons' federation"),
        "trade-union" => ("总工会", "trade unions"),
        "youth-league" => ("团区委", "youth league"),
        "womens-federation" => ("妇联", "women's federation"),
        "women-children-office" => ("妇儿工委办公室", "women and children's office"),
        "natural-resources" => ("自然资源厅", "natural resources"),
        other => (other, other),
    }
}

/// Returns the title of one of the notice's ten articles.
pub fn article(number: u8) -> Words {
    match number {
        1 => ("有效扩大社会保障覆盖面", "Wider social insurance"),
        2 => ("加强低收入群体兜底帮扶", "Support for low-income groups"),
        3 => ("全方位提高基本公共服务质效", "Better basic public services"),
        4 => ("推行由常住地提供基本公共服务", "Services at the place of residence"),
        5 => ("推动教育资源扩优提质", "More and better education"),
        6 => ("推进优质医疗卫生资源共享", "Shared quality health care"),
        7 => ("大力发展“一老一小”普惠服务", "Care for the old and the very young"),
        8 => ("发展群众家门口的社区服务", "Community services at the doorstep"),
        9 => ("提高多样化生活服务品质", "Better services for daily life"),
        10 => ("促进包容共享发展", "Inclusive development"),
        _ => ("其他", "Other"),
    }
}

/// Returns the Chinese numeral of an article.
pub fn article_numeral(number: u8) -> &'static str {
    match number {
        1 => "一",
        2 => "二",
        3 => "三",
        4 => "四",
        5 => "五",
        6 => "六",
        7 => "七",
        8 => "八",
        9 => "九",
        10 => "十",
        _ => "·",
    }
}
