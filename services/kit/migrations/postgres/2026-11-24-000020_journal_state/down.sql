DROP FUNCTION announce_moment;
DROP TABLE journal_state;
