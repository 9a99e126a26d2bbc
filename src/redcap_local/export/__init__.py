"""From stored values to export rows (reference/redcap-api.md 5)."""
