//! A small province for the report's tests: every status, both kinds of sources, one department that was not reached.

use std::collections::BTreeMap;

use chrono::{DateTime, Months, NaiveDate, Utc};

use crate::assessment::{Input, Policy, assess};
use crate::catalogue::SERVICES;
use crate::model::{
    Area, AttainmentDocument, Baseline, Basis, Bilingual, Clause, Commitment, Completeness, CompletenessRow, Direction,
    Kind, Level, PRIMARY_MEASURE, Run, SecondaryMeasure, SourceKind, SourceRun, SourceState, StandardFigure,
    StatisticRow, Window,
};

/// The report's day.
pub(super) const ON: &str = "2026-06-30";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect("an instant").to_utc()
}

fn text(zh: &str, en: &str) -> Bilingual {
    Bilingual { zh: zh.into(), en: en.into() }
}

/// The region, three prefectures, five counties.
pub(super) fn areas() -> Vec<Area> {
    [
        ("540000", Level::Region, None, "西藏自治区", "Tibet Autonomous Region"),
        ("540100", Level::Prefecture, Some("540000"), "拉萨市", "Lhasa"),
        ("540102", Level::County, Some("540100"), "城关区", "Chengguan"),
        ("540121", Level::County, Some("540100"), "林周县", "Lhünzhub"),
        ("540122", Level::County, Some("540100"), "当雄县", "Damxung"),
        ("540200", Level::Prefecture, Some("540000"), "日喀则市", "Xigazê"),
        ("540202", Level::County, Some("540200"), "桑珠孜区", "Samzhubzê"),
        ("540400", Level::Prefecture, Some("540000"), "林芝市", "Nyingchi"),
        ("540402", Level::County, Some("540400"), "巴宜区", "Bayi"),
    ]
    .map(|(code, level, parent, zh, en)| Area {
        code: code.into(),
        level,
        parent: parent.map(Into::into),
        name_zh: zh.into(),
        name_en: en.into(),
    })
    .into()
}

fn commitment(id: &str, article: u8, service: &str, kind: Kind, title_zh: &str, title_en: &str) -> Commitment {
    let rate = matches!(kind, Kind::Rate | Kind::Standard);
    Commitment {
        id: id.into(),
        article,
        service: service.into(),
        leads: vec!["civil-affairs".into(), "finance".into()],
        title_zh: title_zh.into(),
        title_en: title_en.into(),
        kind,
        basis: Basis::Implied,
        direction: Direction::AtLeast,
        target: rate.then_some(100.0),
        unit: if rate { text("%", "percent") } else { text("个", "points") },
        standard: None,
        baseline: None,
        start: None,
        due: None,
        due_basis: None,
        scope: vec![],
        source: SourceKind::Returns,
        dataset: format!("{}.returns", service.replace('-', "_")),
        cumulative: false,
        standing: rate,
        window: rate.then_some(Window::Month),
        every_area: rate,
        area_targets: BTreeMap::new(),
        lowest_level: Level::County,
        bounds: rate.then_some((0.0, 100.0)),
        person_based: false,
        clause: Some(Clause { item: 1, promise: 2 }),
        promise: text("言出必行", "What is promised, in plain words"),
        measure: text("分子 / 分母", "numerator / denominator, as the catalogue says it"),
        waits_for: None,
        secondary: vec![],
    }
}

/// One commitment for every status.
#[expect(clippy::too_many_lines, reason = "one entry after the other")]
pub(super) fn commitments() -> Vec<Commitment> {
    let end_of_2025 = Some(day("2025-12-31"));
    vec![
        Commitment {
            basis: Basis::Trend,
            target: None,
            standing: false,
            ..commitment(
                "pension-participation",
                1,
                "social-security",
                Kind::Rate,
                "基本养老保险参保率",
                "Basic pension participation rate",
            )
        },
        Commitment {
            basis: Basis::Stated,
            target: Some(1.0),
            unit: text("份", "document"),
            due: end_of_2025,
            source: SourceKind::Milestones,
            dataset: "social_security.milestones".into(),
            lowest_level: Level::Region,
            ..commitment(
                "medical-long-term-opinion",
                1,
                "social-security",
                Kind::Milestone,
                "医保参保长效机制实施意见出台",
                "Implementing opinion on long-term medical-insurance participation issued",
            )
        },
        Commitment {
            basis: Basis::Stated,
            target: Some(1.0),
            unit: text("份", "document"),
            due: Some(day("2026-12-31")),
            source: SourceKind::Milestones,
            dataset: "social_security.milestones".into(),
            lowest_level: Level::Region,
            ..commitment(
                "flexible-maternity-policy",
                1,
                "social-security",
                Kind::Milestone,
                "灵活就业人员参加生育保险政策出台",
                "Maternity insurance policy for the flexibly employed issued",
            )
        },
        Commitment {
            person_based: true,
            ..commitment(
                "needy-pension-premiums-paid",
                2,
                "social-security",
                Kind::Rate,
                "困难群众养老保险费代缴率",
                "Resident-pension premiums paid for people in hardship",
            )
        },
        commitment(
            "cross-area-marriage",
            3,
            "community",
            Kind::Rate,
            "婚姻登记等事项跨域办理",
            "Marriage registration and common services without household-registration limits",
        ),
        Commitment {
            basis: Basis::Stated,
            target: Some(1603.0),
            unit: text("套", "homes"),
            due: end_of_2025,
            source: SourceKind::Register,
            dataset: "community.housing".into(),
            cumulative: true,
            ..commitment(
                "affordable-housing-2025",
                4,
                "community",
                Kind::Count,
                "2025年保障性住房",
                "Affordable homes of the 2025 plan",
            )
        },
        Commitment {
            basis: Basis::Stated,
            start: Some(day("2025-09-01")),
            source: SourceKind::Register,
            dataset: "education.funding".into(),
            standard: Some(StandardFigure { value: 5700.0, unit: text("元/生·年", "yuan per student per year") }),
            ..commitment(
                "three-guarantees",
                5,
                "education",
                Kind::Standard,
                "教育“三包”年生均5700元",
                "'Three guarantees' of 5,700 yuan per student",
            )
        },
        Commitment {
            due: Some(day("2035-12-31")),
            standing: false,
            ..commitment(
                "balanced-compulsory-education",
                5,
                "education",
                Kind::Rate,
                "县域义务教育优质均衡",
                "Counties with balanced, good compulsory education",
            )
        },
        Commitment {
            basis: Basis::Stated,
            target: Some(200.0),
            unit: text("项", "items"),
            due: end_of_2025,
            source: SourceKind::Register,
            dataset: "health.recognition".into(),
            ..commitment(
                "mutual-recognition-items",
                6,
                "health",
                Kind::Count,
                "检查检验结果互认项目",
                "Test and examination items mutually recognised",
            )
        },
        Commitment {
            basis: Basis::Stated,
            target: Some(85.0),
            due: end_of_2025,
            standing: false,
            source: SourceKind::Register,
            dataset: "health.institutions".into(),
            ..commitment(
                "age-friendly-institutions",
                7,
                "health",
                Kind::Rate,
                "老年友善医疗机构比例",
                "Age-friendly medical institutions",
            )
        },
        Commitment {
            basis: Basis::Stated,
            target: Some(176.0),
            due: end_of_2025,
            source: SourceKind::Register,
            dataset: "community.service_points".into(),
            secondary: vec![SecondaryMeasure {
                name: "seats".into(),
                title: text("餐位数", "Seats"),
                unit: text("个", "seats"),
                person_based: false,
            }],
            ..commitment("elder-meal-points", 8, "community", Kind::Count, "老年助餐服务点", "Elder meal points")
        },
        Commitment {
            due: Some(day("2030-12-31")),
            standing: false,
            baseline: Some(Baseline { value: 52.0, on: day("2023-12-31") }),
            source: SourceKind::Register,
            dataset: "community.service_points".into(),
            ..commitment(
                "fitness-three-level",
                9,
                "community",
                Kind::Rate,
                "县乡村三级公共健身设施全覆盖",
                "Public fitness facilities at county, township and village level",
            )
        },
        Commitment {
            basis: Basis::Stated,
            target: Some(6.0),
            unit: text("处", "sites"),
            ..commitment(
                "oxygen-pilots",
                9,
                "community",
                Kind::Count,
                "高海拔景区增压补氧示范",
                "Oxygen demonstration at six high-altitude sites",
            )
        },
        commitment(
            "hpv-vaccination",
            10,
            "health",
            Kind::Rate,
            "在校适龄女生免费HPV疫苗",
            "Free HPV vaccination of schoolgirls",
        ),
        commitment(
            "children-in-difficulty",
            10,
            "community",
            Kind::Rate,
            "留守儿童、困境儿童数据库与关爱",
            "Left-behind children and children in difficulty: register and care",
        ),
    ]
}

/// Numerators per area month by month: start, monthly step, and the denominators for shares.
fn shape(id: &str) -> Option<(u32, f64, f64, Option<f64>)> {
    // first month back from the report's, value then, monthly step, denominator
    Some(match id {
        "pension-participation" => (30, 1500.0, 9.0, Some(2100.0)),
        "medical-long-term-opinion" => (14, 0.0, 0.0, None),
        "flexible-maternity-policy" => (8, 0.0, 0.0, None),
        "needy-pension-premiums-paid" => (18, 520.0, 4.0, Some(610.0)),
        "cross-area-marriage" => (12, 44.0, 0.2, Some(60.0)),
        "affordable-housing-2025" => (15, 400.0, 91.0, None),
        "three-guarantees" => (20, 300.0, 0.0, Some(300.0)),
        "balanced-compulsory-education" => (16, 20.0, 0.15, Some(74.0)),
        "mutual-recognition-items" => (18, 90.0, 9.4, None),
        "age-friendly-institutions" => (24, 610.0, 5.5, Some(855.0)),
        "elder-meal-points" => (18, 120.0, 2.6, None),
        "fitness-three-level" => (30, 2900.0, 34.0, Some(5600.0)),
        "oxygen-pilots" => (9, 2.0, 0.2, None),
        "hpv-vaccination" => (12, 700.0, 10.0, Some(1800.0)),
        _ => return None,
    })
}

/// The long table.
pub(super) fn rows() -> Vec<StatisticRow> {
    let first_of_last = day("2026-06-01");
    let mut out = Vec::new();
    for commitment in commitments() {
        let Some((months, start, step, denominator)) = shape(&commitment.id) else { continue };
        for area in areas().iter().filter(|area| area.level <= commitment.lowest_level) {
            let share = match area.code.as_str() {
                "540000" => 1.0,
                "540100" => 0.5,
                "540102" => 0.36,
                "540121" => 0.009,
                "540122" => 0.131,
                "540200" | "540202" => 0.3,
                _ => 0.2,
            };
            for month in 0..=months {
                let wave = f64::from((month * 37 + 11) % 13) / 13.0 - 0.5;
                let level = if commitment.kind == Kind::Milestone {
                    f64::from(u8::from(commitment.id.starts_with("medical") && month >= 2))
                } else {
                    ((start + step * f64::from(month) + wave * step * 2.0).max(0.0) * share).round()
                };
                let numerator = if commitment.cumulative { level.min(1603.0 * share).round() } else { level };
                let denominator = denominator.map(|denominator| (denominator * share).round().max(1.0));
                let numerator = denominator.map_or(numerator, |denominator| numerator.min(denominator));
                let back = months - month;
                let row = StatisticRow {
                    commitment: commitment.id.clone(),
                    measure: PRIMARY_MEASURE.into(),
                    area: area.code.clone(),
                    month: first_of_last.checked_sub_months(Months::new(back)).expect("a month"),
                    numerator: Some(numerator),
                    denominator,
                    value: Some(denominator.map_or(numerator, |denominator| numerator / denominator * 100.0)),
                    possible: None,
                };
                if let Some(secondary) = commitment.secondary.first() {
                    let seats = (numerator * 43.0).round();
                    out.push(StatisticRow {
                        measure: secondary.name.clone(),
                        numerator: Some(seats),
                        value: Some(seats),
                        ..row.clone()
                    });
                }
                out.push(row);
            }
        }
    }
    out
}

/// The verdicts on other rows, on the report's day.
pub(super) fn assessed(commitments: &[Commitment], areas: &[Area], rows: &[StatisticRow]) -> AttainmentDocument {
    assess(&Input {
        on: day(ON),
        as_of: instant("2026-07-01T00:00:00Z"),
        catalogue: "other rows",
        commitments,
        areas,
        rows,
        completeness: &[],
        sources: &[],
        policy: Policy::default(),
    })
}

/// The verdicts on them.
pub(super) fn document() -> AttainmentDocument {
    let completeness = |commitment: &str, reported| CompletenessRow {
        commitment: commitment.into(),
        area: "540000".into(),
        completeness: Completeness { areas_reported: reported, areas_expected: 5, oldest: Some(day("2026-05-31")) },
        known_on: None,
        last_record: None,
        partial: None,
        reached_on: None,
    };
    let source = |service: &str, position, until: &str| SourceState {
        service: service.into(),
        position,
        recorded_until: Some(instant(until).timestamp_micros()),
        incomplete: false,
    };
    assess(&Input {
        on: day(ON),
        as_of: instant("2026-07-01T00:00:00Z"),
        catalogue: "2025-08 (15 entries)",
        commitments: &commitments(),
        areas: &areas(),
        rows: &rows(),
        completeness: &[completeness("elder-meal-points", 5), completeness("hpv-vaccination", 3)],
        sources: &[
            source("social-security", 88_412, "2026-06-30T15:59:58Z"),
            source("education", 31_077, "2026-06-30T15:58:01Z"),
            source("health", 45_903, "2026-06-18T02:10:00Z"),
            source("community", 52_118, "2026-06-30T15:59:40Z"),
        ],
        policy: Policy::default(),
    })
}

/// What became of the services: one was not reached.
pub(super) fn run() -> Run {
    let became = |service: &str| {
        let unreached = (service == "health").then(|| "connection refused".to_owned());
        (service.to_owned(), SourceRun { unreached, ..SourceRun::default() })
    };
    SERVICES.into_iter().map(became).collect()
}
