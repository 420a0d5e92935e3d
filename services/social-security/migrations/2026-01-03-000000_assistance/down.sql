DROP TABLE assistance_members;
DROP TABLE assistance_households;
