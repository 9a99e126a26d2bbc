"""Sites and coordinator at work: from the screening to the last form, as the story has it and as mistakes change it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property, partial

from rehearsal.admission import admission, before_opening, opening
from rehearsal.cast import ORDINARY, OTHER_ENVELOPE, UNRELEASED, Reach
from rehearsal.chart import Page
from rehearsal.days import open_day
from rehearsal.followup import follow_up
from rehearsal.patient import Patient, enter
from rehearsal.sheets import Sheet
from rehearsal.story import Life
from simulated import mistakes
from simulated.mistakes import Planted
from simulated.world import PLACE, World, days_of, desk_day
from trialdesk.allocation.numbering import envelope_id, parse_envelope_id
from trialdesk.envelopes.register import read_register
from trialdesk.envelopes.release import Contention, release, take_back
from trialdesk.errors import ReleaseRefused
from trialdesk.followup.windows import window
from trialdesk.instruments.folder import folder_of
from trialdesk.instruments.rules import Rules, read_rules
from trialdesk.model import Envelope

_OPENS_LATER, _FORGETS_WEEK, _PUTS_OFF, _TOO_SOON, _DEATH_LATE = 0.08, 0.03, 0.15, 0.05, 0.7
_NO_ENVELOPE = "no received envelope"
_SOON = timedelta(days=30)
_AT_MOST = timedelta(days=14)


@dataclass
class People:
    """Everybody at the sites, and the coordinator who releases.

    `planted` are the mistakes that have to be named, `untyped` what of the time before the envelope a site has on
    paper alone (it is typed in on a Friday, or for the call), `waiting` the patients for whom nobody has called yet,
    `opened` the lives in the order in which their envelopes were opened.
    """

    world: World
    planted: list[Planted]
    untyped: dict[str, list[Sheet]] = field(default_factory=dict)
    waiting: dict[str, Patient] = field(default_factory=dict)
    opened: list[Life] = field(default_factory=list)
    arms: dict[str, str] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)
    refused: int = 0

    def begin(self) -> None:
        """Everybody knows when to come."""
        lives = self.world.story.lives
        self.mistakes = dict(
            mistakes.assigned(self.world, (life.record for life in lives if life.role.name == ORDINARY))
        )
        for life in lives:
            self.world.plan(datetime.combine(life.screened, time(8)), partial(self._admit, life))

    def _admit(self, life: Life) -> None:
        patient = enter(self.world.story, life)
        sheets = [replace(one, on=desk_day(one.on)) for one in admission(patient)]
        if self.mistakes.get(life.record) == mistakes.CONSENT_AHEAD:
            sheets = list(self._consent_ahead(life, sheets))
        self.untyped[life.record] = sheets
        for on in days_of(sheets):
            self.world.plan(datetime.combine(on, time(16)), partial(self._type, life, on))
        self._part(life, life.role.part.rules)
        if life.role.reach >= Reach.RELEASED:
            self.waiting[life.record] = patient
            self.world.plan(life.released, partial(self._in_time, patient))
        if self.mistakes.get(life.record) == mistakes.TWICE:
            typed = desk_day(life.baseline)
            self.world.plan(desk_day(typed + timedelta(days=1)), partial(self._twice, life))

    def _type(self, life: Life, until: date, *more: Sheet) -> None:
        """What the site has on paper of the time before the envelope, and more, is typed in."""
        left = self.untyped[life.record]
        now = [sheet for sheet in left if sheet.on <= until]
        self.untyped[life.record] = [sheet for sheet in left if sheet.on > until]
        if now or more:
            self.world.enter(life.site, life.record, [*now, *more])

    def _part(self, life: Life, named: Sequence[str]) -> None:
        """What the story itself plants is named some night; it is never put right."""
        kinds = (self._rules.class_of(rule).same_as or rule for rule in named)
        self.planted += [
            Planted(f"the story's {rule}", life.record, (rule,), self.world.story.today)
            for rule in dict.fromkeys(kinds)
        ]

    @cached_property
    def _rules(self) -> Rules:
        config = self.world.stage.config
        return read_rules(folder_of(config, "trial"), self.world.setting.dictionary, config)

    def _consent_ahead(self, life: Life, sheets: Sequence[Sheet]) -> Iterator[Sheet]:
        ref = self.world.stage.config.facts.consented_on
        for sheet in sheets:
            right = sheet.values.get(ref.field, "")
            if sheet.event != ref.event or not right or right.endswith("02-29"):
                yield sheet
                continue
            yield mistakes.changed(sheet, {ref.field: f"{int(right[:4]) + 1}{right[4:]}"})
            self._mended(life, mistakes.CONSENT_AHEAD, "R54", sheet.on, {(ref.event, ref.field): right})

    def _mended(
        self, life: Life, kind: str, rule: str, on: date, right: dict[tuple[str, str], str], says: str = ""
    ) -> None:
        """The mistake is planted, and the right values are entered days later."""
        later = self.world.chance("mending", life.record).randint(3, 20)
        mended = desk_day(on + timedelta(days=later))
        self.planted.append(Planted(kind, life.record, (rule,), on + timedelta(days=2), says, mended))
        values: dict[str, dict[str, str]] = {}
        for (event, name), value in right.items():
            values.setdefault(event, {})[name] = value
        for event, part in values.items():
            self.world.plan(mended, partial(self.world.correct, life.site, life.record, event, part))

    def _in_time(self, patient: Patient) -> None:
        """The site calls, or puts it off for two weeks, in which another site's call may be the moment."""
        if self.world.chance("puts off", patient.life.record).random() >= _PUTS_OFF:
            self._phone_once(patient)
            return
        later = datetime.combine(open_day(self.world.today + _AT_MOST), self.world.line.now.time())
        self.world.plan(later, partial(self._phone_once, patient))

    def _phone_once(self, patient: Patient) -> None:
        """The site calls, unless it has called already."""
        if self.waiting.pop(patient.life.record, None) is not None:
            self._phone(patient)

    def _phone(self, patient: Patient) -> None:
        life = patient.life
        too_soon = self.world.chance("too soon", life.record).random() < _TOO_SOON
        self._type(life, date.min if too_soon else date.max, before_opening(patient))
        if too_soon:
            self.world.plan(self.world.line.now + timedelta(minutes=90), partial(self._type, life, date.max))
        if life.role.name == UNRELEASED:
            lying = [e for e in read_register(self.world.register) if e.pile == life.pile and e.status == "received"]
            self._open(patient, min(lying).id) if lying else self._again(patient, days=3)
            return
        self._somebody_else(patient)
        self._ask(patient)

    def _somebody_else(self, patient: Patient) -> None:
        """A second coordinator is called at the same moment, for a patient who was put off."""
        dice, today = self.world.chance("two", patient.life.record), self.world.today
        ready = [
            other
            for other in self.waiting.values()
            if other.life.baseline < today and other.life.released.date() <= today
        ]
        if ready:
            self.world.line.meanwhile = dice.randrange(60), partial(self._phone_once, ready[0])

    def _ask(self, patient: Patient) -> None:
        world, record = self.world, patient.life.record
        contention = Contention(3, lambda _: None, world.chance("contention", record, world.line.now).random)
        try:
            envelope = release(world.stage.config, world.trial, world.register, record, world.line.now, contention)
        except ReleaseRefused as refused:
            self.refused += 1
            if _NO_ENVELOPE in str(refused):
                self._wait_for_parcel(patient)
            else:
                self._again(patient, hours=2)
            return
        finally:
            world.line.meanwhile = None
        self._parcel_came(record)
        dice = world.chance("opens", record)
        opens = world.line.now + timedelta(minutes=12)
        if dice.random() < _OPENS_LATER:
            opens = datetime.combine(open_day(world.today + timedelta(days=1)), time(9, 40))
        at = replace(patient, life=replace(patient.life, opened=opens))
        world.plan(opens, partial(self._open, at, envelope.id))

    def _again(self, patient: Patient, *, days: int = 0, hours: int = 0) -> None:
        """The site calls again: after some hours of the same day, or on another."""
        at = self.world.line.now + timedelta(days=days, hours=hours)
        if at.hour >= 17 or open_day(at.date()) != at.date():
            at = datetime.combine(open_day(at.date() + timedelta(days=at.hour >= 17)), time(9, 20))
        self.world.plan(at, partial(self._ask if patient.life.role.name != UNRELEASED else self._phone, patient))

    def _wait_for_parcel(self, patient: Patient) -> None:
        record, today = patient.life.record, self.world.today
        if not any(one.kind == "waits for a parcel" and one.record == record for one in self.planted):
            by = today + timedelta(days=2)
            self.planted.append(Planted("waits for a parcel", record, ("R31",), by))
        self._again(patient, days=3)

    def _parcel_came(self, record: str) -> None:
        for one in self.planted:
            if one.kind == "waits for a parcel" and one.record == record:
                one.mended = self.world.today

    def _open(self, patient: Patient, released: str) -> None:
        """An envelope is opened and typed in, and all that follows is planned."""
        world, life = self.world, replace(patient.life, opened=max(patient.life.opened, world_time(self.world)))
        patient = replace(patient, life=life)
        name = self._in_hand(patient, released)
        card = world.cards.open(name)
        right = opening(patient, name, card)
        self.opened.append(life)
        self.arms[life.record] = card[0]
        wrong = self._typed_wrong(patient, right)
        world.enter(life.site, life.record, [right if wrong is None else mistakes.changed(right, wrong)])
        if name != released and life.role.name != UNRELEASED:
            world.plan(open_day(world.today + timedelta(days=1)), partial(self._take_back, life.record))
        story = replace(world.story, lives=tuple(self.opened))
        turn = story.turns(self.arms).get(life.record)
        if self.mistakes.get(life.record):
            turn = None  # one thing at a time
        self._part(life, world.setting.script.turns[turn].rules if turn else ())
        self._follow(patient, follow_up(patient, card[0], turn))

    def _in_hand(self, patient: Patient, released: str) -> str:
        """The envelope that is opened: the released one, the next of its pile, or one of another pile."""
        life = patient.life
        pile, number = parse_envelope_id(released)
        if life.role.name == OTHER_ENVELOPE:
            return envelope_id(pile, number + 1)
        if self.mistakes.get(life.record) != mistakes.WRONG_PILE:
            return released
        piles: dict[object, list[Envelope]] = {}
        for envelope in read_register(self.world.register):
            if envelope.status == "received" and envelope.pile.site == life.site and envelope.pile != life.pile:
                piles.setdefault(envelope.pile, []).append(envelope)
        if not piles:
            return released
        other = min(min(pile) for pile in piles.values())
        by = self.world.today + timedelta(days=2)
        self.planted += [Planted(mistakes.WRONG_PILE, life.record, (rule,), by) for rule in ("R49", "R04")]
        return other.id

    def _take_back(self, record: str) -> None:
        world = self.world
        take_back(world.stage.config, world.trial, world.register, record)

    def _typed_wrong(self, patient: Patient, right: Sheet) -> dict[str, str] | None:
        kind = self.mistakes.get(patient.life.record, "")
        mistake = mistakes.AT_OPENING.get(kind)
        wrong = mistake.spoil(self.world, patient, right.values) if mistake else None
        if mistake and wrong:
            values = {(right.event, name): right.values[name] for name in wrong}
            self._mended(patient.life, kind, mistake.rule, self.world.today, values)
        return wrong

    def _follow(self, patient: Patient, sheets: Sequence[Sheet]) -> None:
        """The forms of the contacts are entered on Fridays; mistakes that belong to them are made."""
        life, kind = patient.life, self.mistakes.get(patient.life.record, "")
        config = self.world.stage.config
        events = {rule.code: rule.event for rule in config.contacts}
        left, delayed = list(sheets), dict[str, timedelta]()
        if kind == mistakes.NO_CALLS:
            left = mistakes.without(left, (events[code] for code in mistakes.WEEKS_OFF))
            self._named(life, kind, mistakes.WEEKS_OFF[-1])
        elif kind == mistakes.LATE_WEEK:
            delayed[events[mistakes.KEY_WEEK]] = mistakes.LATE
        elif kind == mistakes.UNDATED:
            left = list(self._undated(patient, left))
        elif kind == mistakes.STRATUM:
            self._later(life, self._other_stratum)
        elif kind == mistakes.MOVED:
            self._later(life, self._move)
        end = config.facts.left_on
        if life.role.name == "dead" and end and self.world.chance("death", life.record).random() < _DEATH_LATE:
            self._death_late(life, left, self.world.setting.dictionary.form_of(end.field))
            delayed[self.world.setting.dictionary.form_of(end.field)] = mistakes.LATE
        forms: dict[date, list[Sheet]] = {}
        for sheet in left:
            late = delayed.get(sheet.event) or delayed.get(sheet.form) or timedelta()
            on = self._entered(sheet, life.site, late)
            forms.setdefault(on, []).append(sheet)
            if kind == mistakes.LATE_WEEK and late:
                self._late_week(life, on)
        self._enter_on(life, forms)

    def _enter_on(self, life: Life, forms: Mapping[date, Sequence[Sheet]]) -> None:
        """What is entered on a day is sent together; what would come after the end never is."""
        for on, part in forms.items():
            if on <= self.world.story.today:
                self.world.plan(datetime.combine(on, time(15)), partial(self.world.enter, life.site, life.record, part))

    def _entered(self, sheet: Sheet, site: str, late: timedelta) -> date:
        """The Friday on which a form is entered, after everything that is dated in it; a week later if forgotten."""
        dictionary = self.world.setting.dictionary
        dated = [
            date.fromisoformat(value[:10])
            for column, value in sheet.values.items()
            if column in dictionary and dictionary.get(column).validation.startswith("date")
        ]
        on = max((day for day in dated if sheet.on < day <= sheet.on + _SOON), default=sheet.on) + late
        friday = desk_day(on)
        forgotten = self.world.chance("forgotten", site, friday).random() < _FORGETS_WEEK
        return friday + timedelta(days=7 * forgotten)

    def _named(self, life: Life, kind: str, code: str, mended: date | None = None) -> None:
        """Named once the window of a contact has ended and a night was run."""
        rule = next(rule for rule in self.world.stage.config.contacts if rule.code == code)
        by = window(rule, life.opened.date()).chased_until + mistakes.BEFORE_A_NIGHT
        self.planted.append(Planted(kind, life.record, ("Q43",), by, rule.label, mended))

    def _late_week(self, life: Life, on: date) -> None:
        if not any(one.kind == mistakes.LATE_WEEK and one.record == life.record for one in self.planted):
            self._named(life, mistakes.LATE_WEEK, mistakes.KEY_WEEK, on)

    def _undated(self, patient: Patient, sheets: Sequence[Sheet]) -> Iterator[Sheet]:
        """The second contact that was made has no day, until the nurse is asked for it."""
        config, life, made = self.world.stage.config, patient.life, False
        forms = {form.instrument: form for form in config.contact_forms.values()}
        first = next(rule for rule in config.contacts)
        for sheet in sheets:
            form = forms.get(sheet.form)
            done = form is not None and patient.chart.holds(form.done, Page(sheet.event))
            if made or form is None or sheet.event == first.event or not done:
                yield sheet
                continue
            made = True
            right = sheet.values[form.date]
            yield mistakes.changed(sheet, {form.date: ""})
            on = self._entered(mistakes.changed(sheet, {form.date: ""}), life.site, timedelta())
            self._mended(life, mistakes.UNDATED, "R58", on, {(sheet.event, form.date): right})

    def _later(self, life: Life, act: Callable[[Life], None]) -> None:
        on = desk_day(self.world.today + timedelta(days=self.world.chance("later", life.record).randint(5, 60)))
        self.world.plan(on, partial(act, life))

    def _other_stratum(self, life: Life) -> None:
        factor = self.world.stage.config.strata[-1]
        ref = factor.field
        right = self.world.ledger.value(life.record, ref.event, ref.field)
        wrong = next(level.value for level in factor.levels if level.value != right)
        self.world.correct(life.site, life.record, ref.event, {ref.field: wrong})
        self._mended(life, mistakes.STRATUM, "R04", self.world.today, {(ref.event, ref.field): right})

    def _move(self, life: Life) -> None:
        sites = self.world.setting.sites
        other = next(site for site in sites if site != life.site)
        self._group(life, other)
        mended = desk_day(self.world.today + timedelta(days=5))
        by = self.world.today + timedelta(days=2)
        self.planted.append(Planted(mistakes.MOVED, life.record, ("R52",), by, "", mended))
        self.world.plan(mended, partial(self._group, life, life.site))

    def _group(self, life: Life, site: str) -> None:
        record_id = self.world.setting.dictionary.record_id
        event = self.world.stage.config.facts.screened_on.event
        row = {record_id: life.record, PLACE[0]: event, "redcap_data_access_group": site.lower()}
        self.world.administrator.import_records([row])

    def _twice(self, life: Life) -> None:
        """The site enters the same person once more, and the second record is deleted later."""
        world, double = self.world, f"{life.record}-2"
        record_id = world.setting.dictionary.record_id
        event = world.stage.config.facts.screened_on.event
        values = world.ledger.entered[life.record][event, "", ""]
        sent = [{record_id: double, PLACE[0]: event, **values}]
        world.send(life.site, sent, "normal")
        mended = desk_day(world.today + timedelta(days=world.chance("twice", life.record).randint(3, 15)))
        self.planted.append(Planted(mistakes.TWICE, life.record, ("Q31",), world.today + timedelta(days=2), "", mended))
        world.plan(mended, partial(self._delete, double))

    def _delete(self, record: str) -> None:
        self.world.administrator.delete_records([record])
        self.world.ledger.delete(record)

    def _death_late(self, life: Life, sheets: Sequence[Sheet], end: str) -> None:
        """The event is in the log, the end of study is not."""
        told = [self._entered(sheet, life.site, timedelta()) for sheet in sheets if sheet.values.get("ae_grade") == "5"]
        ends = [self._entered(sheet, life.site, mistakes.LATE) for sheet in sheets if sheet.form == end]
        if told and ends:
            by = told[0] + timedelta(days=2)
            self.planted.append(Planted(mistakes.DEATH_LATE, life.record, ("Q63",), by, "", ends[0]))


def world_time(world: World) -> datetime:
    """The minute it is."""
    return world.line.now.replace(second=0, microsecond=0)
