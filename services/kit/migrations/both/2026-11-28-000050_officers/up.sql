-- Who filed a figure or a step and who approved it, by the department's own number. What is there was filed by nobody known
-- and is filed again before it can be approved.
ALTER TABLE returns ADD COLUMN filed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE returns ADD COLUMN approved_by TEXT NOT NULL DEFAULT '';
ALTER TABLE milestones ADD COLUMN filed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE milestones ADD COLUMN approved_by TEXT NOT NULL DEFAULT '';
