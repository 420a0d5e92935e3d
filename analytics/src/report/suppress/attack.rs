//! What a reader can find out about withheld figures: whoever knows that prefectures add up to the region, counties to
//! their prefecture, and that no count is below zero, narrows each count down until nothing moves any more.

use std::collections::BTreeMap;

use crate::model::Area;

/// A count: area, measure, and `n`, `d` or the rest `r` between them.
pub(super) type Count = (String, String, char);

/// What the reader knows.
#[derive(Default)]
pub(super) struct Attack {
    bounds: BTreeMap<Count, (f64, f64)>,
    /// Totals and what they are the sums of.
    sums: Vec<(Count, Vec<Count>)>,
}

fn count(area: &str, measure: &str, what: char) -> Count {
    (area.to_owned(), measure.to_owned(), what)
}

impl Attack {
    /// Consumes one published line of the CSV: measure, area, numerator, denominator.
    pub(super) fn read(&mut self, measure: &str, area: &str, numerator: Option<f64>, denominator: Option<f64>) {
        for (what, figure) in [('n', numerator), ('d', denominator)] {
            if let Some(figure) = figure {
                self.bounds.insert(count(area, measure, what), (figure, figure));
            }
        }
    }

    /// Knows how a measure adds up over the areas, and the rest between numerator and denominator.
    pub(super) fn knows_sums(&mut self, measure: &str, areas: &[Area]) {
        for area in areas {
            self.sums.push((
                count(&area.code, measure, 'd'),
                vec![count(&area.code, measure, 'n'), count(&area.code, measure, 'r')],
            ));
            let parts = || areas.iter().filter(|part| part.parent.as_deref() == Some(area.code.as_str()));
            if parts().next().is_some() {
                for what in ['n', 'd', 'r'] {
                    let sum = parts().map(|part| count(&part.code, measure, what)).collect();
                    self.sums.push((count(&area.code, measure, what), sum));
                }
            }
        }
    }

    /// Knows that a measure's numerator is the sum of others' in every area.
    pub(super) fn knows_parts(&mut self, total: &str, parts: &[&str], areas: &[Area]) {
        for area in areas {
            let parts = parts.iter().map(|part| count(&area.code, part, 'n')).collect();
            self.sums.push((count(&area.code, total, 'n'), parts));
        }
    }

    /// Narrows down; returns every count that has but one possible figure.
    pub(super) fn run(mut self) -> BTreeMap<Count, f64> {
        let bounds = &mut self.bounds;
        for _ in 0..200 {
            let mut moved = false;
            let mut narrow = |bounds: &mut BTreeMap<Count, (f64, f64)>, of: &Count, low: f64, high: f64| {
                let known = bounds.entry(of.clone()).or_insert((0.0, f64::INFINITY));
                let now = (known.0.max(low), known.1.min(high));
                moved |= now != *known;
                *known = now;
            };
            for (total, parts) in &self.sums {
                let at = |bounds: &BTreeMap<Count, (f64, f64)>, of: &Count| {
                    bounds.get(of).copied().unwrap_or((0.0, f64::INFINITY))
                };
                let low: f64 = parts.iter().map(|part| at(bounds, part).0).sum();
                let high: f64 = parts.iter().map(|part| at(bounds, part).1).sum();
                narrow(bounds, total, low, high);
                let whole = at(bounds, total);
                for part in parts {
                    let others = |end: fn((f64, f64)) -> f64| -> f64 {
                        parts.iter().filter(|other| *other != part).map(|other| end(at(bounds, other))).sum()
                    };
                    let (low, high) = (whole.0 - others(|(_, high)| high), whole.1 - others(|(low, _)| low));
                    narrow(bounds, part, low, high);
                }
            }
            if !moved {
                break;
            }
        }
        let found = self.bounds.into_iter().filter(|(_, (low, high))| (high - low).abs() < 0.5);
        found.map(|(of, (low, _))| (of, low)).collect()
    }
}
