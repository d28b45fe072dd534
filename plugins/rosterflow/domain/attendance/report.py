"""What one import of time attended came to, as plain values: the mail is written from it and nothing else (§5.4).

Source: issue 5, §5.4; reference coursekey §6. Keys alone name students and sections: Campus Cafe IDs, School IDs,
``semester/course/section``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from rosterflow.domain.attendance.ledger import Effect
from rosterflow.domain.attendance.module import Wrote
from rosterflow.domain.attendance.records import Listed
from rosterflow.domain.coursekey.campus import WEEKDAYS, Section

WITHOUT_TIME = frozenset({"unreadable", "negative", "no-duration"})
"""Reasons of the export's for leaving a record out that are an error; the others are as they should be."""

REMARKS = {
    "spans-midnight": "over midnight, booked as a total on the day they began",
    "longer-than-day": "longer than the day they are booked on",
    "more-than-available": "awarded more than the session offered",
    "clock-change": "an hour off on a night when clocks changed",
}


class Outcome(StrEnum):
    """What the subject line says."""

    SUCCESS = "success"
    WARNINGS = "warnings"
    FAILURE = "failure"


class Count(msgspec.Struct, frozen=True):
    """So many records, and the seconds in them."""

    records: int
    seconds: int = 0


class SchoolReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one school.

    :param alias: what its auth key is called (``1-1``).
    :param first: first day read.
    :param last: last day read, inclusive.
    :param error: why nothing of it was imported; empty when something was.
    :param is_whole: whether what did not come was taken to be gone.
    :param gaps: why it did not come whole, one sentence each.
    :param problems: malformed records, one sentence each.
    :param records: that came.
    :param effects: what they did to the ledger.
    :param unchanged: records that said nothing new.
    :param superseded: records that a newer read had overtaken.
    :param skipped: records that are not in the ledger, by reason.
    :param remarks: records that are, and are worth a look, by reason.
    :param held: facts that are gone from the export and wait for a person.
    :param approval: the request that asks; ``None`` when none does.
    :param booked: seconds of the ledger by day.
    :param scheduled: days on which a section of it meets.
    """

    alias: str
    school: str
    first: date
    last: date
    error: str = ""
    is_whole: bool = False
    gaps: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    records: int = 0
    effects: Mapping[Effect, int] = {}
    unchanged: int = 0
    superseded: int = 0
    skipped: Mapping[str, Count] = {}
    remarks: Mapping[str, int] = {}
    held: int = 0
    approval: int | None = None
    booked: Mapping[date, int] = {}
    scheduled: tuple[date, ...] = ()

    @property
    def days(self) -> tuple[date, ...]:
        """Every day of the window."""
        return tuple(self.first + timedelta(days=at) for at in range((self.last - self.first).days + 1))

    @property
    def is_silent(self) -> bool:
        """Whether nothing came although classes were to meet."""
        return not self.error and not self.records and bool(set(self.days) & set(self.scheduled))


class Unseen(msgspec.Struct, frozen=True):
    """Students registered in a section that met, of whom CourseKey has nothing in the window."""

    section: str
    persons: tuple[str, ...]


class AttendanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one import came to.

    :param run: our number of it.
    :param first: first day of the run's window.
    :param last: last day, inclusive.
    :param started_at: aware.
    :param ended_at: aware.
    :param notes: what the window says about itself: missed runs, a look-back that is short.
    :param schools: in the order of CRSKEYAUTH.
    :param failed: what failed as a whole, one sentence each: a key that could not be used, Campus Cafe out of reach.
    :param rows: rows written to Campus Cafe, by what became of them.
    :param dates: last dates attended, in the same way.
    :param refused: both, by Campus Cafe's code.
    :param not_written: facts in the ledger that are not written, by reason.
    :param remarks: facts that are written and worth a look, by reason.
    :param unseen: by section.
    :param problems: rows of Campus Cafe's that could not be used.
    :param waiting: refused rows and dates that are not sent yet again, by the day on which they are.
    :param lines: the first of everything that was listed, by keys.
    """

    run: int
    first: date
    last: date
    started_at: datetime
    ended_at: datetime
    notes: tuple[str, ...] = ()
    schools: tuple[SchoolReport, ...] = ()
    failed: tuple[str, ...] = ()
    rows: Mapping[Wrote, int] = {}
    dates: Mapping[Wrote, int] = {}
    refused: Mapping[str, int] = {}
    not_written: Mapping[str, Count] = {}
    remarks: Mapping[str, int] = {}
    unseen: tuple[Unseen, ...] = ()
    problems: tuple[str, ...] = ()
    waiting: Mapping[date, int] = {}
    lines: tuple[Listed, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Failure when something was not imported or not written at all; warnings when something is worth a look."""
        if self.failed or any(one.error for one in self.schools):
            return Outcome.FAILURE
        return Outcome.WARNINGS if self.warnings else Outcome.SUCCESS

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at, one sentence each."""
        return (*self.notes, *(word for one in self.schools for word in _warnings(one)), *self._overall())

    @property
    def resting(self) -> str:
        """How many refused rows wait and until when, in one sentence; empty when none does."""
        if not self.waiting:
            return ""
        number, first, last = sum(self.waiting.values()), min(self.waiting), max(self.waiting)
        until = f"until {first}" if first == last else f"until {first} to {last}"
        return f"{_rows(number)} refused before: not sent again {until}, unless changed or asked for"

    @property
    def changes(self) -> int:
        """How many facts are booked otherwise than before."""
        return sum(sum(one.effects.values()) for one in self.schools)

    def _overall(self) -> Iterable[str]:
        if refused := sum(self.refused.values()):
            yield f"Campus Cafe refused {_rows(refused)}."
        if not_written := sum(one.records for one in self.not_written.values()):
            yield f"{_records(not_written)} not written to Campus Cafe."
        if remarked := sum(self.remarks.values()):
            yield f"{_records(remarked)} perhaps counted twice."
        if self.problems:
            yield f"{_rows(len(self.problems))} of Campus Cafe's could not be used."
        if self.unseen:
            students = sum(len(one.persons) for one in self.unseen)
            yield f"{students} {'student' if students == 1 else 'students'} enrolled but not seen."


def scheduled_days(sections: Iterable[Section], first: date, last: date) -> tuple[date, ...]:
    """The days of a window on which some section meets: by its dated meetings, else by its weekdays."""
    days = [first + timedelta(days=at) for at in range((last - first).days + 1)]
    found: set[date] = set()
    for section in sections:
        if section.is_cancelled or section.is_excluded:
            continue
        found.update(day for day in days if _meets(section, day))
    return tuple(sorted(found))


def _meets(section: Section, day: date) -> bool:
    if section.meetings:
        return any(one.on == day and not one.is_cancelled for one in section.meetings)
    if section.first is None or section.last is None or not section.first <= day <= section.last:
        return False
    return WEEKDAYS[day.weekday()] in section.weekdays


def _warnings(one: SchoolReport) -> Iterable[str]:
    """What is worth a look of one school, one sentence each."""
    where = f"School {one.school}"
    if one.is_silent:
        yield f"{where}: the export is empty although classes were scheduled."
    if one.held:
        asked = f"request {one.approval} asks" if one.approval is not None else "a person said no to it lately"
        yield f"{where}: {_records(one.held)} gone from the export and still booked; {asked}."
    if one.gaps:
        yield f"{where}: the read is not whole, so nothing was voided: {'; '.join(one.gaps)}."
    if one.problems:
        yield f"{where}: {_records(len(one.problems))} malformed."
    if wrong := sum(count.records for reason, count in one.skipped.items() if reason in WITHOUT_TIME):
        yield f"{where}: {_records(wrong)} without a time that can be booked."
    for reason, count in one.remarks.items():
        yield f"{where}: {_records(count)} {REMARKS.get(reason, reason)}."


def _records(number: int) -> str:
    return f"{number} {'record' if number == 1 else 'records'}"


def _rows(number: int) -> str:
    return f"{number} {'row' if number == 1 else 'rows'}"
