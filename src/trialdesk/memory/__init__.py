"""The desk's memory: what earlier runs saw and said, in one SQLite file on a local disk (reference/design.md 9)."""
