-- What would be several journeys to the database is one each.

-- Waits until no other call of a request is under way, and gives what the one that was carried out left: the hash of
-- its request and its answer, or nothing. Both statements see what was committed before they begin: whoever waited for
-- the lock finds the answer of the call that held it.
CREATE FUNCTION locked_answer(
    place BIGINT, of_caller TEXT, of_method TEXT, of_request TEXT, OUT hash BYTEA, OUT answer BYTEA
) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(place);
    SELECT request_hash, response INTO hash, answer FROM idempotency
        WHERE caller = of_caller AND method = of_method AND request_id = of_request;
END
$$;

-- Takes the locks of a scope, in the order given, until the transaction ends; says how many.
CREATE FUNCTION hold_places(scope INTEGER, places INTEGER[]) RETURNS INTEGER LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(scope, place) FROM unnest(places) AS held (place);
    RETURN cardinality(places);
END
$$;
