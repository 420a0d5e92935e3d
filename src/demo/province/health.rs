//! Health: institutions with their assessments, the list of recognisable items with certificates and decisions.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use minsheng_kit::values::divisions::{CountyCode, Divisions, TownshipKind};
use minsheng_proto::health::v1 as pb;
use pb::InstitutionClass as Class;

use super::{Batch, Draw, LAST_DAY, Province, date, day_of, earlier, encoded, later, places};

/// Age-friendly institutions at the end of 2025 by prefecture, in the order of the codes: 87 % in the region (handbook
/// 2), and not 85 % everywhere.
const AGE_FRIENDLY: [f64; 7] = [0.965, 0.915, 0.865, 0.955, 0.925, 0.79, 0.735];
/// Items that each prefecture can recognise in its last round: 200 and more in three, fewer in others.
const ITEMS: [usize; 7] = [208, 204, 187, 202, 176, 142, 97];
/// Items certified in the round of 2025, before the late ones came.
const ITEMS_2025: [usize; 7] = [206, 201, 171, 189, 160, 121, 83];
/// Institutions of each class that are not made from the divisions, at the region (handbook 15.2; the village clinics
/// make up the rest of 7,231).
const TIBETAN_HOSPITALS: u32 = 52;
const SPECIALISED: u32 = 13;
const MATERNAL: u32 = 36;
const CLINICS: u32 = 909;
const OUTPATIENT: u32 = 8;
const GENERAL_HOSPITALS: u32 = 114;
const TOWNSHIP_CENTRES: usize = 675;
const COMMUNITY_CENTRES: usize = 14;
const VILLAGE_CLINICS: usize = 5_410;
/// Decisions on results of other institutions, at scale 1.
const DECISIONS: u32 = 12_000;

/// An institution as the other registers need it.
#[derive(Clone, Debug)]
struct Place {
    key: String,
    county: CountyCode,
    class: Class,
    title: String,
}

pub(super) fn batches(province: Province) -> Vec<Batch> {
    let hospitals: Vec<Place> = hospitals().collect();
    let eligible: Vec<Place> = hospitals
        .iter()
        .filter(|place| matches!(place.class, Class::GeneralHospital | Class::TibetanMedicineHospital))
        .cloned()
        .chain(primary())
        .collect();
    let testing: Vec<Place> = hospitals.iter().filter(|place| place.class == Class::GeneralHospital).cloned().collect();
    let institutions = hospitals.into_iter().chain(primary()).chain(clinics());
    let mut draw = province.draw("institutions");
    let institutions = institutions.map(move |place| encoded(&institution(province, &mut draw, &place)));
    let mut draw = province.draw("assessments");
    let assessments: Vec<_> =
        eligible.iter().flat_map(|place| assessments(province, &mut draw, place)).map(|made| encoded(&made)).collect();
    let items = minsheng_health::seed_items();
    let codes: Vec<String> = items.iter().map(|item| item.code.clone()).collect();
    let certificates = certificates(province, testing.clone(), codes.clone());
    let number = province.scaled(DECISIONS);
    let mut draw = province.draw("decisions");
    let decisions = (0..number).map(move |number| encoded(&decision(province, &mut draw, number, &testing, &codes)));
    vec![
        Batch { register: "institutions", expected: 7_231, records: Box::new(institutions) },
        Batch {
            register: "age_friendly_assessments",
            expected: u64::try_from(assessments.len()).unwrap_or_default(),
            records: Box::new(assessments.into_iter()),
        },
        Batch {
            register: "recognition_items",
            expected: u64::try_from(items.len()).unwrap_or_default(),
            records: Box::new(items.into_iter().map(|item| encoded(&item))),
        },
        Batch { register: "quality_certificates", expected: 9_000, records: Box::new(certificates) },
        Batch { register: "result_decisions", expected: u64::from(number), records: Box::new(decisions) },
    ]
}

/// Hospitals: one general hospital in each county and more where people live; the others by residents.
fn hospitals() -> impl Iterator<Item = Place> {
    let counties = Divisions::get().counties();
    let extra = GENERAL_HOSPITALS - u32::try_from(counties.len()).unwrap_or_default();
    let county_hospitals = counties.iter().map(|county| (*county, Class::GeneralHospital, "人民医院".to_owned()));
    let by_residents = |total, class, title: &'static str| {
        places::spread(total).into_iter().flat_map(move |(county, number)| {
            (0..number).map(move |index| (county, class, format!("第{}{title}", index + 2)))
        })
    };
    county_hospitals
        .chain(by_residents(extra, Class::GeneralHospital, "医院"))
        .chain(by_residents(TIBETAN_HOSPITALS, Class::TibetanMedicineHospital, "藏医院"))
        .chain(by_residents(SPECIALISED, Class::SpecialisedHospital, "专科医院"))
        .chain(by_residents(MATERNAL, Class::MaternalChild, "妇幼保健院"))
        .map(|(county, class, title)| Place {
            key: format!("{}/{}/{title}", county.as_str(), class as i32),
            title: format!("演示·{}{title}", Divisions::get().name_zh(county)),
            county,
            class,
        })
}

/// The public hospitals by county: in this province all but the specialised ones, which are private.
pub(super) fn public_hospitals() -> BTreeMap<String, Vec<(NaiveDate, Option<NaiveDate>)>> {
    let mut public: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for place in hospitals().filter(|place| place.class != Class::SpecialisedHospital) {
        public.entry(place.county.as_str().to_owned()).or_default().push((NaiveDate::MIN, None));
    }
    public
}

/// Township and community health centres, one for each place.
fn primary() -> impl Iterator<Item = Place> {
    let of = |kinds: &'static [TownshipKind], class, title: &'static str, most: usize| {
        Divisions::get().townships().iter().filter(move |township| kinds.contains(&township.kind)).take(most).map(
            move |township| Place {
                key: township.code.as_str().to_owned(),
                county: township.code.county(),
                class,
                title: format!("演示·{}{title}", township.name_zh),
            },
        )
    };
    of(&[TownshipKind::Town, TownshipKind::Township], Class::TownshipHealthCentre, "卫生院", TOWNSHIP_CENTRES)
        .chain(of(&[TownshipKind::Subdistrict], Class::CommunityHealthCentre, "社区卫生服务中心", COMMUNITY_CENTRES))
}

/// Clinics, outpatient departments and village clinics.
fn clinics() -> impl Iterator<Item = Place> {
    let by_residents = |total, class, title: &'static str| {
        places::spread(total).into_iter().flat_map(move |(county, number)| {
            (1..=number).map(move |index| Place {
                key: format!("{}/{}/{index}", county.as_str(), class as i32),
                title: format!("演示·{}{title}{index}", Divisions::get().name_zh(county)),
                county,
                class,
            })
        })
    };
    let villages = Divisions::get().villages().iter().take(VILLAGE_CLINICS).map(|village| Place {
        key: village.code.as_str().to_owned(),
        county: village.code.county(),
        class: Class::VillageClinic,
        title: format!("演示·{}卫生室", village.name_zh),
    });
    by_residents(CLINICS, Class::Clinic, "诊所")
        .chain(by_residents(OUTPATIENT, Class::OutpatientDepartment, "门诊部"))
        .chain(villages)
}

fn institution(province: Province, draw: &mut Draw, place: &Place) -> pb::Institution {
    let private = matches!(place.class, Class::Clinic | Class::OutpatientDepartment | Class::SpecialisedHospital);
    let graded = matches!(
        place.class,
        Class::GeneralHospital | Class::TibetanMedicineHospital | Class::SpecialisedHospital | Class::MaternalChild
    );
    let closed = place.class == Class::Clinic && draw.chance(0.03);
    pb::Institution {
        name: province.name("institutions", &place.key),
        area: place.county.as_str().to_owned(),
        title: place.title.clone(),
        institution_class: place.class.into(),
        public: !(private && (draw.chance(0.9) || place.class == Class::SpecialisedHospital)),
        level: if graded { i32::try_from(draw.between(1, 3)).unwrap_or(1) } else { 0 },
        operating_from: Some(date(draw.day(day_of(1978, 1, 1), day_of(2020, 12, 31)))),
        operating_to: closed.then(|| date(draw.day(day_of(2024, 2, 1), LAST_DAY))),
        ..pb::Institution::default()
    }
}

/// The assessments of one institution: passed once, again before the certificate ran out, or not passed.
fn assessments(province: Province, draw: &mut Draw, place: &Place) -> Vec<pb::AgeFriendlyAssessment> {
    let make = |draw: &mut Draw, round: u32, assessed_on: NaiveDate, good: bool| {
        let (low, high) = if good { (82, 98) } else { (45, 70) };
        pb::AgeFriendlyAssessment {
            name: province.name("age_friendly_assessments", format_args!("{}/{round}", place.key)),
            area: place.county.as_str().to_owned(),
            institution: province.name("institutions", &place.key),
            assessed_on: Some(date(assessed_on)),
            culture_score: draw.between(low, high),
            management_score: draw.between(low, high),
            service_score: draw.between(low, high),
            environment_score: draw.between(low, high),
            mandatory_met: good,
            ..pb::AgeFriendlyAssessment::default()
        }
    };
    if !draw.chance(AGE_FRIENDLY[places::prefecture_number(place.county)]) {
        if draw.chance(0.4) {
            let on = draw.day(day_of(2024, 3, 1), day_of(2026, 3, 20));
            return vec![make(draw, 1, on, false)];
        }
        return vec![];
    }
    let early = draw.chance(0.55);
    let first = if early {
        draw.day(day_of(2021, 9, 1), day_of(2023, 12, 20))
    } else {
        draw.day(day_of(2024, 1, 8), day_of(2025, 12, 12))
    };
    let mut made = vec![make(draw, 1, first, true)];
    // A certificate holds for three years; it is renewed a month before it runs out.
    let renewed = later(first, 1_060);
    if renewed < LAST_DAY {
        made.push(make(draw, 2, renewed, true));
    }
    made
}

/// Certificates: every item of a prefecture by one to three of its hospitals, in the rounds of two years; the list is of 2025.
fn certificates(
    province: Province,
    testing: Vec<Place>,
    codes: Vec<String>,
) -> impl Iterator<Item = bytes::Bytes> + Send {
    let mut draw = province.draw("certificates");
    let mut by_prefecture: [Vec<Place>; 7] = Default::default();
    for place in testing {
        by_prefecture[places::prefecture_number(place.county)].push(place);
    }
    by_prefecture.into_iter().enumerate().flat_map(move |(prefecture, hospitals)| {
        let mut made = Vec::new();
        for year in [2025, 2026] {
            let items = match year {
                2025 => ITEMS_2025[prefecture],
                _ => ITEMS[prefecture],
            };
            for code in codes.iter().take(items) {
                let labs = usize::try_from(draw.between(1, 3)).unwrap_or(1).min(hospitals.len());
                let first = draw.0.usize(0..hospitals.len());
                for lab in 0..labs {
                    let place = &hospitals[(first + lab) % hospitals.len()];
                    made.push(encoded(&certificate(province, &mut draw, place, code, year, lab == 0)));
                }
            }
        }
        made
    })
}

fn certificate(
    province: Province,
    draw: &mut Draw,
    place: &Place,
    code: &str,
    year: i32,
    sure: bool,
) -> pb::QualityCertificate {
    pb::QualityCertificate {
        name: province.name("quality_certificates", format_args!("{}/{code}/{year}", place.key)),
        area: place.county.as_str().to_owned(),
        institution: province.name("institutions", &place.key),
        item_code: code.to_owned(),
        scope: pb::RecognitionScope::Region.into(),
        quality_body: "演示·自治区临床检验中心".to_owned(),
        round: format!("{year}-1"),
        passed: sure || draw.chance(0.94),
        valid_from: Some(date(day_of(year, 1, 1))),
        valid_to: Some(date(day_of(year, 12, 31))),
        ..pb::QualityCertificate::default()
    }
}

fn decision(
    province: Province,
    draw: &mut Draw,
    number: u32,
    testing: &[Place],
    codes: &[String],
) -> pb::ResultDecision {
    let performing = draw.0.usize(0..testing.len());
    let receiving = (performing + draw.0.usize(1..testing.len())) % testing.len();
    let performed_on = draw.day(day_of(2025, 1, 6), earlier(LAST_DAY, 15));
    let decided_on = later(performed_on, draw.between(0, 14));
    let recognised = draw.chance(0.62 + 0.12 * f64::from(decided_on.year() - 2025));
    let reason = if recognised {
        pb::ReexaminationReason::Unspecified
    } else {
        *draw.pick(&[
            pb::ReexaminationReason::ConditionChanged,
            pb::ReexaminationReason::FastChanging,
            pb::ReexaminationReason::BeforeMajorMeasure,
            pb::ReexaminationReason::Emergency,
        ])
    };
    let decision =
        if recognised { pb::RecognitionDecision::Recognised } else { pb::RecognitionDecision::NotRecognised };
    pb::ResultDecision {
        name: province.name("result_decisions", number),
        area: testing[receiving].county.as_str().to_owned(),
        result_reference: format!("DEMO{number:08}"),
        item_code: draw.pick(codes).clone(),
        performing_institution: province.name("institutions", &testing[performing].key),
        performed_on: Some(date(performed_on)),
        receiving_institution: province.name("institutions", &testing[receiving].key),
        decided_on: Some(date(decided_on)),
        decision: decision.into(),
        reason: reason.into(),
        price_fen: draw.between(500, 60_000),
        ..pb::ResultDecision::default()
    }
}
