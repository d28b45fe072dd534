"""The ledger of time attended, one row for each session of a course in CourseKey.

A million facts are some forty thousand sessions: a night in which little changed opens few of them. Of a session that a
read gave exactly as before the digest says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, select, text, tuple_

from rosterflow.domain.attendance.ledger import Change, Coverage, Effect, Fact, FactState
from rosterflow.domain.attendance.records import FactKey
from rosterflow.store.attendance_tables import attendance_change, attendance_coverage
from rosterflow.store.attendance_tables import attendance_session as table
from rosterflow.store.bulk import batches, insert_rows, upsert

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


class Noted(NamedTuple):
    """What a read did to one fact, as the audit keeps it.

    :param raw: number of the read in ``attendance_raw``.
    :param page: its page that has the record; 0 when none has it.
    """

    change: Change
    raw: int
    page: int


class Audited(NamedTuple):
    """One line of the audit."""

    run: int
    school: str
    key: FactKey
    person: str
    effect: Effect
    on_before: date | None
    on: date
    seconds_before: int
    seconds: int
    read_at: datetime
    record_id: str
    raw: int
    page: int


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
    query = select(*columns).where(_of(institution, school))
    found: dict[SessionName, Outline] = {}
    in_days = query.where(table.c.last_window >= first, table.c.first_window <= last)
    found.update((SessionName(*row[:2]), Outline(*row[2:])) for row in connection.execute(in_days))
    for some in batches((name for name in named if name not in found), SESSIONS_AT_ONCE):
        rows = connection.execute(query.where(_NAME.in_([tuple(name) for name in some])))
        found.update((SessionName(*row[:2]), Outline(*row[2:])) for row in rows)
    return found


def facts_of(
    connection: Connection, institution: str, school: str, names: Iterable[SessionName]
) -> dict[SessionName, list[Fact]]:
    """The facts of some sessions; a session that is not known is left out."""
    query = select(table.c.course_id, table.c.session, table.c.body).where(_of(institution, school))
    return {
        SessionName(course, session): _decode(body)
        for some in batches(names, SESSIONS_AT_ONCE)
        for course, session, body in connection.execute(query.where(_NAME.in_([tuple(name) for name in some])))
    }


def save(connection: Connection, institution: str, school: str, sessions: Mapping[SessionName, Kept]) -> None:
    """Keep sessions, in place of what is kept of them."""
    upsert(connection, table, (_row(institution, school, name, kept) for name, kept in sessions.items()))


def _row(institution: str, school: str, name: SessionName, kept: Kept) -> dict[str, object]:
    windows = [fact.window for fact in kept.facts]
    return {
        "institution": institution,
        "school": school,
        "course_id": name.course_id,
        "session": name.session,
        "first_window": min(windows),
        "last_window": max(windows),
        "digest": kept.digest,
        "booked": sum(fact.state is not FactState.VOID for fact in kept.facts),
        "seconds": sum(fact.seconds for fact in kept.facts),
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
    query = select(table.c.school, table.c.body).where(table.c.institution == institution)
    if first is not None:
        query = query.where(table.c.last_window >= first)
    if last is not None:
        query = query.where(table.c.first_window <= last)
    here = tuple_(table.c.school, table.c.course_id)
    in_order = query.order_by(table.c.school, table.c.course_id, table.c.session)
    for some in batches(courses, SESSIONS_AT_ONCE):
        for school, body in connection.execute(in_order.where(here.in_([tuple(course) for course in some]))):
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


def note(connection: Connection, institution: str, school: str, run: int, changes: Iterable[Noted]) -> None:
    """Add to the audit what a read did."""
    insert_rows(connection, attendance_change, (_noted(institution, school, run, one) for one in changes))


def _noted(institution: str, school: str, run: int, noted: Noted) -> dict[str, object]:
    change, raw, page = noted
    before, after = change.before, change.after
    past = after.versions[-1] if after.versions else None
    return {
        "institution": institution,
        "run": run,
        "school": school,
        **after.key._asdict(),
        "person": after.person,
        "effect": change.effect,
        "on_before": before.on if before else None,
        "on": after.on,
        "seconds_before": before.seconds if before else 0,
        "seconds": after.seconds,
        "read_at": past.until if past and before else after.seen_at,
        "record_id": after.record_id,
        "raw": raw,
        "page": page,
    }


def audit_of(connection: Connection, institution: str, person: str, courses: Iterable[Course] = ()) -> list[Audited]:
    """What reads did to the facts of a student, oldest first; of all courses or of some."""
    columns = attendance_change.c
    which = and_(columns.institution == institution, columns.person == person)
    if some := [tuple(course) for course in courses]:
        which = and_(which, tuple_(columns.school, columns.course_id).in_(some))
    rows = connection.execute(select(attendance_change).where(which).order_by(columns.id)).mappings()
    return [
        Audited(
            **{name: row[name] for name in Audited._fields if name not in ("key", "effect")},
            key=FactKey(*(row[name] for name in FactKey._fields)),
            effect=Effect(row["effect"]),
        )
        for row in rows
    ]


def facts_of_person(
    connection: Connection, institution: str, person: str, courses: Iterable[Course]
) -> list[tuple[str, Fact]]:
    """The facts of a student in some courses, by the day on which they are booked."""
    found = (one for one in facts_in(connection, institution, courses) if one[1].person == person)
    return sorted(found, key=lambda one: (one[1].on, one[1].key))


_NAME = tuple_(table.c.course_id, table.c.session)


def _of(institution: str, school: str) -> ColumnElement[bool]:
    return and_(table.c.institution == institution, table.c.school == school)
