"""What is not yet seen on a real REDCap: each judge with answers for and against, and when nothing can be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_answers import ANSWERS, BLIND, COUNTED, FILTERS, NO, Told, csv_of, refused, repeated, row, said, words
from trialdesk.redcap.replies import Reply
from trialdesk.validation.site import steps
from trialdesk.validation.site.judges import JUDGES, judged
from trialdesk.validation.site.report import read_facts
from trialdesk.validation.site.steps import CHANGED, KEPT

TABLE = Path(__file__).parents[2] / "docs" / "reference" / "open-facts.csv"
CASES = [(fact, side) for fact in ANSWERS for side in (0, 1)]


def test_every_fact_the_api_settles_has_a_judge_and_answers_for_and_against() -> None:
    """And no judge another fact; what a judge needs is asked for once."""
    assert [fact.id for fact in read_facts(TABLE)] == list(JUDGES) == list(ANSWERS)
    asked = [step.name for step in (*steps.STEPS, steps.PAUSED)] + ["dictionary"]
    assert len({*asked}) == len(asked)
    assert {name for judge in JUDGES.values() for name in judge.needs} == {*asked}


@pytest.mark.parametrize(("fact", "side"), CASES)
def test_answers_for_agree_and_answers_against_differ(fact: str, side: int) -> None:
    """With what was seen in words."""
    seen = judged(fact, ANSWERS[fact][side])
    assert seen.state == ("agrees", "differs")[side]
    assert seen.words


@pytest.mark.parametrize("fact", ANSWERS)
def test_nothing_is_told_without_an_answer_of_redcaps(fact: str) -> None:
    """Not asked; a page of a proxy; a crash; a table that is none."""
    right = ANSWERS[fact][0]
    for name in JUDGES[fact].needs:
        assert judged(fact, {key: reply for key, reply in right.items() if key != name}).state == "could not be told"
        for other in (Reply(200, "text/html", "<!DOCTYPE html><html>"), Reply(500, "text/html", "oh")):
            assert judged(fact, {**right, name: other}).state == "could not be told"
    assert judged(fact, dict.fromkeys(JUDGES[fact].needs, Reply(200, "text/html", ""))).state != "agrees"


@pytest.mark.parametrize(
    ("fact", "other", "state", "said_of_it"),
    [
        ("OF-01", {"xml": NO}, "could not be told", "what it needs was refused"),
        ("OF-01", {"xml": said({"error": "no"})}, "could not be told", "no XML"),
        ("OF-01", {"xml": Reply(200, "", "<a/>")}, "differs", "none"),
        ("OF-04", {}, "agrees", "escaped"),
        ("OF-04", ANSWERS["OF-04"][1], "differs", "as they are"),
        ("OF-06", {}, "agrees", "(no survey columns"),
        ("OF-07", {"repeating_read": said([1])}, "could not be told", "no list of rows"),
        ("OF-21", {}, "agrees", "the first event"),
        ("OF-21", ANSWERS["OF-21"][1], "differs", "under later_arm_1"),
        ("OF-02", {"version": said([])}, "could not be told", "no version"),
        ("OF-03", {"unexported": said([row()])}, "could not be told", "was not taken away"),
        ("OF-04", {"letters": said([row(letters="???")])}, "could not be told", "did not come back"),
        ("OF-05", {"groups": said([{"data_access_group_id": "7"}])}, "agrees", "a text"),
        ("OF-05", {"groups": said([])}, "could not be told", "no data access group"),
        ("OF-06", {"labels": csv_of("Record,Letters")}, "could not be told", "no system columns"),
        ("OF-06", {"labels": csv_of("Record,Event Name,Survey Identifier,Letters")}, "differs", "Survey Identifier"),
        ("OF-07", {"repeating_read": said([])}, "differs", "does not come at all"),
        ("OF-07", {"repeating": NO}, "could not be told", "refused"),
        ("OF-08", {"eav": csv_of("[]")}, "could not be told", "no table of fields"),
        ("OF-09", {"twice": NO}, "differs", "refused with status 400: “You may not”"),
        ("OF-09", {"twice": said([])}, "could not be told", "neither that it was taken nor"),
        ("OF-22", {"into_hidden": said(17)}, "could not be told", "neither that it was taken nor"),
        ("OF-09", {"twice_read": said([])}, "could not be told", "0 rows came"),
        ("OF-10", {"summed": NO}, "differs", "refused"),
        ("OF-10", {"summed_read": said([row(total="")])}, "agrees", "nothing is calculated"),
        ("OF-13", {"settings": said({"secondary_unique_field": ""})}, "could not be told", "no secondary unique"),
        ("OF-13", {"settings": said([])}, "could not be told", "no JSON object"),
        ("OF-13", {"same_code": refused("No", 403)}, "differs", "403"),
        ("OF-14", {"renamed": refused("No", 403)}, "could not be told", "may not rename"),
        ("OF-17", {"dictionary": refused("No", 403)}, "could not be told", "may not change the design"),
        ("OF-20", {"sum_read": said([row(total="5")])}, "agrees", "there at once"),
        ("OF-21", {"eventless": NO}, "differs", "refused"),
        ("OF-21", {"eventless_read": said([])}, "differs", "stored nowhere"),
        ("OF-22", {"words_read": words(KEPT, CHANGED)}, "differs", "“No”, and stored"),
        ("OF-22", {"into_hidden": COUNTED}, "differs", "taken, and not stored"),
        ("OF-22", {"words_read": words("", KEPT)}, "could not be told", "did not come back"),
        ("OF-22", {"words_read": said([repeated(readonly_word=KEPT)])}, "could not be told", "0 rows"),
        ("OF-22", {"hidden_read": said([row(hidden_word=KEPT)])}, "could not be told", "not those of the table"),
        ("OF-23", {"hidden_read": said([])}, "could not be told", "does not see the record"),
        ("OF-23", {"filter_of_a": said([])}, "could not be told", "for user A either"),
        ("OF-23", {"filter_right": said([row()])}, "could not be told", "the other refused"),
        ("OF-23", {"filter_right": said([]), "filter_wrong": said([])}, "differs", "tells nothing"),
    ],
)  # fmt: skip
def test_what_is_said_of_other_answers(fact: str, other: Told, state: str, said_of_it: str) -> None:
    """One answer of those for is exchanged."""
    seen = judged(fact, {**ANSWERS[fact][0], **other})
    assert seen.state == state
    assert said_of_it in seen.words


def test_a_long_refusal_is_cut_and_stands_in_one_line() -> None:
    """Three hundred letters are enough to know it again."""
    seen = judged("OF-17", {"dictionary": refused("a\n b" * 200)})
    assert seen.words.endswith("…”")
    assert len(seen.words) < 340
    assert "\n" not in seen.words


def test_no_filter_is_judged_where_user_b_sees_the_form() -> None:
    """Rights that are not those of the table are no news of REDCap."""
    seeing = {**FILTERS, **BLIND, "hidden_read": said([row(hidden_word="")]), "filter_right": NO, "filter_wrong": NO}
    assert judged("OF-23", seeing).state == "could not be told"
