"""What becomes of people when the dates of what they are in are over, by the source and by Canvas."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from rosterflow.domain.decisions import Decision
from rosterflow.domain.mapping.people import Step, explain_person, map_people
from rosterflow.domain.mapping.people_places import shut_places
from rosterflow.domain.model import CanvasObject, Course, Key, Kind, SourceKind, Term
from rosterflow.domain.rosters import Place, Reason
from rosterflow.domain.snapshot import Snapshot
from tests.domain.fs_builders import H26, NOW, institution
from tests.domain.people_builders import (
    EVU,
    STRUCTURE,
    STUDENT,
    UE,
    enrolled,
    left,
    person,
    right,
    source,
    takes_part,
    there,
)

LAST = date(2026, 10, 1)
END = datetime(2026, 10, 1, 21, 59, 59, tzinfo=UTC)  # the last second of that day in Oslo
TERM = Key(Kind.TERM, H26.sis_id)
COURSE = Key(Kind.COURSE, EVU)


def ending(key: Key, end: datetime | None = END) -> dict[Key, CanvasObject]:
    """The structure's objects, of which one ends."""
    thing = STRUCTURE.objects[key]
    assert isinstance(thing, Course | Term)
    return {**STRUCTURE.objects, key: replace(thing, start=None, end=end)}


def on(day: date, source_has: dict[Key, CanvasObject], canvas_has: dict[Key, CanvasObject]) -> Snapshot:
    """The snapshot of a participant and a student on a day; 8 was there before, and FS has them no longer."""
    there = enrolled(Kind.COURSE, EVU, STUDENT, "1", "8")
    return map_people(
        institution(),
        NOW,
        replace(STRUCTURE, objects=source_has),
        source(person("1"), person("2"), takes_part("1"), right("2")),
        {there.whole: there},
        day,
        in_use=canvas_has,
    )


def test_on_the_last_day_of_a_course_its_people_are_there_and_on_the_next_it_is_over_for_them() -> None:
    objects = ending(COURSE)

    last, after = (on(day, objects, objects) for day in (LAST, date(2026, 10, 2)))

    assert (there(last, EVU, kind=Kind.COURSE), left(last, EVU, kind=Kind.COURSE)) == (["1"], {})
    assert there(after, EVU, kind=Kind.COURSE) == []
    assert left(after, EVU, kind=Kind.COURSE) == {"1": Reason.TERM_ENDED, "8": Reason.TERM_ENDED}
    assert there(after, UE) == ["2"]
    facts = (("people", "2"),)
    decision = Decision(SourceKind.EVU_KURS, f"course {EVU} as {STUDENT}", False, "term-ended", facts)
    assert [one for one in after.decisions if one.rule == "term-ended"] == [decision]


def test_with_a_term_that_is_over_its_courses_are() -> None:
    objects = ending(TERM)

    shot = on(date(2026, 10, 2), objects, objects)

    assert (there(shot, UE), there(shot, EVU, kind=Kind.COURSE)) == ([], ["1"])


def test_nothing_is_over_while_either_the_source_or_canvas_has_it_open() -> None:
    ended, day = ending(COURSE), date(2026, 10, 2)

    for source_has, canvas_has in ((ended, ending(COURSE, None)), (ending(COURSE, None), ended), (ended, {})):
        assert there(on(day, source_has, canvas_has), EVU, kind=Kind.COURSE) == ["1"]


def test_a_course_with_dates_of_its_own_does_not_end_with_its_term() -> None:
    own = Course("C", "C", "C", "A", "T", start=datetime(2026, 9, 1, tzinfo=UTC))
    things: dict[Key, CanvasObject] = {Key(Kind.TERM, "T"): Term("T", "T", end=END), Key(Kind.COURSE, "C"): own}

    found = [
        shut_places({**things, Key(Kind.COURSE, "C"): one}, datetime(2027, 1, 1, tzinfo=UTC))
        for one in (own, replace(own, start=None), replace(own, term=None, start=None), replace(own, end=END))
    ]

    c = frozenset({Place(Kind.COURSE, "C")})
    assert found == [frozenset(), c, frozenset(), c]


def test_who_asks_is_told_that_it_is_over() -> None:
    objects, rows = ending(COURSE), source(person("1"), takes_part("1"))
    structure = replace(STRUCTURE, objects=objects)

    steps = explain_person(institution(), NOW, structure, rows, {}, date(2026, 10, 2), "1", in_use=objects)

    facts, place = (("at", "LED1 2026-1"), ("role", STUDENT)), Place(Kind.COURSE, EVU)
    assert steps == (
        Step(SourceKind.BRUKER, "user-sent", True),
        Step(SourceKind.EVU_DELTAKELSE, "evu-participant", True, facts, place),
        Step(SourceKind.EVU_DELTAKELSE, "term-ended", False, facts, place),
    )
