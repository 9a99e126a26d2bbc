"""An insider who sees every count and every opened arm of a clinic: what he knows of the next arm."""
