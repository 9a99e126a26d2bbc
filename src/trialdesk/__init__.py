"""The coordinator's desk: envelopes, calls and reports of a trial that lives in REDCap."""

VERSION = "0.5.3"
"""Of the whole product, as in pyproject.toml."""
