"""A REDCap-API-compatible server on this machine, as `redcap-local` is where the wheel is installed."""

from redcap_local.command import app

if __name__ == "__main__":
    app()
