-- Indexes of 0.2.0 answer as they did: REINDEX them when there is time, for intervals to be counted without their rows (src/index/key.rs).

-- They make their settings themselves, where the planner answers.
ALTER FUNCTION session_query(text, text, text, bigint, bigint) RESET ALL;
ALTER FUNCTION session_stream(text, text, text, bigint, bigint) RESET ALL;
ALTER FUNCTION session_count(text, text) RESET ALL;
ALTER FUNCTION session_explain(text, text, text) RESET ALL;
