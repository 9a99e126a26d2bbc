"""The 18 columns of a dictionary: their API names, their spreadsheet headers and older spellings."""

import re

# API name, header of the spreadsheet, older spellings seen in the wild, attribute of Field.
_COLUMNS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("field_name", "Variable / Field Name", ("Variable", "Field Name", "Variable Name"), "name"),
    ("form_name", "Form Name", ("Form", "Instrument", "Instrument Name"), "form"),
    ("section_header", "Section Header", (), "section"),
    ("field_type", "Field Type", ("Type",), "kind"),
    ("field_label", "Field Label", ("Label",), "label"),
    (
        "select_choices_or_calculations",
        "Choices, Calculations, OR Slider Labels",
        ("Choices OR Calculations", "Choices, Calculations", "Choices"),
        "choices",
    ),
    ("field_note", "Field Note", ("Field Notes",), "note"),
    (
        "text_validation_type_or_show_slider_number",
        "Text Validation Type OR Show Slider Number",
        ("Text Validation Type", "Text Validation"),
        "validation",
    ),
    ("text_validation_min", "Text Validation Min", (), "minimum"),
    ("text_validation_max", "Text Validation Max", (), "maximum"),
    ("identifier", "Identifier?", (), "identifier"),
    ("branching_logic", "Branching Logic (Show field only if...)", ("Branching Logic",), "branching"),
    ("required_field", "Required Field?", ("Required",), "required"),
    ("custom_alignment", "Custom Alignment", (), "alignment"),
    (
        "question_number",
        "Question Number (surveys only)",
        ("Question Number", "Question Number (survey only)"),
        "question",
    ),
    ("matrix_group_name", "Matrix Group Name", ("Matrix Group",), "matrix"),
    ("matrix_ranking", "Matrix Ranking?", (), "ranking"),
    (
        "field_annotation",
        "Field Annotation",
        ("Field Annotations", "Action Tags / Field Annotation"),
        "annotation",
    ),
)

API_COLUMNS: tuple[str, ...] = tuple(api for api, _, _, _ in _COLUMNS)
CSV_HEADERS: tuple[str, ...] = tuple(header for _, header, _, _ in _COLUMNS)
ATTRIBUTES: dict[str, str] = {api: attribute for api, _, _, attribute in _COLUMNS}
REQUIRED_COLUMNS: tuple[str, ...] = ("field_name", "form_name", "field_type")


def _plain(header: str) -> str:
    return re.sub("[^a-z0-9]", "", header.lower())


# Columns that very old exports carry and that no version has used since: they are skipped.
OBSOLETE: frozenset[str] = frozenset({"", "fieldunits"})
_API_NAME: dict[str, str] = {
    _plain(spelling): api for api, header, older, _ in _COLUMNS for spelling in (api, header, *older)
}


def api_column(header: str) -> str:
    """The API name of a header in any spelling, '' for an obsolete or unnamed column; KeyError if unknown."""
    plain = _plain(header)
    return "" if plain in OBSOLETE else _API_NAME[plain]
