-- A value that was filed can be corrected: of those with one key, area and first day the last one filed holds.
ALTER TABLE parameters DROP CONSTRAINT parameters_pkey;
ALTER TABLE parameters ADD COLUMN position BIGSERIAL PRIMARY KEY;
