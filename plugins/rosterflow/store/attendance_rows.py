"""What Campus Cafe was sent of time attended and what became of it; and the days of which something is still to go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import uuid4

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, select

from rosterflow.domain.attendance.booking import RowKey, Time
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.store.attendance_tables import attendance_due, attendance_last_date, attendance_row
from rosterflow.store.bulk import batches, upsert

Seat = tuple[SectionKey, str]
"""A student in a section."""


class Sent(StrEnum):
    """What became of a row; only a confirmed one is not sent again."""

    SENDING = "sending"
    HANDED_OVER = "handed-over"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class Outcome(msgspec.Struct, frozen=True):
    """How far a row is.

    :param code: of a refusal.
    :param message: Campus Cafe's own words.
    :param batch: the call by which it was sent.
    :param place: its place in that call, from 0.
    :param confirmed_at: when Campus Cafe confirmed it.
    """

    state: Sent
    run: int
    code: str = ""
    message: str = ""
    batch: str = ""
    place: int = 0
    confirmed_at: datetime | None = None


class SentTime(msgspec.Struct, frozen=True):
    """The time of one student on one day in one section, as it was last sent.

    :param seconds: of which the time was made.
    """

    key: RowKey
    time: Time
    seconds: int
    outcome: Outcome


class SentDate(msgspec.Struct, frozen=True):
    """The last date attended of one student in one section, as it was last sent; ``None`` clears it."""

    seat: Seat
    on: date | None
    outcome: Outcome


def times_of_days(connection: Connection, institution: str, first: date, last: date) -> dict[RowKey, SentTime]:
    """Every row of some days."""
    return _times(connection, institution, attendance_row.c.on.between(first, last))


def times_of_person(connection: Connection, institution: str, person: str) -> dict[RowKey, SentTime]:
    """Every row of a student."""
    return _times(connection, institution, attendance_row.c.person == person)


def times_of_batch(connection: Connection, institution: str, batch: str) -> dict[int, SentTime]:
    """The rows that a call sent and no later one, by their places in it."""
    found = _times(connection, institution, attendance_row.c.batch == batch)
    return {one.outcome.place: one for one in found.values()}


def put_times(connection: Connection, institution: str, sent: Iterable[SentTime]) -> None:
    """Write rows down, in place of what is known of them."""
    rows = (
        {
            "institution": institution,
            **one.key.section._asdict(),
            "person": one.key.person,
            "on": one.key.on,
            "hours": one.time.hours,
            "minutes": str(one.time.minutes),
            "seconds": one.seconds,
            **_columns(one.outcome),
        }
        for one in sent
    )
    upsert(connection, attendance_row, rows)


def dates_of(connection: Connection, institution: str, sections: Iterable[SectionKey]) -> dict[Seat, SentDate]:
    """The last dates attended of the semesters of some sections."""
    semesters = {section.semester for section in sections}
    return _dates(connection, institution, attendance_last_date.c.semester.in_(semesters))


def dates_of_batch(connection: Connection, institution: str, batch: str) -> dict[int, SentDate]:
    """The last dates attended that a call sent and no later one, by their places in it."""
    found = _dates(connection, institution, attendance_last_date.c.batch == batch)
    return {one.outcome.place: one for one in found.values()}


def put_dates(connection: Connection, institution: str, sent: Iterable[SentDate]) -> None:
    """Write last dates attended down, in place of what is known of them."""
    rows = (
        {
            "institution": institution,
            **one.seat[0]._asdict(),
            "person": one.seat[1],
            "on": one.on,
            **_columns(one.outcome),
        }
        for one in sent
    )
    upsert(connection, attendance_last_date, rows)


def handed_over(connection: Connection, institution: str) -> tuple[list[str], list[str]]:
    """The calls that were handed over and of which nothing has been heard: of times, and of last dates."""
    times, dates = (
        [
            batch
            for (batch,) in connection.execute(
                select(table.c.batch)
                .where(table.c.institution == institution, table.c.state == Sent.HANDED_OVER)
                .distinct()
                .order_by(table.c.batch)
            )
        ]
        for table in (attendance_row, attendance_last_date)
    )
    return times, dates


def mark_due(connection: Connection, institution: str, days: Iterable[date]) -> None:
    """Say that something changed of days, so that they are written whatever window a run has."""
    mark = uuid4().hex
    upsert(connection, attendance_due, ({"institution": institution, "on": on, "mark": mark} for on in days))


def due(connection: Connection, institution: str) -> dict[date, str]:
    """The days of which something is to be written, each with the mark of its last change."""
    rows = connection.execute(select(attendance_due).where(attendance_due.c.institution == institution))
    return {row.on: row.mark for row in rows}


def written(connection: Connection, institution: str, days: Mapping[date, str]) -> None:
    """Say that days were written; one that has changed since, and so has another mark, stays due."""
    for mark in sorted(set(days.values())):
        for some in batches(on for on, its in days.items() if its == mark):
            which = and_(attendance_due.c.on.in_(some), attendance_due.c.mark == mark)
            connection.execute(delete(attendance_due).where(attendance_due.c.institution == institution, which))


def _columns(outcome: Outcome) -> dict[str, object]:
    return {name: getattr(outcome, name) for name in outcome.__struct_fields__}


def _times(connection: Connection, institution: str, which: ColumnElement[bool]) -> dict[RowKey, SentTime]:
    query = select(attendance_row).where(attendance_row.c.institution == institution, which)
    found = (
        SentTime(
            RowKey(SectionKey(row.semester, row.course, row.section), row.person, row.on),
            Time(row.hours, Decimal(row.minutes)),
            row.seconds,
            Outcome(Sent(row.state), row.run, row.code, row.message, row.batch, row.place, row.confirmed_at),
        )
        for row in connection.execute(query)
    )
    return {one.key: one for one in found}


def _dates(connection: Connection, institution: str, which: ColumnElement[bool]) -> dict[Seat, SentDate]:
    query = select(attendance_last_date).where(attendance_last_date.c.institution == institution, which)
    found = (
        SentDate(
            (SectionKey(row.semester, row.course, row.section), row.person),
            row.on,
            Outcome(Sent(row.state), row.run, row.code, row.message, row.batch, row.place, row.confirmed_at),
        )
        for row in connection.execute(query)
    )
    return {one.seat: one for one in found}
