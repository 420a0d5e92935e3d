ALTER TABLE assistance_households DROP COLUMN claimed_days;
ALTER TABLE assistance_households DROP COLUMN yearly_standard_fen;
ALTER TABLE assistance_households DROP COLUMN single_person_members;
ALTER TABLE assistance_households DROP COLUMN grade;
ALTER TABLE assistance_households DROP COLUMN deducted_spending_monthly_fen;
ALTER TABLE assistance_households DROP COLUMN ground;
