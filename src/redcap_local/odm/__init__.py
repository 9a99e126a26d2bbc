"""Projects and data as CDISC ODM 1.3.1 with REDCap's extension (reference/redcap-api.md 13.4)."""
