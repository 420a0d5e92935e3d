//! Where people live and where things stand.

use std::sync::LazyLock;

use minsheng_kit::values::divisions::{CountyCode, Divisions};

use super::Draw;

/// Residents by prefecture at the census of 2020 (handbook 11.3).
const RESIDENTS: [(&str, u32); 7] = [
    ("540100", 867_891),
    ("540200", 798_153),
    ("540300", 760_966),
    ("540400", 238_936),
    ("540500", 354_035),
    ("540600", 504_838),
    ("542500", 123_281),
];

/// Weight of a prefecture's seat beside a village of the same prefecture.
const SEAT_WEIGHT: usize = 60;

/// A county and how many people live there: the prefecture's residents by villages, the seat weighing more, because
/// no figure by county was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Populated {
    pub(super) county: CountyCode,
    pub(super) residents: u32,
    upto: u32,
}

pub(super) static COUNTIES: LazyLock<Vec<Populated>> = LazyLock::new(|| {
    let divisions = Divisions::get();
    let weight = |county: CountyCode| {
        let villages = divisions.counts(county.into()).villages;
        villages + if divisions.profile(county).prefecture_seat { SEAT_WEIGHT } else { 0 }
    };
    let mut counties = Vec::new();
    let mut upto = 0;
    for (code, residents) in RESIDENTS {
        let Some(prefecture) = divisions.prefectures().iter().find(|area| area.as_str() == code) else { continue };
        let of = divisions.counties_of(*prefecture);
        let total: usize = of.iter().map(|county| weight(*county)).sum();
        for county in of {
            let share = u64::from(residents) * u64::try_from(weight(*county)).unwrap_or(1);
            let residents = share / u64::try_from(total).unwrap_or(1).max(1);
            let residents = u32::try_from(residents).unwrap_or_default();
            upto += residents;
            counties.push(Populated { county: *county, residents, upto });
        }
    }
    counties
});

/// Picks the county of a person.
pub(super) fn home(draw: &mut Draw) -> CountyCode {
    let total = COUNTIES.last().map_or(1, |last| last.upto);
    let point = draw.0.u32(0..total);
    let index = COUNTIES.partition_point(|county| county.upto <= point);
    COUNTIES[index.min(COUNTIES.len() - 1)].county
}

/// Divides a number among the counties by their residents, the largest remainders first.
pub(super) fn spread(total: u32) -> Vec<(CountyCode, u32)> {
    let people: u64 = COUNTIES.iter().map(|county| u64::from(county.residents)).sum();
    let mut shares: Vec<(CountyCode, u32, u64)> = COUNTIES
        .iter()
        .map(|county| {
            let product = u64::from(total) * u64::from(county.residents);
            (county.county, u32::try_from(product / people).unwrap_or_default(), product % people)
        })
        .collect();
    let given: u32 = shares.iter().map(|(_, share, _)| share).sum();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(shares[*index].2));
    for index in order.into_iter().take(usize::try_from(total - given).unwrap_or_default()) {
        shares[index].1 += 1;
    }
    shares.into_iter().map(|(county, share, _)| (county, share)).collect()
}

/// Returns the number of a prefecture, 0 to 6, in the order of the codes.
pub(super) fn prefecture_number(county: CountyCode) -> usize {
    let prefecture = county.prefecture();
    RESIDENTS.iter().position(|(code, _)| *code == prefecture.as_str()).unwrap_or_default()
}
