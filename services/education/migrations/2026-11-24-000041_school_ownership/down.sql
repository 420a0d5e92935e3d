DROP INDEX aid_cases_by_school;
ALTER TABLE schools DROP COLUMN ownership;
