DROP INDEX funding_records_by_school;
DROP INDEX aid_cases_by_pupil;
