-- A record is a sequence of states: a row each, numbered in the order of days. What an earlier version wrote is carried
-- over when the service starts; until then its rows have the assertion -1.
--
-- The tables are made again from copies: SQLite can alter no primary key, and PostgreSQL would keep the key's former name
-- for one of a renamed table.

CREATE TABLE institutions_before AS SELECT * FROM institutions;
DROP TABLE institutions;
CREATE TABLE institutions (
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
    title TEXT NOT NULL,
    institution_class BIGINT NOT NULL,
    public BOOLEAN NOT NULL,
    level BIGINT NOT NULL,
    operating_from BIGINT NOT NULL,
    operating_to BIGINT,
    age_friendly_from BIGINT,
    age_friendly_to BIGINT,
    PRIMARY KEY (id, number)
);
INSERT INTO institutions (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    title, institution_class, public, level, operating_from, operating_to, age_friendly_from, age_friendly_to
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    title, institution_class, public, level, operating_from, operating_to, age_friendly_from, age_friendly_to
FROM institutions_before;
DROP TABLE institutions_before;
CREATE INDEX institutions_by_area ON institutions (area, id);
CREATE INDEX institutions_before_states ON institutions (id) WHERE assertion = -1;

CREATE TABLE age_friendly_assessments_before AS SELECT * FROM age_friendly_assessments;
DROP TABLE age_friendly_assessments;
CREATE TABLE age_friendly_assessments (
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
    institution TEXT NOT NULL,
    assessed_on BIGINT NOT NULL,
    culture_score BIGINT NOT NULL,
    management_score BIGINT NOT NULL,
    service_score BIGINT NOT NULL,
    environment_score BIGINT NOT NULL,
    mandatory_met BOOLEAN NOT NULL,
    revoked_on BIGINT,
    passed BOOLEAN NOT NULL,
    total_score BIGINT NOT NULL,
    certificate_from BIGINT,
    certificate_to BIGINT,
    shown_from BIGINT,
    PRIMARY KEY (id, number)
);
INSERT INTO age_friendly_assessments (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    institution, assessed_on, culture_score, management_score, service_score, environment_score, mandatory_met,
    revoked_on, passed, total_score, certificate_from, certificate_to, shown_from
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    institution, assessed_on, culture_score, management_score, service_score, environment_score, mandatory_met,
    revoked_on, passed, total_score, certificate_from, certificate_to, shown_from
FROM age_friendly_assessments_before;
DROP TABLE age_friendly_assessments_before;
CREATE INDEX age_friendly_assessments_by_area ON age_friendly_assessments (area, id);
CREATE INDEX age_friendly_assessments_by_institution ON age_friendly_assessments (institution);
CREATE INDEX age_friendly_assessments_before_states ON age_friendly_assessments (id) WHERE assertion = -1;

CREATE TABLE recognition_items_before AS SELECT * FROM recognition_items;
DROP TABLE recognition_items;
CREATE TABLE recognition_items (
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
    code TEXT NOT NULL,
    title TEXT NOT NULL,
    category BIGINT NOT NULL,
    loinc TEXT NOT NULL,
    edition TEXT NOT NULL,
    origin BIGINT NOT NULL,
    active_from BIGINT NOT NULL,
    active_to BIGINT,
    window_days BIGINT NOT NULL,
    PRIMARY KEY (id, number)
);
INSERT INTO recognition_items (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    code, title, category, loinc, edition, origin, active_from, active_to, window_days
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    code, title, category, loinc, edition, origin, active_from, active_to, window_days
FROM recognition_items_before;
DROP TABLE recognition_items_before;
CREATE INDEX recognition_items_by_area ON recognition_items (area, id);
CREATE INDEX recognition_items_by_code ON recognition_items (code, active_from);
CREATE INDEX recognition_items_before_states ON recognition_items (id) WHERE assertion = -1;

CREATE TABLE quality_certificates_before AS SELECT * FROM quality_certificates;
DROP TABLE quality_certificates;
CREATE TABLE quality_certificates (
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
    institution TEXT NOT NULL,
    item_code TEXT NOT NULL,
    scope BIGINT NOT NULL,
    quality_body TEXT NOT NULL,
    round TEXT NOT NULL,
    passed BOOLEAN NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT NOT NULL,
    failed_on BIGINT,
    PRIMARY KEY (id, number)
);
INSERT INTO quality_certificates (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    institution, item_code, scope, quality_body, round, passed, valid_from, valid_to, failed_on
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    institution, item_code, scope, quality_body, round, passed, valid_from, valid_to, failed_on
FROM quality_certificates_before;
DROP TABLE quality_certificates_before;
CREATE INDEX quality_certificates_by_area ON quality_certificates (area, id);
CREATE INDEX quality_certificates_by_institution ON quality_certificates (institution, item_code, valid_from);
CREATE INDEX quality_certificates_before_states ON quality_certificates (id) WHERE assertion = -1;

CREATE TABLE result_decisions_before AS SELECT * FROM result_decisions;
DROP TABLE result_decisions;
CREATE TABLE result_decisions (
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
    recognisable BOOLEAN NOT NULL,
    PRIMARY KEY (id, number)
);
INSERT INTO result_decisions (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    result_reference, item_code, performing_institution, performed_on, receiving_institution, decided_on, decision,
    reason, explanation, price_fen, recognisable
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    result_reference, item_code, performing_institution, performed_on, receiving_institution, decided_on, decision,
    reason, explanation, price_fen, recognisable
FROM result_decisions_before;
DROP TABLE result_decisions_before;
CREATE INDEX result_decisions_by_area ON result_decisions (area, id);
CREATE INDEX result_decisions_by_performing ON result_decisions (performing_institution);
CREATE INDEX result_decisions_by_receiving ON result_decisions (receiving_institution);
CREATE INDEX result_decisions_before_states ON result_decisions (id) WHERE assertion = -1;
DROP INDEX IF EXISTS journal_of_institutions;
