DROP TABLE funding_records;
