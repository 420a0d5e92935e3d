ALTER TABLE funding_records DROP COLUMN nutrition_shortfall_fen;
ALTER TABLE funding_records DROP COLUMN nutrition_standard_fen;
ALTER TABLE funding_records DROP COLUMN base_per_student_year_fen;
