"""What REDCap's words mean: dictionary, choices, validation, event names, logic. Pure."""
