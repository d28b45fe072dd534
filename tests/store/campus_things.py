"""What the tests of the mirror and of the queue put into the store."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from rosterflow.domain.coursekey.campus import (
    Person,
    Registration,
    Section,
    SectionKey,
    Semester,
    Standing,
    Teaching,
)
from rosterflow.domain.coursekey.queue import Entity, EntryKind, EntryState, Intent, Verdict
from rosterflow.store.queue import Request

NOW = datetime(2026, 9, 7, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
HOME = "harbor"
API = "CC_CKY"

FALL = Semester("202610", "Fall 2026", date(2026, 8, 24), date(2026, 12, 18))
MATH = Section("202610", "MTH101", "4", "Intro to Math", "MAIN", date(2026, 8, 24), date(2026, 12, 18))
WELDING = Section("202610", "WLD200", "1", "Welding", "NORTH", date(2026, 8, 24), date(2026, 12, 18))
ADA = Person("1001", "Ada", "Quill", "ada.quill@college.example")
BEN = Person("1002", "Ben", "Marsh", "ben.marsh@college.example")
CYD = Teaching("202610", "MTH101", "4", "9001", is_primary=True)


def registered(person: str, section: Section = MATH, standing: Standing = Standing.REGISTERED) -> Registration:
    return Registration(*section.key, person, standing)


def enrollment(person: str, key: SectionKey = MATH.key) -> Entity:
    return Entity(EntryKind.ENROLLMENT, *key, person)


def course(key: SectionKey = MATH.key) -> Entity:
    return Entity(EntryKind.COURSE, *key)


DUE = Verdict(EntryState.PENDING, "due", "It is to be sent.")
SHUT = Verdict(EntryState.DEFERRED, "before-window", "It waits.", opens_on=date(2026, 9, 9))
EXCLUDED = Verdict(EntryState.SKIPPED, "excluded", "The section is marked Exclude from LMS.")


def upsert(entity: Entity, verdict: Verdict = DUE, *, forced: bool = False, asked_by: str = "collector") -> Request:
    return Request(entity, Intent.UPSERT, verdict, forced, asked_by)


def remove(entity: Entity, verdict: Verdict = DUE) -> Request:
    return Request(entity, Intent.REMOVE, verdict)
