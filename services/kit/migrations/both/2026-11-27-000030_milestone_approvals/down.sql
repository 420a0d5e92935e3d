ALTER TABLE milestones DROP COLUMN filing_state;
