//! The tables of the education department's registers. Each column says what it holds; the migrations create them.

minsheng_kit::register_table! {
    /// Schools, kindergartens and special schools.
    schools => SchoolRecord {
        /// Name.
        title: Text = String,
        /// Number of the contract's `SchoolStage`.
        stage: BigInt = i64,
        /// True when in a township or village.
        rural: Bool = bool,
        /// Number of the contract's `AltitudeClass`.
        altitude_class: BigInt = i64,
        /// True when in a border county.
        border: Bool = bool,
        /// Places.
        places: BigInt = i64,
        /// Pupils enrolled.
        pupils: BigInt = i64,
        /// Classes above the size limit.
        large_classes: BigInt = i64,
        /// True when it meets the basic conditions.
        meets_basic_conditions: Bool = bool,
        /// Classes for children of two to three years.
        nursery_classes: BigInt = i64,
        /// Places in them.
        nursery_places: BigInt = i64,
        /// Children in them.
        nursery_children: BigInt = i64,
        /// First day of teaching; none while it is being built.
        opened_on: Nullable<BigInt> = Option<i64>,
        /// Day on which it closed.
        closed_on: Nullable<BigInt> = Option<i64>,
        /// Number of the contract's `SchoolOwnership`; 0 where it was not said.
        ownership: BigInt = i64,
    }
}

minsheng_kit::register_table! {
    /// What one school was given for one purpose and one term, with the judgement by the standard of that term.
    funding_records => FundingEntry {
        /// Name of the school, `schools/{id}`.
        school: Text = String,
        /// Number of the contract's `FundKind`.
        fund: BigInt = i64,
        /// Calendar year in which the term begins.
        term_year: BigInt = i64,
        /// Number of the contract's `Term`.
        term: BigInt = i64,
        /// Students for whom it is meant.
        students: BigInt = i64,
        /// Amount for the term, in fen, nutrition included.
        amount_fen: BigInt = i64,
        /// Of it nutrition, in fen.
        nutrition_fen: BigInt = i64,
        /// Students in the nutrition scheme.
        nutrition_students: BigInt = i64,
        /// Day of the payment.
        paid_on: BigInt = i64,
        /// First day of the term.
        term_from: BigInt = i64,
        /// Last day of the term.
        term_to: BigInt = i64,
        /// Amount for each student, brought to a year, in fen, rounded down.
        per_student_year_fen: BigInt = i64,
        /// Standard in force on the first day of the term, in fen for each student and year; without nutrition.
        standard_fen: BigInt = i64,
        /// True when the amount without nutrition reaches the standard.
        meets_standard: Bool = bool,
        /// What is missing to it for all students of the term, in fen, rounded up.
        shortfall_fen: BigInt = i64,
        /// True when the nutrition part reaches its own standard; none where nobody is in the scheme.
        nutrition_meets_standard: Nullable<Bool> = Option<bool>,
        /// Amount without nutrition for each student, brought to a year, in fen, rounded down.
        base_per_student_year_fen: BigInt = i64,
        /// Standard of the nutrition scheme, in fen for each student in it and year; none where nobody is.
        nutrition_standard_fen: Nullable<BigInt> = Option<i64>,
        /// What is missing to it for the term, in fen, rounded up.
        nutrition_shortfall_fen: BigInt = i64,
    }
}

minsheng_kit::register_table! {
    /// Pupils' cases for the three guarantees.
    aid_cases => AidRecord {
        /// Identity number, sealed.
        resident: Binary = Vec<u8>,
        /// Keyed blind index of the identity number.
        resident_blind: Binary = Vec<u8>,
        /// Pseudonym in the dataset.
        person: Text = String,
        /// Name of the school, `schools/{id}`.
        school: Text = String,
        /// Number of the contract's `AidStage`.
        stage: BigInt = i64,
        /// True for boarders.
        boarding: Bool = bool,
        /// Number of the contract's `AidHouseholdKind`.
        household_kind: BigInt = i64,
        /// Calendar year of the term.
        term_year: BigInt = i64,
        /// Day of the application.
        applied_on: BigInt = i64,
        /// Number of the contract's `AidOutcome`.
        outcome: BigInt = i64,
        /// Number of social security's `AssistanceCategory`; 0 when it was not asked or has not answered.
        assistance_category: BigInt = i64,
        /// Day of the decision.
        decided_on: Nullable<BigInt> = Option<i64>,
    }
}
