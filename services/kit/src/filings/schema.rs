//! The tables of returns and milestones, the same in every service.

crate::register_table! {
    /// Figures that the department reports for commitments.
    returns => ReturnRecord {
        /// Id of the commitment in the catalogue.
        commitment: Text = String,
        /// Name of the measure; empty for the primary one.
        measure: Text = String,
        /// First day of the month, days since 1970-01-01.
        month_from: BigInt = i64,
        /// Count, or numerator of a rate.
        numerator: Nullable<Double> = Option<f64>,
        /// Denominator of a rate.
        denominator: Nullable<Double> = Option<f64>,
        /// The figure itself where only it was published.
        value: Nullable<Double> = Option<f64>,
        /// Unit of the figure.
        unit: Text = String,
        /// Where the figure comes from.
        source: Text = String,
        /// 1 high, 2 medium, 3 low, 0 not said.
        confidence: BigInt = i64,
        /// 1 filed, 2 approved; that it was withdrawn says the head.
        return_state: BigInt = i64,
        /// Why the figure was corrected, when it was.
        correction_reason: Text = String,
    }
}

crate::register_table! {
    /// Steps that commitments name.
    milestones => MilestoneRecord {
        /// Id of the commitment in the catalogue.
        commitment: Text = String,
        /// What it is about.
        subject: Text = String,
        /// Name of the step.
        title: Text = String,
        /// Number of the contract's `MilestoneState`.
        milestone_state: BigInt = i64,
        /// Day on which it was done or came under way.
        happened_on: Nullable<BigInt> = Option<i64>,
        /// Number of the document, or where it can be seen.
        evidence: Text = String,
        /// Where this is known from.
        source: Text = String,
        /// 1 high, 2 medium, 3 low, 0 not said.
        confidence: BigInt = i64,
        /// 1 filed, 2 approved; that it was withdrawn says the head.
        filing_state: BigInt = i64,
    }
}
