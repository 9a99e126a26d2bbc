"""Designs compared by playing them: how well they balance, how well they hide, how many envelopes they take."""
