-- A record is a sequence of states: a row each, numbered in the order of days. What an earlier version wrote is carried
-- over when the service starts; until then its rows have the assertion -1.
--
-- The tables are made again from copies: SQLite can alter no primary key, and PostgreSQL would keep the key's former name
-- for one of a renamed table.

CREATE TABLE schools_before AS SELECT * FROM schools;
DROP TABLE schools;
CREATE TABLE schools (
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
    stage BIGINT NOT NULL,
    rural BOOLEAN NOT NULL,
    altitude_class BIGINT NOT NULL,
    border BOOLEAN NOT NULL,
    places BIGINT NOT NULL,
    pupils BIGINT NOT NULL,
    large_classes BIGINT NOT NULL,
    meets_basic_conditions BOOLEAN NOT NULL,
    nursery_classes BIGINT NOT NULL,
    nursery_places BIGINT NOT NULL,
    nursery_children BIGINT NOT NULL,
    opened_on BIGINT,
    closed_on BIGINT,
    ownership BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, number)
);
INSERT INTO schools (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    title, stage, rural, altitude_class, border, places, pupils, large_classes, meets_basic_conditions,
    nursery_classes, nursery_places, nursery_children, opened_on, closed_on, ownership
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    title, stage, rural, altitude_class, border, places, pupils, large_classes, meets_basic_conditions,
    nursery_classes, nursery_places, nursery_children, opened_on, closed_on, ownership
FROM schools_before;
DROP TABLE schools_before;
CREATE INDEX schools_by_area ON schools (area, id);
CREATE INDEX schools_before_states ON schools (id) WHERE assertion = -1;

CREATE TABLE funding_records_before AS SELECT * FROM funding_records;
DROP TABLE funding_records;
CREATE TABLE funding_records (
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
    nutrition_meets_standard BOOLEAN,
    base_per_student_year_fen BIGINT NOT NULL DEFAULT 0,
    nutrition_standard_fen BIGINT,
    nutrition_shortfall_fen BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id, number)
);
INSERT INTO funding_records (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    school, fund, term_year, term, students, amount_fen, nutrition_fen, nutrition_students, paid_on, term_from,
    term_to, per_student_year_fen, standard_fen, meets_standard, shortfall_fen, nutrition_meets_standard,
    base_per_student_year_fen, nutrition_standard_fen, nutrition_shortfall_fen
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    school, fund, term_year, term, students, amount_fen, nutrition_fen, nutrition_students, paid_on, term_from,
    term_to, per_student_year_fen, standard_fen, meets_standard, shortfall_fen, nutrition_meets_standard,
    base_per_student_year_fen, nutrition_standard_fen, nutrition_shortfall_fen
FROM funding_records_before;
DROP TABLE funding_records_before;
CREATE INDEX funding_records_by_area ON funding_records (area, id);
CREATE INDEX funding_records_once ON funding_records (school, fund, term_year, term);
CREATE INDEX funding_records_by_school ON funding_records (school, term_year);
CREATE INDEX funding_records_before_states ON funding_records (id) WHERE assertion = -1;

CREATE TABLE aid_cases_before AS SELECT * FROM aid_cases;
DROP TABLE aid_cases;
CREATE TABLE aid_cases (
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
    decided_on BIGINT,
    PRIMARY KEY (id, number)
);
INSERT INTO aid_cases (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    resident, resident_blind, person, school, stage, boarding, household_kind, term_year, applied_on, outcome,
    assistance_category, decided_on
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    resident, resident_blind, person, school, stage, boarding, household_kind, term_year, applied_on, outcome,
    assistance_category, decided_on
FROM aid_cases_before;
DROP TABLE aid_cases_before;
CREATE INDEX aid_cases_by_area ON aid_cases (area, id);
CREATE INDEX aid_cases_once ON aid_cases (resident_blind, school, term_year);
CREATE INDEX aid_cases_waiting ON aid_cases (id) WHERE outcome = 3 AND state = 1;
CREATE INDEX aid_cases_by_pupil ON aid_cases (resident_blind);
CREATE INDEX aid_cases_by_school ON aid_cases (school);
CREATE INDEX aid_cases_before_states ON aid_cases (id) WHERE assertion = -1;
