"""The coordinator's desk: envelopes, calls and reports of a trial that lives in REDCap."""
