-- A value that was filed can be corrected: of those with one key, area and first day the last one filed holds.
CREATE TABLE parameters_before AS SELECT * FROM parameters;
DROP TABLE parameters;
CREATE TABLE parameters (
    position BIGSERIAL PRIMARY KEY,
    key TEXT NOT NULL,
    area TEXT NOT NULL,
    value BIGINT NOT NULL,
    unit TEXT NOT NULL,
    effective_from BIGINT NOT NULL,
    effective_to BIGINT,
    source TEXT NOT NULL,
    confidence BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL
);
INSERT INTO parameters (key, area, value, unit, effective_from, effective_to, source, confidence, recorded_at)
SELECT key, area, value, unit, effective_from, effective_to, source, confidence, recorded_at FROM parameters_before ORDER BY recorded_at, key, area, effective_from;
DROP TABLE parameters_before;
