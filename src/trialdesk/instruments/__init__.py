"""Instruments as code: what a project must hold, what it holds, the difference as a plan, and applying exactly that."""
