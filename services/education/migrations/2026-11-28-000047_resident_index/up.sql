-- One name for a person's blind index in every register.
ALTER TABLE aid_cases RENAME COLUMN resident_blind TO resident_index;
