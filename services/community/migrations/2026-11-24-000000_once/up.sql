-- What the rules say, held by the tables as well: two units of work may look at the same time.
CREATE UNIQUE INDEX meal_prices_once ON meal_prices (resident_key, service_point) WHERE state = 1;
CREATE UNIQUE INDEX point_activities_once ON point_activities (service_point, month_from) WHERE state <> 3;
