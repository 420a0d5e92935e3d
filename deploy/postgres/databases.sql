-- One database and one role for each department, made when the cluster is new. No role may enter another's database.
CREATE ROLE social_security LOGIN PASSWORD 'minsheng';
CREATE ROLE education LOGIN PASSWORD 'minsheng';
CREATE ROLE health LOGIN PASSWORD 'minsheng';
CREATE ROLE community LOGIN PASSWORD 'minsheng';
CREATE DATABASE social_security OWNER social_security;
CREATE DATABASE education OWNER education;
CREATE DATABASE health OWNER health;
CREATE DATABASE community OWNER community;
REVOKE CONNECT ON DATABASE social_security FROM PUBLIC;
REVOKE CONNECT ON DATABASE education FROM PUBLIC;
REVOKE CONNECT ON DATABASE health FROM PUBLIC;
REVOKE CONNECT ON DATABASE community FROM PUBLIC;
