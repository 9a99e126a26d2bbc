"""What a unit's own REDCap answers where nobody has seen it yet: an empty project, a table of requests, judges."""
