-- Affordable housing projects, their homes by stage.
CREATE TABLE housing_projects (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    title TEXT NOT NULL,
    kind BIGINT NOT NULL,
    plan_year BIGINT NOT NULL,
    units_planned BIGINT NOT NULL,
    units_started BIGINT NOT NULL,
    units_acquired BIGINT NOT NULL,
    units_completed BIGINT NOT NULL,
    units_let BIGINT NOT NULL
);
CREATE INDEX housing_projects_by_area ON housing_projects (area, id);
