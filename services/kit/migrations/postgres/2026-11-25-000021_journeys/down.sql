DROP FUNCTION hold_places;
DROP FUNCTION locked_answer;
