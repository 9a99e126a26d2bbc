"""What forbids a release: each reason when it is one, none when it is not, and which envelope would be taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from desk import CONFIG, ODE, ODE_1, ODE_2, ODE_3, OTHER_1, RIG_1, Desk
from exploring import NOW
from filed import manifest_of
from trialdesk.config import Config
from trialdesk.config.parts import Requirement
from trialdesk.envelopes.gate import Case, available, fits, half, refusals, rivals, standing, torn
from trialdesk.envelopes.marks import Marks, OpenRelease, RecordMark
from trialdesk.errors import ConfigError
from trialdesk.model import Envelope, Pile

pytestmark = pytest.mark.requirement("ENV-03", "ENV-06", "ENV-11", "SCR-02")

RAND, SCREENING = "randomisation_arm_1", "screening_arm_1"
TODAY = date(2026, 3, 2)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def case(desk: Desk, record: str = "A", today: date = TODAY, config: Config = CONFIG) -> Case:
    """The record as it is now, everything in the register filed."""
    filed = (manifest_of(config, Desk().memory.register()),)
    return Case(config, desk.pull(record), desk.look(), record, today, filed)


def reasons(desk: Desk, record: str = "A", today: date = TODAY, config: Config = CONFIG) -> tuple[str, ...]:
    return refusals(case(desk, record, today, config))


def released(desk: Desk, envelope: str = ODE_1, record: str = "A") -> None:
    """A whole release."""
    desk.put(envelope, "released", record, NOW)
    desk.enter(record, RAND, rand_env_released=envelope, rand_released_at="2026-03-02 10:30")


def test_a_record_that_is_ready_is_refused_nothing(desk: Desk) -> None:
    """The lowest received envelope of its pile would be taken."""
    assert reasons(desk) == ()
    assert rivals(case(desk)) == ()
    assert (standing(case(desk)), half(case(desk)), torn(case(desk))) == (None, None, None)
    found = available(case(desk))
    assert found is not None
    assert found.id == ODE_1


def test_a_record_that_is_not_there_is_the_only_reason(desk: Desk) -> None:
    """Nothing else is asked of it."""
    (reason,) = reasons(desk, "X-9")
    assert "no such record" in reason
    assert half(case(desk, "X-9")) is None
    assert torn(case(desk, "X-9")) is None


def test_columns_that_are_left_out_are_counted(desk: Desk) -> None:
    """A token without full export rights can't see all that forbids."""
    whole = case(desk)
    (reason,) = refusals(replace(whole, snapshot=replace(whole.snapshot, missing=frozenset({"a", "b"}))))
    assert "2 column" in reason


@pytest.mark.parametrize(("site", "word"), [("", "blank"), ("XYZ", "XYZ")])
def test_a_site_that_is_not_one_is_the_only_word_about_its_place(desk: Desk, site: str, word: str) -> None:
    """Neither group nor pile is looked at."""
    desk.enter("A", SCREENING, elig_site=site)
    (reason,) = reasons(desk)
    assert f"({word})" in reason


def test_site_field_and_group_have_to_agree(desk: Desk) -> None:
    """Both are named; a record in no group is told so."""
    desk.enter("A", SCREENING, elig_site="RIG")
    (reason,) = reasons(desk)
    assert "RIG" in reason
    assert "ode" in reason
    alone = case(desk)
    (reason,) = refusals(replace(alone, snapshot=replace(alone.snapshot, groups={})))
    assert "group none;" in reason


def closing(day: date | None) -> Config:
    sites = tuple(site.model_copy(update={"closes": day}) for site in CONFIG.sites)
    made = CONFIG.model_copy(update={"sites": sites})
    made.__dict__.pop("sites_by_code", None)  # was looked up before, and is copied
    return made


@pytest.mark.parametrize(
    ("today", "closes", "open_"),
    [
        (date(2026, 1, 4), None, False),
        (date(2026, 1, 5), None, True),
        (date(2026, 3, 2), date(2026, 3, 2), True),
        (date(2026, 3, 3), date(2026, 3, 2), False),
    ],
)
def test_a_site_is_open_from_its_first_day_to_its_last(
    desk: Desk, today: date, closes: date | None, open_: bool
) -> None:
    """Both included."""
    found = reasons(desk, today=today, config=closing(closes))
    assert [str(today) in reason for reason in found] == ([] if open_ else [True])


def test_every_factor_that_is_blank_or_unknown_is_named(desk: Desk) -> None:
    """And those that are filled in are not."""
    desk.enter("A", RAND, rand_lvl="", rand_for="7")
    found = reasons(desk)
    assert [reason.partition(" is blank")[0] for reason in found] == ["Planned levels", "Former fractures"]


def test_a_register_that_leaves_out_the_first_of_a_pile_is_not_believed(desk: Desk) -> None:
    """An envelope below others is named; one of another pile is no matter."""
    whole = case(desk)

    def without(*names: str) -> Case:
        kept = tuple(one for one in whole.marks.envelopes if one.id not in names)
        return replace(whole, marks=replace(whole.marks, envelopes=kept))

    (reason,) = refusals(without(ODE_2, ODE_1))
    assert f"{ODE_1}, {ODE_2}" in reason
    assert refusals(without(OTHER_1)) == ()


def test_a_pile_without_received_envelopes_is_told_in_the_words_of_its_stratum(desk: Desk) -> None:
    """Those sent and not received, lost or void do not count."""
    desk.put(ODE_1, "lost")
    desk.put(ODE_2, "dispatched")
    desk.put(ODE_3, "void")
    (reason,) = reasons(desk)
    assert "no received envelope is left at ODE" in reason
    assert "Known myeloma" in reason
    assert available(case(desk)) is None


def test_an_envelope_that_stands_needs_no_other_in_its_pile(desk: Desk) -> None:
    """The last of a pile is released: running again is not refused for lack of envelopes."""
    released(desk, ODE_3)
    for name in (ODE_1, ODE_2):
        desk.put(name, "lost")
    assert reasons(desk) == ()


def test_an_envelope_that_was_never_filed_is_not_released(desk: Desk) -> None:
    """Neither the next one nor one that stands; nothing is filed at all without manifests."""
    filed = manifest_of(CONFIG, [one for one in desk.memory.register() if one.id != ODE_1])
    (reason,) = refusals(replace(case(desk), filed=(filed,)))
    assert ODE_1 in reason
    assert "not filed" in reason
    released(desk)
    (reason,) = refusals(replace(case(desk), filed=(filed,)))
    assert ODE_1 in reason
    (reason,) = refusals(replace(case(desk), filed=()))
    assert "no manifest is filed" in reason


def test_a_register_that_is_not_as_it_was_filed_releases_nothing_of_that_version(desk: Desk) -> None:
    """A commitment was exchanged."""
    desk.memory = desk.memory.with_envelopes([replace(desk.envelope(RIG_1), commitment="01")])
    (reason,) = reasons(desk)
    assert "version 1" in reason


def test_a_record_opens_one_envelope(desk: Desk) -> None:
    """Whatever of an opening is typed in."""
    desk.enter("A", RAND, rand_time="10:45")
    (reason,) = reasons(desk)
    assert "opened for it already" in reason


def test_two_envelopes_released_for_it_are_both_named(desk: Desk) -> None:
    """With the way out."""
    for name in (ODE_1, ODE_2):
        desk.put(name, "released", "A", NOW)
    (reason,) = reasons(desk)
    assert f"{ODE_1} and {ODE_2}" in reason
    assert "--take-back" in reason


def test_a_record_released_without_its_register_is_named_or_mended(desk: Desk) -> None:
    """Whole in the record and received in the register it is completed; else a person takes it back."""
    desk.enter("A", RAND, rand_env_released=ODE_2, rand_released_at="2026-03-02 10:30")
    assert reasons(desk) == ()
    desk.put(ODE_2, "void")
    (reason,) = reasons(desk)
    assert ODE_2 in reason
    assert "--take-back" in reason


def test_a_torn_release_of_another_pile_is_not_mended(desk: Desk) -> None:
    """The envelope is not of the record's stratum."""
    desk.enter("A", RAND, rand_env_released=OTHER_1, rand_released_at="2026-03-02 10:30")
    (reason,) = reasons(desk)
    assert OTHER_1 in reason


def test_a_standing_envelope_that_another_record_opened_is_named_with_it(desk: Desk) -> None:
    """Who is told its number now would open nothing."""
    released(desk)
    desk.enter("C", RAND, rand_env=ODE_1)
    (reason,) = reasons(desk)
    assert f"{ODE_1} is released for it" in reason
    assert "opened for C" in reason


def test_a_standing_envelope_of_another_pile_is_named(desk: Desk) -> None:
    """Site or stratum was corrected after the release."""
    released(desk)
    desk.enter("A", RAND, rand_lvl="2", rand_grp="2", rand_for="1")
    (reason,) = reasons(desk)
    assert ODE_1 in reason
    assert "site and stratum" in reason


def requiring(*rules: tuple[str, str]) -> Config:
    made = tuple(Requirement(require=logic, otherwise=words) for logic, words in rules)  # type: ignore[arg-type]
    return CONFIG.model_copy(update={"release": made})


def test_every_unmet_requirement_is_told_in_the_configurations_words(desk: Desk) -> None:
    """And those that are met are not."""
    config = requiring(
        (f"[{SCREENING}][elig_site]='ODE'", "no site"),
        (f"[{SCREENING}][con_given]='1'", "no consent"),
        (f"datediff([{SCREENING}][con_date],'today','d')<=30", "consent too old"),
    )
    desk.enter("A", SCREENING, con_date="2026-02-01")
    assert reasons(desk, config=config) == ("no consent",)
    assert reasons(desk, today=date(2026, 3, 4), config=config) == ("no consent", "consent too old")


def test_logic_that_does_not_fit_the_project_is_an_error_of_the_configuration(desk: Desk) -> None:
    """With what does not fit."""
    config = requiring((f"[{SCREENING}][no_such_field]='1'", "x"))
    with pytest.raises(ConfigError, match="no_such_field"):
        reasons(desk, config=config)


def test_releases_of_others_are_named_with_their_records(desk: Desk) -> None:
    """Whole, half done, or for nobody."""
    released(desk, RIG_1, "B")
    (line,) = rivals(case(desk))
    assert line.startswith(f"{RIG_1} is released for B")
    assert "yet; one at a time" in line
    desk.put(ODE_2, "released", "C", NOW)
    desk.put(ODE_3, "released", "", NOW)
    lines = {line.partition(" ")[0]: line for line in rivals(case(desk))}
    assert set(lines) == {RIG_1, ODE_2, ODE_3}
    assert "half done" in lines[ODE_2]
    assert "no record" in lines[ODE_3]
    assert [line.partition(" ")[0] for line in rivals(case(desk, "C"))] == [ODE_3, RIG_1]


def test_one_site_looks_at_its_own_where_the_configuration_says_so(desk: Desk) -> None:
    """The record's own site."""
    local = CONFIG.model_copy(update={"envelopes": CONFIG.envelopes.model_copy(update={"scope": "site"})})
    released(desk, RIG_1, "B")
    assert rivals(case(desk, config=local)) == ()
    released(desk, ODE_2, "C")
    assert len(rivals(case(desk, config=local))) == 1


def test_an_envelope_stands_while_both_projects_hold_it_and_none_is_opened(desk: Desk) -> None:
    """Another one in the register is not it."""
    desk.put(ODE_2, "released", "A", NOW)
    assert standing(case(desk)) is None
    released(desk)
    found = standing(case(desk))
    assert found is not None
    assert found.id == ODE_1
    desk.enter("A", RAND, rand_date="2026-03-02")
    assert standing(case(desk)) is None


def test_half_a_release_is_one_the_register_alone_holds(desk: Desk) -> None:
    """One envelope, that nobody names; the record names none and has opened none."""
    desk.put(ODE_2, "released", "A", NOW)
    begun = half(case(desk))
    assert begun is not None
    assert begun.id == ODE_2
    assert available(case(desk)) == begun

    def changed(change: Callable[[Desk], None]) -> Envelope | None:
        other = Desk()
        other.put(ODE_2, "released", "A", NOW)
        change(other)
        return half(case(other))

    assert changed(lambda one: one.enter("A", RAND, rand_env_released=ODE_2)) is None
    assert changed(lambda one: one.enter("A", RAND, rand_arm="1")) is None
    assert changed(lambda one: one.enter("C", RAND, rand_env=ODE_2)) is None
    assert changed(lambda one: one.put(ODE_3, "released", "A", NOW)) is None


def test_a_torn_release_is_one_the_record_alone_holds_whole(desk: Desk) -> None:
    """With its minute, its envelope received and named by nobody, and none opened."""

    def after(change: Callable[[Desk], None] = lambda _: None) -> str:
        other = Desk()
        other.enter("A", RAND, rand_env_released=ODE_2, rand_released_at="2026-03-02 10:30")
        change(other)
        found = torn(case(other))
        return found.id if found else ""

    assert after() == ODE_2
    assert after(lambda one: one.enter("A", RAND, rand_released_at="")) == ""
    assert after(lambda one: one.enter("A", RAND, rand_code="7K")) == ""
    assert after(lambda one: one.put(ODE_2, "lost")) == ""
    assert after(lambda one: one.enter("C", RAND, rand_env=ODE_2)) == ""
    assert after(lambda one: one.enter("A", RAND, rand_env_released=RIG_1)) == RIG_1


def test_a_broken_off_release_goes_on_with_its_envelope_only_if_that_fits(desk: Desk) -> None:
    """Else the lowest of the pile as it is now is taken."""
    desk.put(OTHER_1, "released", "A", NOW)
    found = available(case(desk))
    assert found is not None
    assert found.id == ODE_1
    assert fits(case(desk), found)
    assert not fits(case(desk), desk.envelope(OTHER_1))
    assert not fits(case(desk), desk.envelope(RIG_1))


def test_an_envelope_some_record_names_is_not_taken(desk: Desk) -> None:
    """As opened or as released, whatever the register says; the next of the pile is."""
    desk.enter("C", RAND, rand_env=ODE_1)
    desk.enter("B", RAND, rand_env_released=ODE_2)
    found = available(case(desk))
    assert found is not None
    assert found.id == ODE_3


def test_the_lowest_number_is_taken_whatever_the_order_of_the_register(desk: Desk) -> None:
    """Numbers, not words, are compared."""
    whole = case(desk)
    turned = replace(whole, marks=replace(whole.marks, envelopes=whole.marks.envelopes[::-1]))
    found = available(turned)
    assert found is not None
    assert found.id == ODE_1


A, B = (RecordMark(name, "ODE", "", "", opened=False) for name in "AB")


def looked(*records: RecordMark, envelopes: tuple[Envelope, ...] = ()) -> Marks:
    return Marks(records, envelopes)


def with_status(desk: Desk, name: str, record: str) -> Envelope:
    return replace(desk.envelope(name), status="released", record=record, released_at=NOW)


def test_an_open_release_is_known_from_either_project_and_closed_by_an_opening(desk: Desk) -> None:
    """Once, with the register's minute where both have it."""
    in_register = with_status(desk, ODE_1, "A")
    own = replace(A, envelope=ODE_1, at=NOW.replace(minute=31))
    (only,) = looked(own, envelopes=(in_register,)).open
    assert (only.envelope, only.record, only.site, only.at) == (ODE_1, "A", "ODE", NOW)
    (only,) = looked(own).open
    assert only.at == NOW.replace(minute=31)
    (only,) = looked(A, envelopes=(in_register,)).open
    assert str(only) == f"{ODE_1} for A since 2026-03-02 10:30"
    assert looked(replace(own, opened=True), envelopes=(in_register,)).open == ()
    assert looked(A, B, envelopes=(desk.envelope(ODE_1),)).open == ()
    assert str(OpenRelease(ODE_1, "A", "ODE")) == f"{ODE_1} for A"


def test_open_releases_come_in_the_order_of_their_envelopes(desk: Desk) -> None:
    """Both of them."""
    found = looked(replace(B, envelope=ODE_2), envelopes=(with_status(desk, ODE_1, "A"),)).open
    assert [one.envelope for one in found] == [ODE_1, ODE_2]


def test_rivals_are_other_records_in_the_trial_or_at_the_site(desk: Desk) -> None:
    """By the register's pile or the record's own site."""
    marks = looked(replace(A, envelope=ODE_1), replace(B, site="RIG", envelope=RIG_1))
    assert [one.record for one in marks.rivals("A", "ODE", "trial")] == ["B"]
    assert marks.rivals("A", "ODE", "site") == ()
    assert [one.record for one in marks.rivals("C", "RIG", "site")] == ["B"]


def test_who_holds_and_who_names_an_envelope(desk: Desk) -> None:
    """A record in which another envelope that exists was opened holds it no more."""
    register = (desk.envelope(ODE_1), desk.envelope(ODE_2))
    both = replace(A, envelope=ODE_1, named=ODE_2, opened=True), replace(B, envelope=ODE_1)
    marks = looked(*both, envelopes=register)
    assert (marks.named_by(ODE_2), marks.named_by(ODE_1)) == ("A", "")
    assert (marks.holder_of(ODE_1, "C"), marks.holder_of(ODE_1, "B"), marks.holder_of(ODE_2, "C")) == ("B", "", "")
    own = looked(replace(B, envelope=ODE_1, named=ODE_1, opened=True), envelopes=register)
    assert own.holder_of(ODE_1, "A") == "B"
    assert marks.opened_another("A", ODE_1)
    assert not marks.opened_another("A", ODE_2)
    assert not marks.opened_another("B", ODE_1)
    assert not marks.opened_another("X", ODE_1)
    assert not looked(*both).opened_another("A", ODE_1)  # the number typed in is none of the register
    assert (marks.envelope_in("B"), marks.envelope_in("X")) == (ODE_1, "")


def test_what_is_released_to_a_record_is_what_the_register_says(desk: Desk) -> None:
    """Released and for it; opened ones are not."""
    opened = replace(with_status(desk, ODE_2, "A"), status="opened")
    marks = looked(envelopes=(with_status(desk, ODE_1, "A"), opened, with_status(desk, ODE_3, "B")))
    assert [one.id for one in marks.released_to("A")] == [ODE_1]
    assert marks.released_to("C") == ()


def test_the_pile_is_that_of_site_and_stratum() -> None:
    """The frozen trial's, so that the tests above mean what they say."""
    assert case(Desk()).patient.stratum == ODE.stratum
    assert Pile(case(Desk()).patient.site, "K1N") == ODE
