"""Makes the college of a seed, a size and a year: the same three give the same records."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.college import awkward
from sandbox.college.calendar import Term, first_monday, meetings
from sandbox.college.records import SECTION_KEY, College, stamp
from sandbox.college.vocabulary import (
    CODES,
    DAYS,
    DOMAIN,
    FAMILY_NAMES,
    FLEXIBLE,
    GIVEN_NAMES,
    HOURS,
    LECTURE,
    LEVELS,
    SITES,
    SUBJECTS,
    TIMES,
)
from sandbox.sizes import size_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.college.records import Record

FIRST_STAFF = 1001
FIRST_STUDENT = 200_001
CATALOG = "999999"
IN_FORCE, NEXT = 0.75, 0.2
"""Which parts of the sections are held in the semester in force and in the next; the rest were held a year ago."""

NEVER_ON_NORTH = "NORTH"
"""The site whose school has one attendance configuration only, so that its sections need no code."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many records are generated, before the few awkward ones; `awkward` (0 or 1) says whether those are added."""

    sections: int
    students: int
    registrations: int
    instructors: int
    awkward: int = 1


SIZES = {
    "demo": Size(36, 400, 1200, 24),
    "full": Size(5000, 12_000, 60_000, 600),
}


def size_of(text: str) -> Size:
    """Return the size a text names: `demo`, `full`, or numbers over one of them, `sections=250,awkward=0`.

    Raises ValueError, naming what is allowed, for any other.
    """
    size = size_named(text, SIZES, what="college", example="sections=250,students=1000")
    if size.registrations and not size.students:
        raise ValueError("college needs students to register.")
    if size.sections and not size.instructors:
        raise ValueError("college needs at least one instructor.")
    return size


def generate(seed: int, size: str, year: int, now: Callable[[], datetime], begins: date | None = None) -> College:
    """Return the college of a seed in the fall of a year; nothing in it was modified later than ten days before.

    :param size: `demo`, `full` or numbers (see `size_of`)
    :param now: the clock of later changes
    :param begins: the first day of that fall, where it is another than usual; every other date moves with it
    :raises ValueError: for a size that does not exist
    """
    amounts = size_of(size)
    usual = first_monday(date(year, 8, 22))
    college = College(seed, year, now, shift=begins - usual if begins else timedelta())
    _Builder(college, amounts, random.Random(f"college/{seed}/{size}/{year}")).build()
    if amounts.awkward:
        awkward.add(college)
    return college


class _Builder:
    """Fills an empty college."""

    def __init__(self, college: College, size: Size, rng: random.Random) -> None:
        self._college = college
        self._size = size
        self._rng = rng
        fall, spring, before = (
            first_monday(day) + college.shift
            for day in (date(college.year, 8, 22), date(college.year + 1, 1, 15), date(college.year - 1, 8, 22))
        )
        self._terms = (
            Term(college.semester, f"Fall {college.year}", fall, fall + timedelta(days=109)),
            Term(college.next_semester, f"Spring {college.year + 1}", spring, spring + timedelta(days=109)),
            Term(f"{college.year - 1}10", f"Fall {college.year - 1}", before, before + timedelta(days=109)),
        )

    def build(self) -> None:
        """Add semesters, persons, sections with their staff, registrations."""
        for term in self._terms:
            self._add("semesters", 6, code=term.code, description=term.description, **term.days)
        self._add("semesters", 6, code=CATALOG, description="Catalog")
        for number in range(self._size.instructors):
            self._add_person(FIRST_STAFF + number, DOMAIN)
        for number in range(self._size.students):
            self._add_person(FIRST_STUDENT + number, f"students.{DOMAIN}")
        total = self._size.sections
        counts = (round(total * IN_FORCE), round(total * NEXT))
        taught: list[Record] = []
        for term, count in zip(self._terms, (*counts, total - sum(counts)), strict=True):
            taught += self._add_sections(term, count)
        if taught:
            self._register(taught)

    def _add(self, resource: str, month: int, **record: Any) -> Record:
        """Add a record that was modified some day of a month."""
        moment = datetime(self._college.year, month, self._rng.randint(1, 14), 14, self._rng.randrange(60), tzinfo=UTC)
        return self._college.put(resource, {**record, "modifiedAt": stamp(moment + self._college.shift)})

    def _add_person(self, number: int, domain: str) -> None:
        given, family = self._rng.choice(GIVEN_NAMES), self._rng.choice(FAMILY_NAMES)
        address = f"{given}.{family}.{number}@{domain}".lower()
        self._add("persons", 7, id=str(number), firstName=given, lastName=family, email=address)
        if number % 3:
            self._college.passwords[str(number)] = f"Cafe-{self._rng.randrange(16**8):08x}"

    def _add_sections(self, term: Term, count: int) -> list[Record]:
        made: list[Record] = []
        for course, title, number in _offered(count, self._rng):
            site = SITES[len(made) % len(SITES)]
            code = LECTURE if site == NEVER_ON_NORTH else CODES[len(made) % len(CODES)]
            made.append(self._add_section(term, course, title, number, site, code))
            self._staff(made[-1])
        return made

    def _add_section(self, term: Term, course: str, title: str, number: int, site: str, code: str) -> Record:
        first, last = term.half if self._rng.random() < 0.1 else (term.first, term.last)
        contact_hours, lab_hours = HOURS[code]
        scheduled: dict[str, Any] = {}
        if code != FLEXIBLE:
            days, (starts, ends) = self._rng.choice(DAYS), self._rng.choice(TIMES)
            held = meetings(first, last, days, starts, ends)
            scheduled = {"days": list(days), "startTime": starts, "endTime": ends, "meetings": held}
        return self._add(
            "sections",
            7,
            semester=term.code,
            courseNumber=course,
            section=str(number),
            title=title,
            site=site,
            beginDate=first.isoformat(),
            endDate=last.isoformat(),
            enrollmentCode4=code,
            contactHours=contact_hours,
            labHours=lab_hours,
            **scheduled,
        )

    def _staff(self, section: Record) -> None:
        """Give a section its instructor, and one of four a second."""
        wanted = min(2 if self._rng.random() < 0.25 else 1, self._size.instructors)
        for number, chosen in enumerate(self._rng.sample(range(self._size.instructors), wanted)):
            key = {field: section[field] for field in SECTION_KEY}
            self._add("staff", 8, **key, personId=str(FIRST_STAFF + chosen), isPrimary=number == 0)

    def _register(self, sections: list[Record]) -> None:
        """Spread the registrations over the students, each at one site."""
        by_site = {site: [section for section in sections if section["site"] == site] for site in SITES}
        each, more = divmod(self._size.registrations, max(1, self._size.students))
        for number in range(self._size.students):
            offered = by_site[SITES[number % len(SITES)]] or sections
            wanted = min(each + (number < more), len(offered))
            for section in self._rng.sample(offered, wanted):
                self._add_registration(section, str(FIRST_STUDENT + number))

    def _add_registration(self, section: Record, person: str) -> None:
        year = self._college.year
        day = date(year, 4, 1) + timedelta(days=self._rng.randrange(120)) + self._college.shift
        registered = datetime(day.year, day.month, day.day, 15, self._rng.randrange(60), tzinfo=UTC)
        chance = self._rng.random()
        status = "waitlisted" if chance < 0.04 else "dropped" if chance < 0.09 else "registered"
        self._add(
            "registrations",
            8,
            **{field: section[field] for field in SECTION_KEY},
            personId=person,
            status=status,
            registeredAt=stamp(registered),
            droppedOn=(date(year, 8, 1) + self._college.shift).isoformat() if status == "dropped" else None,
        )


def _offered(count: int, rng: random.Random) -> Iterator[tuple[str, str, int]]:
    """So many sections as course number, title and section number; MTH101, Intro to Math, has at least four."""
    most = max(5, 3 * count // (len(SUBJECTS) * len(LEVELS) * 4))
    left = count
    for level, words in enumerate(LEVELS, 1):
        for topic in range(4):
            for subject, topics in SUBJECTS.items():
                course = f"{subject}{level}{topic + 1:02}"
                sections = 4 if course == "MTH101" else rng.randint(1, most)
                for number in range(1, min(sections, left) + 1):
                    yield course, f"{words} {topics[topic]}", number
                left -= min(sections, left)
                if not left:
                    return
