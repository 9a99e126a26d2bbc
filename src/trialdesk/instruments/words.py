"""The program's own words around the instruments, in the languages they are shown in."""

from __future__ import annotations

from collections.abc import Mapping

from redcap_forms.words import WORDS as FORM
from redcap_forms.words import Words
from trialdesk.instruments.design import Design

OWN = "en"  # what a project without a translation is shown in, and a language without words here
WORDS: Mapping[str, Words] = {
    OWN: {
        **FORM,
        "repeats": "repeats",
        "open_texts": "Texts to be approved by the trial team: {}.",
        # the preview
        "preview": "Preview of the instruments. Nothing typed here is kept or sent.",
        "as_survey": "as the patient sees it (survey)", "details": "names and logic", "hidden": "show hidden fields",
        "nav": "Events and instruments", "noscript": "This preview needs JavaScript.",
        # the case report form
        "crf": "Annotated case report form", "crf_short": "annotated CRF", "version": "Version",
        "legend": "Names and codes in blue are those of the database. Licensed questionnaires stand with neutral "
        "labels.",
        "grid": "Forms by events", "repeating": "Repeating.", "identifier": "identifier", "every_visit": "Every visit",
        "text": "text", "notes": "long text", "one": "one answer", "any": "any answers", "yesno": "yes or no",
        "truefalse": "true or false", "calc": "calculated", "slider": "slider 0–100", "file": "file",
        # conditions
        "=": "is", "<>": "is not", "!=": "is not", "<": "is less than", "<=": "is at most", ">": "is more than",
        ">=": "is at least", "and": "and", "or": "or", "not": "not", "is_blank": "is blank", "filled": "is filled in",
        "ticked": "is ticked", "unticked": "is not ticked", "blank": "blank",
    },
    "da": {
        "yes": "Ja", "no": "Nej", "true": "Sandt", "false": "Falsk", "repeats": "gentages", "shown_if": "vises hvis",
        "open_texts": "Tekster, som forsøgsgruppen endnu skal godkende: {}.",
        "preview": "Forhåndsvisning af skemaerne. Det, der skrives her, gemmes og sendes ikke.",
        "as_survey": "som patienten ser det (spørgeskema)", "details": "navne og logik", "hidden": "vis skjulte felter",
        "nav": "Tidspunkter og skemaer", "noscript": "Forhåndsvisningen kræver JavaScript.",
        "required": "skal udfyldes",
        "reset": "nulstil", "upload": "Vedhæft fil", "out_of_range": "Værdien ligger uden for det forventede område",
        "wrong_format": "Værdien har ikke det forventede format. Prøv igen.",
        "not_a_number": "Værdien er ikke et tal. Prøv igen.",
        "not_an_integer": "Værdien er ikke et helt tal. Prøv igen.",
        "not_an_email": "Her skal stå en gyldig e-mailadresse. Prøv igen.",
        "not_a_time": "Et klokkeslæt skrives TT:MM, fra 00:00 til 23:59 (f.eks. 04:32 eller 23:19).",
        "admissible": "Værdien kan bruges, men se den gerne efter en ekstra gang.",
        "crf": "Annoteret CRF (case report form)", "crf_short": "annoteret CRF", "version": "Version",
        "legend": "Navne og koder med blåt er databasens. Licenserede spørgeskemaer står med neutrale betegnelser.",
        "grid": "Skemaer og tidspunkter", "repeating": "Gentages.", "identifier": "personhenførbart",
        "every_visit": "Hvert besøg", "text": "tekst", "notes": "lang tekst", "one": "ét svar", "any": "flere svar",
        "yesno": "ja eller nej", "truefalse": "sandt eller falsk", "calc": "beregnet", "slider": "skyder 0–100",
        "file": "fil", "date": "dato", "datetime": "dato og klokkeslæt", "time": "klokkeslæt", "number": "tal",
        "integer": "helt tal", "phone": "telefonnummer", "email": "e-mail", "autocomplete": "ét svar",
        "today": "i dag", "now": "nu",
        "=": "er", "<>": "er ikke", "!=": "er ikke", "<": "er mindre end", "<=": "er højst", ">": "er mere end",
        ">=": "er mindst", "and": "og", "or": "eller", "not": "ikke", "is_blank": "er tom", "filled": "er udfyldt",
        "ticked": "er afkrydset", "unticked": "er ikke afkrydset", "blank": "tom",
    },
}  # fmt: skip
"""Language to word to text."""


def words_of(language: str) -> Words:
    """The words shown around instruments in a language."""
    return WORDS.get(language, WORDS[OWN])


def open_texts(design: Design) -> str:
    """That texts of a translation are not approved yet; "" where all are."""
    return words_of(design.language)["open_texts"].format(design.unapproved) if design.unapproved else ""
