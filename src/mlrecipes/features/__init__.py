"""Feature tables as SQL: read from ``features/``, checked, and said in an engine's dialect."""
