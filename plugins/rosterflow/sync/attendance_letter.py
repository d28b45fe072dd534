"""The mail about an import of time attended: every run, also when nothing came and when a key failed (issue 5, §5.4).

The subject line tells success, warnings or failure. Students and sections go by their keys, and so does the CSV; a bar
per day is a table cell, because many mail clients block images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from rosterflow.domain.attendance.ledger import Effect
from rosterflow.domain.attendance.module import Wrote
from rosterflow.domain.attendance.report import AttendanceReport, Count, Outcome, SchoolReport, Unseen
from rosterflow.domain.coursekey.campus import WEEKDAYS
from rosterflow.domain.coursekey.college import College
from rosterflow.sync.letters import Attachment, Letter, moment_text, write
from rosterflow.sync.reconcile_letter import as_csv

BAR = 240
"""Pixels of the longest bar."""
SHOWN = 25
"""So many sections, gaps or malformed records are told of; the others are counted."""
AS_IT_SHOULD_BE = frozenset({"duplicate", "in-progress", "deleted"})
"""Reasons that are no errors: counted in the mail and not in the list."""
COLUMNS = ("reason", "course or section", "Campus Cafe ID", "day", "record", "seconds", "detail")
Word = TypeVar("Word", Effect, Wrote)


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the window.

    :param day: like ``Mon 2026-03-09``.
    :param width: pixels, at least one where there is time.
    :param time: like ``12 h 05 min``.
    :param is_missing: classes were scheduled and there is no time.
    """

    day: str
    width: int
    time: str
    is_missing: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One school, as the mail shows it.

    :param counts: what came and what it did, in words that the runbook has.
    :param skipped: like ``in-progress: 2 (1 h 00 min)``.
    """

    one: SchoolReport
    counts: Mapping[str, int]
    skipped: tuple[str, ...]
    bars: tuple[Bar, ...]


def letter_of(college: College, report: AttendanceReport) -> Letter:
    """What an import came to, to the receivers of COURSEKEY_EMAIL."""
    letter = write(
        "attendance",
        college.coursekey.email,
        _subject(college, report),
        name=college.name,
        key=college.key,
        report=report,
        is_failure=report.outcome is Outcome.FAILURE,
        failures=(*report.failed, *(f"School {one.school}: {one.error}" for one in report.schools if one.error)),
        started=moment_text(report.started_at, college.zone),
        took="{} min {:02} s".format(*divmod(round((report.ended_at - report.started_at).total_seconds()), 60)),
        schools=[_shown(one) for one in report.schools],
        written=_counts(report.rows, Wrote),
        dates=_counts(report.dates, Wrote),
        not_written=_reasons(report.not_written),
        unseen=[_named(one) for one in report.unseen[:SHOWN]],
        unseen_more=max(len(report.unseen) - SHOWN, 0),
        shown=SHOWN,
        has_list=bool(_rows(report)),
    )
    return replace(letter, attachments=_files(college, report))


def _subject(college: College, report: AttendanceReport) -> str:
    days = f"{report.first} to {report.last}" if report.first != report.last else f"{report.first}"
    if report.outcome is Outcome.FAILURE:
        return f"{college.name}: FAILURE, attendance of {days} was not imported as a whole"
    changes = f"{report.changes} {'change' if report.changes == 1 else 'changes'}" if report.changes else "no change"
    imported = f"attendance of {days} imported with {changes}"
    if report.outcome is Outcome.SUCCESS:
        return f"{college.name}: success, {imported}"
    number = len(report.warnings)
    silent = ", the export is empty although classes were scheduled" if any(s.is_silent for s in report.schools) else ""
    return f"{college.name}: {number} {'warning' if number == 1 else 'warnings'}, {imported}{silent}"


def _shown(one: SchoolReport) -> Shown:
    counts = {"read": one.records, **_counts(one.effects, Effect), "unchanged": one.unchanged}
    more = {"overtaken by a newer read": one.superseded, "gone and held": one.held}
    longest = max(one.booked.values(), default=0)
    bars = tuple(_bar(day, one.booked.get(day, 0), longest, day in one.scheduled) for day in one.days)
    return Shown(one, {**counts, **{word: n for word, n in more.items() if n}}, _reasons(one.skipped), bars)


def _bar(day: date, seconds: int, longest: int, is_scheduled: bool) -> Bar:
    width = max(round(BAR * seconds / longest), 1) if seconds > 0 else 0
    return Bar(f"{WEEKDAYS[day.weekday()][:3]} {day}", width, _time(seconds), is_scheduled and not seconds)


def _counts(counts: Mapping[Word, int], words: type[Word]) -> dict[str, int]:
    return {str(word): counts.get(word, 0) for word in words}


def _reasons(counts: Mapping[str, Count]) -> tuple[str, ...]:
    return tuple(f"{reason}: {one.records} ({_time(one.seconds)})" for reason, one in sorted(counts.items()))


def _time(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02} min"


def _named(one: Unseen) -> str:
    persons = ", ".join(one.persons[:SHOWN])
    more = f" and {len(one.persons) - SHOWN} more" if len(one.persons) > SHOWN else ""
    return f"{one.section}: {persons}{more}"


def _rows(report: AttendanceReport) -> list[tuple[str, ...]]:
    listed = [
        (one.reason, one.course_id, one.person, str(one.window), one.record_id, str(one.seconds), one.detail)
        for one in report.lines
        if one.reason not in AS_IT_SHOULD_BE
    ]
    unseen = [("not-seen", one.section, person, "", "", "", "") for one in report.unseen for person in one.persons]
    return [*listed, *unseen]


def _files(college: College, report: AttendanceReport) -> tuple[Attachment, ...]:
    rows = _rows(report)
    if not rows:
        return ()
    name = f"attendance-{college.key}-{report.first}-{report.last}.csv"
    return (Attachment(name, "text/csv", as_csv(rows, COLUMNS)),)
