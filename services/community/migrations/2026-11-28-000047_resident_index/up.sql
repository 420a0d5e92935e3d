-- One name for a person's blind index in every register.
ALTER TABLE meal_prices RENAME COLUMN resident_key TO resident_index;
