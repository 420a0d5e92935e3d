-- First day of a later failed round, which takes the mark of a certificate away. Of rounds that are there it is found when
-- the next round of their institution and item is recorded or changed.
ALTER TABLE quality_certificates ADD COLUMN failed_on BIGINT;
