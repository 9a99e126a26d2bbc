"""A server that speaks the REDCap API, on SQLite, to try out and to test against."""
