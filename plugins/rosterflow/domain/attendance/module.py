"""Campus Cafe's attendance module: its rows, last dates and exceptions, and the port through which they are written.

Source: reference coursekey §2.6; docs/coursekey-contract.md, Campus Cafe's attendance module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

import msgspec

from rosterflow.domain.attendance.booking import Origin, RowKey, Time
from rosterflow.domain.coursekey.campus import SectionKey

MOST_ROWS = 500
"""So many rows may be written at once."""


WAITS = (1, 2, 4, 7)
"""So many days a refused row waits after its first, second … refusal; the last number stands for all later ones."""


def tried_again_on(refusals: int, today: date) -> date:
    """The day on which a row is sent again that was refused so many times, the last time today."""
    return today + timedelta(days=WAITS[min(refusals, len(WAITS)) - 1])


class AttendanceResource(StrEnum):
    """The three things that are read from the attendance module; the first two are written, too."""

    TIMES = "attendance"
    LAST_DATES = "enrollment-details"
    EXCEPTIONS = "attendance-exceptions"


class KeptTime(msgspec.Struct, frozen=True):
    """The time of one student on one day in one section, as Campus Cafe holds it."""

    semester: str
    course: str
    section: str
    person: str
    on: date
    hours: int
    minutes: Decimal
    origin: Origin
    modified_at: datetime | None = None

    @property
    def key(self) -> RowKey:
        """Which row it is."""
        return RowKey(SectionKey(self.semester, self.course, self.section), self.person, self.on)

    @property
    def time(self) -> Time:
        """Its two fields."""
        return Time(self.hours, self.minutes)


class LastDate(msgspec.Struct, frozen=True):
    """The last date attended of one student in one section.

    :param is_manual: whether a person set it; then it is never written.
    """

    semester: str
    course: str
    section: str
    person: str
    on: date | None = None
    is_manual: bool = False
    modified_at: datetime | None = None

    @property
    def key(self) -> tuple[SectionKey, str]:
        """The section, and the student's Campus Cafe ID."""
        return SectionKey(self.semester, self.course, self.section), self.person


class ExceptionDay(msgspec.Struct, frozen=True):
    """A holiday, or the like, of a section.

    :param adds_time: whether Campus Cafe adds time for it already: CourseKey's would be counted twice.
    """

    semester: str
    course: str
    section: str
    on: date
    adds_time: bool = False

    @property
    def key(self) -> tuple[SectionKey, date]:
        """The section and the day."""
        return SectionKey(self.semester, self.course, self.section), self.on


AttendanceRecord = KeptTime | LastDate | ExceptionDay

RESOURCES: Mapping[type[AttendanceRecord], AttendanceResource] = {
    KeptTime: AttendanceResource.TIMES,
    LastDate: AttendanceResource.LAST_DATES,
    ExceptionDay: AttendanceResource.EXCEPTIONS,
}

Kept = TypeVar("Kept", KeptTime, LastDate, ExceptionDay)
Row = TypeVar("Row")


class Rows(msgspec.Struct, Generic[Row], frozen=True):
    """What one read of the attendance module gave.

    :param problems: rows that could not be used, one sentence each, by place and field.
    :param gaps: why the read is not whole; empty when it is.
    """

    rows: tuple[Row, ...]
    problems: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether what is not in it can be taken not to be there."""
        return not self.problems and not self.gaps


class Wrote(StrEnum):
    """What became of a row that was written."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    HANDED_OVER = "handed-over"
    """In a file for a job of the college; what came of it is told later (:meth:`AttendanceModule.results`)."""


class RowResult(msgspec.Struct, frozen=True):
    """What became of one row; results stand in the order of the rows.

    :param code: of a refused row: ``unknown_student``, ``not_in_session``, ``made_by_hand`` …
    :param message: Campus Cafe's own words.
    """

    status: Wrote
    code: str = ""
    message: str = ""


class AttendanceModule(Protocol):
    """The attendance module of a college: the HTTP hook or the folder of CSV files.

    Every method raises ``FatalError`` when Campus Cafe cannot be used at all, ``RetryableError`` when it may go through
    later. Writing sets and never adds: what may have been written is written again without harm.
    """

    def times(self, first: date, last: date) -> Rows[KeptTime]:
        """Every row of some days, both inclusive, whoever made it."""

    def last_dates(self, semesters: Sequence[str]) -> Rows[LastDate]:
        """The last dates attended of some semesters; empty reads every semester."""

    def exceptions(self, first: date, last: date) -> Rows[ExceptionDay]:
        """Exceptions of some days, both inclusive."""

    def write_times(self, rows: Sequence[tuple[RowKey, Time]], batch: str) -> tuple[RowResult, ...]:
        """Set the time of at most :data:`MOST_ROWS` rows.

        :param batch: a name of its own for each call, like ``17-001``; the folder's files carry it.
        """

    def write_last_dates(
        self, rows: Sequence[tuple[SectionKey, str, date | None]], batch: str
    ) -> tuple[RowResult, ...]:
        """Set, or with ``None`` clear, the last date attended of at most :data:`MOST_ROWS` registrations."""

    def results(self, resource: AttendanceResource, batch: str) -> tuple[RowResult, ...] | None:
        """What became of a batch that was handed over; ``None`` while that is not known.

        :raises RetryableError: when what is said of it cannot be used.
        """
