"""The life of the envelopes: register, release, reconciliation, stock and lists. Nothing here holds an unopened arm."""
