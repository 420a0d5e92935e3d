DROP TABLE housing_projects;
