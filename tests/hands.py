"""A project with a field of every kind, and people at its pages in a real browser."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from pages import VERSION
from redcap_local.administration import change_settings, loaded, opened
from redcap_local.server import Running
from redcap_rules.dictionary import API_COLUMNS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

SEX, AGREE = "1, Female | 2, Male", "1, Never | 2, Sometimes | 3, Always"
START = "start_arm_1"
FORMS = ("intake", "limits", "logic", "medicine")
# name, form, type, label, choices, and whatever else a row needs
TYPE, TAGS, SHOWN = "text_validation_type_or_show_slider_number", "field_annotation", "branching_logic"
LOW, HIGH = "text_validation_min", "text_validation_max"
FIELDS: list[tuple[str, str, str, str, str, dict[str, str]]] = [
    ("record_id", "intake", "text", "Record ID", "", {}),
    ("who", "intake", "text", "Name", "", {"required_field": "y"}),
    ("born", "intake", "text", "Born", "", {TYPE: "date_dmy"}),
    ("seen", "intake", "text", "Seen at", "", {TYPE: "datetime_ymd"}),
    ("clock", "intake", "text", "Clock", "", {TYPE: "time"}),
    ("sex", "intake", "radio", "Sex of [who]", SEX, {}),
    ("smoker", "intake", "yesno", "Smokes?", "", {}),
    ("agrees", "intake", "truefalse", "Agrees", "", {}),
    ("town", "intake", "dropdown", "Town", "1, Aarhus | 2, Odense & Fyn", {}),
    ("fears", "intake", "checkbox", "Fears", "1, Needles | 2, Heights | -99, None", {TAGS: "@NONEOFTHEABOVE='-99'"}),
    ("remark", "intake", "notes", "Remark", "", {}),
    ("scan", "intake", "file", "Scan", "", {}),
    ("pain", "intake", "slider", "Pain", "none | some | worst", {}),
    ("sleep", "intake", "radio", "I sleep well", AGREE, {"matrix_group_name": "habits", "section_header": "Habits"}),
    ("walk", "intake", "radio", "I walk daily", AGREE, {"matrix_group_name": "habits"}),
    ("told", "intake", "descriptive", "Dear [who], you are [sex], born [born]; fears: [fears]. {nick}", "", {}),
    ("nick", "intake", "text", "Nickname", "", {}),
    ("num", "limits", "text", "Number", "", {TYPE: "number"}),
    ("num1", "limits", "text", "One decimal", "", {TYPE: "number_1dp"}),
    ("comma", "limits", "text", "Comma", "", {TYPE: "number_comma_decimal"}),
    ("int", "limits", "text", "Integer", "", {TYPE: "integer", LOW: "5", HIGH: "10"}),
    ("mail", "limits", "text", "E-mail", "", {TYPE: "email"}),
    ("day", "limits", "text", "Day", "", {TYPE: "date_ymd", LOW: "2026-01-01", HIGH: "2026-12-31"}),
    ("moment", "limits", "text", "Moment", "", {TYPE: "datetime_seconds_mdy"}),
    ("hour", "limits", "text", "Hour", "", {TYPE: "time", LOW: "08:00", HIGH: "16:00"}),
    ("zip", "limits", "text", "Zip", "", {TYPE: "zipcode"}),
    ("phone", "limits", "text", "Phone", "", {TYPE: "phone"}),
    ("weight", "logic", "text", "Weight", "", {}),
    ("height", "logic", "text", "Height", "", {}),
    ("bmi", "logic", "calc", "BMI", "round([weight]/([height]/100)^2,1)", {}),
    ("six", "logic", "calc", "Six", "3*2", {}),
    ("word", "logic", "text", "Word", "", {TAGS: "@CALCTEXT(if([bmi] >= 25, 'high', 'low'))"}),
    ("next", "logic", "text", "Next", "", {TYPE: "date_dmy", TAGS: "@CALCDATE([start],7,'d')"}),
    ("start", "logic", "text", "Start", "", {TYPE: "date_dmy"}),
    ("gap", "logic", "calc", "Gap", "datediff([start],'2026-07-15','d')", {}),
    ("preset", "logic", "radio", "Preset", "1, One | 5, Five | 6, Six",
     {TAGS: "@DEFAULT='5' @IF([record-name]='secret','', @HIDECHOICE='6')"}),
    ("text", "logic", "text", "Text", "", {TAGS: '@DEFAULT="some words"'}),
    ("today", "logic", "text", "Filled", "", {TYPE: "date_ymd", TAGS: "@TODAY"}),
    ("user", "logic", "text", "By", "", {TAGS: "@USERNAME @READONLY"}),
    ("unseen", "logic", "text", "Unseen", "", {TAGS: "@HIDDEN @DEFAULT='kept'"}),
    ("more", "logic", "yesno", "More?", "", {}),
    ("detail", "logic", "text", "Detail", "", {SHOWN: "[more] = '1'"}),
    ("ticks", "logic", "checkbox", "Ticks", "1, A | 2, B | 3, C", {}),
    ("third", "logic", "text", "Third", "", {SHOWN: "[ticks(3)] = '1' and [record_id] <> '999'"}),
    ("earlier", "logic", "text", "Earlier dose", "", {SHOWN: "[start_arm_1][dose][2] = '20'"}),
    ("smart", "logic", "descriptive", "[user-name] in [event-label], [instrument-name] of [record-name]", "", {}),
    ("drug", "medicine", "text", "Drug", "", {}),
    ("dose", "medicine", "text", "Dose", "", {}),
]  # fmt: skip
PLACES = [
    ("start_arm_1", "intake"), ("start_arm_1", "limits"), ("start_arm_1", "logic"), ("start_arm_1", "medicine"),
    ("later_arm_1", "logic"), ("phone_arm_1", "limits"),
]  # fmt: skip


@dataclass
class Site:
    """A project, and the way to it as its creator."""

    server: Running
    database: Path
    token: str
    project: int
    events: dict[str, int] = field(default_factory=dict)

    def ask(self, **parameters: Any) -> Any:
        body = {"token": self.token, "format": "json", "returnFormat": "json"}
        body |= {name: text if isinstance(text, str) else json.dumps(text) for name, text in parameters.items()}
        answer = requests.post(self.server.url, data=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.text else None

    def put(self, **values: str) -> None:
        self.ask(content="record", data=[{"redcap_event_name": "start_arm_1", **values}])

    def row(self, record: str, event: str = "start_arm_1") -> dict[str, Any]:
        rows = self.ask(content="record", **{"records[0]": record, "events[0]": event})
        return dict(next((row for row in rows if not row["redcap_repeat_instrument"]), {}))

    def log(self, record: str) -> list[str]:
        return [f"{row['action']}: {row['details']}" for row in self.ask(content="log", record=record)]

    def set(self, **settings: str) -> None:
        with opened(self.database) as connection:
            change_settings(connection, loaded(connection, self.project), settings)


@dataclass
class Hand:
    """A person at a browser: opens forms, types, and looks."""

    site: Site
    page: Page
    wrong: list[str]

    def go(self, form: str = "intake", record: str = "", event: str = "start_arm_1", instance: int = 1) -> None:
        place = f"id={record}&event_id={self.site.events[event]}&page={form}&instance={instance}"
        self.visit(f"DataEntry/index.php?pid={self.site.project}&{place}")

    def visit(self, page: str) -> None:
        home = self.site.server.url.removesuffix("/api/")
        self.page.goto(f"{home}/redcap_v{VERSION}/{page}")

    def grid(self) -> None:
        self.visit(f"DataEntry/record_status_dashboard.php?pid={self.site.project}")

    def record(self, name: str) -> None:
        self.visit(f"DataEntry/record_home.php?pid={self.site.project}&id={name}")

    def at(self, name: str) -> Locator:
        return self.page.locator(f'[data-name="{name}"]')

    def input(self, name: str) -> Locator:
        return self.page.locator(f'#main [name="{name}"]')

    def type(self, name: str, text: str) -> str:
        """What the field says to the text."""
        self.input(name).fill(text)
        self.input(name).blur()
        return self.page.locator(f"#told-{name}").inner_text()

    def pick(self, name: str, code: str) -> None:
        self.page.locator(f'input[name="{name}"][value="{code}"]').click()

    def reads(self, name: str) -> str:
        return self.input(name).input_value()

    def sees(self, name: str) -> bool:
        return self.at(name).is_visible()

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).click()

    def save(self, label: str = "Save & Stay") -> None:
        if label in {"Save & Exit Record", "Save & Go To Next Record", "Save & Add New Instance"}:
            self.page.locator("summary", has_text="More").click()
        with self.page.expect_navigation():
            self.press(label)

    def answers(self, label: str) -> None:
        """Gives the answer of that name to the question asked."""
        self.page.locator("dialog").get_by_role("button", name=label).click()

    @property
    def asked(self) -> str:
        """The question being asked; '' for none."""
        dialog = self.page.locator("dialog[open] p")
        return dialog.inner_text() if dialog.count() else ""


def furnished(server: Running, database: Path) -> Site:
    settings = [{"project_title": "Playground", "purpose": "0", "is_longitudinal": 1}]
    sent = {"token": server.super_token, "content": "project", "format": "json", "data": json.dumps(settings)}
    site = Site(server, database, requests.post(server.url, data=sent, timeout=30).text, 0)
    site.project = site.ask(content="project")["project_id"]
    keys = ("field_name", "form_name", "field_type", "field_label", "select_choices_or_calculations")
    blank = dict.fromkeys(API_COLUMNS, "")
    rows = [{**blank, **dict(zip(keys, row[:5], strict=True)), **row[5]} for row in FIELDS]
    site.ask(content="metadata", data=rows)
    events = [{"event_name": name, "arm_num": 1} for name in ("Start", "Later", "Phone")]
    site.ask(content="event", action="import", override="1", data=events)
    mapping = [{"arm_num": 1, "unique_event_name": event, "form": form} for event, form in PLACES]
    site.ask(content="formEventMapping", data=mapping)
    repeats = [{"event_name": "start_arm_1", "form_name": "medicine"}, {"event_name": "phone_arm_1", "form_name": ""}]
    site.ask(content="repeatingFormsEvents", data=repeats)
    with opened(database) as connection:
        site.events = {event.name: event.id for event in loaded(connection, site.project).events}
    return site


def seat(browser: Browser, site: Site, user: str) -> Hand:
    """That user at a browser of their own; errors of its pages are kept in `wrong`."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(15_000)
    hand = Hand(site, page, [])
    page.on("pageerror", lambda error: hand.wrong.append(str(error)))
    page.on("console", lambda said: hand.wrong.append(said.text) if said.type == "error" else None)
    page.on("dialog", lambda dialog: dialog.accept())  # the browser's own question on leaving
    page.goto(site.server.start())
    page.locator(f'button[value="{user}"]').click()
    return hand


def member(site: Site, name: str, **rights: Any) -> None:
    """The user of that name may see, change and export every form, unless told otherwise."""
    every = {"forms": dict.fromkeys(FORMS, 1), "forms_export": dict.fromkeys(FORMS, 1), "record_create": 1}
    row = {"username": name, **every, **rights}
    site.ask(content="user", data=[row])


def groups(site: Site, *names: str) -> None:
    site.ask(content="dag", action="import",
             data=[{"data_access_group_name": name, "unique_group_name": ""} for name in names])  # fmt: skip


def opens(hand: Hand, room: str) -> None:
    with hand.page.expect_navigation():
        hand.page.get_by_role("link", name=room, exact=True).click()


def presses(hand: Hand, label: str) -> None:
    with hand.page.expect_navigation():
        hand.press(label)


def main(hand: Hand) -> str:
    return str(hand.page.locator("main").inner_text())


def links(hand: Hand) -> list[str]:
    return [str(name) for name in hand.page.locator("tbody th a").all_inner_texts()]


def uploads(hand: Hand, label: str, text: str, button: str) -> str:
    """What the page says to the file."""
    file = {"name": "data.csv", "mimeType": "text/csv", "buffer": text.encode()}
    hand.page.get_by_label(label).set_input_files(file)  # type: ignore[arg-type]
    presses(hand, button)
    return main(hand)


def log_lines(hand: Hand, **asked: str) -> list[str]:
    """User, action and details of the lines on the log's page, within the limits typed there."""
    opens(hand, "Logging")
    for label, text in asked.items():
        if label in {"Event_type", "User"}:
            hand.page.get_by_role("combobox", name=label.replace("_", " "), exact=True).select_option(text)
        else:
            hand.page.get_by_label(label, exact=True).fill(text)
    presses(hand, "Show")
    return [": ".join(row.inner_text().split("\t")[1:]) for row in hand.page.locator("tbody tr").all()]
