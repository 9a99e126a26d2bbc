"""The way to REDCap: the gateway (the only HTTP), what a project must hold, and one pull as tidy facts."""
