-- Whether a milestone was approved as it stands: 1 filed, 2 approved. What is there was filed.
ALTER TABLE milestones ADD COLUMN filing_state BIGINT NOT NULL DEFAULT 1;
