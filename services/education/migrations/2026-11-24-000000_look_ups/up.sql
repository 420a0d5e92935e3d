-- What a chunk looks for. The unique indexes hold the rules but cannot serve it: their condition is on a value that a
-- prepared statement does not know.
CREATE INDEX aid_cases_by_pupil ON aid_cases (resident_blind);
CREATE INDEX funding_records_by_school ON funding_records (school, term_year);
