-- Enrolments in the insurance schemes, and the applications for them.
CREATE TABLE enrolments (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    resident BLOB NOT NULL,
    resident_index BLOB NOT NULL,
    person TEXT NOT NULL,
    scheme BIGINT NOT NULL,
    entry_kind BIGINT NOT NULL,
    registration_area TEXT NOT NULL,
    registered_elsewhere BOOLEAN NOT NULL,
    applied_on BIGINT NOT NULL,
    decision BIGINT NOT NULL,
    decided_on BIGINT,
    refusal_reason BIGINT NOT NULL,
    covered_from BIGINT,
    covered_to BIGINT,
    premium_payer BIGINT NOT NULL,
    yearly_contribution_fen BIGINT NOT NULL
);
CREATE INDEX enrolments_by_area ON enrolments (area, id);
CREATE INDEX enrolments_by_resident ON enrolments (resident_index, scheme);
