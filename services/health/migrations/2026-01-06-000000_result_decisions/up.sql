-- Decisions of doctors on results of other institutions.
CREATE TABLE result_decisions (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    result_reference TEXT NOT NULL,
    item_code TEXT NOT NULL,
    performing_institution TEXT NOT NULL,
    performed_on BIGINT NOT NULL,
    receiving_institution TEXT NOT NULL,
    decided_on BIGINT NOT NULL,
    decision BIGINT NOT NULL,
    reason BIGINT NOT NULL,
    explanation TEXT NOT NULL,
    price_fen BIGINT NOT NULL,
    recognisable BOOLEAN NOT NULL
);
CREATE INDEX result_decisions_by_area ON result_decisions (area, id);
