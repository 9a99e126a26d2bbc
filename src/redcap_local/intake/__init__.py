"""From imported rows to stored values (redcap-api.md 6)."""
