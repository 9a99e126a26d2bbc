"""The words on paper, in the languages of the trial."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "number": "Number", "before": "Fill in before opening", "record": "Record", "when": "Date and time",
        "name": "Name and signature", "allocated": "This patient is allocated to", "code": "Card code",
        "enter": "Enter the envelope number, the arm and this code in REDCap at once. Keep the card and the envelope.",
        "fold": "Fold here, pattern outwards, and seal", "envelope": "Envelope", "stratum": "Stratum", "site": "Site",
        "parcel": "Parcel", "manifest": "Shipping manifest", "receipt": "Receipt", "checklist": "Packing checklist",
        "received": "All of them were received, sealed and unharmed, and are kept locked.", "place": "Kept at",
        "packed": "Packed", "checked": "Checked", "sample": "to be opened again before sealing and compared",
        "seal": "Seal", "log": "Opening log", "opened": "Opened", "accountability": "Accountability of envelopes",
        "sent": "Sent", "on_hand": "At the site", "used": "Opened", "void": "Void", "lost": "Lost",
        "returned": "Returned", "of": "of", "page": "page", "sum": "All", "remark": "Remark",
        "order": "Only the envelope that the coordinator names on the telephone is opened, one patient at a time.",
    },
    "da": {
        "number": "Nummer", "before": "Udfyldes før åbning", "record": "Forsøgsnummer", "when": "Dato og tid",
        "name": "Navn og underskrift", "allocated": "Patienten er allokeret til", "code": "Kortkode",
        "enter": "Skriv straks konvolutnummer, arm og denne kode i REDCap. Gem kortet og konvolutten.",
        "fold": "Fold her med mønsteret udad, og luk", "envelope": "Konvolut", "stratum": "Stratum", "site": "Afdeling",
        "parcel": "Pakke", "manifest": "Følgeseddel", "receipt": "Modtagelse", "checklist": "Pakkeliste",
        "received": "Alle er modtaget lukkede og ubeskadigede og opbevares låst inde.", "place": "Opbevares",
        "packed": "Pakket", "checked": "Kontrolleret", "sample": "åbnes igen før forsegling og sammenholdes",
        "seal": "Segl", "log": "Åbningslog", "opened": "Åbnet", "accountability": "Regnskab over konvolutter",
        "sent": "Sendt", "on_hand": "På afdelingen", "used": "Åbnet", "void": "Ugyldig", "lost": "Bortkommet",
        "returned": "Returneret", "of": "af", "page": "side", "sum": "I alt", "remark": "Bemærkning",
        "order": "Kun den konvolut, som koordinatoren nævner i telefonen, åbnes; én patient ad gangen.",
    },
}  # fmt: skip
"""Language to word to text."""
