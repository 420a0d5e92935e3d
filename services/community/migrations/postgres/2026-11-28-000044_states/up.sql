-- A record is a sequence of states: a row each, numbered in the order of days. What an earlier version wrote is carried
-- over when the service starts; until then its rows have the assertion -1.

ALTER TABLE service_points DROP CONSTRAINT service_points_pkey CASCADE;
ALTER TABLE service_points
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE service_points SET state = 1 WHERE state = 2;
CREATE INDEX service_points_before_states ON service_points (id) WHERE assertion = -1;

ALTER TABLE point_activities DROP CONSTRAINT point_activities_pkey CASCADE;
ALTER TABLE point_activities
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE point_activities SET state = 1 WHERE state = 2;
DROP INDEX point_activities_once;
CREATE INDEX point_activities_once ON point_activities (service_point, month_from);
CREATE INDEX point_activities_before_states ON point_activities (id) WHERE assertion = -1;

ALTER TABLE meal_prices DROP CONSTRAINT meal_prices_pkey CASCADE;
ALTER TABLE meal_prices
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE meal_prices SET state = 1 WHERE state = 2;
DROP INDEX meal_prices_once;
CREATE INDEX meal_prices_once ON meal_prices (resident_key, service_point);
CREATE INDEX meal_prices_before_states ON meal_prices (id) WHERE assertion = -1;

ALTER TABLE housing_projects DROP CONSTRAINT housing_projects_pkey CASCADE;
ALTER TABLE housing_projects
    ADD COLUMN number BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN assertion BIGINT NOT NULL DEFAULT -1,
    ADD COLUMN effective_until BIGINT NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN told BYTEA NOT NULL DEFAULT '',
    DROP COLUMN ended_on,
    ADD PRIMARY KEY (id, number);
UPDATE housing_projects SET state = 1 WHERE state = 2;
CREATE INDEX housing_projects_before_states ON housing_projects (id) WHERE assertion = -1;
