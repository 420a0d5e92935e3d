//! The tables of the health department's registers. Each column says what it holds; the migrations create them.

minsheng_kit::register_table! {
    /// Medical institutions, each with the age-friendly certificate that it holds.
    institutions => InstitutionRecord {
        /// Name.
        title: Text = String,
        /// Number of the contract's `InstitutionClass`.
        institution_class: BigInt = i64,
        /// True when public.
        public: Bool = bool,
        /// Grade 1 to 3, 0 when ungraded.
        level: BigInt = i64,
        /// First day in operation.
        operating_from: BigInt = i64,
        /// Last day in operation.
        operating_to: Nullable<BigInt> = Option<i64>,
        /// First day of the age-friendly certificate; written by the register of assessments.
        age_friendly_from: Nullable<BigInt> = Option<i64>,
        /// Last day of the age-friendly certificate.
        age_friendly_to: Nullable<BigInt> = Option<i64>,
    }
}
