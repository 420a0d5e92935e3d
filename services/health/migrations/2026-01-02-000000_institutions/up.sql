-- Medical institutions, each with the age-friendly certificate that it holds.
CREATE TABLE institutions (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    title TEXT NOT NULL,
    institution_class BIGINT NOT NULL,
    public BOOLEAN NOT NULL,
    level BIGINT NOT NULL,
    operating_from BIGINT NOT NULL,
    operating_to BIGINT,
    age_friendly_from BIGINT,
    age_friendly_to BIGINT
);
CREATE INDEX institutions_by_area ON institutions (area, id);
