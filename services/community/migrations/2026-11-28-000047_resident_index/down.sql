ALTER TABLE meal_prices RENAME COLUMN resident_index TO resident_key;
