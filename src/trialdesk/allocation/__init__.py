"""The allocation tables: lists of permuted blocks, envelope numbers, cards, commitments, and the sealed files.

Scheme `trialdesk-list-v1`
(reference/design.md 5) is fixed for ever: whoever holds the master can write the lists again with
a page of any language. Nothing in this room talks to REDCap.
"""
