-- Figures that the department reports for commitments.
CREATE TABLE returns (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    commitment TEXT NOT NULL,
    measure TEXT NOT NULL,
    month_from BIGINT NOT NULL,     -- first day of the month, days since 1970-01-01
    numerator DOUBLE PRECISION,
    denominator DOUBLE PRECISION,
    value DOUBLE PRECISION,
    unit TEXT NOT NULL,
    source TEXT NOT NULL,
    confidence BIGINT NOT NULL,
    return_state BIGINT NOT NULL    -- 1 filed, 2 approved, 3 withdrawn
);
CREATE INDEX returns_by_area ON returns (area, id);

-- Steps that commitments name.
CREATE TABLE milestones (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    commitment TEXT NOT NULL,
    subject TEXT NOT NULL,
    title TEXT NOT NULL,
    milestone_state BIGINT NOT NULL,
    happened_on BIGINT,
    evidence TEXT NOT NULL,
    source TEXT NOT NULL,
    confidence BIGINT NOT NULL
);
CREATE INDEX milestones_by_area ON milestones (area, id);
