DROP INDEX point_activities_once;
DROP INDEX meal_prices_once;
