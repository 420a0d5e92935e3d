-- The nutrition part of the three guarantees, judged apart from the rest. Records that are there keep the judgement that
-- they were given until they are changed.
ALTER TABLE funding_records ADD COLUMN base_per_student_year_fen BIGINT NOT NULL DEFAULT 0;
ALTER TABLE funding_records ADD COLUMN nutrition_standard_fen BIGINT;
ALTER TABLE funding_records ADD COLUMN nutrition_shortfall_fen BIGINT NOT NULL DEFAULT 0;
