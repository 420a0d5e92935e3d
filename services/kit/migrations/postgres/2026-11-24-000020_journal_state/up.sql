-- What the department knows about its database: one row.
CREATE TABLE journal_state (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    incarnation TEXT NOT NULL,      -- which life of the journal a cursor belongs to
    settled BIGINT NOT NULL,        -- units that announce themselves from now on are recorded later than this moment
    place TEXT NOT NULL,            -- cluster, timeline and database in which it was opened last
    key_check BYTEA                 -- tells the key it was written with from another one
);
INSERT INTO journal_state VALUES (1, replace(gen_random_uuid()::text, '-', ''), 0, '', NULL);

-- A unit says that it is about to append to the journal, and learns the moment at which it does. Until it ends, a
-- shared advisory lock shows the earliest moment that it can have. The lock comes first and `settled` is read after it,
-- by a statement of its own: whoever raises `settled` and then looks at the locks misses no unit.
CREATE FUNCTION announce_moment(moment BIGINT) RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    floor BIGINT;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(moment);
    SELECT settled + 1 INTO floor FROM journal_state;
    RETURN greatest(moment, floor);
END
$$;
