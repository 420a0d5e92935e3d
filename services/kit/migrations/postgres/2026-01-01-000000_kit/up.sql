-- The outbox that analytics reads. Transactions commit out of order: `tx` says which snapshots have seen an entry.
CREATE TABLE journal (
    position BIGSERIAL PRIMARY KEY,
    dataset TEXT NOT NULL,          -- as service.dataset
    record TEXT NOT NULL,           -- id of the record in its register
    change BIGINT NOT NULL,         -- 1 created, 2 changed, 3 ended, 4 withdrawn
    valid_on BIGINT NOT NULL,       -- first day for which the row is true, in days since 1970-01-01
    recorded_at BIGINT NOT NULL,    -- microseconds UTC
    area TEXT NOT NULL,             -- GB/T 2260, six digits
    payload BYTEA NOT NULL,          -- the dataset's row message, encoded
    tx XID8 NOT NULL DEFAULT pg_current_xact_id()  -- tells what a snapshot has seen
);
CREATE INDEX journal_by_dataset ON journal (dataset, position);
CREATE INDEX journal_by_tx ON journal (dataset, tx);

-- First answers to requests, so that a repeated request is not carried out twice.
CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    request_id TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    response BYTEA NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (caller, method, request_id)
);

-- Who asked what about whom.
CREATE TABLE accesses (
    position BIGSERIAL PRIMARY KEY,
    recorded_at BIGINT NOT NULL,
    department TEXT NOT NULL,
    officer TEXT NOT NULL,
    purpose BIGINT NOT NULL,
    case_number TEXT NOT NULL,
    method TEXT NOT NULL,
    subject BYTEA NOT NULL           -- keyed blind index of the person
);
CREATE INDEX accesses_by_subject ON accesses (subject, position);

-- Contents that records had before they were changed, sealed as a whole.
CREATE TABLE revisions (
    register TEXT NOT NULL,
    record TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    replaced_at BIGINT NOT NULL,
    department TEXT NOT NULL,
    resource BYTEA NOT NULL,
    PRIMARY KEY (register, record, version)
);

-- Dated parameters that an operator added to those the software ships with.
CREATE TABLE parameters (
    key TEXT NOT NULL,
    area TEXT NOT NULL,
    value BIGINT NOT NULL,
    unit TEXT NOT NULL,
    effective_from BIGINT NOT NULL,
    effective_to BIGINT,
    source TEXT NOT NULL,
    confidence BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (key, area, effective_from)
);
