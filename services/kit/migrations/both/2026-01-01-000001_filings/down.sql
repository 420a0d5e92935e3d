DROP TABLE milestones;
DROP TABLE returns;
