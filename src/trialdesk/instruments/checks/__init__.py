"""Everything that can be found wrong with instrument files without asking a server."""

from trialdesk.instruments.checks.run import check, check_projects, errors_in, to_json

__all__ = ["check", "check_projects", "errors_in", "to_json"]
