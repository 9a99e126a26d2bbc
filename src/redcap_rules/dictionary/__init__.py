"""The data dictionary of a project: read, checked, joined, written.

Source: reference/instruments.md 2.1, reference/redcap-api.md 9.
"""

from redcap_rules.dictionary.columns import API_COLUMNS, CSV_HEADERS
from redcap_rules.dictionary.joining import join
from redcap_rules.dictionary.model import FIELD_TYPES, Dictionary, Field
from redcap_rules.dictionary.problems import DictionaryError, Problem
from redcap_rules.dictionary.reading import from_api, read_dictionary
from redcap_rules.dictionary.writing import to_api, write_dictionary

__all__ = [
    "API_COLUMNS",
    "CSV_HEADERS",
    "FIELD_TYPES",
    "Dictionary",
    "DictionaryError",
    "Field",
    "Problem",
    "from_api",
    "join",
    "read_dictionary",
    "to_api",
    "write_dictionary",
]
