"""What Campus Cafe was sent of time attended and what became of it; and the days of which something is still to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, func, select, update

from rosterflow.domain.attendance.booking import RowKey, Time
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.store.attendance_tables import attendance_due, attendance_last_date, attendance_row
from rosterflow.store.bulk import batches, upsert

Seat = tuple[SectionKey, str]
"""A student in a section."""
TABLES = (attendance_row, attendance_last_date)


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
    :param refusals: how many times in a row it was refused as it is.
    :param again_on: the day on which a refused row is sent again.
    """

    state: Sent
    run: int
    code: str = ""
    message: str = ""
    batch: str = ""
    place: int = 0
    confirmed_at: datetime | None = None
    refusals: int = 0
    again_on: date | None = None

    def rests(self, today: date) -> bool:
        """Whether it was refused, and is not sent again yet as it is."""
        return self.state is Sent.REFUSED and self.again_on is not None and self.again_on > today


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
        for table in TABLES
    )
    return times, dates


def refused_days(connection: Connection, institution: str, today: date) -> set[date]:
    """The days of refused rows and last dates that are to be sent again by today."""
    found: set[date] = set()
    for table in TABLES:
        found.update(
            connection.execute(select(table.c.on).where(*_due(table, institution, today)).distinct()).scalars()
        )
    return found


def waiting(connection: Connection, institution: str, today: date) -> Counter[date]:
    """How many refused rows and last dates wait for a later day, by that day."""
    found: Counter[date] = Counter()
    for table in TABLES:
        later = select(table.c.again_on, func.count()).where(*_refused(table, institution), table.c.again_on > today)
        found.update(dict(connection.execute(later.group_by(table.c.again_on)).all()))
    return found


def give_up(connection: Connection, institution: str, today: date) -> None:
    """Wait no longer for those that were to be sent again by today, and were not: the ledger wants them no more."""
    for table in TABLES:
        connection.execute(update(table).where(*_due(table, institution, today)).values(again_on=None))


def retry(connection: Connection, institution: str, today: date, person: str, section: SectionKey | None) -> int:
    """Have the next run send refused rows and last dates again.

    :param person: only this student's; ``""``: everybody's.
    :param section: only those in it.
    :returns: how many.
    """
    found = 0
    for table in TABLES:
        which = _refused(table, institution)
        if person:
            which.append(table.c.person == person)
        if section:
            which += (table.c[name] == value for name, value in section._asdict().items())
        found += connection.execute(update(table).where(*which).values(refusals=0, again_on=today)).rowcount
    return found


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


def _refused(table: Table, institution: str) -> list[ColumnElement[bool]]:
    return [table.c.institution == institution, table.c.state == Sent.REFUSED]


def _due(table: Table, institution: str, today: date) -> list[ColumnElement[bool]]:
    """What was refused of some day, and is to be sent again by today."""
    return [*_refused(table, institution), table.c.again_on <= today, table.c.on.is_not(None)]


def _outcome(row: Row[Any]) -> Outcome:
    values = {name: getattr(row, name) for name in Outcome.__struct_fields__}
    return Outcome(**{**values, "state": Sent(row.state)})


def _columns(outcome: Outcome) -> dict[str, object]:
    return {name: getattr(outcome, name) for name in outcome.__struct_fields__}


def _times(connection: Connection, institution: str, which: ColumnElement[bool]) -> dict[RowKey, SentTime]:
    query = select(attendance_row).where(attendance_row.c.institution == institution, which)
    found = (
        SentTime(
            RowKey(SectionKey(row.semester, row.course, row.section), row.person, row.on),
            Time(row.hours, Decimal(row.minutes)),
            row.seconds,
            _outcome(row),
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
            _outcome(row),
        )
        for row in connection.execute(query)
    )
    return {one.seat: one for one in found}
