"""What a run tells people: one cohort table, the sheets made of it, and the proof that open ones are blind."""
