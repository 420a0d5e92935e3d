//! The kit's own tables.

diesel::table! {
    /// The outbox: what changed, in the dataset's own columns. On PostgreSQL a column `tx` orders what a reader may
    /// see.
    journal (position) {
        /// Grows with every entry; within one record it follows the record's history.
        position -> BigInt,
        /// As `service.dataset`.
        dataset -> Text,
        /// Id of the record in its register.
        record -> Text,
        /// Number of the assertion within its record.
        assertion -> BigInt,
        /// 1 where it is asserted, -1 where it is retracted.
        diff -> BigInt,
        /// First day for which the row is true, in days since 1970-01-01.
        valid_from -> BigInt,
        /// First day for which it no longer is; the greatest number while it is open.
        valid_until -> BigInt,
        /// Whether the record has ended on these days.
        ended -> Bool,
        /// Microseconds UTC.
        recorded_at -> BigInt,
        /// GB/T 2260, six digits.
        area -> Text,
        /// The dataset's row message, encoded.
        payload -> Binary,
    }
}

diesel::table! {
    /// First answers to requests.
    idempotency (caller, method, request_id) {
        /// Department that called.
        caller -> Text,
        /// Full method name.
        method -> Text,
        /// As the caller gave it.
        request_id -> Text,
        /// Keyed hash of the request.
        request_hash -> Binary,
        /// The answer, encoded.
        response -> Binary,
        /// Microseconds UTC.
        recorded_at -> BigInt,
    }
}

diesel::table! {
    /// Who asked what about whom.
    accesses (position) {
        /// Grows with every entry.
        position -> BigInt,
        /// Microseconds UTC.
        recorded_at -> BigInt,
        /// Department that asked.
        department -> Text,
        /// The officer, by the department's own number.
        officer -> Text,
        /// Number of the contract's `Purpose`.
        purpose -> BigInt,
        /// The case that needs the answer.
        case_number -> Text,
        /// Full method name.
        method -> Text,
        /// Keyed blind index of the person.
        subject -> Binary,
    }
}

diesel::table! {
    /// States that records had before they were corrected or their days were changed.
    revisions (register, record, version, number) {
        /// Collection of the register, as `enrolments`.
        register -> Text,
        /// Id of the record.
        record -> Text,
        /// Version of the record that had this state.
        version -> BigInt,
        /// Place of the state among those of the record.
        number -> BigInt,
        /// First day for which it was true.
        effective_on -> BigInt,
        /// First day for which it no longer was; the greatest number where it was open.
        effective_until -> BigInt,
        /// When another content took its place, microseconds UTC.
        replaced_at -> BigInt,
        /// Department that replaced it.
        department -> Text,
        /// The resource message, encoded and sealed.
        resource -> Binary,
    }
}

diesel::table! {
    /// Dated parameters that an operator filed; of those with one key, area and first day the last one holds.
    parameters (position) {
        /// Grows with every one filed.
        position -> BigInt,
        /// As `three_guarantees.standard_fen`.
        key -> Text,
        /// Division in which it holds.
        area -> Text,
        /// In the parameter's own unit.
        value -> BigInt,
        /// The unit.
        unit -> Text,
        /// First day, days since 1970-01-01.
        effective_from -> BigInt,
        /// Last day, when known.
        effective_to -> Nullable<BigInt>,
        /// Where the figure comes from.
        source -> Text,
        /// 1 high, 2 medium, 3 low.
        confidence -> BigInt,
        /// Microseconds UTC.
        recorded_at -> BigInt,
    }
}

diesel::table! {
    /// What the department knows about its database: one row.
    journal_state (id) {
        /// Always 1.
        id -> BigInt,
        /// Which life of the journal a cursor belongs to: another one after a restore that was noticed.
        incarnation -> Text,
        /// Instant that was called settled, microseconds UTC; PostgreSQL only.
        settled -> BigInt,
        /// Cluster, timeline and database in which it was opened last; PostgreSQL only.
        place -> Text,
        /// Distinguishes the key that the database was written with from another one.
        key_check -> Nullable<Binary>,
        /// Whether the journal tells states; false until what an earlier version wrote is carried over.
        tells_states -> Bool,
        /// Edition of the shipped parameters that the journal tells.
        parameters_edition -> BigInt,
    }
}

diesel::table! {
    /// The values of parameters as the journal asserts them: the states of a key in an area.
    parameter_states (record, assertion) {
        /// Key and area.
        record -> Text,
        /// Number under which the journal asserts the value.
        assertion -> BigInt,
        /// Division.
        area -> Text,
        /// First day on which it holds, days since 1970-01-01.
        effective_on -> BigInt,
        /// First day on which it no longer does; the greatest number while it is open.
        effective_until -> BigInt,
        /// The dataset's row, encoded.
        told -> Binary,
    }
}

diesel::table! {
    /// The journal as an earlier version wrote it, until it is carried over.
    journal_before (position) {
        /// Grows with every entry.
        position -> BigInt,
        /// As `service.dataset`.
        dataset -> Text,
        /// Id of the record in its register.
        record -> Text,
        /// 1 created, 2 changed, 3 ended, 4 withdrawn.
        change -> BigInt,
        /// First day for which the row is true, in days since 1970-01-01.
        valid_on -> BigInt,
        /// Microseconds UTC.
        recorded_at -> BigInt,
        /// GB/T 2260, six digits.
        area -> Text,
        /// The dataset's row message, encoded.
        payload -> Binary,
    }
}
