-- Schools, kindergartens and special schools.
CREATE TABLE schools (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
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
    closed_on BIGINT
);
CREATE INDEX schools_by_area ON schools (area, id);
