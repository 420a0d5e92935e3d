-- The journal tells states, by asserting and retracting them. What an earlier version wrote is carried over when the
-- service starts.
DROP INDEX journal_by_dataset;
ALTER TABLE journal RENAME TO journal_before;
CREATE INDEX journal_before_by_record ON journal_before (dataset, record, position);
CREATE TABLE journal (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset TEXT NOT NULL,          -- as service.dataset
    record TEXT NOT NULL,           -- id of the record in its register
    assertion BIGINT NOT NULL,      -- number of the assertion within its record
    diff BIGINT NOT NULL,           -- 1 asserted, -1 retracted
    valid_from BIGINT NOT NULL,     -- first day for which the row is true, in days since 1970-01-01
    valid_until BIGINT NOT NULL,    -- first day for which it no longer is; the greatest number while it is open
    ended BOOLEAN NOT NULL,         -- the record has ended on these days
    recorded_at BIGINT NOT NULL,    -- microseconds UTC
    area TEXT NOT NULL,             -- GB/T 2260, six digits
    payload BLOB NOT NULL           -- the dataset's row message, encoded
);
CREATE INDEX journal_by_dataset ON journal (dataset, position);

-- A version of a record may have had several states.
ALTER TABLE revisions RENAME TO revisions_before;
CREATE TABLE revisions (
    register TEXT NOT NULL,
    record TEXT NOT NULL,
    version BIGINT NOT NULL,
    number BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    effective_until BIGINT NOT NULL,
    replaced_at BIGINT NOT NULL,
    department TEXT NOT NULL,
    resource BLOB NOT NULL,
    PRIMARY KEY (register, record, version, number)
) WITHOUT ROWID;
INSERT INTO revisions (register, record, version, number, effective_on, effective_until, replaced_at, department, resource)
SELECT register, record, version, 0, effective_on, 9223372036854775807, replaced_at, department, resource FROM revisions_before;
DROP TABLE revisions_before;
