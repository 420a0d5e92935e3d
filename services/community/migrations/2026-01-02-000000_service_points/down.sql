DROP TABLE service_points;
