-- What one school was given for one purpose and one term, with the judgement by the standard of that term.
CREATE TABLE funding_records (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    school TEXT NOT NULL,
    fund BIGINT NOT NULL,
    term_year BIGINT NOT NULL,
    term BIGINT NOT NULL,
    students BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    nutrition_fen BIGINT NOT NULL,
    nutrition_students BIGINT NOT NULL,
    paid_on BIGINT NOT NULL,
    term_from BIGINT NOT NULL,
    term_to BIGINT NOT NULL,
    per_student_year_fen BIGINT NOT NULL,
    standard_fen BIGINT NOT NULL,
    meets_standard BOOLEAN NOT NULL,
    shortfall_fen BIGINT NOT NULL,
    nutrition_meets_standard BOOLEAN
);
CREATE INDEX funding_records_by_area ON funding_records (area, id);
-- One record for a school, a purpose and a term; one that was withdrawn stands in nobody's way.
CREATE UNIQUE INDEX funding_records_once ON funding_records (school, fund, term_year, term) WHERE state <> 3;
