"""Looking at the queue, having failed entries tried again, and forgetting what is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from rosterflow.domain.coursekey.queue import OPEN, Entity, Entry, EntryKind, EntryState, Intent
from rosterflow.store import history, queue_history
from rosterflow.store.bulk import batches
from rosterflow.store.coursekey_tables import queue_entry as table
from rosterflow.store.queue import entry_of
from rosterflow.store.queue_history import Outcome, entity_of

REQUEUE = "requeue"
"""The act, and the rule, by which a failed entry is tried again."""


class Selection(msgspec.Struct, frozen=True):
    """Which entries; every condition that is given must hold.

    :param rule: the rule that decided last.
    :param error_code: the cause of the failure.
    """

    ids: tuple[int, ...] = ()
    kind: EntryKind | None = None
    rule: str = ""
    error_code: str = ""
    semester: str = ""
    course: str = ""
    section: str = ""
    person: str = ""

    def __str__(self) -> str:
        given = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return ", ".join(f"{name} {value}" for name, value in given if value) or "all"


def counts(connection: Connection, institution: str, api_name: str) -> Counter[EntryState]:
    """How many entries are in each state; the unprocessed count of the source document is that of PENDING."""
    query = select(table.c.state, func.count()).where(_mine(institution, api_name)).group_by(table.c.state)
    return Counter({EntryState(state): n for state, n in connection.execute(query)})


def entries(
    connection: Connection, institution: str, api_name: str, states: Sequence[EntryState], which: Selection, limit: int
) -> list[Entry]:
    """Entries in some states, the longest waiting first."""
    query = select(table).where(_mine(institution, api_name), table.c.state.in_(states), *_conditions(which))
    return [entry_of(row) for row in connection.execute(query.order_by(table.c.due_at, table.c.id).limit(limit))]


def failed(connection: Connection, institution: str, api_name: str, limit: int = 1000) -> list[Entry]:
    """The entries that wait for a person to mend something, the oldest failure first."""
    return entries(connection, institution, api_name, [EntryState.FAILED], Selection(), limit)


def only_judged(
    connection: Connection, institution: str, api_name: str, after: int, limit: int, but_for: str
) -> list[Entry]:
    """Entries that the rules put off or refused and that were never sent, by id.

    :param after: only those with a greater id.
    :param but_for: the rule whose SKIPPED entries are left out.
    """
    put_off = table.c.state.in_((EntryState.SKIPPED, EntryState.DEFERRED, EntryState.FAILED))
    query = select(table).where(
        _mine(institution, api_name),
        put_off,
        table.c.attempts == 0,
        table.c.intent == Intent.UPSERT,
        table.c.id > after,
        or_(table.c.state != EntryState.SKIPPED, table.c.rule != but_for),
    )
    return [entry_of(row) for row in connection.execute(query.order_by(table.c.id).limit(limit))]


def being_removed(connection: Connection, institution: str, api_name: str) -> set[Entity]:
    """What is about to be removed."""
    open_ones = and_(table.c.state.in_(OPEN), table.c.intent == Intent.REMOVE)
    return {entity_of(row) for row in connection.execute(select(table).where(_mine(institution, api_name), open_ones))}


def of_persons(connection: Connection, institution: str, api_name: str, persons: Iterable[str]) -> list[Entry]:
    """The entries about some people, in whatever state."""
    found: list[Entry] = []
    for some in batches(persons):
        query = select(table).where(_mine(institution, api_name), table.c.person.in_(some)).order_by(table.c.id)
        found += (entry_of(row) for row in connection.execute(query))
    return found


def requeue(
    connection: Connection, institution: str, api_name: str, which: Selection, *, by: str, reason: str, now: datetime
) -> int:
    """Have failed entries tried again from the first attempt on; who asked, and why, is kept in the audit.

    :param by: who asks.
    :returns: how many.
    """
    mine = and_(_mine(institution, api_name), table.c.state == EntryState.FAILED, *_conditions(which))
    values = {
        "state": EntryState.PENDING,
        "rule": REQUEUE,
        "reason": reason,
        "error_code": "",
        "due_at": now,
        "attempts": 0,
        "generation": table.c.generation + 1,
        "asked_by": by,
        "changed_at": now,
    }
    again = [entry_of(row) for row in connection.execute(update(table).where(mine).values(values).returning(table))]
    told = (Outcome(one.entity, one.intent, EntryState.PENDING, REQUEUE, reason, by) for one in again)
    queue_history.record(connection, institution, api_name, told, now)
    detail = f"{len(again)} entries: {which}"
    history.record_act(connection, institution, actor=by, act=REQUEUE, reason=reason, now=now, detail=detail)
    return len(again)


def purge(connection: Connection, institution: str, before: datetime) -> int:
    """Remove what is done or skipped since before a moment, with its history; never what is not processed or failed.

    :returns: how many entries and lines were removed.
    """
    processed = table.c.state.in_((EntryState.DONE, EntryState.SKIPPED))
    old = and_(table.c.institution == institution, processed, table.c.changed_at < before)
    removed = connection.execute(delete(table).where(old)).rowcount
    return removed + queue_history.purge(connection, institution, before)


def _mine(institution: str, api_name: str) -> ColumnElement[bool]:
    return and_(table.c.institution == institution, table.c.api_name == api_name)


def _conditions(which: Selection) -> list[ColumnElement[bool]]:
    names = [name for name in which.__struct_fields__ if name != "ids" and getattr(which, name)]
    given: list[ColumnElement[bool]] = [table.c[name] == getattr(which, name) for name in names]
    return [*given, table.c.id.in_(which.ids)] if which.ids else given
