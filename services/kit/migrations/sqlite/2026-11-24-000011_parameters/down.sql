CREATE TABLE parameters_known (
    key TEXT NOT NULL,
    area TEXT NOT NULL,
    value BIGINT NOT NULL,
    unit TEXT NOT NULL,
    effective_from BIGINT NOT NULL,
    effective_to BIGINT,
    source TEXT NOT NULL,
    confidence BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (key, area, effective_from)
);
INSERT OR REPLACE INTO parameters_known (key, area, value, unit, effective_from, effective_to, source, confidence, recorded_at) SELECT key, area, value, unit, effective_from, effective_to, source, confidence, recorded_at FROM parameters ORDER BY position;
DROP TABLE parameters;
ALTER TABLE parameters_known RENAME TO parameters;
