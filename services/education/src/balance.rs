//! Balanced compulsory education in a county (县域义务教育优质均衡): how far its schools lie apart. Pure.
//!
//! Source: 教督〔2017〕6号. Of each resource indicator the coefficient of variation among the county's schools must not
//! exceed a limit, one for primary and one for junior schools. The coefficient weights every school with its pupils:
//!
//! ```text
//! Xi = xi / Pi        what one pupil of school i has
//! X̄  = Σxi / ΣPi      what one pupil of the county has
//! S  = √( Σ Pi (Xi − X̄)² / ΣPi )
//! CV = S / X̄
//! ```
//!
//! The register holds no resource figures of schools yet, so this is the department's rule waiting for its data.

use chrono::NaiveDate;
use minsheng_kit::values::{
    divisions::AreaCode,
    parameters::{ParameterError, Parameters},
};

/// A school's share in an indicator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SchoolResource {
    /// Pupils of the school, `Pi`.
    pub pupils: u32,
    /// What the school has, `xi`: teachers, square metres, rooms, fen.
    pub amount: f64,
}

/// Stage for which an indicator is assessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalanceStage {
    /// Primary schools (小学).
    Primary,
    /// Junior secondary schools (初中).
    Junior,
}

/// Returns the pupil-weighted coefficient of variation of an indicator among a county's schools.
///
/// Schools without pupils count for nothing. None when no school has pupils, or when the county has nothing of the
/// indicator: then there is no variation to speak of, and the indicator fails by its value.
pub fn coefficient_of_variation(schools: &[SchoolResource]) -> Option<f64> {
    let counted = || schools.iter().filter(|school| school.pupils > 0);
    let pupils: f64 = counted().map(|school| f64::from(school.pupils)).sum();
    let mean = counted().map(|school| school.amount).sum::<f64>() / pupils;
    if pupils <= 0.0 || mean <= 0.0 {
        return None;
    }
    let squares: f64 = counted()
        .map(|school| {
            let pupils = f64::from(school.pupils);
            pupils * (school.amount / pupils - mean).powi(2)
        })
        .sum();
    Some((squares / pupils).sqrt() / mean)
}

/// Reports whether a coefficient lies within the limit of a stage in force on a day.
pub fn is_balanced(
    coefficient: f64,
    stage: BalanceStage,
    county: AreaCode,
    on: NaiveDate,
    parameters: &Parameters,
) -> Result<bool, ParameterError> {
    let key = match stage {
        BalanceStage::Primary => "balanced.primary_variation_permille",
        BalanceStage::Junior => "balanced.junior_variation_permille",
    };
    let limit = parameters.value_on(key, county, on)?.as_per_mille()?;
    Ok(coefficient * 1000.0 <= f64::from(limit.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schools(of: &[(u32, f64)]) -> Vec<SchoolResource> {
        of.iter().map(|&(pupils, amount)| SchoolResource { pupils, amount }).collect()
    }

    #[test]
    fn the_vector_of_the_assessment_gives_its_coefficient() {
        // P = (100, 200, 300), x = (5, 8, 15): X̄ = 4.6667 and S = 0.4714 for 100 pupils.
        let found = coefficient_of_variation(&schools(&[(100, 5.0), (200, 8.0), (300, 15.0)])).expect("has pupils");
        assert!((found - 0.1010).abs() < 0.00005, "{found}");
    }

    #[test]
    fn a_large_school_weighs_more_than_a_small_one() {
        let even = coefficient_of_variation(&schools(&[(100, 10.0), (100, 20.0)])).expect("has pupils");
        let uneven = coefficient_of_variation(&schools(&[(10, 1.0), (1000, 200.0)])).expect("has pupils");
        assert!(uneven < even, "{uneven} {even}");
    }

    #[test]
    fn equal_schools_do_not_vary_and_empty_ones_do_not_count() {
        let found = coefficient_of_variation(&schools(&[(100, 10.0), (50, 5.0), (0, 3.0)])).expect("has pupils");
        // The empty school counts for nothing, so the two others are equal.
        assert!(found.abs() < 1e-12, "{found}");
        assert_eq!(coefficient_of_variation(&schools(&[(0, 3.0)])), None);
        assert_eq!(coefficient_of_variation(&schools(&[(10, 0.0)])), None);
        assert_eq!(coefficient_of_variation(&[]), None);
    }

    #[test]
    fn the_limits_are_those_of_the_stage() {
        let county = AreaCode::parse("540102").expect("a county");
        let on = NaiveDate::from_ymd_opt(2025, 9, 1).expect("a day");
        let balanced =
            |coefficient, stage| is_balanced(coefficient, stage, county, on, Parameters::get()).expect("in force");
        assert!(balanced(0.5, BalanceStage::Primary));
        assert!(!balanced(0.501, BalanceStage::Primary));
        assert!(balanced(0.45, BalanceStage::Junior));
        assert!(!balanced(0.5, BalanceStage::Junior));
    }
}
