-- A record is a sequence of states: a row each, numbered in the order of days. What an earlier version wrote is carried
-- over when the service starts; until then its rows have the assertion -1.
--
-- The tables are made again from copies: SQLite can alter no primary key, and PostgreSQL would keep the key's former name
-- for one of a renamed table.

CREATE TABLE service_points_before AS SELECT * FROM service_points;
DROP TABLE service_points;
CREATE TABLE service_points (
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
    kind BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    level BIGINT NOT NULL,
    township_code TEXT NOT NULL,
    village_code TEXT NOT NULL,
    site_code TEXT NOT NULL,
    capacity BIGINT NOT NULL,
    floor_area_dm2 BIGINT NOT NULL,
    free_or_low_charge BOOLEAN NOT NULL,
    household_utility_prices BOOLEAN NOT NULL,
    medical_agreement BOOLEAN NOT NULL,
    weekly_opening_minutes BIGINT NOT NULL,
    opened_on BIGINT,
    closed_on BIGINT,
    PRIMARY KEY (id, number)
);
INSERT INTO service_points (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    title, kind, operator, level, township_code, village_code, site_code, capacity, floor_area_dm2,
    free_or_low_charge, household_utility_prices, medical_agreement, weekly_opening_minutes, opened_on, closed_on
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    title, kind, operator, level, township_code, village_code, site_code, capacity, floor_area_dm2,
    free_or_low_charge, household_utility_prices, medical_agreement, weekly_opening_minutes, opened_on, closed_on
FROM service_points_before;
DROP TABLE service_points_before;
CREATE INDEX service_points_by_area ON service_points (area, id);
CREATE INDEX service_points_before_states ON service_points (id) WHERE assertion = -1;

CREATE TABLE point_activities_before AS SELECT * FROM point_activities;
DROP TABLE point_activities;
CREATE TABLE point_activities (
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
    service_point TEXT NOT NULL,
    kind BIGINT NOT NULL,
    month_from BIGINT NOT NULL,
    days_open BIGINT NOT NULL,
    last_served_on BIGINT,
    people_served BIGINT NOT NULL,
    services BIGINT NOT NULL,
    discounted_services BIGINT NOT NULL,
    revenue_fen BIGINT NOT NULL,
    PRIMARY KEY (id, number)
);
INSERT INTO point_activities (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    service_point, kind, month_from, days_open, last_served_on, people_served, services, discounted_services,
    revenue_fen
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    service_point, kind, month_from, days_open, last_served_on, people_served, services, discounted_services,
    revenue_fen
FROM point_activities_before;
DROP TABLE point_activities_before;
CREATE INDEX point_activities_by_area ON point_activities (area, id);
CREATE INDEX point_activities_by_point ON point_activities (service_point, month_from);
CREATE INDEX point_activities_once ON point_activities (service_point, month_from);
CREATE INDEX point_activities_before_states ON point_activities (id) WHERE assertion = -1;

CREATE TABLE meal_prices_before AS SELECT * FROM meal_prices;
DROP TABLE meal_prices;
CREATE TABLE meal_prices (
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
    resident_key BLOB NOT NULL,
    person TEXT NOT NULL,
    service_point TEXT NOT NULL,
    base_price_fen BIGINT NOT NULL,
    applied_on BIGINT NOT NULL,
    outcome BIGINT NOT NULL,
    assistance_category BIGINT NOT NULL,
    price_fen BIGINT NOT NULL,
    decided_on BIGINT,
    PRIMARY KEY (id, number)
);
INSERT INTO meal_prices (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    resident, resident_key, person, service_point, base_price_fen, applied_on, outcome, assistance_category,
    price_fen, decided_on
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    resident, resident_key, person, service_point, base_price_fen, applied_on, outcome, assistance_category,
    price_fen, decided_on
FROM meal_prices_before;
DROP TABLE meal_prices_before;
CREATE INDEX meal_prices_by_area ON meal_prices (area, id);
CREATE INDEX meal_prices_by_person ON meal_prices (resident_key, service_point);
CREATE INDEX meal_prices_by_outcome ON meal_prices (outcome, id);
CREATE INDEX meal_prices_once ON meal_prices (resident_key, service_point);
CREATE INDEX meal_prices_before_states ON meal_prices (id) WHERE assertion = -1;

CREATE TABLE housing_projects_before AS SELECT * FROM housing_projects;
DROP TABLE housing_projects;
CREATE TABLE housing_projects (
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
    kind BIGINT NOT NULL,
    plan_year BIGINT NOT NULL,
    units_planned BIGINT NOT NULL,
    units_started BIGINT NOT NULL,
    units_acquired BIGINT NOT NULL,
    units_completed BIGINT NOT NULL,
    units_let BIGINT NOT NULL,
    PRIMARY KEY (id, number)
);
INSERT INTO housing_projects (
    id, number, area, version, assertion, effective_on, effective_until, state, created_at, updated_at, told,
    title, kind, plan_year, units_planned, units_started, units_acquired, units_completed, units_let
)
SELECT
    id, 0, area, version, -1, effective_on, 9223372036854775807, CASE state WHEN 2 THEN 1 ELSE state END, created_at,
    updated_at, CAST('' AS BLOB),
    title, kind, plan_year, units_planned, units_started, units_acquired, units_completed, units_let
FROM housing_projects_before;
DROP TABLE housing_projects_before;
CREATE INDEX housing_projects_by_area ON housing_projects (area, id);
CREATE INDEX housing_projects_before_states ON housing_projects (id) WHERE assertion = -1;
