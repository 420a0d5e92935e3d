-- Who runs a school; 0, not said, for those recorded before it was asked.
ALTER TABLE schools ADD COLUMN ownership BIGINT NOT NULL DEFAULT 0;
-- Does a case name the school? Asked when the school is withdrawn.
CREATE INDEX aid_cases_by_school ON aid_cases (school);
