"""The laws of the queue's rules: they hold whatever Campus Cafe says and whatever the college has set."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from rosterflow.domain.coursekey.campus import Person, Record, Registration, Section, SectionKey, Standing, Teaching
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import Entity, EntryKind, EntryState, Intent, Verdict
from rosterflow.domain.coursekey.rules import verdict
from tests.domain.coursekey.builders import FALL, Known, college

law = settings(max_examples=200, deadline=None)
COLLEGES = [
    college(),
    college(AUTO_QUEUE_ITEMS="N", USE_LMS_EXCLUDE_FLAG="N", INSTRUCTOR_ADD_ONLY="N", COURSE_ADMINS="1|2"),
    college(COURSE_DAYS_ACTIVE_BEF_BEGIN=0, ENROLLMENT_DAYS_ACTIVE_AFT_END=0, CUTOVER_SEMESTER="202620"),
    college(
        AWARDED_TIME_ATTENDANCE_NAMES="Blended Capstone",
        AWARDED_TIME_MINUTES=3600,
        NO_ATTENDANCE_SESSION_SYNC="Flexible Lab",
        COURSE_NAME_FORMAT="@COURSE_TITLE@ @SEMESTER_DESCRIPTION@",
    ),
]
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
SEMESTERS = st.sampled_from(["202510", "202610", "202620", "999999", "20261", ""])
PEOPLE = st.sampled_from(["1", "2", "3"])


class Case(NamedTuple):
    """A verdict's circumstances."""

    entity: Entity
    intent: Intent
    college: College
    campus: Known
    today: date
    is_there: bool

    def verdict(self, *, forced: bool = False, today: date | None = None) -> Verdict:
        """What the rules say."""
        return verdict(
            self.entity,
            self.intent,
            self.college,
            self.campus,
            today or self.today,
            forced=forced,
            is_there=self.is_there,
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any entity at any college, of which any record may be missing or odd."""
    key = SectionKey(draw(SEMESTERS), "MTH101", "4")
    kind, person = draw(st.sampled_from(EntryKind)), draw(PEOPLE)
    records: list[Record] = [
        Section(
            *key,
            title=draw(st.sampled_from(["Intro to Math", "", "@SEMESTER@"])),
            site=draw(st.sampled_from(["MAIN", "WEST", "AWAY", "NOWHERE", ""])),
            first=draw(st.none() | DAYS),
            last=draw(st.none() | DAYS),
            attendance_code=draw(st.sampled_from(["LEC", "FLX", "BLC", "OLD", ""])),
            lab_hours=draw(st.sampled_from([None, Decimal(0), Decimal(15)])),
            is_excluded=draw(st.booleans()),
            is_cancelled=draw(st.booleans()),
        ),
        Registration(
            *key,
            person,
            draw(st.sampled_from(Standing)),
            draw(st.none() | DAYS.map(lambda day: datetime(day.year, day.month, day.day, 3, tzinfo=UTC))),
            first=draw(st.none() | DAYS),
            last=draw(st.none() | DAYS),
        ),
        Teaching(*key, person, is_removed=draw(st.booleans())),
        Person(person, draw(st.sampled_from(["Ada", ""])), "Invented", draw(st.sampled_from(["a@b.example", "a", ""]))),
        FALL,
    ]
    known = Known(*(record for record in records if draw(st.integers(0, 5))))
    of_person = kind in (EntryKind.USER, EntryKind.STAFF, EntryKind.ENROLLMENT)
    entity = (
        Entity(kind, person=person, site=draw(st.sampled_from(["MAIN", "AWAY", ""])))
        if kind is EntryKind.USER
        else Entity(kind, *key, person=person if of_person else "")
    )
    return Case(
        entity, draw(st.sampled_from(Intent)), draw(st.sampled_from(COLLEGES)), known, draw(DAYS), draw(st.booleans())
    )


@law
@given(cases())
def test_every_entity_gets_one_of_four_answers_with_a_rule_and_a_reason(case: Case) -> None:
    said = case.verdict()

    assert said.state in {EntryState.PENDING, EntryState.DEFERRED, EntryState.SKIPPED, EntryState.FAILED}
    assert said.rule
    assert said.reason.endswith(".")
    assert (said.opens_on is not None) is (said.state is EntryState.DEFERRED)


@law
@given(cases(), st.booleans())
def test_a_student_of_a_section_is_never_to_become_its_staff(case: Case, forced: bool) -> None:
    key = case.entity.section_key
    registration = case.campus.registration(key, case.entity.person) if key else None
    is_student = registration is not None and registration.standing is not Standing.DROPPED

    said = case.verdict(forced=forced)

    if case.entity.kind is EntryKind.STAFF and case.intent is Intent.UPSERT and is_student:
        assert said.state is not EntryState.PENDING


@law
@given(cases())
def test_asking_for_it_only_ever_opens_a_window(case: Case) -> None:
    said, asked = case.verdict(), case.verdict(forced=True)

    if said.rule != "before-window":
        assert (asked.state, asked.rule) in {(said.state, said.rule), (said.state, "asked-for")}
    assert asked.rule != "before-window"


@law
@given(cases())
def test_what_waits_has_an_answer_on_the_day_it_waits_for_and_not_before(case: Case) -> None:
    said = case.verdict()

    if said.opens_on:
        assert case.verdict(today=said.opens_on - timedelta(days=1)).state is EntryState.DEFERRED
        assert case.verdict(today=said.opens_on).state is not EntryState.DEFERRED


@law
@given(cases())
def test_adding_and_removing_the_same_are_never_both_to_be_sent(case: Case) -> None:
    both = {case._replace(intent=intent).verdict().state for intent in Intent}

    assert both != {EntryState.PENDING}


@law
@given(cases())
def test_a_verdict_names_nobody(case: Case) -> None:
    said = str(case.verdict())

    assert [word for word in ("Ada", "Invented", "a@b.example") if word in said] == []
