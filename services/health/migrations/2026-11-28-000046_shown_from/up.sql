-- An institution's states are computed from all its assessments, so since which day one stood in them need not be kept.
ALTER TABLE age_friendly_assessments DROP COLUMN shown_from;
