-- What institutions showed in external quality assessment, item by item.
CREATE TABLE quality_certificates (
    id TEXT PRIMARY KEY,
    area TEXT NOT NULL,
    version BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_on BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    institution TEXT NOT NULL,
    item_code TEXT NOT NULL,
    scope BIGINT NOT NULL,
    quality_body TEXT NOT NULL,
    round TEXT NOT NULL,
    passed BOOLEAN NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT NOT NULL
);
CREATE INDEX quality_certificates_by_area ON quality_certificates (area, id);
-- Is there a certificate of this institution for this item on a day?
CREATE INDEX quality_certificates_by_institution ON quality_certificates (institution, item_code, valid_from);
