"""The nightly run: pull, check, derive, publish; nothing half-done is ever shown."""
