-- What the department knows about its database: one row.
CREATE TABLE journal_state (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    incarnation TEXT NOT NULL,      -- which life of the journal a cursor belongs to
    settled BIGINT NOT NULL,        -- only PostgreSQL uses it
    place TEXT NOT NULL,            -- only PostgreSQL uses it
    key_check BLOB                  -- tells the key it was written with from another one
);
INSERT INTO journal_state VALUES (1, lower(hex(randomblob(16))), 0, '', NULL);
