DROP INDEX journal_of_institutions;
DROP TABLE age_friendly_assessments;
