"""The follow-up: which contact is due when, for the research nurse.

Everything here is a pure rule of data, settings and a day; the script holds the edges. `schedule.schedule` is the way
in: `sources` (is what is needed there) → `contacts` with `halts` (what the record says) → `planner` (which day) →
`status` (one word) → `sheets` and `callplan` (what a person and REDCap get to see).
"""
