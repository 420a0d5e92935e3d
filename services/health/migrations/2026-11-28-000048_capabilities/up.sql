-- What institutions can do, or take part in.
CREATE TABLE capabilities (
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
    kind BIGINT NOT NULL,
    held_from BIGINT NOT NULL,
    held_to BIGINT,
    edition TEXT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (id, number)
);
CREATE INDEX capabilities_by_area ON capabilities (area, id);
CREATE INDEX capabilities_by_institution ON capabilities (institution);
