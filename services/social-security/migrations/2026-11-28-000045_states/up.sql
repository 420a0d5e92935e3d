-- A record is a sequence of states: a row each, numbered in the order of days. What an earlier version wrote is carried
-- over when the service starts; until then its rows have the assertion -1.
--
-- The tables are made again from copies: SQLite can alter no primary key, and PostgreSQL would keep the key's former name
-- for one of a renamed table.

-- The members belong to a state; they are written again when the households are carried over.
DROP TABLE assistance_members;
CREATE TABLE assistance_members (
    household TEXT NOT NULL,
    number BIGINT NOT NULL,
    resident_index BLOB NOT NULL,
    category BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    PRIMARY KEY (household, number, resident_index)
);
CREATE INDEX assistance_members_by_resident ON assistance_members (resident_index, valid_from);

CREATE TABLE enrolments_before AS SELECT * FROM enrolments;
DROP TABLE enrolments;
CREATE TABLE enrolments (
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
    yearly_contribution_fen BIGINT NOT NULL,
    PRIMARY KEY (id, number)
);
INSERT INTO enrolments (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    resident, resident_index, person, scheme, entry_kind, registration_area, registered_elsewhere, applied_on,
    decision, decided_on, refusal_reason, covered_from, covered_to, premium_payer, yearly_contribution_fen
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    resident, resident_index, person, scheme, entry_kind, registration_area, registered_elsewhere, applied_on,
    decision, decided_on, refusal_reason, covered_from, covered_to, premium_payer, yearly_contribution_fen
FROM enrolments_before;
DROP TABLE enrolments_before;
CREATE INDEX enrolments_by_area ON enrolments (area, id);
CREATE INDEX enrolments_by_resident ON enrolments (resident_index, scheme);
CREATE INDEX enrolments_before_states ON enrolments (id) WHERE assertion = -1;

CREATE TABLE assistance_households_before AS SELECT * FROM assistance_households;
DROP TABLE assistance_households;
CREATE TABLE assistance_households (
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
    residence_kind BIGINT NOT NULL,
    members BLOB NOT NULL,
    member_indexes BLOB NOT NULL,
    member_count BIGINT NOT NULL,
    severely_disabled_members BIGINT NOT NULL,
    net_monthly_income_fen BIGINT NOT NULL,
    category BIGINT NOT NULL,
    applied_on BIGINT NOT NULL,
    decided_on BIGINT NOT NULL,
    valid_from BIGINT,
    valid_to BIGINT,
    monthly_amount_fen BIGINT NOT NULL,
    monthly_standard_fen BIGINT NOT NULL,
    ground BIGINT NOT NULL DEFAULT 0,
    deducted_spending_monthly_fen BIGINT NOT NULL DEFAULT 0,
    grade BIGINT NOT NULL DEFAULT 0,
    single_person_members BIGINT NOT NULL DEFAULT 0,
    yearly_standard_fen BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, number)
);
INSERT INTO assistance_households (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    residence_kind, members, member_indexes, member_count, severely_disabled_members, net_monthly_income_fen,
    category, applied_on, decided_on, valid_from, valid_to, monthly_amount_fen, monthly_standard_fen, ground,
    deducted_spending_monthly_fen, grade, single_person_members, yearly_standard_fen
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    residence_kind, members, member_indexes, member_count, severely_disabled_members, net_monthly_income_fen,
    category, applied_on, decided_on, valid_from, valid_to, monthly_amount_fen, monthly_standard_fen, ground,
    deducted_spending_monthly_fen, grade, single_person_members, yearly_standard_fen
FROM assistance_households_before;
DROP TABLE assistance_households_before;
CREATE INDEX assistance_households_by_area ON assistance_households (area, id);
CREATE INDEX assistance_households_before_states ON assistance_households (id) WHERE assertion = -1;
