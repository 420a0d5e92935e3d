DROP TABLE parameters;
DROP TABLE revisions;
DROP TABLE accesses;
DROP TABLE idempotency;
DROP TABLE journal;
