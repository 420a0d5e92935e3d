-- Generated from the catalogue of commitments; see docs/LAKE.md. Not to be edited.

-- The rows of which areas count for an area.
CREATE OR REPLACE VIEW areas_inside AS
SELECT counted.code AS _counted, counted.level AS _counted_level, inside.code AS _inside
FROM reference_divisions AS counted
JOIN reference_divisions AS inside
  ON counted.level = 'region' OR inside.code = counted.code OR inside.prefecture = counted.code
WHERE counted.level IN ('region', 'prefecture', 'county') AND inside.level IN ('region', 'prefecture', 'county');

-- The same where a row of an area counts in every area inside it too.
CREATE OR REPLACE VIEW areas_around AS
SELECT counted.code AS _counted, counted.level AS _counted_level, around.code AS _inside
FROM reference_divisions AS counted
JOIN reference_divisions AS around
  ON counted.level = 'region' OR around.level = 'region' OR around.code = counted.code
  OR around.prefecture = counted.code OR around.code = counted.prefecture
WHERE counted.level IN ('region', 'prefecture', 'county') AND around.level IN ('region', 'prefecture', 'county');

-- What stands of community.housing as known at the cut-off.
CREATE OR REPLACE VIEW standing_community_housing AS
SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id
FROM community_housing AS told
WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)
  AND NOT EXISTS (
    SELECT 1 FROM community_housing AS taken
    WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)
      AND taken._record = told._record AND taken._assertion = told._assertion);

-- What stands of community.point_activities as known at the cut-off.
CREATE OR REPLACE VIEW standing_community_point_activities AS
SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id
FROM community_point_activities AS told
WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)
  AND NOT EXISTS (
    SELECT 1 FROM community_point_activities AS taken
    WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)
      AND taken._record = told._record AND taken._assertion = told._assertion);

-- What stands of community.service_points as known at the cut-off.
CREATE OR REPLACE VIEW standing_community_service_points AS
SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id
FROM community_service_points AS told
WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)
  AND NOT EXISTS (
    SELECT 1 FROM community_service_points AS taken
    WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)
      AND taken._record = told._record AND taken._assertion = told._assertion);

-- What stands of education.funding as known at the cut-off.
CREATE OR REPLACE VIEW standing_education_funding AS
SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id
FROM education_funding AS told
WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)
  AND NOT EXISTS (
    SELECT 1 FROM education_funding AS taken
    WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)
      AND taken._record = told._record AND taken._assertion = told._assertion);

-- What stands of education.schools as known at the cut-off.
CREATE OR REPLACE VIEW standing_education_schools AS
SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id
FROM education_schools AS told
WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)
  AND NOT EXISTS (
    SELECT 1 FROM education_schools AS taken
    WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)
      AND taken._record = told._record AND taken._assertion = told._assertion);

-- What stands of health.institutions as known at the cut-off.
CREATE OR REPLACE VIEW standing_health_institutions AS
SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id
FROM health_institutions AS told
WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)
  AND NOT EXISTS (
    SELECT 1 FROM health_institutions AS taken
    WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)
      AND taken._record = told._record AND taken._assertion = told._assertion);

-- What stands of health.quality_certificates as known at the cut-off.
CREATE OR REPLACE VIEW standing_health_quality_certificates AS
SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id
FROM health_quality_certificates AS told
WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)
  AND NOT EXISTS (
    SELECT 1 FROM health_quality_certificates AS taken
    WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)
      AND taken._record = told._record AND taken._assertion = told._assertion);

-- What stands of health.recognition_items as known at the cut-off.
CREATE OR REPLACE VIEW standing_health_recognition_items AS
SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id
FROM health_recognition_items AS told
WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)
  AND NOT EXISTS (
    SELECT 1 FROM health_recognition_items AS taken
    WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)
      AND taken._record = told._record AND taken._assertion = told._assertion);

-- What stands of health.result_decisions as known at the cut-off.
CREATE OR REPLACE VIEW standing_health_result_decisions AS
SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id
FROM health_result_decisions AS told
WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)
  AND NOT EXISTS (
    SELECT 1 FROM health_result_decisions AS taken
    WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)
      AND taken._record = told._record AND taken._assertion = told._assertion);

-- What stands of social_security.assistance as known at the cut-off.
CREATE OR REPLACE VIEW standing_social_security_assistance AS
SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id
FROM social_security_assistance AS told
WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)
  AND NOT EXISTS (
    SELECT 1 FROM social_security_assistance AS taken
    WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)
      AND taken._record = told._record AND taken._assertion = told._assertion);

-- What stands of social_security.enrolments as known at the cut-off.
CREATE OR REPLACE VIEW standing_social_security_enrolments AS
SELECT told.*, regexp_replace(told._record, '^.*/', '') AS _id
FROM social_security_enrolments AS told
WHERE told._diff > 0 AND told._recorded_at <= (SELECT as_of FROM reference_cutoff)
  AND NOT EXISTS (
    SELECT 1 FROM social_security_enrolments AS taken
    WHERE taken._diff < 0 AND taken._recorded_at <= (SELECT as_of FROM reference_cutoff)
      AND taken._record = told._record AND taken._assertion = told._assertion);

-- employment-place-enrolment, primary: No household-registration limit for insurance at the place of work
CREATE OR REPLACE VIEW employment_place_enrolment__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_social_security_enrolments AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (registered_elsewhere AND entry_kind IN ('EMPLOYMENT', 'FLEXIBLE_EMPLOYMENT') AND scheme IN ('EMPLOYEE_PENSION', 'EMPLOYEE_MEDICAL', 'UNEMPLOYMENT', 'WORK_INJURY', 'MATERNITY') AND CAST(applied_on AS TEXT) >= '2025-08-05' AND decision <> 'PENDING' AND (decided_on IS NULL OR decided_on <= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.enrolments' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE NOT (decision = 'REFUSED' AND COALESCE(refusal_reason, '') = 'HOUSEHOLD_REGISTRATION')) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.enrolments' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'employment-place-enrolment' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- employment-place-enrolment, refused-for-registration: Applications refused for household registration
CREATE OR REPLACE VIEW employment_place_enrolment__refused_for_registration AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_social_security_enrolments AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (registered_elsewhere AND entry_kind IN ('EMPLOYMENT', 'FLEXIBLE_EMPLOYMENT') AND scheme IN ('EMPLOYEE_PENSION', 'EMPLOYEE_MEDICAL', 'UNEMPLOYMENT', 'WORK_INJURY', 'MATERNITY') AND CAST(applied_on AS TEXT) >= '2025-08-05' AND decision = 'REFUSED' AND refusal_reason = 'HOUSEHOLD_REGISTRATION' AND (decided_on IS NULL OR decided_on <= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.enrolments' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.enrolments' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'employment-place-enrolment' AS commitment, 'refused-for-registration' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- employment-place-enrolment, pending: Applications pending
CREATE OR REPLACE VIEW employment_place_enrolment__pending AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_social_security_enrolments AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (registered_elsewhere AND entry_kind IN ('EMPLOYMENT', 'FLEXIBLE_EMPLOYMENT') AND scheme IN ('EMPLOYEE_PENSION', 'EMPLOYEE_MEDICAL', 'UNEMPLOYMENT', 'WORK_INJURY', 'MATERNITY') AND CAST(applied_on AS TEXT) >= '2025-08-05' AND decision = 'PENDING')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.enrolments' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.enrolments' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'employment-place-enrolment' AS commitment, 'pending' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- resident-pension-incentive, primary: Pay-more-get-more incentive of the resident pension
CREATE OR REPLACE VIEW resident_pension_incentive__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day, CAST(of_lowest_tier_fen.value AS INTEGER) AS lowest_tier_fen
    FROM standing_social_security_enrolments AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
    LEFT JOIN reference_parameters AS of_lowest_tier_fen
      ON of_lowest_tier_fen.commitment = 'resident-pension-incentive' AND of_lowest_tier_fen.name = 'lowest_tier_fen' AND of_lowest_tier_fen.area = told._area
      AND of_lowest_tier_fen.valid_from <= on_day
      AND (of_lowest_tier_fen.valid_until IS NULL OR of_lowest_tier_fen.valid_until > on_day)
  ) AS days
  WHERE NOT _ended
    AND (scheme = 'RESIDENT_PENSION' AND decision = 'ADMITTED' AND covered_from <= on_day AND (covered_to IS NULL OR covered_to >= on_day) AND premium_payer = 'SELF' AND yearly_contribution_fen > 0)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.enrolments' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE yearly_contribution_fen > lowest_tier_fen) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.enrolments' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'resident-pension-incentive' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- residence-medical-enrolment, primary: Basic medical insurance at the place of residence or work
CREATE OR REPLACE VIEW residence_medical_enrolment__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_social_security_enrolments AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (registered_elsewhere AND decision = 'ADMITTED' AND scheme IN ('EMPLOYEE_MEDICAL', 'RESIDENT_MEDICAL') AND covered_from <= on_day AND (covered_to IS NULL OR covered_to >= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.enrolments' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT person) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.enrolments' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'residence-medical-enrolment' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- residence-medical-enrolment, by-residence-permit: By residence permit
CREATE OR REPLACE VIEW residence_medical_enrolment__by_residence_permit AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_social_security_enrolments AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (registered_elsewhere AND decision = 'ADMITTED' AND scheme IN ('EMPLOYEE_MEDICAL', 'RESIDENT_MEDICAL') AND covered_from <= on_day AND (covered_to IS NULL OR covered_to >= on_day) AND entry_kind = 'RESIDENCE_PERMIT')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.enrolments' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT person) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.enrolments' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'residence-medical-enrolment' AS commitment, 'by-residence-permit' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- residence-medical-enrolment, by-employment: By employment, flexible employment included
CREATE OR REPLACE VIEW residence_medical_enrolment__by_employment AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_social_security_enrolments AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (registered_elsewhere AND decision = 'ADMITTED' AND scheme IN ('EMPLOYEE_MEDICAL', 'RESIDENT_MEDICAL') AND covered_from <= on_day AND (covered_to IS NULL OR covered_to >= on_day) AND entry_kind IN ('EMPLOYMENT', 'FLEXIBLE_EMPLOYMENT'))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.enrolments' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT person) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.enrolments' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'residence-medical-enrolment' AS commitment, 'by-employment' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- residence-medical-enrolment, refused-for-registration: Refused for household registration since the notice
CREATE OR REPLACE VIEW residence_medical_enrolment__refused_for_registration AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_social_security_enrolments AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (scheme IN ('EMPLOYEE_MEDICAL', 'RESIDENT_MEDICAL') AND CAST(applied_on AS TEXT) >= '2025-08-05' AND decision = 'REFUSED' AND refusal_reason = 'HOUSEHOLD_REGISTRATION' AND (decided_on IS NULL OR decided_on <= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.enrolments' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.enrolments' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'residence-medical-enrolment' AS commitment, 'refused-for-registration' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- flexible-maternity-policy, flexible-members: Flexibly employed members with maternity cover
CREATE OR REPLACE VIEW flexible_maternity_policy__flexible_members AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level = 'region'),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_social_security_enrolments AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (scheme = 'MATERNITY' AND entry_kind = 'FLEXIBLE_EMPLOYMENT' AND decision = 'ADMITTED' AND covered_from <= on_day AND (covered_to IS NULL OR covered_to >= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.enrolments' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT person) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.enrolments' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'flexible-maternity-policy' AS commitment, 'flexible-members' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- edge-family-recognition, primary: Edge and rigid-expenditure hardship families recognised everywhere
CREATE OR REPLACE VIEW edge_family_recognition__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_social_security_assistance AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (category IN ('MARGIN', 'RIGID_EXPENDITURE') AND valid_from <= on_day AND (valid_to IS NULL OR valid_to >= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.assistance' AND area = '540000'),
grouped AS (
  SELECT _counted, on_month, _area AS _group
  FROM (
    SELECT counted.*, shown._counted AS _counted
    FROM counted
    JOIN shown ON shown._inside = counted._area
  ) AS of_areas
  WHERE _area IS NOT NULL
  GROUP BY _counted, on_month, _area
  HAVING COUNT(DISTINCT category) >= 2),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM grouped GROUP BY _counted, on_month),
divisions AS (
  SELECT _counted, COUNT(*) AS number
  FROM shown JOIN reference_divisions AS division ON division.county = _inside
  WHERE division.level IN ('county')
  GROUP BY _counted),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(COALESCE(divisions.number, 0) AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN divisions ON divisions._counted = areas._counted
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.assistance' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'edge-family-recognition' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- edge-family-recognition, margin-families: Families on the margin
CREATE OR REPLACE VIEW edge_family_recognition__margin_families AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_social_security_assistance AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (category = 'MARGIN' AND valid_from <= on_day AND (valid_to IS NULL OR valid_to >= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.assistance' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.assistance' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'edge-family-recognition' AS commitment, 'margin-families' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- edge-family-recognition, rigid-families: Families with rigid expenditure
CREATE OR REPLACE VIEW edge_family_recognition__rigid_families AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_social_security_assistance AS told
    JOIN reference_months AS months
      ON months.service = 'social-security'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (category = 'RIGID_EXPENDITURE' AND valid_from <= on_day AND (valid_to IS NULL OR valid_to >= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'social_security.assistance' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'social_security.assistance' AND heard.area = areas._counted
  WHERE months.service = 'social-security' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'edge-family-recognition' AS commitment, 'rigid-families' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- secondary-places, primary: Junior and senior secondary places added
CREATE OR REPLACE VIEW secondary_places__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage IN ('JUNIOR', 'NINE_YEAR', 'SENIOR') AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(places) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'secondary-places' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- secondary-places, junior-places: Junior and nine-year places
CREATE OR REPLACE VIEW secondary_places__junior_places AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage IN ('JUNIOR', 'NINE_YEAR') AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(places) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'secondary-places' AS commitment, 'junior-places' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- secondary-places, senior-places: Senior places
CREATE OR REPLACE VIEW secondary_places__senior_places AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage = 'SENIOR' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(places) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'secondary-places' AS commitment, 'senior-places' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- secondary-places, occupancy: Pupils per place
CREATE OR REPLACE VIEW secondary_places__occupancy AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage IN ('JUNIOR', 'NINE_YEAR', 'SENIOR') AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(pupils) AS DOUBLE) AS numerator,
    CAST(SUM(places) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'secondary-places' AS commitment, 'occupancy' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- affordable-housing-2025, primary: Affordable homes of the 2025 plan
CREATE OR REPLACE VIEW affordable_housing_2025__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_housing AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (plan_year = 2025)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.housing' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(units_started + units_acquired) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  WHERE months.service = 'community' AND kept.first_day <= months.on_day)
SELECT 'affordable-housing-2025' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- affordable-housing-2025, planned: Homes planned
CREATE OR REPLACE VIEW affordable_housing_2025__planned AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_housing AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (plan_year = 2025)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.housing' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(units_planned) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  WHERE months.service = 'community' AND kept.first_day <= months.on_day)
SELECT 'affordable-housing-2025' AS commitment, 'planned' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- affordable-housing-2025, completed: Homes completed
CREATE OR REPLACE VIEW affordable_housing_2025__completed AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_housing AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (plan_year = 2025)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.housing' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(units_completed) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  WHERE months.service = 'community' AND kept.first_day <= months.on_day)
SELECT 'affordable-housing-2025' AS commitment, 'completed' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- affordable-housing-2025, let: Homes let
CREATE OR REPLACE VIEW affordable_housing_2025__let AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_housing AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (plan_year = 2025)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.housing' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(units_let) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  WHERE months.service = 'community' AND kept.first_day <= months.on_day)
SELECT 'affordable-housing-2025' AS commitment, 'let' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- senior-places, primary: Senior-secondary places and conditions
CREATE OR REPLACE VIEW senior_places__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage IN ('SENIOR', 'VOCATIONAL') AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(places) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'senior-places' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- senior-places, general-places: General senior places
CREATE OR REPLACE VIEW senior_places__general_places AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage = 'SENIOR' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(places) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'senior-places' AS commitment, 'general-places' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- senior-places, basic-conditions: Schools that meet the basic conditions, out of schools
CREATE OR REPLACE VIEW senior_places__basic_conditions AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage = 'SENIOR' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE meets_basic_conditions) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'senior-places' AS commitment, 'basic-conditions' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- senior-places, large-classes: Classes above the size limit
CREATE OR REPLACE VIEW senior_places__large_classes AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage = 'SENIOR' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(large_classes) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'senior-places' AS commitment, 'large-classes' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- senior-public-funds, primary: Senior-secondary public funds of 1,100 yuan per student
CREATE OR REPLACE VIEW senior_public_funds__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT _id AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (COALESCE(ownership, '') <> 'PRIVATE' AND stage = 'SENIOR' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
counted_all AS (
  SELECT days.*, MAX(term_from) OVER (PARTITION BY on_month, regexp_replace(school, '^.*/', '')) AS _latest
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_funding AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (fund = 'SENIOR_PUBLIC_FUNDS' AND term_from <= on_day AND term_from > on_day - INTERVAL '366 days')
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = regexp_replace(days.school, '^.*/', '') AND _month = days.on_month)),
counted AS (SELECT * FROM counted_all WHERE term_from = _latest),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.funding' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT regexp_replace(school, '^.*/', '')) FILTER (WHERE meets_standard) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
of_whole AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (COALESCE(ownership, '') <> 'PRIVATE' AND stage = 'SENIOR' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
whole AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM of_whole JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(whole.numerator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN whole ON whole._counted = areas._counted AND whole.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.funding' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'senior-public-funds' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- senior-public-funds, per-student-year: For each student and year
CREATE OR REPLACE VIEW senior_public_funds__per_student_year AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT _id AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (COALESCE(ownership, '') <> 'PRIVATE' AND stage = 'SENIOR' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
counted_all AS (
  SELECT days.*, MAX(term_from) OVER (PARTITION BY on_month, regexp_replace(school, '^.*/', '')) AS _latest
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_funding AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (fund = 'SENIOR_PUBLIC_FUNDS' AND term_from <= on_day AND term_from > on_day - INTERVAL '366 days')
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = regexp_replace(days.school, '^.*/', '') AND _month = days.on_month)),
counted AS (SELECT * FROM counted_all WHERE term_from = _latest),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.funding' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(per_student_year_fen * students) / CAST(100.0 AS DOUBLE) AS DOUBLE) AS numerator,
    CAST(SUM(students) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.funding' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'senior-public-funds' AS commitment, 'per-student-year' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 1 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- senior-public-funds, shortfall: What is missing
CREATE OR REPLACE VIEW senior_public_funds__shortfall AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT _id AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (COALESCE(ownership, '') <> 'PRIVATE' AND stage = 'SENIOR' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
counted_all AS (
  SELECT days.*, MAX(term_from) OVER (PARTITION BY on_month, regexp_replace(school, '^.*/', '')) AS _latest
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_funding AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (fund = 'SENIOR_PUBLIC_FUNDS' AND term_from <= on_day AND term_from > on_day - INTERVAL '366 days')
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = regexp_replace(days.school, '^.*/', '') AND _month = days.on_month)),
counted AS (SELECT * FROM counted_all WHERE term_from = _latest),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.funding' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(shortfall_fen) / CAST(100.0 AS DOUBLE) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.funding' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'senior-public-funds' AS commitment, 'shortfall' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- three-guarantees, primary: 'Three guarantees' of 5,700 yuan per student, rural nutrition scheme of 1,000 included
CREATE OR REPLACE VIEW three_guarantees__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT _id AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (COALESCE(ownership, '') <> 'PRIVATE' AND (stage IN ('PRIMARY', 'JUNIOR', 'NINE_YEAR', 'SENIOR') OR (stage = 'KINDERGARTEN' AND rural)) AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
counted_all AS (
  SELECT days.*, MAX(term_from) OVER (PARTITION BY on_month, regexp_replace(school, '^.*/', '')) AS _latest
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_funding AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (fund = 'THREE_GUARANTEES' AND term_from <= on_day AND term_from > on_day - INTERVAL '366 days')
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = regexp_replace(days.school, '^.*/', '') AND _month = days.on_month)),
counted AS (SELECT * FROM counted_all WHERE term_from = _latest),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.funding' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT regexp_replace(school, '^.*/', '')) FILTER (WHERE meets_standard) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
of_whole AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (COALESCE(ownership, '') <> 'PRIVATE' AND (stage IN ('PRIMARY', 'JUNIOR', 'NINE_YEAR', 'SENIOR') OR (stage = 'KINDERGARTEN' AND rural)) AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
whole AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM of_whole JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(whole.numerator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN whole ON whole._counted = areas._counted AND whole.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.funding' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'three-guarantees' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- three-guarantees, per-student-year: For each student and year
CREATE OR REPLACE VIEW three_guarantees__per_student_year AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT _id AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (COALESCE(ownership, '') <> 'PRIVATE' AND (stage IN ('PRIMARY', 'JUNIOR', 'NINE_YEAR', 'SENIOR') OR (stage = 'KINDERGARTEN' AND rural)) AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
counted_all AS (
  SELECT days.*, MAX(term_from) OVER (PARTITION BY on_month, regexp_replace(school, '^.*/', '')) AS _latest
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_funding AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (fund = 'THREE_GUARANTEES' AND term_from <= on_day AND term_from > on_day - INTERVAL '366 days')
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = regexp_replace(days.school, '^.*/', '') AND _month = days.on_month)),
counted AS (SELECT * FROM counted_all WHERE term_from = _latest),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.funding' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(per_student_year_fen * students) / CAST(100.0 AS DOUBLE) AS DOUBLE) AS numerator,
    CAST(SUM(students) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.funding' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'three-guarantees' AS commitment, 'per-student-year' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 1 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- three-guarantees, shortfall: What is missing
CREATE OR REPLACE VIEW three_guarantees__shortfall AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT _id AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (COALESCE(ownership, '') <> 'PRIVATE' AND (stage IN ('PRIMARY', 'JUNIOR', 'NINE_YEAR', 'SENIOR') OR (stage = 'KINDERGARTEN' AND rural)) AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
counted_all AS (
  SELECT days.*, MAX(term_from) OVER (PARTITION BY on_month, regexp_replace(school, '^.*/', '')) AS _latest
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_funding AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (fund = 'THREE_GUARANTEES' AND term_from <= on_day AND term_from > on_day - INTERVAL '366 days')
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = regexp_replace(days.school, '^.*/', '') AND _month = days.on_month)),
counted AS (SELECT * FROM counted_all WHERE term_from = _latest),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.funding' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(shortfall_fen) / CAST(100.0 AS DOUBLE) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.funding' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'three-guarantees' AS commitment, 'shortfall' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- three-guarantees, nutrition: Schools whose nutrition part reaches its standard, out of schools with one
CREATE OR REPLACE VIEW three_guarantees__nutrition AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT _id AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (COALESCE(ownership, '') <> 'PRIVATE' AND (stage IN ('PRIMARY', 'JUNIOR', 'NINE_YEAR', 'SENIOR') OR (stage = 'KINDERGARTEN' AND rural)) AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
counted_all AS (
  SELECT days.*, MAX(term_from) OVER (PARTITION BY on_month, regexp_replace(school, '^.*/', '')) AS _latest
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_funding AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (fund = 'THREE_GUARANTEES' AND term_from <= on_day AND term_from > on_day - INTERVAL '366 days' AND nutrition_meets_standard IS NOT NULL)
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = regexp_replace(days.school, '^.*/', '') AND _month = days.on_month)),
counted AS (SELECT * FROM counted_all WHERE term_from = _latest),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.funding' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT regexp_replace(school, '^.*/', '')) FILTER (WHERE nutrition_meets_standard) AS DOUBLE) AS numerator,
    CAST(COUNT(DISTINCT regexp_replace(school, '^.*/', '')) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.funding' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'three-guarantees' AS commitment, 'nutrition' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, primary: Test and examination items mutually recognised
CREATE OR REPLACE VIEW mutual_recognition_items__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT item_code AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_recognition_items AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (active_from <= on_day AND (active_to IS NULL OR active_to >= on_day) AND (window_days IS NULL OR window_days > 0))),
partners_1 AS (
  SELECT DISTINCT _id AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_institutions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (operating_from <= on_day AND (operating_to IS NULL OR operating_to >= on_day))),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_quality_certificates AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (passed AND scope <> 'COUNTY' AND valid_from <= on_day AND (valid_to IS NULL OR valid_to >= on_day))
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = days.item_code AND _month = days.on_month AND _partner_area IN (days._area, concat(substr(days._area, 1, 4), '00'), '540000'))
    AND EXISTS (
      SELECT 1 FROM partners_1 WHERE _partner = regexp_replace(days.institution, '^.*/', '') AND _month = days.on_month)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.quality_certificates' AND area = '540000'),
grouped AS (
  SELECT _counted, on_month, item_code AS _group
  FROM (
    SELECT counted.*, shown._counted AS _counted, CAST(of_minimum_institutions.value AS INTEGER) AS minimum_institutions
    FROM counted
    JOIN shown ON shown._inside = counted._area
    LEFT JOIN reference_parameters AS of_minimum_institutions
      ON of_minimum_institutions.commitment = 'mutual-recognition-items' AND of_minimum_institutions.name = 'minimum_institutions' AND of_minimum_institutions.area = shown._counted
      AND of_minimum_institutions.valid_from <= on_day
      AND (of_minimum_institutions.valid_until IS NULL OR of_minimum_institutions.valid_until > on_day)
  ) AS of_areas
  WHERE item_code IS NOT NULL
  GROUP BY _counted, on_month, item_code
  HAVING COUNT(DISTINCT regexp_replace(institution, '^.*/', '')) >= MAX(minimum_institutions)),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM grouped GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.quality_certificates' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, listed: Items in the list
CREATE OR REPLACE VIEW mutual_recognition_items__listed AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_around
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_recognition_items AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (active_from <= on_day AND (active_to IS NULL OR active_to >= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.recognition_items' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT item_code) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.recognition_items' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day_around <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'listed' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, exercised: Items recognised at least once within a year
CREATE OR REPLACE VIEW mutual_recognition_items__exercised AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_result_decisions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (decision = 'RECOGNISED' AND decided_on <= on_day AND decided_on > on_day - INTERVAL '365 days')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.result_decisions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT item_code) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.result_decisions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'exercised' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, recognised: Results recognised within a year
CREATE OR REPLACE VIEW mutual_recognition_items__recognised AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_result_decisions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (decision = 'RECOGNISED' AND decided_on <= on_day AND decided_on > on_day - INTERVAL '365 days')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.result_decisions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.result_decisions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'recognised' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, refused: Results not recognised in the year before
CREATE OR REPLACE VIEW mutual_recognition_items__refused AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_result_decisions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (decision = 'NOT_RECOGNISED' AND decided_on <= on_day AND decided_on > on_day - INTERVAL '365 days')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.result_decisions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.result_decisions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'refused' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, refused-clinical: Not recognised for the patient's condition, a major measure or an emergency
CREATE OR REPLACE VIEW mutual_recognition_items__refused_clinical AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_result_decisions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (decision = 'NOT_RECOGNISED' AND reason IN ('CONDITION_CHANGED', 'FAST_CHANGING', 'BEFORE_MAJOR_MEASURE', 'EMERGENCY') AND decided_on <= on_day AND decided_on > on_day - INTERVAL '365 days')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.result_decisions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.result_decisions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'refused-clinical' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, refused-appraisal: Not recognised for an appraisal or another stated need
CREATE OR REPLACE VIEW mutual_recognition_items__refused_appraisal AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_result_decisions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (decision = 'NOT_RECOGNISED' AND reason IN ('FORENSIC_APPRAISAL', 'OTHER_NECESSARY') AND decided_on <= on_day AND decided_on > on_day - INTERVAL '365 days')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.result_decisions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.result_decisions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'refused-appraisal' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, refused-request: Not recognised because the patient asked
CREATE OR REPLACE VIEW mutual_recognition_items__refused_request AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_result_decisions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (decision = 'NOT_RECOGNISED' AND reason IN ('PATIENT_REQUEST') AND decided_on <= on_day AND decided_on > on_day - INTERVAL '365 days')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.result_decisions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.result_decisions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'refused-request' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, refused-expired: Not recognised because it was older than its window
CREATE OR REPLACE VIEW mutual_recognition_items__refused_expired AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_result_decisions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (decision = 'NOT_RECOGNISED' AND reason IN ('EXPIRED') AND decided_on <= on_day AND decided_on > on_day - INTERVAL '365 days')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.result_decisions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.result_decisions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'refused-expired' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, refused-quality: Not recognised for want of a valid quality certificate
CREATE OR REPLACE VIEW mutual_recognition_items__refused_quality AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_result_decisions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (decision = 'NOT_RECOGNISED' AND reason IN ('QUALITY_FAILED') AND decided_on <= on_day AND decided_on > on_day - INTERVAL '365 days')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.result_decisions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.result_decisions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'refused-quality' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, recognition-rate: Recognised, out of recognisable results
CREATE OR REPLACE VIEW mutual_recognition_items__recognition_rate AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_result_decisions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (recognisable AND decided_on <= on_day AND decided_on > on_day - INTERVAL '365 days')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.result_decisions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE decision = 'RECOGNISED') AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.result_decisions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'recognition-rate' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- mutual-recognition-items, money-saved: Money saved within a year
CREATE OR REPLACE VIEW mutual_recognition_items__money_saved AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_result_decisions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (decision = 'RECOGNISED' AND decided_on <= on_day AND decided_on > on_day - INTERVAL '365 days')),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.result_decisions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(price_fen) / CAST(100.0 AS DOUBLE) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.result_decisions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'mutual-recognition-items' AS commitment, 'money-saved' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- residential-utility-prices, primary: Household water, power and gas prices for care institutions
CREATE OR REPLACE VIEW residential_utility_prices__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind IN ('ELDER_CARE_HOME', 'DAY_CARE_CENTRE', 'MUTUAL_AID_HOME', 'NURSERY') AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE household_utility_prices) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'residential-utility-prices' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- kindergarten-nurseries, primary: Kindergartens with classes for two- to three-year-olds
CREATE OR REPLACE VIEW kindergarten_nurseries__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage = 'KINDERGARTEN' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE nursery_classes > 0) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'kindergarten-nurseries' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- kindergarten-nurseries, share: Kindergartens with such classes, out of kindergartens
CREATE OR REPLACE VIEW kindergarten_nurseries__share AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage = 'KINDERGARTEN' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE nursery_classes > 0) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'kindergarten-nurseries' AS commitment, 'share' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- kindergarten-nurseries, places: Places
CREATE OR REPLACE VIEW kindergarten_nurseries__places AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage = 'KINDERGARTEN' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(nursery_places) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'kindergarten-nurseries' AS commitment, 'places' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- kindergarten-nurseries, children: Children
CREATE OR REPLACE VIEW kindergarten_nurseries__children AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage = 'KINDERGARTEN' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(nursery_children) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'kindergarten-nurseries' AS commitment, 'children' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- care-with-medicine, primary: Elder care joined with medical care
CREATE OR REPLACE VIEW care_with_medicine__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'ELDER_CARE_HOME' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE medical_agreement) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'care-with-medicine' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- day-care-services, primary: Day care, rehabilitation and home visits
CREATE OR REPLACE VIEW day_care_services__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_point_activities AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (kind = 'DAY_CARE_CENTRE' AND month_from = on_month)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.point_activities' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(services) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  WHERE months.service = 'community' AND months.whole AND kept.first_day <= months.on_day AND (numbers._counted IS NOT NULL))
SELECT 'day-care-services' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- day-care-services, centres: Day-care centres in service
CREATE OR REPLACE VIEW day_care_services__centres AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'DAY_CARE_CENTRE' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'day-care-services' AS commitment, 'centres' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- day-care-services, capacity: Capacity
CREATE OR REPLACE VIEW day_care_services__capacity AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'DAY_CARE_CENTRE' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(capacity) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'day-care-services' AS commitment, 'capacity' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- rural-mutual-aid-care, homes: Mutual-aid homes in service
CREATE OR REPLACE VIEW rural_mutual_aid_care__homes AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'MUTUAL_AID_HOME' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'rural-mutual-aid-care' AS commitment, 'homes' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- age-friendly-institutions, primary: Age-friendly medical institutions
CREATE OR REPLACE VIEW age_friendly_institutions__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day, CAST(of_clinics_count.value AS INTEGER) AS clinics_count
    FROM standing_health_institutions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
    LEFT JOIN reference_parameters AS of_clinics_count
      ON of_clinics_count.commitment = 'age-friendly-institutions' AND of_clinics_count.name = 'clinics_count' AND of_clinics_count.area = told._area
      AND of_clinics_count.valid_from <= on_day
      AND (of_clinics_count.valid_until IS NULL OR of_clinics_count.valid_until > on_day)
  ) AS days
  WHERE NOT _ended
    AND ((institution_class IN ('GENERAL_HOSPITAL', 'TIBETAN_MEDICINE_HOSPITAL', 'TOWNSHIP_HEALTH_CENTRE', 'COMMUNITY_HEALTH_CENTRE') OR (clinics_count = 1 AND institution_class IN ('CLINIC', 'OUTPATIENT_DEPARTMENT', 'VILLAGE_CLINIC'))) AND operating_from <= on_day AND (operating_to IS NULL OR operating_to >= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.institutions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE age_friendly_from <= on_day AND (age_friendly_to IS NULL OR age_friendly_to >= on_day)) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.institutions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'age-friendly-institutions' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- age-friendly-institutions, general-hospitals: General hospitals
CREATE OR REPLACE VIEW age_friendly_institutions__general_hospitals AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_institutions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (institution_class IN ('GENERAL_HOSPITAL') AND operating_from <= on_day AND (operating_to IS NULL OR operating_to >= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.institutions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE age_friendly_from <= on_day AND (age_friendly_to IS NULL OR age_friendly_to >= on_day)) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.institutions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'age-friendly-institutions' AS commitment, 'general-hospitals' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- age-friendly-institutions, tibetan-medicine-hospitals: Tibetan-medicine hospitals
CREATE OR REPLACE VIEW age_friendly_institutions__tibetan_medicine_hospitals AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_health_institutions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (institution_class IN ('TIBETAN_MEDICINE_HOSPITAL') AND operating_from <= on_day AND (operating_to IS NULL OR operating_to >= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.institutions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE age_friendly_from <= on_day AND (age_friendly_to IS NULL OR age_friendly_to >= on_day)) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.institutions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'age-friendly-institutions' AS commitment, 'tibetan-medicine-hospitals' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- age-friendly-institutions, primary-institutions: Primary institutions
CREATE OR REPLACE VIEW age_friendly_institutions__primary_institutions AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day, CAST(of_clinics_count.value AS INTEGER) AS clinics_count
    FROM standing_health_institutions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
    LEFT JOIN reference_parameters AS of_clinics_count
      ON of_clinics_count.commitment = 'age-friendly-institutions' AND of_clinics_count.name = 'clinics_count' AND of_clinics_count.area = told._area
      AND of_clinics_count.valid_from <= on_day
      AND (of_clinics_count.valid_until IS NULL OR of_clinics_count.valid_until > on_day)
  ) AS days
  WHERE NOT _ended
    AND ((institution_class IN ('TOWNSHIP_HEALTH_CENTRE', 'COMMUNITY_HEALTH_CENTRE') OR (clinics_count = 1 AND institution_class IN ('CLINIC', 'OUTPATIENT_DEPARTMENT', 'VILLAGE_CLINIC'))) AND operating_from <= on_day AND (operating_to IS NULL OR operating_to >= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.institutions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE age_friendly_from <= on_day AND (age_friendly_to IS NULL OR age_friendly_to >= on_day)) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.institutions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'age-friendly-institutions' AS commitment, 'primary-institutions' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- age-friendly-institutions, eligible: Institutions of the three classes
CREATE OR REPLACE VIEW age_friendly_institutions__eligible AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day, CAST(of_clinics_count.value AS INTEGER) AS clinics_count
    FROM standing_health_institutions AS told
    JOIN reference_months AS months
      ON months.service = 'health'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
    LEFT JOIN reference_parameters AS of_clinics_count
      ON of_clinics_count.commitment = 'age-friendly-institutions' AND of_clinics_count.name = 'clinics_count' AND of_clinics_count.area = told._area
      AND of_clinics_count.valid_from <= on_day
      AND (of_clinics_count.valid_until IS NULL OR of_clinics_count.valid_until > on_day)
  ) AS days
  WHERE NOT _ended
    AND ((institution_class IN ('GENERAL_HOSPITAL', 'TIBETAN_MEDICINE_HOSPITAL', 'TOWNSHIP_HEALTH_CENTRE', 'COMMUNITY_HEALTH_CENTRE') OR (clinics_count = 1 AND institution_class IN ('CLINIC', 'OUTPATIENT_DEPARTMENT', 'VILLAGE_CLINIC'))) AND operating_from <= on_day AND (operating_to IS NULL OR operating_to >= on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'health.institutions' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'health.institutions' AND heard.area = areas._counted
  WHERE months.service = 'health' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'age-friendly-institutions' AS commitment, 'eligible' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- employer-nurseries, primary: Nurseries run by employers
CREATE OR REPLACE VIEW employer_nurseries__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'NURSERY' AND operator = 'EMPLOYER' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'employer-nurseries' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- employer-nurseries, places: Places
CREATE OR REPLACE VIEW employer_nurseries__places AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'NURSERY' AND operator = 'EMPLOYER' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(capacity) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'employer-nurseries' AS commitment, 'places' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- elder-meal-points, opened: Points open, serving or not
CREATE OR REPLACE VIEW elder_meal_points__opened AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'ELDER_MEAL_POINT' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'elder-meal-points' AS commitment, 'opened' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- elder-meal-points, reported: Points that reported the month, out of those open since before it
CREATE OR REPLACE VIEW elder_meal_points__reported AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT regexp_replace(service_point, '^.*/', '') AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_point_activities AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (kind = 'ELDER_MEAL_POINT' AND month_from = on_month)),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'ELDER_MEAL_POINT' AND opened_on < on_month AND (closed_on IS NULL OR closed_on > on_day))
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = days._id AND _month = days.on_month)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
of_whole AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'ELDER_MEAL_POINT' AND opened_on < on_month AND (closed_on IS NULL OR closed_on > on_day))),
whole AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM of_whole JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(whole.numerator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN whole ON whole._counted = areas._counted AND whole.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND months.whole AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'elder-meal-points' AS commitment, 'reported' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- elder-meal-points, not-operating: Points that reported and did not serve enough within the window
CREATE OR REPLACE VIEW elder_meal_points__not_operating AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT regexp_replace(service_point, '^.*/', '') AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_point_activities AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (kind = 'ELDER_MEAL_POINT' AND month_from = on_month)),
partners_1 AS (
  SELECT DISTINCT regexp_replace(service_point, '^.*/', '') AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day, CAST(of_minimum_meals.value AS INTEGER) AS minimum_meals, CAST(of_window_days.value AS INTEGER) AS window_days
    FROM standing_community_point_activities AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
    LEFT JOIN reference_parameters AS of_minimum_meals
      ON of_minimum_meals.commitment = 'elder-meal-points' AND of_minimum_meals.name = 'minimum_meals' AND of_minimum_meals.area = told._area
      AND of_minimum_meals.valid_from <= on_day
      AND (of_minimum_meals.valid_until IS NULL OR of_minimum_meals.valid_until > on_day)
    LEFT JOIN reference_parameters AS of_window_days
      ON of_window_days.commitment = 'elder-meal-points' AND of_window_days.name = 'window_days' AND of_window_days.area = told._area
      AND of_window_days.valid_from <= on_day
      AND (of_window_days.valid_until IS NULL OR of_window_days.valid_until > on_day)
  ) AS days
  WHERE (kind = 'ELDER_MEAL_POINT' AND last_served_on <= on_day AND last_served_on > on_day - window_days AND services >= minimum_meals)),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'ELDER_MEAL_POINT' AND opened_on < on_month AND (closed_on IS NULL OR closed_on > on_day))
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = days._id AND _month = days.on_month)
    AND NOT EXISTS (
      SELECT 1 FROM partners_1 WHERE _partner = days._id AND _month = days.on_month)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND months.whole AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'elder-meal-points' AS commitment, 'not-operating' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- elder-meal-points, not-reported: Points that have not reported the month
CREATE OR REPLACE VIEW elder_meal_points__not_reported AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT regexp_replace(service_point, '^.*/', '') AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_point_activities AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (kind = 'ELDER_MEAL_POINT' AND month_from = on_month)),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'ELDER_MEAL_POINT' AND opened_on < on_month AND (closed_on IS NULL OR closed_on > on_day))
    AND NOT EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = days._id AND _month = days.on_month)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND months.whole AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'elder-meal-points' AS commitment, 'not-reported' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- elder-meal-points, meals: Meals served in the month
CREATE OR REPLACE VIEW elder_meal_points__meals AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_point_activities AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (kind = 'ELDER_MEAL_POINT' AND month_from = on_month)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.point_activities' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(services) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  WHERE months.service = 'community' AND months.whole AND kept.first_day <= months.on_day AND (numbers._counted IS NOT NULL))
SELECT 'elder-meal-points' AS commitment, 'meals' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- elder-meal-points, elders: Elders served in the month
CREATE OR REPLACE VIEW elder_meal_points__elders AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_point_activities AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (kind = 'ELDER_MEAL_POINT' AND month_from = on_month)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.point_activities' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(people_served) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  WHERE months.service = 'community' AND months.whole AND kept.first_day <= months.on_day AND (numbers._counted IS NOT NULL))
SELECT 'elder-meal-points' AS commitment, 'elders' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- disabled-homes, primary: Homes and stations for disabled people
CREATE OR REPLACE VIEW disabled_homes__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'DISABLED_HOME' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'disabled-homes' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- disabled-homes, served: People served in the month
CREATE OR REPLACE VIEW disabled_homes__served AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_point_activities AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE (kind = 'DISABLED_HOME' AND month_from = on_month)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.point_activities' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(people_served) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  WHERE months.service = 'community' AND months.whole AND kept.first_day <= months.on_day AND (numbers._counted IS NOT NULL))
SELECT 'disabled-homes' AS commitment, 'served' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- fitness-facilities, primary: Fitness facilities, sports parks and trails
CREATE OR REPLACE VIEW fitness_facilities__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind IN ('FITNESS_FACILITY', 'SPORTS_VENUE') AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'fitness-facilities' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- fitness-facilities, fitness-sites: Fitness facilities
CREATE OR REPLACE VIEW fitness_facilities__fitness_sites AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'FITNESS_FACILITY' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'fitness-facilities' AS commitment, 'fitness-sites' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- fitness-facilities, sports-venues: Sports venues
CREATE OR REPLACE VIEW fitness_facilities__sports_venues AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'SPORTS_VENUE' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'fitness-facilities' AS commitment, 'sports-venues' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- fitness-facilities, floor-area: Area
CREATE OR REPLACE VIEW fitness_facilities__floor_area AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind IN ('FITNESS_FACILITY', 'SPORTS_VENUE') AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(floor_area_dm2) / CAST(100.0 AS DOUBLE) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'fitness-facilities' AS commitment, 'floor-area' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- fitness-three-level, counties: Counties
CREATE OR REPLACE VIEW fitness_three_level__counties AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (level = 'COUNTY' AND kind = 'FITNESS_FACILITY' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))
    AND unit_code IN (SELECT code FROM reference_divisions WHERE level IN ('county'))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT unit_code) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
divisions AS (
  SELECT _counted, COUNT(*) AS number
  FROM shown JOIN reference_divisions AS division ON division.county = _inside
  WHERE division.level IN ('county')
  GROUP BY _counted),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(COALESCE(divisions.number, 0) AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN divisions ON divisions._counted = areas._counted
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'fitness-three-level' AS commitment, 'counties' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- fitness-three-level, townships: Townships
CREATE OR REPLACE VIEW fitness_three_level__townships AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (level = 'TOWNSHIP' AND kind = 'FITNESS_FACILITY' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))
    AND unit_code IN (SELECT code FROM reference_divisions WHERE level IN ('township'))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT unit_code) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
divisions AS (
  SELECT _counted, COUNT(*) AS number
  FROM shown JOIN reference_divisions AS division ON division.county = _inside
  WHERE division.level IN ('township')
  GROUP BY _counted),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(COALESCE(divisions.number, 0) AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN divisions ON divisions._counted = areas._counted
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'fitness-three-level' AS commitment, 'townships' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- fitness-three-level, villages: Villages
CREATE OR REPLACE VIEW fitness_three_level__villages AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (level = 'VILLAGE' AND kind = 'FITNESS_FACILITY' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))
    AND unit_code IN (SELECT code FROM reference_divisions WHERE level IN ('village'))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT unit_code) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
divisions AS (
  SELECT _counted, COUNT(*) AS number
  FROM shown JOIN reference_divisions AS division ON division.county = _inside
  WHERE division.level IN ('village')
  GROUP BY _counted),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(COALESCE(divisions.number, 0) AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN divisions ON divisions._counted = areas._counted
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'fitness-three-level' AS commitment, 'villages' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- venues-open, primary: Sports venues open free or at low charge
CREATE OR REPLACE VIEW venues_open__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'SPORTS_VENUE' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) FILTER (WHERE free_or_low_charge) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'venues-open' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 100 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- venues-open, weekly-hours: Average opening a week
CREATE OR REPLACE VIEW venues_open__weekly_hours AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'SPORTS_VENUE' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(weekly_opening_minutes) / CAST(60.0 AS DOUBLE) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'venues-open' AS commitment, 'weekly-hours' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 1 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- oxygen-pilots, primary: Oxygen demonstration at six high-altitude sites
CREATE OR REPLACE VIEW oxygen_pilots__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'OXYGEN_SITE' AND site_code IN ('puma-yumco', 'serling-tso', 'qilin-gorge', 'tangra-yumco', 'laigu-glacier', 'yiga-glacier') AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(DISTINCT site_code) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'oxygen-pilots' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- longer-opening, weekly-hours: Average opening a week of culture venues in service
CREATE OR REPLACE VIEW longer_opening__weekly_hours AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'CULTURE_VENUE' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(weekly_opening_minutes) / CAST(60.0 AS DOUBLE) AS DOUBLE) AS numerator,
    CAST(COUNT(*) AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, COALESCE(numbers.denominator, 0) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'longer-opening' AS commitment, 'weekly-hours' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(CASE WHEN cells.denominator > 0 THEN cells.numerator * 1 / cells.denominator END AS DOUBLE) AS value
FROM cells;

-- special-schools, primary: Special and dedicated schools
CREATE OR REPLACE VIEW special_schools__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage IN ('SPECIAL', 'DEDICATED') AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'special-schools' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- special-schools, special: Special schools
CREATE OR REPLACE VIEW special_schools__special AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage = 'SPECIAL' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'special-schools' AS commitment, 'special' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- special-schools, places: Places
CREATE OR REPLACE VIEW special_schools__places AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage IN ('SPECIAL', 'DEDICATED') AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(places) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'special-schools' AS commitment, 'places' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- special-schools, pupils: Pupils
CREATE OR REPLACE VIEW special_schools__pupils AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_education_schools AS told
    JOIN reference_months AS months
      ON months.service = 'education'
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (stage IN ('SPECIAL', 'DEDICATED') AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'education.schools' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(pupils) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'education.schools' AND heard.area = areas._counted
  WHERE months.service = 'education' AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'special-schools' AS commitment, 'pupils' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells;

-- elder-meal-points, primary: Elder meal points
CREATE OR REPLACE VIEW elder_meal_points__primary AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT regexp_replace(service_point, '^.*/', '') AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day, CAST(of_minimum_meals.value AS INTEGER) AS minimum_meals, CAST(of_window_days.value AS INTEGER) AS window_days
    FROM standing_community_point_activities AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
    LEFT JOIN reference_parameters AS of_minimum_meals
      ON of_minimum_meals.commitment = 'elder-meal-points' AND of_minimum_meals.name = 'minimum_meals' AND of_minimum_meals.area = told._area
      AND of_minimum_meals.valid_from <= on_day
      AND (of_minimum_meals.valid_until IS NULL OR of_minimum_meals.valid_until > on_day)
    LEFT JOIN reference_parameters AS of_window_days
      ON of_window_days.commitment = 'elder-meal-points' AND of_window_days.name = 'window_days' AND of_window_days.area = told._area
      AND of_window_days.valid_from <= on_day
      AND (of_window_days.valid_until IS NULL OR of_window_days.valid_until > on_day)
  ) AS days
  WHERE (kind = 'ELDER_MEAL_POINT' AND last_served_on <= on_day AND last_served_on > on_day - window_days AND services >= minimum_meals)),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'ELDER_MEAL_POINT' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = days._id AND _month = days.on_month)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(COUNT(*) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND months.whole AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'elder-meal-points' AS commitment, 'primary' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells
JOIN elder_meal_points__reported AS reported ON reported.area = cells.area AND reported.month = cells.month
WHERE reported.value IS NULL OR reported.value >= 90;

-- elder-meal-points, seats: Seats
CREATE OR REPLACE VIEW elder_meal_points__seats AS
WITH shown AS (
  SELECT _counted, _inside FROM areas_inside
  WHERE _counted_level IN ('region', 'prefecture', 'county')),
partners_0 AS (
  SELECT DISTINCT regexp_replace(service_point, '^.*/', '') AS _partner, _area AS _partner_area, on_month AS _month
  FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day, CAST(of_minimum_meals.value AS INTEGER) AS minimum_meals, CAST(of_window_days.value AS INTEGER) AS window_days
    FROM standing_community_point_activities AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
    LEFT JOIN reference_parameters AS of_minimum_meals
      ON of_minimum_meals.commitment = 'elder-meal-points' AND of_minimum_meals.name = 'minimum_meals' AND of_minimum_meals.area = told._area
      AND of_minimum_meals.valid_from <= on_day
      AND (of_minimum_meals.valid_until IS NULL OR of_minimum_meals.valid_until > on_day)
    LEFT JOIN reference_parameters AS of_window_days
      ON of_window_days.commitment = 'elder-meal-points' AND of_window_days.name = 'window_days' AND of_window_days.area = told._area
      AND of_window_days.valid_from <= on_day
      AND (of_window_days.valid_until IS NULL OR of_window_days.valid_until > on_day)
  ) AS days
  WHERE (kind = 'ELDER_MEAL_POINT' AND last_served_on <= on_day AND last_served_on > on_day - window_days AND services >= minimum_meals)),
counted AS (
  SELECT days.* FROM (
    SELECT told.*, months.on_month AS on_month, months.on_day AS on_day
    FROM standing_community_service_points AS told
    JOIN reference_months AS months
      ON months.service = 'community' AND months.whole
      AND told._from <= months.on_day AND (told._until IS NULL OR told._until > months.on_day)
  ) AS days
  WHERE NOT _ended
    AND (kind = 'ELDER_MEAL_POINT' AND opened_on <= on_day AND (closed_on IS NULL OR closed_on > on_day))
    AND EXISTS (
      SELECT 1 FROM partners_0 WHERE _partner = days._id AND _month = days.on_month)),
kept AS (
  SELECT MIN(first_day) AS first_day FROM reference_first_days
  WHERE dataset = 'community.service_points' AND area = '540000'),
numbers AS (
  SELECT _counted, on_month, CAST(SUM(capacity) AS DOUBLE) AS numerator,
    CAST(NULL AS DOUBLE) AS denominator
  FROM counted JOIN shown ON _inside = _area
  GROUP BY _counted, on_month),
cells AS (
  SELECT areas._counted AS area, months.on_month AS month,
    COALESCE(numbers.numerator, 0) AS numerator, CAST(NULL AS DOUBLE) AS denominator
  FROM (SELECT DISTINCT _counted FROM shown) AS areas
  CROSS JOIN reference_months AS months
  CROSS JOIN kept
  LEFT JOIN numbers ON numbers._counted = areas._counted AND numbers.on_month = months.on_month
  LEFT JOIN reference_first_days AS heard
    ON heard.dataset = 'community.service_points' AND heard.area = areas._counted
  WHERE months.service = 'community' AND months.whole AND kept.first_day <= months.on_day AND heard.first_day <= months.on_day)
SELECT 'elder-meal-points' AS commitment, 'seats' AS measure, cells.area AS area, cells.month AS month,
  cells.numerator AS numerator, cells.denominator AS denominator, CAST(cells.numerator * 1 AS DOUBLE) AS value
FROM cells
JOIN elder_meal_points__reported AS reported ON reported.area = cells.area AND reported.month = cells.month
WHERE reported.value IS NULL OR reported.value >= 90;

-- fitness-three-level, primary: Public fitness facilities at county, township and village level
CREATE OR REPLACE VIEW fitness_three_level__primary AS
WITH others AS (
  SELECT 1 AS place, * FROM fitness_three_level__counties WHERE value IS NOT NULL
  UNION ALL SELECT 2 AS place, * FROM fitness_three_level__townships WHERE value IS NOT NULL
  UNION ALL SELECT 3 AS place, * FROM fitness_three_level__villages WHERE value IS NOT NULL),
ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY area, month ORDER BY value, place) AS rank FROM others)
SELECT commitment, 'primary' AS measure, area, month, numerator, denominator, value
FROM ranked WHERE rank = 1;

-- All of them.
CREATE OR REPLACE VIEW attainment AS
SELECT * FROM affordable_housing_2025__completed
UNION ALL SELECT * FROM affordable_housing_2025__let
UNION ALL SELECT * FROM affordable_housing_2025__planned
UNION ALL SELECT * FROM affordable_housing_2025__primary
UNION ALL SELECT * FROM age_friendly_institutions__eligible
UNION ALL SELECT * FROM age_friendly_institutions__general_hospitals
UNION ALL SELECT * FROM age_friendly_institutions__primary
UNION ALL SELECT * FROM age_friendly_institutions__primary_institutions
UNION ALL SELECT * FROM age_friendly_institutions__tibetan_medicine_hospitals
UNION ALL SELECT * FROM care_with_medicine__primary
UNION ALL SELECT * FROM day_care_services__capacity
UNION ALL SELECT * FROM day_care_services__centres
UNION ALL SELECT * FROM day_care_services__primary
UNION ALL SELECT * FROM disabled_homes__primary
UNION ALL SELECT * FROM disabled_homes__served
UNION ALL SELECT * FROM edge_family_recognition__margin_families
UNION ALL SELECT * FROM edge_family_recognition__primary
UNION ALL SELECT * FROM edge_family_recognition__rigid_families
UNION ALL SELECT * FROM elder_meal_points__elders
UNION ALL SELECT * FROM elder_meal_points__meals
UNION ALL SELECT * FROM elder_meal_points__not_operating
UNION ALL SELECT * FROM elder_meal_points__not_reported
UNION ALL SELECT * FROM elder_meal_points__opened
UNION ALL SELECT * FROM elder_meal_points__primary
UNION ALL SELECT * FROM elder_meal_points__reported
UNION ALL SELECT * FROM elder_meal_points__seats
UNION ALL SELECT * FROM employer_nurseries__places
UNION ALL SELECT * FROM employer_nurseries__primary
UNION ALL SELECT * FROM employment_place_enrolment__pending
UNION ALL SELECT * FROM employment_place_enrolment__primary
UNION ALL SELECT * FROM employment_place_enrolment__refused_for_registration
UNION ALL SELECT * FROM fitness_facilities__fitness_sites
UNION ALL SELECT * FROM fitness_facilities__floor_area
UNION ALL SELECT * FROM fitness_facilities__primary
UNION ALL SELECT * FROM fitness_facilities__sports_venues
UNION ALL SELECT * FROM fitness_three_level__counties
UNION ALL SELECT * FROM fitness_three_level__primary
UNION ALL SELECT * FROM fitness_three_level__townships
UNION ALL SELECT * FROM fitness_three_level__villages
UNION ALL SELECT * FROM flexible_maternity_policy__flexible_members
UNION ALL SELECT * FROM kindergarten_nurseries__children
UNION ALL SELECT * FROM kindergarten_nurseries__places
UNION ALL SELECT * FROM kindergarten_nurseries__primary
UNION ALL SELECT * FROM kindergarten_nurseries__share
UNION ALL SELECT * FROM longer_opening__weekly_hours
UNION ALL SELECT * FROM mutual_recognition_items__exercised
UNION ALL SELECT * FROM mutual_recognition_items__listed
UNION ALL SELECT * FROM mutual_recognition_items__money_saved
UNION ALL SELECT * FROM mutual_recognition_items__primary
UNION ALL SELECT * FROM mutual_recognition_items__recognised
UNION ALL SELECT * FROM mutual_recognition_items__recognition_rate
UNION ALL SELECT * FROM mutual_recognition_items__refused
UNION ALL SELECT * FROM mutual_recognition_items__refused_appraisal
UNION ALL SELECT * FROM mutual_recognition_items__refused_clinical
UNION ALL SELECT * FROM mutual_recognition_items__refused_expired
UNION ALL SELECT * FROM mutual_recognition_items__refused_quality
UNION ALL SELECT * FROM mutual_recognition_items__refused_request
UNION ALL SELECT * FROM oxygen_pilots__primary
UNION ALL SELECT * FROM residence_medical_enrolment__by_employment
UNION ALL SELECT * FROM residence_medical_enrolment__by_residence_permit
UNION ALL SELECT * FROM residence_medical_enrolment__primary
UNION ALL SELECT * FROM residence_medical_enrolment__refused_for_registration
UNION ALL SELECT * FROM resident_pension_incentive__primary
UNION ALL SELECT * FROM residential_utility_prices__primary
UNION ALL SELECT * FROM rural_mutual_aid_care__homes
UNION ALL SELECT * FROM secondary_places__junior_places
UNION ALL SELECT * FROM secondary_places__occupancy
UNION ALL SELECT * FROM secondary_places__primary
UNION ALL SELECT * FROM secondary_places__senior_places
UNION ALL SELECT * FROM senior_places__basic_conditions
UNION ALL SELECT * FROM senior_places__general_places
UNION ALL SELECT * FROM senior_places__large_classes
UNION ALL SELECT * FROM senior_places__primary
UNION ALL SELECT * FROM senior_public_funds__per_student_year
UNION ALL SELECT * FROM senior_public_funds__primary
UNION ALL SELECT * FROM senior_public_funds__shortfall
UNION ALL SELECT * FROM special_schools__places
UNION ALL SELECT * FROM special_schools__primary
UNION ALL SELECT * FROM special_schools__pupils
UNION ALL SELECT * FROM special_schools__special
UNION ALL SELECT * FROM three_guarantees__nutrition
UNION ALL SELECT * FROM three_guarantees__per_student_year
UNION ALL SELECT * FROM three_guarantees__primary
UNION ALL SELECT * FROM three_guarantees__shortfall
UNION ALL SELECT * FROM venues_open__primary
UNION ALL SELECT * FROM venues_open__weekly_hours;
