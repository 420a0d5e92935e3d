DROP TABLE meal_prices;
