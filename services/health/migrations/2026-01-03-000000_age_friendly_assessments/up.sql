-- Age-friendly assessments, each with the certificate that follows from it.
CREATE TABLE age_friendly_assessments (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    institution TEXT NOT NULL,
    assessed_on BIGINT NOT NULL,
    culture_score BIGINT NOT NULL,
    management_score BIGINT NOT NULL,
    service_score BIGINT NOT NULL,
    environment_score BIGINT NOT NULL,
    mandatory_met BOOLEAN NOT NULL,
    revoked_on BIGINT,
    passed BOOLEAN NOT NULL,
    total_score BIGINT NOT NULL,
    certificate_from BIGINT,
    certificate_to BIGINT,
    shown_from BIGINT
);
CREATE INDEX age_friendly_assessments_by_area ON age_friendly_assessments (area, id);
CREATE INDEX age_friendly_assessments_by_institution ON age_friendly_assessments (institution);
-- The certificates of an institution are written into its own entries, which are found here.
CREATE INDEX journal_of_institutions ON journal (record, position) WHERE dataset = 'health.institutions';
