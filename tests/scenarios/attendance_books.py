"""The books of a college's time attended: what imports leave behind, without when they did it and by which run."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from rosterflow.domain.attendance.booking import RowKey, Time
from rosterflow.domain.attendance.ledger import Effect, FactState
from rosterflow.domain.attendance.records import FactKey
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.store import attendance, attendance_rows
from rosterflow.store.attendance_rows import Seat
from rosterflow.store.attendance_tables import (
    attendance_change,
    attendance_coverage,
    attendance_due,
    attendance_last_date,
    attendance_raw,
    attendance_row,
    attendance_session,
)
from rosterflow.store.engine import Store

TABLES = (
    attendance_raw,
    attendance_session,
    attendance_coverage,
    attendance_change,
    attendance_due,
    attendance_row,
    attendance_last_date,
)
Booking = tuple[str, date, FactState, int, str]


class Books(NamedTuple):
    """What is booked.

    :param facts: student, day, state, seconds and record of every fact, by school and key.
    :param covered: how many days of each school were read whole.
    :param changes: how often each fact was booked, and how.
    :param rows: what Campus Cafe confirmed, refused or was not asked yet, by row.
    :param dates: the same of last dates attended.
    :param due: days that are still to be written.
    """

    facts: dict[tuple[str, FactKey], Booking]
    covered: dict[str, tuple[date, ...]]
    changes: Counter[tuple[str, str, str, str, str, Effect]]
    rows: dict[RowKey, tuple[Time, int, str, str]]
    dates: dict[Seat, tuple[date | None, str, str]]
    due: tuple[date, ...]


def books(store: Store, college: str) -> Books:
    """The books as they are now."""
    with store.begin() as connection:
        courses = attendance.courses_in(connection, college, date.min, date.max)
        facts = {
            (school, fact.key): (fact.person, fact.on, fact.state, fact.seconds, fact.record_id)
            for school, fact in attendance.facts_in(connection, college, courses)
        }
        covered = {
            school: tuple(sorted(attendance.coverage(connection, college, school)))
            for school in sorted({course.school for course in courses})
        }
        changes = Counter(
            (one.school, *one.name, one.noted.user_id, one.noted.kind, one.noted.effect)
            for person in sorted({booking[0] for booking in facts.values()})
            for one in attendance.audit_of(connection, college, person, courses)
        )
        return Books(
            facts,
            covered,
            changes,
            {
                RowKey(SectionKey(row.semester, row.course, row.section), row.person, row.on): (
                    Time(row.hours, Decimal(row.minutes)),
                    row.seconds,
                    row.state,
                    row.code,
                )
                for row in connection.execute(select(attendance_row).where(attendance_row.c.institution == college))
            },
            {
                (SectionKey(row.semester, row.course, row.section), row.person): (row.on, row.state, row.code)
                for row in connection.execute(
                    select(attendance_last_date).where(attendance_last_date.c.institution == college)
                )
            },
            tuple(sorted(attendance_rows.due(connection, college))),
        )


def forget(store: Store, college: str) -> None:
    """Begin the books anew."""
    with store.begin() as connection:
        for table in TABLES:
            connection.execute(table.delete().where(table.c.institution == college))
