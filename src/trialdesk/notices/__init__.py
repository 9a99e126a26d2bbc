"""Mail that says how the nights are: it announces and names a place, attaches nothing, and holds no data."""
