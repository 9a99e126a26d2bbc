"""From stored values to export rows (redcap-api.md 5)."""
