"""The audit of the allocation: what can only be asked with the arms in hand, so never in a night.

For the statistician, with an age identity (reference/randomisation.md 5: R32, R42 to R46, R48).
"""
