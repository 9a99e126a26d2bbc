"""What the page shows: events and their forms, and the fields of every form."""

from __future__ import annotations

from collections.abc import Iterator

from redcap_forms.model import Json, form_model, script_words
from trialdesk.instruments.design import Design
from trialdesk.instruments.words import words_of


def model(design: Design, title: str) -> Json:
    """The page's data: events with their forms, forms with their fields."""
    dictionary, words = design.dictionary, words_of(design.language)
    return {
        "title": title,
        "words": {**script_words(words), "repeats": words["repeats"]},
        "labels": {form: design.labels.form(form) for form in dictionary.forms},
        "events": list(_events(design)) or [{"name": "", "label": "", "forms": list(dictionary.forms)}],
        "repeating": sorted({repeat.form for repeat in design.repeating}),
        "forms": {form: form_model(dictionary, form, words) for form in dictionary.forms},
        "commas": sorted(dictionary.comma_decimals),
    }


def _events(design: Design) -> Iterator[Json]:
    """The events that hold a form of the dictionary, with their forms."""
    for event in design.events:
        slots = (slot for slot in design.mapping if slot.event == event.name)
        forms = [slot.form for slot in slots if slot.form in design.dictionary.forms]
        if forms:
            yield {"name": event.name, "label": design.labels.events.get(event.name, event.label), "forms": forms}
