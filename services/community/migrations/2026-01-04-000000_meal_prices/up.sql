-- The prices that elders pay at meal points. Identity numbers are sealed.
CREATE TABLE meal_prices (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    resident BLOB NOT NULL,
    resident_key BLOB NOT NULL,
    person TEXT NOT NULL,
    service_point TEXT NOT NULL,
    base_price_fen BIGINT NOT NULL,
    applied_on BIGINT NOT NULL,
    outcome BIGINT NOT NULL,
    assistance_category BIGINT NOT NULL,
    price_fen BIGINT NOT NULL,
    decided_on BIGINT
);
CREATE INDEX meal_prices_by_area ON meal_prices (area, id);
CREATE INDEX meal_prices_by_person ON meal_prices (resident_key, service_point);
CREATE INDEX meal_prices_by_outcome ON meal_prices (outcome, id);
