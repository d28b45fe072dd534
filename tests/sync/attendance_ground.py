"""A college whose CourseKey exports what it is told to, and whose attendance module keeps what it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from rosterflow.domain.attendance.booking import Origin, RowKey, Time
from rosterflow.domain.attendance.ledger import Fact, FactState
from rosterflow.domain.attendance.module import (
    AttendanceResource,
    ExceptionDay,
    KeptTime,
    LastDate,
    RowResult,
    Rows,
    Wrote,
)
from rosterflow.domain.attendance.reading import KeptPage, KeptRead
from rosterflow.domain.attendance.records import FactKey
from rosterflow.domain.coursekey.campus import Person, Reading, Registration, Resource, Section, SectionKey, Standing
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.snapshot import Scope
from rosterflow.store import attendance, attendance_raw, coursekey_maps, runs
from rosterflow.store import campus as mirror
from rosterflow.store.attendance import Course
from rosterflow.store.coursekey_maps import MapKey, MapKind, Mapped
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run
from rosterflow.sync.attendance_importing import Imported, import_read
from rosterflow.sync.attendance_reading import Opened
from rosterflow.sync.attendance_writing import Written, write_attendance
from tests.domain.coursekey.builders import college as settings

SCHOOL = "548156"
ZONE = "America/New_York"
MATH = SectionKey("202610", "MTH101", "4")
MONDAY = date(2026, 9, 7)
DAY = timedelta(days=1)
STUDENTS = ("2001", "2002", "2003", "2004")
NIGHT = datetime(2026, 9, 8, 9, 30, tzinfo=UTC)
"""Half past five in the morning in New York, after Monday."""


def exported(session: str, person: str, on: date, seconds: int | None, **fields: Any) -> dict[str, Any]:
    """One record as CourseKey exports it."""
    start = datetime(on.year, on.month, on.day, 18, tzinfo=ZoneInfo(ZONE))
    plain = {
        "recordID": f"{session}-{person}",
        "schoolID": SCHOOL,
        "courseID": "C1",
        "userID": f"U{person}",
        "issuedID": person,
        "sessionID": session,
        "sessionDate": on.isoformat(),
        "startTime": start.isoformat(),
        "endTime": (start + timedelta(hours=2)).isoformat(),
        "timeAwarded": seconds,
        "timeAttended": seconds,
        "timeAvailable": 7200,
        "isAsynchronous": False,
        "status": "complete",
        "updatedAt": (start + timedelta(hours=3)).isoformat(),
        "isDeleted": False,
    }
    return {**plain, **fields}


@dataclass(slots=True)
class Module:
    """Campus Cafe's attendance module.

    :param times: by row.
    :param refuse: codes by Campus Cafe ID.
    :param refuse_dates: the same for last dates.
    :param sent: every row that was sent, call by call.
    :param dies_after: so many rows are taken before whoever writes is killed.
    """

    times_kept: dict[RowKey, KeptTime] = field(default_factory=dict)
    dates_kept: dict[tuple[SectionKey, str], LastDate] = field(default_factory=dict)
    days: tuple[ExceptionDay, ...] = ()
    refuse: dict[str, str] = field(default_factory=dict)
    refuse_dates: dict[str, str] = field(default_factory=dict)
    dates_sent: list[tuple[SectionKey, str, date | None]] = field(default_factory=list)
    sent: list[list[tuple[RowKey, Time]]] = field(default_factory=list)
    gaps: tuple[str, ...] = ()
    dies_after: int | None = None

    def put(self, key: RowKey, hours: int, minutes: Decimal, origin: Origin) -> None:
        """Have a row."""
        self.times_kept[key] = KeptTime(*key.section, key.person, key.on, hours, minutes, origin)

    def times(self, first: date, last: date) -> Rows[KeptTime]:
        """Its rows."""
        return Rows(tuple(one for key, one in self.times_kept.items() if first <= key.on <= last), gaps=self.gaps)

    def last_dates(self, semesters: Sequence[str]) -> Rows[LastDate]:
        """Its last dates."""
        return Rows(tuple(self.dates_kept.values()))

    def exceptions(self, first: date, last: date) -> Rows[ExceptionDay]:
        """Its exceptions."""
        return Rows(tuple(one for one in self.days if first <= one.on <= last))

    def write_times(self, rows: Sequence[tuple[RowKey, Time]], batch: str) -> tuple[RowResult, ...]:
        """Take rows."""
        self.sent.append(list(rows))
        return tuple(self._take(key, time) for key, time in rows)

    def write_last_dates(
        self, rows: Sequence[tuple[SectionKey, str, date | None]], batch: str
    ) -> tuple[RowResult, ...]:
        """Take last dates."""
        self.dates_sent += rows
        return tuple(self._take_date(*row) for row in rows)

    def results(self, resource: AttendanceResource, batch: str) -> tuple[RowResult, ...] | None:
        """Nothing is handed over."""
        return None

    def _take_date(self, section: SectionKey, person: str, on: date | None) -> RowResult:
        if person in self.refuse_dates:
            return RowResult(Wrote.REFUSED, self.refuse_dates[person], "Campus Cafe's own words")
        self.dates_kept[section, person] = LastDate(*section, person, on)
        return RowResult(Wrote.WRITTEN)

    def _take(self, key: RowKey, time: Time) -> RowResult:
        if self.dies_after is not None:
            if self.dies_after == 0:
                raise Killed
            self.dies_after -= 1
        if key.person in self.refuse:
            return RowResult(Wrote.REFUSED, self.refuse[key.person], "Campus Cafe's own words")
        self.put(key, *time, Origin.OURS)
        return RowResult(Wrote.WRITTEN)

    def held(self) -> dict[tuple[str, date], Time]:
        """What it holds of ours that is not 0, by student and day."""
        ours = {key: one.time for key, one in self.times_kept.items() if one.origin is Origin.OURS}
        return {(key.person, key.on): time for key, time in ours.items() if time != Time(0, Decimal(0))}


class Killed(BaseException):
    """Whoever met this is dead."""


@dataclass(slots=True)
class Ground:
    """A college, its store and its two neighbours."""

    store: Store
    college: College
    module: Module
    pages: dict[str, bytes] = field(default_factory=dict)

    def opened(
        self,
        pages: Sequence[Sequence[Mapping[str, Any]]],
        first: date,
        last: date,
        read_at: datetime,
        gaps: tuple[str, ...] = (),
    ) -> Opened:
        """A read that gave some pages, kept as evidence."""
        kept = []
        for number, rows in enumerate(pages, 1):
            body = msgspec.json.encode({"data": rows, "nextCursor": None})
            name = f"page-{len(self.pages)}"
            self.pages[name] = body
            kept.append(KeptPage(number, name, hashlib.sha256(body).hexdigest(), len(body), len(rows)))
        read = KeptRead("1-1", SCHOOL, ZONE, read_at, first, last, tuple(kept), gaps)
        run = self.run().id
        with self.store.begin() as connection:
            read = attendance_raw.keep(connection, self.college.key, run, read)
        return Opened(read, lambda page: self.pages[page.name])

    def again(self, read: KeptRead) -> Opened:
        """A read that was kept, opened once more."""
        return Opened(read, lambda page: self.pages[page.name])

    def run(self, name: str = "night") -> Run:
        """A run."""
        with self.store.begin() as connection:
            found = runs.find_run(connection, self.college.key, name)
            return found or runs.open_run(
                connection, self.college.key, self.college.key, name, "apply", Scope(frozenset()), NIGHT
            )

    def take(
        self,
        *rows: Mapping[str, Any],
        first: date = MONDAY,
        last: date = MONDAY,
        read_at: datetime = NIGHT,
        gaps: tuple[str, ...] = (),
    ) -> Imported:
        """Read some days and join what came."""
        opened = self.opened([rows], first, last, read_at, gaps)
        return import_read(self.store, self.college, self.run().id, opened, read_at)

    def write(self, first: date = MONDAY, last: date = MONDAY, at: datetime = NIGHT, run: str = "night") -> Written:
        """Write some days."""
        return write_attendance(self.store, self.college, self.run(run), self.module, (first, last), lambda: at)

    def facts(self) -> dict[FactKey, Fact]:
        """The whole ledger."""
        with self.store.begin() as connection:
            courses = attendance.courses_in(connection, self.college.key, date.min, date.max)
            return {fact.key: fact for _, fact in attendance.facts_in(connection, self.college.key, courses)}

    def booked(self) -> dict[tuple[str, str], tuple[date, int]]:
        """What is booked, by session and student."""
        facts = self.facts().values()
        return {
            (f.key.session, f.person): (f.on, f.seconds)
            for f in facts
            if f.state is not FactState.VOID and f.valued_at is not None
        }


def ground(store: Store, students: Iterable[str] = STUDENTS, **changes: Any) -> Ground:
    """A section of some students that is course C1 in CourseKey."""
    college, now = settings(**changes), NIGHT - 30 * DAY
    people = tuple(Person(number, "Ada", "Invented", f"p{number}@college.example") for number in students)
    here = (Section(*MATH, title="Math", site="MAIN"),)
    sitting = tuple(Registration(*MATH, number, Standing.REGISTERED) for number in students)
    with store.begin() as connection:
        for resource, records in (
            (Resource.PERSONS, people),
            (Resource.SECTIONS, here),
            (Resource.REGISTRATIONS, sitting),
        ):
            mirror.apply(connection, college.key, Reading(resource, records), now)
        course = Mapped(MapKey(MapKind.COURSE, SCHOOL, MATH), "C1")
        coursekey_maps.put(connection, college.key, [course], now)
    return Ground(store, college, Module())


def course() -> Course:
    """The section in CourseKey."""
    return Course(SCHOOL, "C1")
