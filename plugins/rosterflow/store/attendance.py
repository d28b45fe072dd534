"""The ledger of time attended, one row for each session of a course in CourseKey.

A million facts are some forty thousand sessions: a night in which little changed opens few of them. Of a session that a
read gave exactly as before the digest says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Date, Table, and_, func, select, text

from rosterflow.domain.attendance.ledger import Change, Coverage, Effect, Fact, FactState, ReadOf
from rosterflow.store.attendance_tables import attendance_change, attendance_coverage
from rosterflow.store.attendance_tables import attendance_session as table
from rosterflow.store.bulk import batches, insert_rows, matching, upsert

SESSIONS_AT_ONCE = 300
"""Two values each, and a statement takes only so many."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Fact]).decode


class SessionName(NamedTuple):
    """One session within a school."""

    course_id: str
    session: str


class Course(NamedTuple):
    """One course in CourseKey."""

    school: str
    course_id: str


class Outline(NamedTuple):
    """What can be told of a session without opening it.

    :param first: first of the days by which the export gave its facts.
    :param digest: of its records; ``""`` when they must be looked at again.
    :param booked: how many of its facts are not void.
    :param seconds: booked in all.
    """

    first: date
    last: date
    digest: str
    booked: int
    seconds: int


class Kept(NamedTuple):
    """A session as it is to be kept."""

    facts: tuple[Fact, ...]
    digest: str = ""


class Noted(msgspec.Struct, frozen=True, array_like=True):
    """What a read did to one fact, as the audit keeps it.

    :param page: the page of the read that has the record; 0 when none has it.
    """

    user_id: str
    kind: str
    person: str
    effect: Effect
    on_before: date | None
    on: date
    seconds_before: int
    seconds: int
    record_id: str
    page: int


class Audited(NamedTuple):
    """One line of the audit.

    :param raw: number of the read in ``attendance_raw``.
    """

    run: int
    school: str
    name: SessionName
    read_at: datetime
    raw: int
    noted: Noted


def noted(change: Change, page: int) -> Noted:
    """A change as the audit keeps it."""
    before, after = change.before, change.after
    return Noted(
        after.key.user_id,
        after.key.kind,
        after.person,
        change.effect,
        before.on if before else None,
        after.on,
        before.seconds if before else 0,
        after.seconds,
        after.record_id,
        page,
    )


def lock(connection: Connection, institution: str, school: str) -> None:
    """Keep everybody else from joining a read of the school until the transaction ends; waits for whoever does."""
    if connection.dialect.name == "postgresql":  # SQLite lets one transaction write at a time as it is
        name = {"name": f"attendance/{institution}/{school}"}
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)


def outlines(
    connection: Connection, institution: str, school: str, first: date, last: date, named: Iterable[SessionName]
) -> dict[SessionName, Outline]:
    """The sessions of a school that have a fact in some days, and those that are named, on whatever day they are."""
    columns = table.c["course_id", "session", "first_window", "last_window", "digest", "booked", "seconds"]
    of_school = and_(table.c.institution == institution, table.c.school == school)
    in_days = and_(of_school, table.c.last_window >= first, table.c.first_window <= last)
    rows = connection.execute(select(*columns).where(in_days))
    found = {SessionName(*row[:2]): Outline(*row[2:]) for row in rows}
    for some in batches((name for name in named if name not in found), SESSIONS_AT_ONCE):
        rows = connection.execute(select(*columns).where(_named(connection, institution, school, some)))
        found.update((SessionName(*row[:2]), Outline(*row[2:])) for row in rows)
    return found


def facts_of(
    connection: Connection, institution: str, school: str, names: Iterable[SessionName]
) -> dict[SessionName, list[Fact]]:
    """The facts of some sessions; a session that is not known is left out."""
    query = select(table.c.course_id, table.c.session, table.c.body)
    return {
        SessionName(course, session): _decode(body)
        for some in batches(names, SESSIONS_AT_ONCE)
        for course, session, body in connection.execute(query.where(_named(connection, institution, school, some)))
    }


def save(connection: Connection, institution: str, school: str, sessions: Mapping[SessionName, Kept]) -> None:
    """Keep sessions, in place of what is kept of them."""
    upsert(connection, table, (_row(institution, school, name, kept) for name, kept in sessions.items()))


def _row(institution: str, school: str, name: SessionName, kept: Kept) -> dict[str, object]:
    windows = {fact.window for fact in kept.facts}
    booked = [fact for fact in kept.facts if fact.state is not FactState.VOID]
    return {
        "institution": institution,
        "school": school,
        "course_id": name.course_id,
        "session": name.session,
        "first_window": min(windows),
        "last_window": max(windows),
        "digest": kept.digest,
        "booked": len(booked),
        "seconds": sum(fact.value for fact in booked),
        "body": _encode(kept.facts).decode(),
    }


def courses_in(connection: Connection, institution: str, first: date, last: date) -> list[Course]:
    """The courses that have a fact which the export gave by some days."""
    there = and_(table.c.institution == institution, table.c.last_window >= first, table.c.first_window <= last)
    query = select(table.c.school, table.c.course_id).where(there).distinct()
    return [Course(*row) for row in connection.execute(query.order_by(table.c.school, table.c.course_id))]


def facts_in(
    connection: Connection,
    institution: str,
    courses: Iterable[Course],
    first: date | None = None,
    last: date | None = None,
) -> Iterator[tuple[str, Fact]]:
    """The facts of some courses, each with its school: all of them, or those of sessions with a fact in some days."""
    query = select(table.c.school, table.c.body)
    if first is not None:
        # As it is, SQLite would go through every session of the school since then, for each course anew.
        query = query.where(func.date(table.c.last_window, type_=Date) >= first)
    if last is not None:
        query = query.where(table.c.first_window <= last)
    in_order = query.order_by(table.c.school, table.c.course_id, table.c.session)
    for some in batches(courses, SESSIONS_AT_ONCE):
        for school, body in connection.execute(in_order.where(_in(connection, table, institution, some))):
            for fact in _decode(body):
                yield school, fact


def coverage(connection: Connection, institution: str, school: str) -> dict[date, datetime]:
    """When each day of a school was last read whole."""
    columns = attendance_coverage.c
    mine = and_(columns.institution == institution, columns.school == school)
    rows = connection.execute(select(columns.on, columns.covered_at).where(mine))
    return {row.on: row.covered_at for row in rows}


def cover(connection: Connection, institution: str, school: str, days: Coverage, run: int) -> None:
    """Write down that days were read whole."""
    rows = (
        {"institution": institution, "school": school, "on": on, "covered_at": at, "run": run}
        for on, at in days.items()
    )
    upsert(connection, attendance_coverage, rows)


def note(
    connection: Connection,
    institution: str,
    school: str,
    read: ReadOf,
    raw: int,
    told: Mapping[SessionName, list[Noted]],
) -> None:
    """Add to the audit what a read of a school did, session by session.

    :param raw: number of the read in ``attendance_raw``.
    """
    rows = (
        {
            "institution": institution,
            "run": read.run,
            "school": school,
            "course_id": name.course_id,
            "session": name.session,
            "read_at": read.read_at,
            "raw": raw,
            "body": _encode(some).decode(),
        }
        for name, some in told.items()
    )
    insert_rows(connection, attendance_change, rows)


def audit_of(connection: Connection, institution: str, person: str, courses: Iterable[Course]) -> list[Audited]:
    """What reads did to the facts of a student in some courses, oldest first."""
    here = _in(connection, attendance_change, institution, courses)
    query = select(attendance_change).where(here).order_by(attendance_change.c.id)
    return [
        Audited(row.run, row.school, SessionName(row.course_id, row.session), row.read_at, row.raw, one)
        for row in connection.execute(query)
        for one in _told(row.body)
        if one.person == person
    ]


def facts_of_person(
    connection: Connection, institution: str, person: str, courses: Iterable[Course]
) -> list[tuple[str, Fact]]:
    """The facts of a student in some courses, by the day on which they are booked."""
    found = (one for one in facts_in(connection, institution, courses) if one[1].person == person)
    return sorted(found, key=lambda one: (one[1].on, one[1].key))


_told = msgspec.json.Decoder(list[Noted]).decode


def _in(connection: Connection, where: Table, institution: str, courses: Iterable[Course]) -> ColumnElement[bool]:
    columns = [where.c[name] for name in ("institution", *Course._fields)]
    return matching(connection, columns, ((institution, *course) for course in courses))


def _named(connection: Connection, institution: str, school: str, names: Iterable[SessionName]) -> ColumnElement[bool]:
    columns = [table.c[name] for name in ("institution", "school", *SessionName._fields)]
    return matching(connection, columns, ((institution, school, *name) for name in names))
