"""What Campus Cafe must hold of some days, section by section: facts, seats and rows by hand put together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec
from sqlalchemy import Connection

from rosterflow.domain.attendance.booking import Booked, Origin, RowKey, Seat, book
from rosterflow.domain.attendance.ledger import Fact
from rosterflow.domain.attendance.module import ExceptionDay, KeptTime, LastDate
from rosterflow.domain.attendance.records import Listed
from rosterflow.domain.coursekey.campus import SectionKey, Standing
from rosterflow.domain.coursekey.college import College
from rosterflow.store import attendance, seats
from rosterflow.store.attendance import Course
from rosterflow.store.bulk import batches

SECTIONS_AT_ONCE = 200
A_DAY = timedelta(days=1)
"""A fact is booked at most this far from the day by which the export gave it."""


class Module(msgspec.Struct, frozen=True):
    """What Campus Cafe's attendance module holds of some days."""

    times: tuple[KeptTime, ...]
    dates: tuple[LastDate, ...]
    exceptions: tuple[ExceptionDay, ...]


@dataclass(slots=True)
class Wanted:
    """What Campus Cafe must hold of some sections and days.

    :param seconds: per row.
    :param facts: the facts that rows were made of, or could not be.
    :param seats: of the students in the sections.
    :param unseen: students registered in a section that met, of whom CourseKey has nothing.
    """

    sections: tuple[SectionKey, ...]
    seconds: dict[RowKey, int] = field(default_factory=dict)
    listed: list[Listed] = field(default_factory=list)
    remarks: list[Listed] = field(default_factory=list)
    days: Counter[tuple[str, date]] = field(default_factory=Counter)
    seats: Mapping[tuple[SectionKey, str], Seat] = field(default_factory=dict)
    active: set[tuple[SectionKey, str]] = field(default_factory=set)
    unseen: list[tuple[SectionKey, str]] = field(default_factory=list)


class Seating:
    """Puts together what Campus Cafe must hold of some days.

    :param first: first day.
    :param last: last day, inclusive.
    """

    def __init__(self, connection: Connection, college: College, first: date, last: date, module: Module) -> None:
        self._connection, self._college = connection, college
        self._first, self._last = first, last
        self._sections = seats.sections_of_courses(connection, college.key)
        self._persons = seats.person_ids(connection, college.key)
        self._manual = {one.key: one.on for one in module.dates if one.is_manual}
        self._exceptions = [one.key for one in module.exceptions if one.adds_time]
        self._by_hand: dict[RowKey, frozenset[Origin]] = {}
        self._ours: dict[SectionKey, list[RowKey]] = defaultdict(list)
        for row in module.times:
            if row.origin is Origin.OURS:
                self._ours[row.key.section].append(row.key)
            else:
                self._by_hand[row.key] = self._by_hand.get(row.key, frozenset()) | {row.origin}

    def wanted(self, ours: Iterable[RowKey]) -> Iterator[Wanted]:
        """Some sections at a time; last what belongs to no section.

        :param ours: rows that were sent before.
        """
        for key in ours:
            self._ours[key.section].append(key)
        courses: dict[SectionKey, list[Course]] = {section: [] for section in self._ours}
        strange: list[Course] = []
        for course in attendance.courses_in(
            self._connection, self._college.key, self._first - A_DAY, self._last + A_DAY
        ):
            section = self._sections.get(course)
            (courses.setdefault(section, []) if section else strange).append(course)
        for some in batches(sorted(courses), SECTIONS_AT_ONCE):
            yield self._of_sections(some, [course for section in some for course in courses[section]])
        if strange:
            yield self._of_sections([], strange)

    def seats_of(self, sections: Collection[SectionKey]) -> dict[tuple[SectionKey, str], Seat]:
        """The seats in some sections, with the last dates that people set."""
        college = self._college
        heeds = college.coursekey.use_lms_exclude_flag
        found = seats.seats_in(self._connection, college.key, sections, college.zone, heeds_exclusion=heeds)
        return {
            key: msgspec.structs.replace(seat, manual_last=self._manual[key]) if key in self._manual else seat
            for key, seat in found.items()
        }

    def facts_of(self, sections: Collection[SectionKey]) -> Iterator[tuple[SectionKey, Fact]]:
        """Every fact of some sections, on whatever day."""
        names = {course: section for course, section in self._sections.items() if section in sections}
        for school, fact in attendance.facts_in(self._connection, self._college.key, sorted(names)):
            yield names[Course(school, fact.key.course_id)], fact

    def _of_sections(self, sections: list[SectionKey], courses: Iterable[Course]) -> Wanted:
        wanted = Wanted(tuple(sections), seats=self.seats_of(sections))
        by_school: dict[str, list[Fact]] = defaultdict(list)
        found = attendance.facts_in(
            self._connection, self._college.key, courses, self._first - A_DAY, self._last + A_DAY
        )
        for school, fact in found:
            if self._first <= fact.on <= self._last:
                by_school[school].append(fact)
                wanted.days[school, fact.on] += fact.seconds
        by_hand = self._by_hand_in(sections, wanted.seats)
        ours = {key for section in sections for key in self._ours.get(section, ())}
        for school, facts in by_school.items():
            self._book(wanted, school, facts, by_hand)
        empty = book((), {}, wanted.seats, self._persons, by_hand, ours - wanted.seconds.keys())
        wanted.seconds.update(empty.seconds)
        return wanted

    def _book(
        self, wanted: Wanted, school: str, facts: list[Fact], by_hand: Mapping[RowKey, frozenset[Origin]]
    ) -> None:
        courses = {fact.key.course_id for fact in facts}
        names = {course: name for course in courses if (name := self._sections.get(Course(school, course)))}
        booked: Booked = book(facts, names, wanted.seats, self._persons, by_hand)
        for key, seconds in booked.seconds.items():
            wanted.seconds[key] = wanted.seconds.get(key, 0) + seconds
        wanted.listed += booked.listed
        wanted.remarks += booked.remarks
        seen = {(names[fact.key.course_id], fact.person) for fact in facts if fact.key.course_id in names}
        met = {section for section, _ in seen}
        wanted.active |= {
            (names[fact.key.course_id], fact.person) for fact in facts if fact.active_on and fact.key.course_id in names
        }
        wanted.unseen += sorted(
            key
            for key, seat in wanted.seats.items()
            if key[0] in met and key not in seen and seat.standing is Standing.REGISTERED
        )

    def _by_hand_in(
        self, sections: Collection[SectionKey], sitting: Mapping[tuple[SectionKey, str], Seat]
    ) -> Mapping[RowKey, frozenset[Origin]]:
        """The rows that people made; a day that adds time by itself is one for everybody in the section."""
        adding = [(section, on) for section, on in self._exceptions if section in set(sections)]
        if not adding:
            return self._by_hand
        found = dict(self._by_hand)
        for section, on in adding:
            for key in (RowKey(section, person, on) for where, person in sitting if where == section):
                found[key] = found.get(key, frozenset()) | {Origin.EXCEPTION}
        return found
