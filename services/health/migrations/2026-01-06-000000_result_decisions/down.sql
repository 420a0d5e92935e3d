DROP TABLE result_decisions;
