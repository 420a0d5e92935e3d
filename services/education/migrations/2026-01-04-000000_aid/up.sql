-- Pupils' cases for the three guarantees.
CREATE TABLE aid_cases (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    resident BLOB NOT NULL,
    resident_blind BLOB NOT NULL,
    person TEXT NOT NULL,
    school TEXT NOT NULL,
    stage BIGINT NOT NULL,
    boarding BOOLEAN NOT NULL,
    household_kind BIGINT NOT NULL,
    term_year BIGINT NOT NULL,
    applied_on BIGINT NOT NULL,
    outcome BIGINT NOT NULL,
    assistance_category BIGINT NOT NULL,
    decided_on BIGINT
);
CREATE INDEX aid_cases_by_area ON aid_cases (area, id);
-- One active case for a pupil at a school in a year.
CREATE UNIQUE INDEX aid_cases_once ON aid_cases (resident_blind, school, term_year) WHERE state = 1;
-- The cases that wait for social security, however many are decided.
CREATE INDEX aid_cases_waiting ON aid_cases (id) WHERE outcome = 3 AND state = 1;
