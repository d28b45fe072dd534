"""What Campus Cafe knows of a college, as far as CourseKey is told (reference coursekey §2.5, §2.6).

A section is named by semester, course number and section, ``202110/MTH101/4``; a person by the Campus Cafe ID.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

import msgspec


class SectionKey(NamedTuple):
    """A section of a course in a semester."""

    semester: str
    course: str
    section: str

    def __str__(self) -> str:
        return "/".join(self)


class Standing(StrEnum):
    """How a student stands in a section."""

    REGISTERED = "registered"
    WAITLISTED = "waitlisted"
    DROPPED = "dropped"


class Semester(msgspec.Struct, frozen=True):
    """A semester; ``999999`` is the catalog and never taught."""

    code: str
    description: str
    first: date | None = None
    last: date | None = None


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""Their names, in the order of :meth:`datetime.date.weekday`."""


class Meeting(msgspec.Struct, frozen=True):
    """One dated meeting of a section, in local times of its site.

    :param ends: may be earlier than ``starts``: the meeting then ends on the next day.
    """

    on: date
    starts: time
    ends: time
    is_cancelled: bool = False


class Section(msgspec.Struct, frozen=True):
    """One section of a course.

    :param attendance_code: Enrollment Code 4, the short code of a RGENCD value; ``""`` when none is chosen.
    :param weekdays: ``Monday`` … ``Sunday``.
    :param contact_hours: synchronous hours.
    :param lab_hours: asynchronous hours.
    """

    semester: str
    course: str
    section: str
    title: str
    site: str
    first: date | None = None
    last: date | None = None
    starts: time | None = None
    ends: time | None = None
    weekdays: tuple[str, ...] = ()
    attendance_code: str = ""
    contact_hours: Decimal | None = None
    lab_hours: Decimal | None = None
    is_excluded: bool = False
    is_cancelled: bool = False
    meetings: tuple[Meeting, ...] = ()
    modified_at: datetime | None = None

    @property
    def key(self) -> SectionKey:
        """Its name."""
        return SectionKey(self.semester, self.course, self.section)


class Person(msgspec.Struct, frozen=True):
    """A student or a member of staff. Personal data: never in a log, an error or a history line."""

    id: str
    first_name: str
    last_name: str
    email: str
    modified_at: datetime | None = None


class Teaching(msgspec.Struct, frozen=True):
    """A member of staff in a section; ``is_removed`` is an explicit event."""

    semester: str
    course: str
    section: str
    person: str
    is_primary: bool = False
    is_removed: bool = False
    modified_at: datetime | None = None

    @property
    def key(self) -> SectionKey:
        """The section's name."""
        return SectionKey(self.semester, self.course, self.section)


class Registration(msgspec.Struct, frozen=True):
    """A student in a section; ``DROPPED`` is an explicit event.

    :param first: the student's own first day, where it differs from the section's.
    :param last: the student's own last day.
    """

    semester: str
    course: str
    section: str
    person: str
    standing: Standing
    registered_at: datetime | None = None
    dropped_on: date | None = None
    first: date | None = None
    last: date | None = None
    modified_at: datetime | None = None

    @property
    def key(self) -> SectionKey:
        """The section's name."""
        return SectionKey(self.semester, self.course, self.section)


Record = Semester | Section | Person | Teaching | Registration


class Resource(StrEnum):
    """The five things that are read from Campus Cafe."""

    SEMESTERS = "semesters"
    SECTIONS = "sections"
    PERSONS = "persons"
    STAFF = "staff"
    REGISTRATIONS = "registrations"


RECORDS: Mapping[Resource, type[Record]] = {
    Resource.SEMESTERS: Semester,
    Resource.SECTIONS: Section,
    Resource.PERSONS: Person,
    Resource.STAFF: Teaching,
    Resource.REGISTRATIONS: Registration,
}


class Reading(msgspec.Struct, frozen=True):
    """What one read of one resource gave.

    :param records: every record that could be used.
    :param problems: rows that could not, one sentence each, by place and field and never by a person's data.
    :param gaps: why the read is not whole (a page that failed, a count that does not fit); empty when it is. A read
        with problems or gaps removes nobody.
    """

    resource: Resource
    records: tuple[Record, ...]
    problems: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether what is not in it can be taken to be gone."""
        return not self.problems and not self.gaps
