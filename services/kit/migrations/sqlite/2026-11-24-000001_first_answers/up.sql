-- Answers lie in the order in which they are given, and beside them a small index by request. Request ids are random:
-- kept in their order, each new answer would be written into a page of its own, and split it.
CREATE TABLE first_answers (
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    request_id TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    response BLOB NOT NULL,
    recorded_at BIGINT NOT NULL
);
INSERT INTO first_answers SELECT caller, method, request_id, request_hash, response, recorded_at FROM idempotency;
DROP TABLE idempotency;
ALTER TABLE first_answers RENAME TO idempotency;
CREATE UNIQUE INDEX idempotency_once ON idempotency (request_id, method, caller);
