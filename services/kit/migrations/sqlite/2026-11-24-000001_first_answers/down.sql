CREATE TABLE first_answers (
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    request_id TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    response BLOB NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (caller, method, request_id)
) WITHOUT ROWID;
INSERT INTO first_answers SELECT caller, method, request_id, request_hash, response, recorded_at FROM idempotency;
DROP TABLE idempotency;
ALTER TABLE first_answers RENAME TO idempotency;
