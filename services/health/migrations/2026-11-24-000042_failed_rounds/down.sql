ALTER TABLE quality_certificates DROP COLUMN failed_on;
