-- Why a figure was corrected, when it was.
ALTER TABLE returns ADD COLUMN correction_reason TEXT NOT NULL DEFAULT '';
