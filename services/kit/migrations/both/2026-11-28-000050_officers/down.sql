ALTER TABLE milestones DROP COLUMN approved_by;
ALTER TABLE milestones DROP COLUMN filed_by;
ALTER TABLE returns DROP COLUMN approved_by;
ALTER TABLE returns DROP COLUMN filed_by;
