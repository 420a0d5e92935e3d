-- A record is a sequence of states: a row each, numbered in the order of days. What an earlier version wrote is carried
-- over when the service starts; until then its rows have the assertion -1.

-- The members belong to a state; they are written again when the households are carried over.
DROP TABLE assistance_members;
CREATE TABLE assistance_members (
    household TEXT NOT NULL,
    number BIGINT NOT NULL,
    resident_index BYTEA NOT NULL,
    category BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    PRIMARY KEY (household, number, resident_index)
);
CREATE INDEX assistance_members_by_resident ON assistance_members (resident_index, valid_from);

ALTER TABLE enrolments DROP CONSTRAINT enrolments_pkey CASCADE;
ALTER TABLE enrolments
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE enrolments SET state = 1 WHERE state = 2;
CREATE INDEX enrolments_before_states ON enrolments (id) WHERE assertion = -1;

ALTER TABLE assistance_households DROP CONSTRAINT assistance_households_pkey CASCADE;
ALTER TABLE assistance_households
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    DROP COLUMN claimed_days,
    ADD PRIMARY KEY (id, number);
UPDATE assistance_households SET state = 1 WHERE state = 2;
CREATE INDEX assistance_households_before_states ON assistance_households (id) WHERE assertion = -1;
