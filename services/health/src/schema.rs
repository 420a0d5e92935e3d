//! The tables of the health department's registers. Each column says what it holds; the migrations create them.

minsheng_kit::register_table! {
    /// Medical institutions, in each state the age-friendly certificate that it holds on these days.
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
        /// First day of the age-friendly certificate; the assessments decide.
        age_friendly_from: Nullable<BigInt> = Option<i64>,
        /// Last day of the age-friendly certificate.
        age_friendly_to: Nullable<BigInt> = Option<i64>,
    }
}

minsheng_kit::register_table! {
    /// Age-friendly assessments, each with the certificate that follows from it.
    age_friendly_assessments => AgeFriendlyAssessmentRecord {
        /// Id of the institution.
        institution: Text = String,
        /// Day of the on-site check.
        assessed_on: BigInt = i64,
        /// Score of culture, 0 to 100.
        culture_score: BigInt = i64,
        /// Score of management, 0 to 100.
        management_score: BigInt = i64,
        /// Score of service, 0 to 100.
        service_score: BigInt = i64,
        /// Score of environment, 0 to 100.
        environment_score: BigInt = i64,
        /// True when every mandatory item is met.
        mandatory_met: Bool = bool,
        /// Day on which the certificate was revoked.
        revoked_on: Nullable<BigInt> = Option<i64>,
        /// True when the scores pass.
        passed: Bool = bool,
        /// Weighted total, 0 to 100.
        total_score: BigInt = i64,
        /// First day of the certificate.
        certificate_from: Nullable<BigInt> = Option<i64>,
        /// Last day of the certificate, the day before a revocation at the latest.
        certificate_to: Nullable<BigInt> = Option<i64>,
    }
}

minsheng_kit::register_table! {
    /// The items of the list of tests and examinations to be recognised.
    recognition_items => RecognitionItemRecord {
        /// Code in the list.
        code: Text = String,
        /// Name.
        title: Text = String,
        /// Number of the contract's `ItemCategory`.
        category: BigInt = i64,
        /// LOINC code; empty where there is none.
        loinc: Text = String,
        /// Edition of the list.
        edition: Text = String,
        /// Number of the contract's `ItemOrigin`.
        origin: BigInt = i64,
        /// First day in the list.
        active_from: BigInt = i64,
        /// Last day in the list.
        active_to: Nullable<BigInt> = Option<i64>,
        /// Days for which a result is normally reused; 0 where it never is and the doctor alone decides.
        window_days: BigInt = i64,
    }
}

minsheng_kit::register_table! {
    /// What institutions showed in external quality assessment, item by item.
    quality_certificates => QualityCertificateRecord {
        /// Id of the institution.
        institution: Text = String,
        /// Code of the item.
        item_code: Text = String,
        /// Number of the contract's `RecognitionScope`.
        scope: BigInt = i64,
        /// The quality-control organisation.
        quality_body: Text = String,
        /// Round of the assessment.
        round: Text = String,
        /// True when the round was passed.
        passed: Bool = bool,
        /// First day.
        valid_from: BigInt = i64,
        /// Last day.
        valid_to: BigInt = i64,
        /// First day of a later failed round, which takes the mark away; none where there is none. The other rounds decide.
        failed_on: Nullable<BigInt> = Option<i64>,
    }
}

minsheng_kit::register_table! {
    /// Decisions of doctors on results of other institutions.
    result_decisions => ResultDecisionRecord {
        /// Number of the report.
        result_reference: Text = String,
        /// Code of the item.
        item_code: Text = String,
        /// Id of the institution that performed it.
        performing_institution: Text = String,
        /// Day on which it was performed.
        performed_on: BigInt = i64,
        /// Id of the institution whose doctor decided.
        receiving_institution: Text = String,
        /// Day of the decision.
        decided_on: BigInt = i64,
        /// Number of the contract's `RecognitionDecision`.
        decision: BigInt = i64,
        /// Number of the contract's `ReexaminationReason`; 0 for none.
        reason: BigInt = i64,
        /// Free text without personal data.
        explanation: Text = String,
        /// Price of the order, in fen.
        price_fen: BigInt = i64,
        /// True when the question would have answered so on the day of the decision.
        recognisable: Bool = bool,
    }
}

diesel::allow_tables_to_appear_in_same_query!(institutions, recognition_items, quality_certificates);
