-- Bytes are BLOB in migrations that both databases run. Its version is below all others, so that they find it.
DO $$
BEGIN
    CREATE DOMAIN blob AS bytea;
EXCEPTION
    WHEN duplicate_object THEN NULL;
END
$$;
