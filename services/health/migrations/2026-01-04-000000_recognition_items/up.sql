-- The items of the list of tests and examinations to be recognised.
CREATE TABLE recognition_items (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    code TEXT NOT NULL,
    title TEXT NOT NULL,
    category BIGINT NOT NULL,
    loinc TEXT NOT NULL,
    edition TEXT NOT NULL,
    origin BIGINT NOT NULL,
    active_from BIGINT NOT NULL,
    active_to BIGINT,
    window_days BIGINT NOT NULL
);
CREATE INDEX recognition_items_by_area ON recognition_items (area, id);
CREATE INDEX recognition_items_by_code ON recognition_items (code, active_from);
