-- What each service point did in each month.
CREATE TABLE point_activities (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    service_point TEXT NOT NULL,
    kind BIGINT NOT NULL,
    month_from BIGINT NOT NULL,
    days_open BIGINT NOT NULL,
    last_served_on BIGINT,
    people_served BIGINT NOT NULL,
    services BIGINT NOT NULL,
    discounted_services BIGINT NOT NULL,
    revenue_fen BIGINT NOT NULL
);
CREATE INDEX point_activities_by_area ON point_activities (area, id);
CREATE INDEX point_activities_by_point ON point_activities (service_point, month_from);
