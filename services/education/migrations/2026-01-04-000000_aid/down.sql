DROP TABLE aid_cases;
