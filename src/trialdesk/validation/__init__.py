"""The validation package: requirements, what became of the tests that prove them, and the document made of both."""
