ALTER TABLE aid_cases RENAME COLUMN resident_index TO resident_blind;
