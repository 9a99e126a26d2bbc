"""Every sentence the server answers with, and how sure it is that REDCap says the same.

Confidence marks are those of reference/redcap-api.md 0: V seen on the wire, D documented, I reported, U unknown. A
sentence marked U is ours; it begins with `[local] ` so that no client comes to depend on its wording.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    """How sure it is that REDCap uses these words."""

    SEEN = "V"
    DOCUMENTED = "D"
    REPORTED = "I"
    UNKNOWN = "U"


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence with `{}` places, the HTTP status it comes with and where it is known from."""

    text: str
    confidence: Confidence
    status: int = 400


def _seen(text: str, status: int = 400) -> Message:
    return Message(text, Confidence.SEEN, status)


def _reported(text: str, status: int = 400) -> Message:
    return Message(text, Confidence.REPORTED, status)


def _ours(text: str, status: int = 400) -> Message:
    return Message(f"[local] {text}", Confidence.UNKNOWN, status)


class ApiError(Exception):
    """A request is refused; carries the status and the sentence for the client."""

    def __init__(self, message: Message, *parts: object) -> None:
        self.status = message.status
        self.text = message.text.format(*parts) if parts else message.text
        super().__init__(self.text)


# reference/redcap-api.md 2.4
BAD_TOKEN = _seen("You do not have permissions to use the API", 403)
NO_IMPORT = _seen("You do not have API Import/Update privileges", 403)
NO_DELETE = _seen("You do not have Delete Record privileges", 403)
NO_EXPORT = _ours("You do not have API Export privileges", 403)
NO_DATA_EXPORT = _ours("You do not have Data Export privileges for any instrument", 403)
NO_RIGHT = _ours("You do not have {} privileges", 403)
NO_DAG_RIGHT = _seen(
    "Insufficient user privileges: You must have 'API Export' privileges and 'Data Access Groups' privileges "
    "in the project.",
    403,
)
IN_DAG = _reported(
    "You do not have permission to export/import/delete Data Access Groups because you have beed assigned to "
    "a Data Access Group..",
    403,
)
BAD_CONTENT = _seen('The value of the parameter "content" is not valid')
BAD_ACTION = _ours('The value of the parameter "action" is not valid')
BAD_PARAMETER = _ours('The value of the parameter "{}" is not valid: {}')
MISSING_PARAMETER = _ours('The parameter "{}" is missing')
NOT_IMPLEMENTED = _reported("The requested method is not implemented.", 501)
BAD_REQUEST = _ours("The request could not be processed: {}")
ARMS_CLASSIC = _seen("You cannot export arms for classic projects")
EVENTS_CLASSIC = _seen("You cannot export events for classic projects")
MAPPINGS_CLASSIC = _seen("You cannot export form/event mappings for classic projects")
NOTHING_REPEATS = _seen(
    "You cannot export repeating instruments and events because the project does not contain any repeating "
    "instruments and events"
)
BAD_VALUES = _seen('The following values in the parameter "{}" are not valid: {}')
BAD_COLUMNS = _seen("The following fields were not found in the project as real data fields: {}")
BAD_EVENTS = _seen("The following values of redcap_event_name are invalid: {}")
NO_RECORD = _seen('The record "{}" does not exist')
NOT_A_FILE_FIELD = _seen("The field '{}' does not exist or is not a 'file' field")
NO_FOLDER = _seen(
    "The File Repository folder folder_id={} does not exist or else you do not have permission to that folder "
    "because it is DAG-restricted or Role-restricted."
)
CANNOT_DELETE = _seen(
    "One or more of the records provided cannot be deleted because they do not exist in the project. "
    "The following records do not exist: {}"
)
PURPOSE_TEXT = _seen("You must provide some text for 'purpose_other' since you specified 'purpose' as '1' (Other).")

# reference/redcap-api.md 9 (issue PC #190); the lists of names and cells that follow the sentences are ours
DUPLICATE_FIELDS = _seen(
    "The following variable/field names were duplicated. Please rename these field names so that they only "
    "appear once. {}"
)
MISSING_FORM = _seen("Each row MUST have a form name, but the following cells have a form name missing: {}")
FORM_ORDER = _seen("Form names must be sequential and cannot repeat again after being used for another form. {}")
BAD_FIELD_TYPE = _seen(
    "The only valid field types are text, notes, radio, dropdown, calc, file, checkbox, yesno, truefalse, "
    "descriptive, slider {}"
)
BAD_FIELD_NAME = _ours(
    "A field name must not hold two underscores in a row, end in an underscore or be the name of a system column "
    "or a form status: {}"
)
BAD_METADATA = _ours("The data dictionary has errors:\n{}")
IN_PRODUCTION = _ours("The project is in production: {} cannot be changed through the API")

# reference/redcap-api.md 6.2, 6.3: sentences of the four-column lines
NOT_A_CATEGORY = _seen("The value is not a valid category for {}")
NOT_DESIGNATED = _seen(
    "This field ('{}') exists on an instrument that is not designated for the event named '{}'. "
    "You are not allowed to import data for this field into this event."
)
NEEDS_INSTANCE = _seen(
    "This field ('{}') exists on a Repeating Instrument named '{}'. However, the fields "
    "'redcap_repeat_instance' and/or 'redcap_repeat_instrument' for this row of data have no value, which are "
    "both required for importing data into a Repeating Instrument.  You are not allowed to import data for "
    "this field into a non-repeating instrument."
)
BAD_REPEAT_INSTRUMENT = _seen(
    "redcap_repeat_instrument must be the unique form name of a Repeating Instrument. It currently does not "
    "match the unique form name of any Repeating Instruments.  Please fix this in the data import file and "
    "try again."
)
BAD_INSTANCE = _seen(
    "redcap_repeat_instance cannot have a value since this instrument or event is not a repeating instrument "
    "or repeating event, respectively.  The redcap_repeat_instance field must be left blank for this row of "
    "data."
)
RECORD_LOCKED = _seen("This record has been locked at the record level. No value within this record can be modified.")
FORM_LOCKED = _ours("The form of this field is locked: unlock it first")
NO_NEW_RECORDS = _seen("Your user privileges do NOT allow you to create new records.")
BAD_CHECKBOX = _ours("The value of a checkbox option must be 0 or 1")
WRONG_INSTRUMENT = _ours("The field does not belong to the repeating instrument of this row")
INSTANCE_NUMBER = _ours("redcap_repeat_instance must be a whole number from 1 to 32767 or 'new'")
NO_FORM_RIGHT = _ours("You do not have edit rights for the instrument of this field")
DUPLICATE_SECONDARY = _ours("The value of the secondary unique field is already used by record {}")
UNKNOWN_GROUP = _ours("There is no data access group of that unique name")
GROUP_NOT_YOURS = _reported("ERROR: Illegal use of 'redcap_data_access_group' field!")
RECORD_NOT_YOURS = _ours("The record belongs to another data access group")
BAD_RECORD_NAME = _ours("The record name is blank or longer than 100 characters")
RANDOMISED = _ours("The value cannot be changed because the record has been randomised with it")

# In the log
BACKGROUND = _ours("Background import (API): {} records stored, {} left out")

# Requests for data that cannot be read
BAD_DATA = _ours("The data could not be read: {}")
NO_ID_COLUMN = _ours("The data have no column '{}', which names the record")
BAD_LOGIC = _ours("The filterLogic could not be understood: {}")
NO_EVENTS = _ours("The project has no events: import events first")
BAD_ARMS = _ours("The following arms do not exist: {}")
NO_FILE = _ours("The field '{}' of record '{}' holds no file")
NO_SIGNATURE = _ours("The field '{}' is a signature, which cannot be imported")
NO_REPORT = _ours("The report {} does not exist")
NOT_A_SURVEY = _ours("The instrument '{}' is not enabled as a survey")
SURVEYS_OFF = _ours("Surveys are not enabled in this project")
NO_MODEL = _ours("There is no randomization with randomization_id {}")
RANDOMISED_ALREADY = _ours("Record '{}' has already been randomized")
STRATUM_BLANK = _ours("Record '{}' cannot be randomized because the field '{}' has no value")
NO_SLOT = _reported(
    "RANDOMIZATION ERROR: Record '{}' cannot be randomized because there are no allocations available for "
    "assignment based upon the values you just submitted. If this is a problem, please speak to the person(s) in "
    "charge of randomization for this project (e.g., your project manager, data analyst, statistician) in order to "
    "resolve this."
)
RENAME_PART = _ours("Record '{}' cannot be renamed in one arm only: it is also in arm {}")
RENAME_TAKEN = _ours("The record cannot be renamed because '{}' already exists")


class AdministrationError(Exception):
    """An administrator's command cannot be carried out; the message says why and what to do."""
