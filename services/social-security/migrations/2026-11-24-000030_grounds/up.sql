-- What a category rests on, the grade of dibao, members who get dibao as persons, and days that a correction claimed.
ALTER TABLE assistance_households ADD COLUMN ground BIGINT NOT NULL DEFAULT 0;
ALTER TABLE assistance_households ADD COLUMN deducted_spending_monthly_fen BIGINT NOT NULL DEFAULT 0;
ALTER TABLE assistance_households ADD COLUMN grade BIGINT NOT NULL DEFAULT 0;
ALTER TABLE assistance_households ADD COLUMN single_person_members BIGINT NOT NULL DEFAULT 0;
-- 0 for rural amounts computed before, from the twelfth part.
ALTER TABLE assistance_households ADD COLUMN yearly_standard_fen BIGINT NOT NULL DEFAULT 0;
UPDATE assistance_households SET yearly_standard_fen = monthly_standard_fen * 12 WHERE residence_kind = 1;
ALTER TABLE assistance_households ADD COLUMN claimed_days BLOB NOT NULL DEFAULT '';
