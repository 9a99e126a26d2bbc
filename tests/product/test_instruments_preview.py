"""The preview in a real browser: what a clinician clicks, and the same logic as redcap_rules."""

from __future__ import annotations

import html
import json
import random
import re
import subprocess
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from browser import chromium
from frozen import FROZEN
from redcap_forms.javascript import compiled, literal
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.logic import evaluate, number_text, parse
from redcap_rules.record import RecordView, Row
from redcap_rules.validation import OUT_OF_RANGE, STILL_ADMISSIBLE, WRONG_FORMAT
from trialdesk.config import load
from trialdesk.instruments.design import Design, Event, Repeat, Slot
from trialdesk.instruments.folder import folder_of, read_folder
from trialdesk.instruments.preview import render

pytestmark = pytest.mark.requirement("INS-03")

TODAY = date(2026, 11, 23)

# Helpers of the scripts below: click, type and look as a person does.
HANDS = """
const at = (name) => document.querySelector(`[data-name="${name}"]`);
const seen = (name) => !at(name).hidden;
const pick = (name, code) => at(name).querySelector(`input[value="${code}"]`).click();
const write = (name, text) => { const i = at(name).querySelector("input, select, textarea"); i.value = text;
  i.dispatchEvent(new Event("change", { bubbles: true })); return at(name).querySelector(".message").textContent; };
const read = (name) => at(name).querySelector("input, select, textarea").value;
const go = (event, form) => document.querySelector(`nav [data-event="${event}"][data-form="${form}"]`).click();
"""


@cache
def trial_design() -> Design:
    return read_folder(folder_of(load(FROZEN / "config.yaml"), "trial")).design


@cache
def trial_page() -> str:
    return render(trial_design(), "Trial")


def run_in_browser(page: str, script: str, folder: Path) -> Any:
    """What `script` returns, run at the end of the page; it may use whatever the page defines."""
    found = chromium()
    answer = (
        "<script>{ const wrong = []; window.addEventListener('error', e => wrong.push(e.message));\n"
        f"let result; try {{ result = (() => {{ {script} }})(); }} catch (e) {{ wrong.push(String(e.stack)); }}\n"
        "const out = document.createElement('pre'); out.id = 'answer';\n"
        "out.textContent = JSON.stringify({ result, wrong }); document.body.append(out); }</script></body>"
    )
    path = folder / "page.html"
    path.write_text(page.replace("</body>", answer), encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    flags = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--window-size=1300,900",
        profile,
        "--dump-dom",
    )
    done = subprocess.run([found, *flags, path.as_uri()], capture_output=True, text=True, timeout=60, check=True)
    told = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)
    assert told, f"the page did not run: {done.stdout[-500:]}"
    answered = json.loads(html.unescape(told[1]))
    assert not answered["wrong"], answered["wrong"]
    return answered["result"]


def odd(*fields: Field, **structure: Any) -> Design:
    return Design(Dictionary((Field("id", "f", "text", label="Record"), *fields)), **structure)


COUNT = "return document.querySelectorAll('.field').length;"
TWO = (Event("a_arm_1", "A"), Event("b_arm_1", "B"))
DEEP = "(" * 20_000 + "[a]" + "+1)" * 20_000
# Designs as they are on the way to being right: the page never goes blank.
ODD: dict[str, tuple[Design, str, object]] = {
    "the first event holds no form": (odd(events=TWO, mapping=(Slot("b_arm_1", "f"),)), COUNT, 1),
    "no event holds a form": (odd(events=TWO), COUNT, 1),
    "a form of the mapping is not there": (
        odd(events=TWO, mapping=(Slot("a_arm_1", "f"), Slot("a_arm_1", "g"), Slot("b_arm_1", "g"))),
        "return [...document.querySelectorAll('nav [data-form]')].map((b) => b.dataset.event + ' ' + b.dataset.form);",
        ["a_arm_1 f"],
    ),
    "a formula is nested deeper than a browser reads": (
        odd(Field("a", "f", "text", label="A"), Field("b", "f", "calc", label="B", choices=DEEP)),
        COUNT,
        3,
    ),
    "a field has the name of something in JavaScript": (
        odd(Field("constructor", "f", "text", label="A"), Field("b", "f", "calc", label="B", choices="[constructor]")),
        "const before = read('constructor'); write('constructor', '7'); return [before, read('b')];",
        ["", "7"],
    ),
    "a label of a field nobody has is asked for": (
        odd(Field("a", "f", "text", label="A", branching="[nobody:label]='x'")),
        "return seen('a');",
        False,
    ),
    # Two answers that each stand alone (REDCap takes a list of codes).
    "several choices exclude all others": (
        odd(
            Field(
                "a", "f", "checkbox", label="A", choices="1, A | 2, B | 98, C | 99, D",
                annotation="@NONEOFTHEABOVE='98, 99'",
            )
        ),
        """
    const ticked = (...codes) => { for (const code of codes) pick("a", code);
      return [...at("a").querySelectorAll("input:checked")].map((i) => i.value).join(); };
    return [ticked("1", "2"), ticked("98"), ticked("99"), ticked("2", "1")];
        """,
        ["1,2", "98", "99", "1,2"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_a_design_that_is_not_right_yet_still_shows(name: str, tmp_path: Path) -> None:
    """`check` says what is wrong; the preview shows the rest."""
    design, script, expected = ODD[name]
    assert run_in_browser(render(design, "Odd"), HANDS + script, tmp_path) == expected


# What a person does, and what the page then shows; every script begins on an empty page.
CLICKS: dict[str, tuple[str, object]] = {
    # The pain limit is asked of known myeloma only; hidden answers are emptied, as REDCap does.
    "a click shows and hides what branching says and empties it": (
        """
    const steps = [seen("elig_inc_pain3m")];
    pick("elig_group", "1"); steps.push(seen("elig_inc_pain3m"));
    pick("elig_inc_pain3m", "1");
    pick("elig_group", "2"); steps.push(seen("elig_inc_pain3m"));
    pick("elig_group", "1");
    steps.push(at("elig_inc_pain3m").querySelector("input:checked") === null);
    return steps;
        """,
        [False, True, False, True],
    ),
    # Age = year of screening - year of birth; a questionnaire's score appears with its eighth answer.
    "calculations follow each answer within and across events": (
        """
    const out = {};
    write("elig_date", "23-11-2026"); write("elig_yob", "1950"); out.age = read("elig_age");
    go("baseline_arm_1", "odi");
    for (const item of [1, 2, 3, 4, 5, 6, 7]) pick("odi_" + item, "2");
    out.seven = read("odi_pct"); pick("odi_8", "2"); out.eight = read("odi_pct");
    go("week_4_arm_1", "odi"); out.other = read("odi_pct");
    go("baseline_arm_1", "odi"); out.kept = read("odi_pct");
    return out;
        """,
        {
            "age": "76",
            "seven": "",
            "eight": "40",
            "other": "",
            "kept": "40",
        },
    ),
    # A slider that nobody touched is no answer of 50.
    "an untouched slider is blank until it is touched": (
        """
    go("baseline_arm_1", "vas_pain");
    const slider = at("vas_back").querySelector("input[type=range]");
    const shown = () => at("vas_back").querySelector("output").textContent;
    const steps = [shown(), valuesOf("baseline_arm_1").vas_back ?? null];
    slider.value = "71"; slider.dispatchEvent(new Event("input", { bubbles: true }));
    steps.push(shown(), valuesOf("baseline_arm_1").vas_back);
    return steps;
        """,
        ["", None, "71", "71"],
    ),
    # The rows of a matrix group share their header.
    "a matrix is one table with one answer a row": (
        """
    go("baseline_arm_1", "qlq_c30");
    const table = at("c30_1").closest("table");
    pick("c30_1", "3"); pick("c30_2", "4"); pick("c30_2", "1");
    return [table === at("c30_28").closest("table"), [...table.tHead.rows[0].cells].map((c) => c.textContent).join(),
      table.querySelectorAll("input:checked").length, state.values.baseline_arm_1.c30_2];
        """,
        [True, ",1,2,3,4", 2, "1"],
    ),
    # A wrong type is refused, a value outside the limits is a warning and is kept.
    "validation says what redcap says and keeps what was typed": (
        """
    const told = [write("elig_yob", "nineteen"), read("elig_yob"), state.values.screening_arm_1.elig_yob ?? null,
      write("elig_yob", "1900"), state.values.screening_arm_1.elig_yob, write("elig_yob", "1950"),
      write("elig_date", "31-02-2026"), write("elig_date", "1-3-2026"), state.values.screening_arm_1.elig_date,
      read("elig_date")];
    return told;
        """,
        [
            "This value you provided is not an integer. Please try again.",
            "nineteen",
            None,
            f"{OUT_OF_RANGE} (1920 - 2010). {STILL_ADMISSIBLE}",
            "1900",
            "",
            WRONG_FORMAT,
            "",
            "2026-03-01",
            "01-03-2026",
        ],
    ),
    # The stratum is piped from imaging; survey mode hides the status and fills the date; `none` unticks the rest.
    "defaults survey mode and none of the above act": (
        """
    const out = [];
    pick("elig_group", "2"); go("randomisation_arm_1", "randomisation");
    out.push(at("rand_grp").querySelector("input:checked").value);
    go("baseline_arm_1", "odi"); out.push(seen("odi_stat"), read("odi_date"));
    go("week_4_arm_1", "odi"); document.getElementById("survey").click(); go("month_3_arm_1", "odi");
    out.push(seen("odi_stat"), state.values.month_3_arm_1.odi_date === today());
    return out;
        """,
        ["2", True, "", False, True],
    ),
    # A header without anything under it says nothing.
    "a section goes when all its fields are hidden": (
        """
        go("baseline_arm_1", "vas_pain");
        const heads = () => [...document.querySelectorAll(".section")].map((made) => !made.hidden);
        const before = heads();
        pick("vas_stat", "3");
        return [before, heads()];
        """,
        [[True, True], [True, False]],
    ),
    # What a data manager wants to see beside each field.
    "names and logic are shown on request": (
        """
        const shown = () => getComputedStyle(at("elig_inc_pain3m").querySelector(".details")).display;
        pick("elig_group", "1");
        const before = shown();
        document.getElementById("details").click();
        const words = at("elig_inc_pain3m").querySelector(".details").textContent;
        const after = [shown(), getComputedStyle(document.body).display];
        document.getElementById("details").click();
        return [before, ...after, words];
        """,
        ["none", "block", "grid", "elig_inc_pain3m\nshown if [elig_group]='1'"],
    ),
    # No field type stops the page.
    "every instrument opens in every event": (
        """
        const buttons = [...document.querySelectorAll("nav button")];
        return buttons.map((b) => { b.click(); return document.querySelectorAll("main [data-name]").length > 0; });
        """,
        [True] * 77,
    ),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What every script of CLICKS returns, run in one browser."""
    runs = ",".join(f"{literal(name)}: () => {{ {script} }}" for name, (script, _) in CLICKS.items())
    afresh = """
    const afresh = () => {
      const survey = document.getElementById("survey");
      if (survey.checked) survey.click();
      state.values = {};
      open(MODEL.events[0].name, MODEL.events[0].forms[0]);
    };"""
    script = f"{HANDS} {afresh} const runs = {{ {runs} }}; const out = {{}};"
    script += "for (const name of Object.keys(runs)) { afresh(); out[name] = runs[name](); } return out;"
    told = run_in_browser(trial_page(), script, tmp_path_factory.mktemp("preview"))
    return dict(told)


@pytest.mark.parametrize("what", CLICKS)
def test_in_the_browser(what: str, answers: dict[str, object]) -> None:
    """The page does what REDCap does: the name of each case is the rule."""
    assert answers[what] == CLICKS[what][1]


def test_around_danish_forms_the_page_speaks_danish(tmp_path: Path) -> None:
    """What must be filled in, what repeats, a wrong answer, Yes and No, the details."""
    fields = (
        Field("a", "f", "text", label="Alder", validation="integer", maximum="120", required=True),
        Field("b", "f", "yesno", label="Røget", branching="[a]>18"),
        Field("c", "f", "file", label="Billede"),
    )
    script = "write('a', '30'); pick('b', '1'); const all = document.body.innerText; write('a', 'x');"
    script += "return [all, at('a').querySelector('.message').textContent, write('a', '130')];"
    design = replace(odd(*fields, repeating=(Repeat("", "f"),)), language="da")
    shown, *wrong = run_in_browser(render(design, "Forsøg"), HANDS + script, tmp_path)
    assert wrong[0] == "Værdien er ikke et helt tal. Prøv igen."
    assert wrong[1].startswith("Værdien ligger uden for det forventede område")
    for words in ("skal udfyldes", "gentages", "Ja", "Nej", "nulstil", "Vedhæft fil", "vis skjulte felter"):
        assert words in shown, words
    assert not re.search(r"\b(must provide|repeats|Yes|No|reset|Upload|undefined)\b", shown)


def test_the_page_asks_nothing_of_the_network_and_escapes_what_it_shows() -> None:
    """One file: no address, no script of a label."""
    evil = Field(
        "a", "f", "text", label="<script>alert(1)</script><b onclick='x()'>bold</b>", note="</script><img src=x>"
    )
    page = render(Design(Dictionary((evil,))), "<i>")
    assert "alert(1)</script>" not in page
    assert "onclick='x" not in page
    assert "<img" not in page
    for word in ("http://", "https://", "src=", "@import"):
        assert word not in trial_page()


FORMULAS = """
1+1 ; 'a'='A' ; ''=0 ; ''<1 ; 0.1+0.2 ; 1/0 ; 2^-1 ; -2^2 ; (-8)^(1/3) ; 5%3 ; -5%3 ; 1e20 ; 1e-7 ; 1e15+0.5
round(12.25,1) ; round(-12.25,1) ; round(122.5*0.1,0) ; round(1.005,2) ; round(1234.5,-2) ; roundup(1.21,1)
rounddown(-1.29,1) ; sum('','') ; mean('',2,4) ; median(3,1,2,10) ; stdev(1,2,3,4) ; min('',5) ; max('')
sqrt(-1) ; abs(-3.5) ; log(8,2) ; log(0) ; isnumber('12a') ; isinteger(3.0) ; mod(7,3) ; if('',1,2)
not 0 and not '' ; datediff('2026-01-31','2026-03-01','d',true) ; datediff('2026-03-01','2026-01-31','d')
datediff('2026-01-01','2027-01-01','y') ; datediff('2026-01-01','2026-01-31','M',true)
datediff('08:00','17:30','h') ; datediff('31-12-2025','2026-01-01','d','dmy',true)
datediff('2026-02-30','2026-03-01','d') ; datediff('','2026-03-01','d')
datediff('2026-01-01 10:00','2026-01-02 09:00','m',true) ; year('2026-05-06') ; month('2026-05-06')
day('06-05-2026') ; left('æøå',2) ; right('abc',2) ; mid('abcdef',2,3) ; length('blåbær') ; find('B','abc')
find('z','abc') ; trim('  x ') ; upper('æ') ; concat('a',1.5,2) ; concat_ws('-','a','','b')
contains('Hello','ELL') ; starts_with('Hello','he') ; ends_with('Hello','LO') ; replace_text('aXbX','X','$&')
not_contain('a','b') ; '10'>'9' ; 'b'>'a' ; '2026-01-02'>'2026-01-01' ; 1=1.0 ; isblankormissingcode('')
1 or 1/0 ; 3 > 2 > 1 ; today='2026-11-23' ; 1e308*10 ; 0^0 ; 'NaN'=''
"""
CORNERS = tuple(text.strip() for line in FORMULAS.strip().splitlines() for text in line.split(";"))


def test_the_browser_computes_what_redcap_rules_computes(tmp_path: Path) -> None:
    """Every formula and rule of the trial over random records, and the corners of every function."""
    design = trial_design()
    records = [_random_values(design, random.Random(seed)) for seed in range(8)]
    logic = [(field.form, field.choices) for field in design.dictionary.fields if field.kind == "calc"]
    logic += [(field.form, field.branching) for field in design.dictionary.fields if field.branching]
    cases = [(slot.event, slot.form, text) for slot in design.mapping for form, text in logic if form == slot.form]
    calls = ",".join(f"[{literal(e)},{literal(f)},r=>{compiled(parse(t))}]" for e, f, t in cases)
    corners = ",".join(f"r=>{compiled(parse(text))}" for text in CORNERS)
    script = f"""
    const told = [{literal(records)}, [{calls}], [{corners}]];
    const frozen = new Place("screening_arm_1", "eligibility"); frozen.clock = () => "2026-11-23";
    const all = (values) => {{ state.values = values; return told[1].map(([e, f, c]) => text(c(new Place(e, f)))); }};
    return [told[0].map(all), told[2].map((c) => text(c(frozen)))];
    """
    shown, corner = run_in_browser(trial_page(), script, tmp_path)
    order = tuple(event.name for event in design.events)
    read = {text: parse(text) for _, text in logic}
    for values, found in zip(records, shown, strict=True):
        view = RecordView([Row("1", event, "", 0, part) for event, part in values.items()], design.dictionary, order)
        expected = [
            number_text(evaluate(read[text], view, event=event, instrument=form)) for event, form, text in cases
        ]
        assert found == expected
    empty = RecordView([], design.dictionary, order)
    assert dict(zip(CORNERS, corner, strict=True)) == {
        text: number_text(evaluate(parse(text), empty, today=TODAY)) for text in CORNERS
    }


def _random_values(design: Design, chance: random.Random) -> dict[str, dict[str, str]]:
    """Answers in every event, about a third of them blank."""
    values: dict[str, dict[str, str]] = {event.name: {"odi_complete": "2"} for event in design.events}
    for slot in design.mapping:
        for field in design.dictionary.form(slot.form):
            for column in field.columns:
                answer = _answer(field, chance)
                if answer and chance.random() < 0.7:
                    values[slot.event][column] = answer
    return values


def _answer(field: Field, chance: random.Random) -> str:
    if field.kind == "checkbox":
        return chance.choice("01")
    if field.options:
        return chance.choice(field.options).code
    if field.validation.startswith("date"):
        return f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    return str(chance.choice([chance.randint(0, 120), round(chance.uniform(0, 60), 1)]))


def test_a_formula_nested_a_thousand_deep_still_runs(tmp_path: Path) -> None:
    """Depth is no reason for a blank page."""
    deep = "(" * 1000 + "[a]" + "+1)" * 1000
    fields = (Field("id", "f", "text"), Field("a", "f", "text"), Field("b", "f", "calc", choices=deep))
    design = Design(Dictionary(fields), events=(Event("e_arm_1", "E"),), mapping=(Slot("e_arm_1", "f"),))
    script = """write("a", "1"); return read("b");"""
    assert run_in_browser(render(design, "Deep"), HANDS + script, tmp_path) == "1001"
