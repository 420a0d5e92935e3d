//! The tables of the social-security department's registers. Each column says what it holds; the migrations create
//! them.

minsheng_kit::register_table! {
    /// Enrolments in the insurance schemes, and the applications for them.
    enrolments => EnrolmentRecord {
        /// Identity number, sealed.
        resident: Binary = Vec<u8>,
        /// Keyed blind index of the person.
        resident_index: Binary = Vec<u8>,
        /// Pseudonym of the person in the datasets.
        person: Text = String,
        /// Number of the contract's `Scheme`.
        scheme: BigInt = i64,
        /// Number of the contract's `EntryKind`.
        entry_kind: BigInt = i64,
        /// Division of the registered residence as given, six digits.
        registration_area: Text = String,
        /// True when that place lies outside the county of the record.
        registered_elsewhere: Bool = bool,
        /// Day of the application.
        applied_on: BigInt = i64,
        /// Number of the contract's `EnrolmentDecision`.
        decision: BigInt = i64,
        /// Day of the decision.
        decided_on: Nullable<BigInt> = Option<i64>,
        /// Number of the contract's `RefusalReason`, 0 when not refused.
        refusal_reason: BigInt = i64,
        /// First day of cover.
        covered_from: Nullable<BigInt> = Option<i64>,
        /// Last day of cover.
        covered_to: Nullable<BigInt> = Option<i64>,
        /// Number of the contract's `PremiumPayer`, 0 when not said.
        premium_payer: BigInt = i64,
        /// Contribution a year, in fen.
        yearly_contribution_fen: BigInt = i64,
    }
}

minsheng_kit::register_table! {
    /// Households and the category of social assistance that they are recognised in.
    assistance_households => AssistanceHouseholdRecord {
        /// Number of the contract's `ResidenceKind`.
        residence_kind: BigInt = i64,
        /// The members as the contract has them, sealed.
        members: Binary = Vec<u8>,
        /// Keyed blind indexes of the members in their order, 32 bytes each.
        member_indexes: Binary = Vec<u8>,
        /// Number of members.
        member_count: BigInt = i64,
        /// Of them, severely disabled.
        severely_disabled_members: BigInt = i64,
        /// Net income a month, in fen.
        net_monthly_income_fen: BigInt = i64,
        /// Number of the contract's `AssistanceCategory`.
        category: BigInt = i64,
        /// Day of the application.
        applied_on: BigInt = i64,
        /// Day of the decision.
        decided_on: BigInt = i64,
        /// First day of the category.
        valid_from: Nullable<BigInt> = Option<i64>,
        /// Last day of the category.
        valid_to: Nullable<BigInt> = Option<i64>,
        /// Monthly dibao amount, in fen.
        monthly_amount_fen: BigInt = i64,
        /// Standard a month and member, in fen; of a rural one the twelfth part, rounded.
        monthly_standard_fen: BigInt = i64,
        /// Number of the contract's `RecognitionGround`, 0 when not said.
        ground: BigInt = i64,
        /// Necessary spending that is deducted, in fen a month.
        deducted_spending_monthly_fen: BigInt = i64,
        /// Number of the contract's `DibaoGrade`, 0 when the difference is paid.
        grade: BigInt = i64,
        /// Members who get dibao as persons.
        single_person_members: BigInt = i64,
        /// Standard a year and member, in fen; 0 for a rural amount that was computed from the twelfth part.
        yearly_standard_fen: BigInt = i64,
    }
}

diesel::table! {
    /// When a person is in which category, household by household: one row for each member and each state in force of the
    /// household. The register of households writes it; the questions and the rule of one household read it.
    assistance_members (household, number, resident_index) {
        /// Id of the household.
        household -> Text,
        /// Number of the household's state.
        number -> BigInt,
        /// Keyed blind index of the person.
        resident_index -> Binary,
        /// Number of the contract's `AssistanceCategory`.
        category -> BigInt,
        /// First day in the category by this state, days since 1970-01-01.
        valid_from -> BigInt,
        /// First day after it; the greatest number while it is open.
        valid_until -> BigInt,
    }
}
