ALTER TABLE age_friendly_assessments ADD COLUMN shown_from BIGINT;
UPDATE age_friendly_assessments SET shown_from = certificate_from;
