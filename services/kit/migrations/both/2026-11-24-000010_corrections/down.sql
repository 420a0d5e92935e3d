ALTER TABLE returns DROP COLUMN correction_reason;
