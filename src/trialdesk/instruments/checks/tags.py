"""Action tags: known to REDCap, on a field where they act, with an argument where they need one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from redcap_rules.dictionary import Field
from redcap_rules.logic import LogicError, parse
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault

# Tag to what follows it: "" nothing, "=" a value, "(" arguments.
TAGS = {
    **dict.fromkeys((
        "APPUSERNAME-APP", "BARCODE-APP", "DOWNLOAD-COUNT", "FORCE-MINMAX", "HIDDEN", "HIDDEN-APP", "HIDDEN-FORM",
        "HIDDEN-PDF", "HIDDEN-SURVEY", "HIDEBUTTON", "HIDECHOICE", "HIDESUBMIT", "HIDESUBMIT-BUTTON1",
        "HIDESUBMIT-BUTTON2", "INLINE", "INLINE-PREVIEW", "LANGUAGE-CURRENT-FORM", "LANGUAGE-CURRENT-SURVEY",
        "LANGUAGE-FORCE", "LANGUAGE-FORCE-FORM", "LANGUAGE-FORCE-SURVEY", "LANGUAGE-MENU-STATIC", "LANGUAGE-SET",
        "LANGUAGE-SET-FORM", "LANGUAGE-SET-SURVEY", "LATITUDE", "LONGITUDE", "MC-PARTICIPANT-CODE",
        "MC-PARTICIPANT-JOINDATE", "NOMISSING", "NOW", "NOW-SERVER", "NOW-UTC", "PASSWORDMASK", "READONLY",
        "READONLY-APP", "READONLY-FORM", "READONLY-SURVEY", "RICHTEXT", "SAVE-PROMPT-EXEMPT",
        "SAVE-PROMPT-EXEMPT-WHEN-AUTOSET", "SYNC-APP", "TODAY", "TODAY-SERVER", "TODAY-UTC", "USERNAME",
        "CONSENT-VERSION", "RANDOMORDER",
    ), ""),
    **dict.fromkeys((
        "CHARLIMIT", "DEFAULT", "MAXCHECKED", "MAXCHOICE-SURVEY-COMPLETE", "NONEOFTHEABOVE", "PLACEHOLDER", "PREFILL",
        "SETVALUE", "WORDLIMIT",
    ), "="),
    **dict.fromkeys(("CALCDATE", "CALCTEXT", "IF", "MAXCHOICE", "SHOWCHOICE"), "("),
}  # fmt: skip
# These take a value or an argument, but also work without one.
_OPTIONAL = frozenset({"NONEOFTHEABOVE", "HIDECHOICE", "SHOWCHOICE", "MAXCHOICE", "MAXCHECKED", "INLINE"})
_TAG = re.compile(r"(?<![\w.])@([A-Z][A-Z0-9-]*)\s*([=(])?")
_WRONG_FIELD = {
    "NONEOFTHEABOVE": ("checkbox",),
    "MAXCHECKED": ("checkbox",),
    "CALCTEXT": ("text", "notes"),
    "CALCDATE": ("text",),
    "FORCE-MINMAX": ("text",),
    "RICHTEXT": ("notes",),
    "PASSWORDMASK": ("text",),
}


def tags(subject: Subject) -> Iterator[Fault]:
    """Tags REDCap would silently ignore."""
    for field in subject.dictionary.fields:
        for found in _TAG.finditer(field.annotation):
            yield from _tag(subject, field, found)


def _tag(subject: Subject, field: Field, found: re.Match[str]) -> Iterator[Fault]:
    name, follows = found[1], found[2] or ""
    if name not in TAGS:
        near = get_close_matches(name, TAGS, 1)
        way_out = f"did you mean @{near[0]}?" if near else "leave it where an external module reads it"
        what = f"@{name} is unknown to REDCap itself"
        yield subject.at(field, "annotation", what, way_out, rule="tag", severity="warning")
        return
    needed = TAGS[name]
    if needed and not follows and name not in _OPTIONAL:
        what = f"@{name} stands without {'a value' if needed == '=' else 'its argument'}"
        yield subject.at(field, "annotation", what, f"write @{name}{needed}…", rule="tag")
    if field.kind not in _WRONG_FIELD.get(name, (field.kind,)):
        what = f"@{name} does nothing on a {field.kind} field"
        yield subject.at(field, "annotation", what, f"it is for {' or '.join(_WRONG_FIELD[name])}", rule="tag")
    if name == "IF" and follows == "(":
        condition = field.annotation[found.end() :]
        try:
            parse(_first_argument(condition))
        except LogicError as error:
            what = f"the condition of @IF: {error}"
            yield subject.at(field, "annotation", what, "correct the condition", rule="tag")


def _first_argument(text: str) -> str:
    """The text up to the first comma outside quotes, brackets and parentheses."""
    depth, end = 0, len(text)
    for mark in re.finditer(r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]|[(),]", text):
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
        if depth < 0 or (mark[0] == "," and not depth):
            end = mark.start()
            break
    return text[:end]
