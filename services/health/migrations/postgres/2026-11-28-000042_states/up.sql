-- A record is a sequence of states: a row each, numbered in the order of days. What an earlier version wrote is carried
-- over when the service starts; until then its rows have the assertion -1.

ALTER TABLE institutions DROP CONSTRAINT institutions_pkey CASCADE;
ALTER TABLE institutions
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE institutions SET state = 1 WHERE state = 2;
CREATE INDEX institutions_before_states ON institutions (id) WHERE assertion = -1;

ALTER TABLE age_friendly_assessments DROP CONSTRAINT age_friendly_assessments_pkey CASCADE;
ALTER TABLE age_friendly_assessments
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE age_friendly_assessments SET state = 1 WHERE state = 2;
CREATE INDEX age_friendly_assessments_before_states ON age_friendly_assessments (id) WHERE assertion = -1;

ALTER TABLE recognition_items DROP CONSTRAINT recognition_items_pkey CASCADE;
ALTER TABLE recognition_items
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE recognition_items SET state = 1 WHERE state = 2;
CREATE INDEX recognition_items_before_states ON recognition_items (id) WHERE assertion = -1;

ALTER TABLE quality_certificates DROP CONSTRAINT quality_certificates_pkey CASCADE;
ALTER TABLE quality_certificates
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE quality_certificates SET state = 1 WHERE state = 2;
CREATE INDEX quality_certificates_before_states ON quality_certificates (id) WHERE assertion = -1;

ALTER TABLE result_decisions DROP CONSTRAINT result_decisions_pkey CASCADE;
ALTER TABLE result_decisions
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE result_decisions SET state = 1 WHERE state = 2;
CREATE INDEX result_decisions_before_states ON result_decisions (id) WHERE assertion = -1;
DROP INDEX IF EXISTS journal_of_institutions;
