-- A record is a sequence of states: a row each, numbered in the order of days. What an earlier version wrote is carried
-- over when the service starts; until then its rows have the assertion -1.

ALTER TABLE returns DROP CONSTRAINT returns_pkey CASCADE;
ALTER TABLE returns
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE returns SET state = 1 WHERE state = 2;
CREATE INDEX returns_before_states ON returns (id) WHERE assertion = -1;

ALTER TABLE milestones DROP CONSTRAINT milestones_pkey CASCADE;
ALTER TABLE milestones
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE milestones SET state = 1 WHERE state = 2;
CREATE INDEX milestones_before_states ON milestones (id) WHERE assertion = -1;
