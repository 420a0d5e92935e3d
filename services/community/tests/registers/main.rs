//! The community department's registers through their RPCs, on every database at hand.

mod activities;
mod housing;
mod meal_prices;
mod service_points;
mod social_security;
mod support;
