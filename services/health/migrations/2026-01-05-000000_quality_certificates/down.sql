DROP TABLE quality_certificates;
