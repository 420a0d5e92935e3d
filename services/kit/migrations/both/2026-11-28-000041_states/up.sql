-- A record is a sequence of states: a row each, numbered in the order of days. What an earlier version wrote is carried
-- over when the service starts; until then its rows have the assertion -1.
--
-- The tables are made again from copies: SQLite can alter no primary key, and PostgreSQL would keep the key's former name
-- for one of a renamed table.

-- What the department knows about its database: one row.
CREATE TABLE journal_state_before AS SELECT * FROM journal_state;
DROP TABLE journal_state;
CREATE TABLE journal_state (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    incarnation TEXT NOT NULL,      -- which life of the journal a cursor belongs to
    settled BIGINT NOT NULL,        -- PostgreSQL: units that announce themselves are recorded later than this instant
    place TEXT NOT NULL,            -- PostgreSQL: cluster, timeline and database in which it was opened last
    key_check BLOB,                 -- tells the key it was written with from another one
    tells_states BOOLEAN NOT NULL,  -- whether what an earlier version wrote is carried over
    parameters_edition BIGINT NOT NULL  -- edition of the shipped parameters that the journal tells
);
INSERT INTO journal_state (id, incarnation, settled, place, key_check, tells_states, parameters_edition)
SELECT id, incarnation, settled, place, key_check, NOT EXISTS (SELECT 1 FROM journal_before), 0
FROM journal_state_before;
DROP TABLE journal_state_before;

-- The values of parameters as the journal asserts them: the states of a key in an area.
CREATE TABLE parameter_states (
    record TEXT NOT NULL,           -- key and area
    assertion BIGINT NOT NULL,
    area TEXT NOT NULL,
    effective_on BIGINT NOT NULL,
    effective_until BIGINT NOT NULL,
    told BLOB NOT NULL,             -- the dataset's row, encoded
    PRIMARY KEY (record, assertion)
);

CREATE TABLE returns_before AS SELECT * FROM returns;
DROP TABLE returns;
CREATE TABLE returns (
    id TEXT NOT NULL,
    number BIGINT NOT NULL,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    assertion BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    effective_until BIGINT NOT NULL,
    state BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    told BLOB NOT NULL,
    commitment TEXT NOT NULL,
    measure TEXT NOT NULL,
    month_from BIGINT NOT NULL,
    numerator DOUBLE PRECISION,
    denominator DOUBLE PRECISION,
    value DOUBLE PRECISION,
    unit TEXT NOT NULL,
    source TEXT NOT NULL,
    confidence BIGINT NOT NULL,
    return_state BIGINT NOT NULL,
    correction_reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (id, number)
);
INSERT INTO returns (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    commitment, measure, month_from, numerator, denominator, value, unit, source, confidence, return_state,
    correction_reason
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    commitment, measure, month_from, numerator, denominator, value, unit, source, confidence, return_state,
    correction_reason
FROM returns_before;
DROP TABLE returns_before;
CREATE INDEX returns_by_area ON returns (area, id);
CREATE INDEX returns_before_states ON returns (id) WHERE assertion = -1;

CREATE TABLE milestones_before AS SELECT * FROM milestones;
DROP TABLE milestones;
CREATE TABLE milestones (
    id TEXT NOT NULL,
    number BIGINT NOT NULL,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    assertion BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    effective_until BIGINT NOT NULL,
    state BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    told BLOB NOT NULL,
    commitment TEXT NOT NULL,
    subject TEXT NOT NULL,
    title TEXT NOT NULL,
    milestone_state BIGINT NOT NULL,
    happened_on BIGINT,
    evidence TEXT NOT NULL,
    source TEXT NOT NULL,
    confidence BIGINT NOT NULL,
    filing_state BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (id, number)
);
INSERT INTO milestones (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    commitment, subject, title, milestone_state, happened_on, evidence, source, confidence, filing_state
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    commitment, subject, title, milestone_state, happened_on, evidence, source, confidence, filing_state
FROM milestones_before;
DROP TABLE milestones_before;
CREATE INDEX milestones_by_area ON milestones (area, id);
CREATE INDEX milestones_before_states ON milestones (id) WHERE assertion = -1;
