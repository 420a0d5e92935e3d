//! The suite's contracts: messages, clients and servers generated from `minsheng/**/*.proto`.
//!
//! Holds nothing written by hand but the way to the descriptors and the few conversions that every crate needs.
//! Never decides anything.

mod conventions;
mod published;
mod registers;
pub use conventions::{
    Dataset, datasets, fields_with_labels, is_personal, is_set, label_zh, message_option_string, number_of,
    short_value_name, value_label_zh,
};
pub use published::{CONTRACTS, FLIGHT_DESCRIPTOR_BYTES};
pub use registers::{Reference, Register, register_of, register_of_collection, registers, snake_case};

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

pub use prost_protovalidate::{Validate, ValidationError};

/// The encoded descriptor set of every contract, for reflection.
pub const DESCRIPTOR_BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Returns the descriptors of every contract, with their options.
pub fn descriptors() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> =
        LazyLock::new(|| DescriptorPool::decode(DESCRIPTOR_BYTES).expect("the build wrote these descriptors"));
    &POOL
}

macro_rules! package {
    ($($(#[$doc:meta])* $module:ident = $package:literal;)*) => {$(
        $(#[$doc])*
        pub mod $module {
            /// Version 1 of the contract.
            #[allow(missing_docs, clippy::pedantic, clippy::unwrap_used, unreachable_pub)]
            pub mod v1 {
                tonic::include_proto!($package);
            }
        }
    )*};
}

/// The contracts by package, as the generated code refers to them.
pub mod minsheng {
    package! {
        /// Shapes that all departments share.
        common = "minsheng.common.v1";
        /// Returns and milestones.
        returns = "minsheng.returns.v1";
        /// Social security.
        socialsecurity = "minsheng.socialsecurity.v1";
        /// Education.
        education = "minsheng.education.v1";
        /// Health.
        health = "minsheng.health.v1";
        /// Community.
        community = "minsheng.community.v1";
        /// Analytics.
        analytics = "minsheng.analytics.v1";
    }
}

pub use minsheng::{analytics, common, community, education, health, returns, socialsecurity as social_security};

#[allow(clippy::all, clippy::pedantic, clippy::unwrap_used, unused_parens)]
mod validation {
    use crate::minsheng;

    include!(concat!(env!("OUT_DIR"), "/validate_impl.rs"));
}
