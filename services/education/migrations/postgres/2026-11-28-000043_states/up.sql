-- A record is a sequence of states: a row each, numbered in the order of days. What an earlier version wrote is carried
-- over when the service starts; until then its rows have the assertion -1.

ALTER TABLE schools DROP CONSTRAINT schools_pkey CASCADE;
ALTER TABLE schools
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE schools SET state = 1 WHERE state = 2;
CREATE INDEX schools_before_states ON schools (id) WHERE assertion = -1;

ALTER TABLE funding_records DROP CONSTRAINT funding_records_pkey CASCADE;
ALTER TABLE funding_records
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE funding_records SET state = 1 WHERE state = 2;
DROP INDEX funding_records_once;
CREATE INDEX funding_records_once ON funding_records (school, fund, term_year, term);
CREATE INDEX funding_records_before_states ON funding_records (id) WHERE assertion = -1;

ALTER TABLE aid_cases DROP CONSTRAINT aid_cases_pkey CASCADE;
ALTER TABLE aid_cases
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE aid_cases SET state = 1 WHERE state = 2;
DROP INDEX aid_cases_once;
CREATE INDEX aid_cases_once ON aid_cases (resident_blind, school, term_year);
CREATE INDEX aid_cases_before_states ON aid_cases (id) WHERE assertion = -1;
