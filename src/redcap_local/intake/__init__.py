"""From imported rows to stored values (reference/redcap-api.md 6)."""
