-- Service points of every kind: where they are, whom they serve, since when.
CREATE TABLE service_points (
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
    closed_on BIGINT
);
CREATE INDEX service_points_by_area ON service_points (area, id);
