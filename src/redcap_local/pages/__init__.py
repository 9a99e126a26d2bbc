"""Pages in a browser, to enter data as the user of a project (reference/redcap-validation-facts.md 4 to 11)."""
