//! The whole suite, end to end.
//!
//! One program for all tests of the crate: nextest runs each test as a process of its own anyway, and one is linked
//! much quicker than many.

mod analyst;
mod bench;
mod carry_over;
mod conformance;
mod contracts;
mod demo;
mod directories;
mod durability;
mod import;
mod integrating;
mod samplers;
mod schedule;
mod states;
mod support;
mod topology;
mod traces;
mod workspace;
