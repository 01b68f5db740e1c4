-- One database for all tests; each uses stores of its own.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS session_store;
