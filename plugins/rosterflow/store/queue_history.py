"""The queue history log: what became of each entry, at each attempt, and why something was never queued.

Campus Cafe IDs and section keys only; never a name, an e-mail address or a key.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, delete, exists, select

from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.queue import OPEN, Entity, EntryKind, EntryState, Intent
from rosterflow.store.bulk import insert_rows
from rosterflow.store.coursekey_tables import queue_entry, queue_history

ENTITY = tuple(Entity.__struct_fields__)
"""The columns that name what an entry is about, in the queue, its history and everywhere else."""


class Outcome(msgspec.Struct, frozen=True):
    """One line of the log.

    :param state: what became of it; PENDING when it was queued, queued again, or is tried again later.
    :param attempt: number of the attempt, 0 when nothing was sent.
    :param by: ``collector``, ``approval:7``, the drain's holder, or the person who asked.
    """

    entity: Entity
    intent: Intent
    state: EntryState
    rule: str
    reason: str
    by: str
    attempt: int = 0
    error_code: str = ""


class Line(msgspec.Struct, frozen=True):
    """One line of the log as it is kept."""

    id: int
    at: datetime
    outcome: Outcome


def record(connection: Connection, institution: str, api_name: str, outcomes: Iterable[Outcome], now: datetime) -> None:
    """Write outcomes down."""
    common = {"at": now, "institution": institution, "api_name": api_name}
    insert_rows(connection, queue_history, ({**common, **_columns(one)} for one in outcomes))


def _columns(one: Outcome) -> dict[str, Any]:
    named = {name: getattr(one, name) for name in Outcome.__struct_fields__ if name != "entity"}
    return {**columns_of(one.entity), **named}


def columns_of(entity: Entity) -> dict[str, str]:
    """An entity as the columns that name it."""
    return {name: str(getattr(entity, name)) for name in ENTITY}


def entity_of(row: Row[Any]) -> Entity:
    """The inverse of :func:`columns_of`."""
    kind, *names = (getattr(row, name) for name in ENTITY)
    return Entity(EntryKind(kind), *names)


def of_section(connection: Connection, institution: str, section: SectionKey, limit: int = 200) -> list[Line]:
    """What happened about a section and everybody in it, newest first."""
    here = [queue_history.c[name] == part for name, part in zip(section._fields, section, strict=True)]
    return _lines(connection, institution, limit, *here)


def of_person(connection: Connection, institution: str, person: str, limit: int = 200) -> list[Line]:
    """What happened about a person, newest first."""
    return _lines(connection, institution, limit, queue_history.c.person == person)


def latest(connection: Connection, institution: str, limit: int = 200) -> list[Line]:
    """What happened last, newest first."""
    return _lines(connection, institution, limit)


def _lines(connection: Connection, institution: str, limit: int, *which: ColumnElement[bool]) -> list[Line]:
    query = select(queue_history).where(queue_history.c.institution == institution, *which)
    return [_line(row) for row in connection.execute(query.order_by(queue_history.c.id.desc()).limit(limit))]


def _line(row: Row[Any]) -> Line:
    named = {name: getattr(row, name) for name in Outcome.__struct_fields__ if name != "entity"}
    typed = {"intent": Intent(row.intent), "state": EntryState(row.state)}
    return Line(row.id, row.at, Outcome(entity_of(row), **{**named, **typed}))


def purge(connection: Connection, institution: str, before: datetime) -> int:
    """Remove lines older than a moment, but none about an entry that is not processed or has failed."""
    same = [queue_entry.c[name] == queue_history.c[name] for name in ("institution", "api_name", *ENTITY)]
    unfinished = exists().where(*same, queue_entry.c.state.in_((*OPEN, EntryState.FAILED)))
    old = (queue_history.c.institution == institution) & (queue_history.c.at < before)
    return connection.execute(delete(queue_history).where(old, ~unfinished)).rowcount
