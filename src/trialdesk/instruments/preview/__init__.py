"""Every instrument as a person will see it, in one HTML file that works without a network."""

from trialdesk.instruments.preview.page import render, write_preview

__all__ = ["render", "write_preview"]
