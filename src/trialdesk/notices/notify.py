"""What a run has to tell is told, once; what was told is kept beside the memory."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from pathlib import Path

from trialdesk.config import Config
from trialdesk.errors import OutputFailed
from trialdesk.notices.due import Ending, Told, after, due, readers
from trialdesk.notices.letter import write
from trialdesk.notices.post import send
from trialdesk.private import place

FILE = "mail.json"


def notify(config: Config, ending: Ending) -> int:
    """Everybody has been sent what the run calls for; returns the number of messages, 0 where no mail is configured.

    What could not be sent is due again at the next run.

    Raises:
        MailFailed: the mail server did not take it.
        ConfigError: there is no password.
    """
    mail = config.mail
    if mail is None:
        return 0
    told = _told(config.state / FILE)
    kinds = due(ending, told, mail.digest)
    letters = [write(config, mail, kind, one, ending) for kind in kinds for one in readers(config, kind)]
    sent = send(config, mail, letters) if letters else 0
    if kinds:
        _keep(config.state / FILE, after(ending, told, kinds))
    return sent


def _told(path: Path) -> Told:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Told(bool(kept["failing"]), date.fromisoformat(kept["digest"]) if kept["digest"] else None)
    except (OSError, ValueError, KeyError, TypeError):
        return Told()


def _keep(path: Path, told: Told) -> None:
    day = told.digest.isoformat() if told.digest else None
    with suppress(OutputFailed):  # told twice is better than a run that ends for it
        place(path, f"{json.dumps({'failing': told.failing, 'digest': day})}\n".encode())
