"""The rehearsal: made-up sites and patients that play this trial against a REDCap."""
