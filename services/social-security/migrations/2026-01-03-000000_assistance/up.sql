-- Households and the category of social assistance that they are recognised in.
CREATE TABLE assistance_households (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    residence_kind BIGINT NOT NULL,
    members BLOB NOT NULL,
    member_indexes BLOB NOT NULL,
    member_count BIGINT NOT NULL,
    severely_disabled_members BIGINT NOT NULL,
    net_monthly_income_fen BIGINT NOT NULL,
    category BIGINT NOT NULL,
    applied_on BIGINT NOT NULL,
    decided_on BIGINT NOT NULL,
    valid_from BIGINT,
    valid_to BIGINT,
    monthly_amount_fen BIGINT NOT NULL,
    monthly_standard_fen BIGINT NOT NULL
);
CREATE INDEX assistance_households_by_area ON assistance_households (area, id);

-- When a person was in which category, household by household.
CREATE TABLE assistance_members (
    household TEXT NOT NULL REFERENCES assistance_households (id),
    effective_on BIGINT NOT NULL,
    resident_index BLOB NOT NULL,
    category BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    PRIMARY KEY (household, effective_on, resident_index)
);
CREATE INDEX assistance_members_by_resident ON assistance_members (resident_index, valid_from);
