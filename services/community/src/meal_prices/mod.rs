//! Meal prices of elders (助餐价格): what one elder pays at one meal point.
//!
//! The price depends on the household's category of assistance, which only social security knows. It is asked for the
//! category and nothing else. While it does not answer, the full price holds and the record waits; the service asks
//! again by itself, and what is decided then holds from the day of the application, as if it had answered at once. The
//! category stays in the record, and so does the price to pay, which would tell it; the dataset shows the full price and
//! whether it is reduced.

mod evidence;
mod mapping;
mod rules;
mod store;

pub use mapping::{MealPriceRpc, MealPrices};
pub use rules::{PriceShares, is_elder};
