DROP TABLE point_activities;
