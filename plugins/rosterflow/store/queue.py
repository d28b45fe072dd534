"""The outbound queue: one row per entity, put, leased, finished (reference coursekey §3.2).

A row is what is to become true of its entity, not a message: a second change of the entity changes the row. Whoever
processes a row holds a lease on it; the row of a killed worker comes back when its lease runs out. The generation says
whether the entity changed meanwhile: then the row is open again when it is finished.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, select, update

from rosterflow.domain.coursekey.queue import OPEN, Entity, Entry, EntryKind, EntryState, Intent, Verdict
from rosterflow.store import queue_history
from rosterflow.store.bulk import batches, matching, upsert
from rosterflow.store.coursekey_tables import queue_entry as table
from rosterflow.store.queue_history import ENTITY, Outcome, columns_of, entity_of

COLLECTOR = "collector"
KEY = ("institution", "api_name", *ENTITY)
CHANGED = "changed-meanwhile"
"""The rule by which an entry is open again that changed while it was processed."""
LEASE_OVER = "lease-over"


class Request(NamedTuple):
    """What is to be put into the queue.

    :param verdict: what the rules say; SKIPPED and FAILED are put too, so that the reason can be seen.
    :param opens_at: when a DEFERRED entry opens, the first moment of ``verdict.opens_on`` where the section is; without
        it that of UTC.
    :param at_site: the course site whose auth key it needs; ``""`` leaves it as it is.
    """

    entity: Entity
    intent: Intent
    verdict: Verdict
    forced: bool = False
    asked_by: str = COLLECTOR
    opens_at: datetime | None = None
    at_site: str = ""


def put(
    connection: Connection, institution: str, api_name: str, requests: Iterable[Request], now: datetime
) -> Counter[EntryState]:
    """Queue, or note why something is not queued. Of several requests about one entity the last one counts.

    An entry that is being processed stays so and is open again afterwards. What a person asked for is not put off by
    what the collector sees later. A verdict that is noted already is not noted again.

    :returns: how many entries were changed, by the state that they were given.
    """
    wanted = {one.entity: one for one in requests}
    known = _locked(connection, institution, api_name, wanted)
    rows: list[dict[str, Any]] = []
    told: list[Outcome] = []
    for entity, request in wanted.items():
        row = _put(known.get(entity), request, now)
        if row is None:
            continue
        rows.append({"institution": institution, "api_name": api_name, **columns_of(entity), **row})
        verdict = request.verdict
        told.append(Outcome(entity, request.intent, verdict.state, verdict.rule, verdict.reason, request.asked_by))
    upsert(connection, table, rows, keep=("created_at",), by=KEY)
    queue_history.record(connection, institution, api_name, told, now)
    return Counter(one.state for one in told)


def _put(known: Row[Any] | None, request: Request, now: datetime) -> dict[str, Any] | None:
    """The row as it becomes, without its key; ``None`` when it is so already."""
    verdict = request.verdict
    new: dict[str, Any] = {
        "at_site": request.at_site or (known.at_site if known else ""),
        "intent": request.intent,
        "state": verdict.state,
        "rule": verdict.rule,
        "reason": verdict.reason,
        "error_code": "",
        "generation": 1,
        "forced": request.forced,
        "asked_by": request.asked_by,
        "opens_on": verdict.opens_on,
        "due_at": _due(request, now),
        "attempts": 0,
        "holder": "",
        "leased_until": None,
        "created_at": now,
        "changed_at": now,
    }
    if known is None:
        return new
    if _is_noted(known, request):
        return None
    new["generation"] = known.generation + 1
    is_open = known.state in OPEN
    if is_open and known.forced and known.intent == request.intent:
        new["forced"] = True
        new["asked_by"] = request.asked_by if request.forced else known.asked_by
    if known.state == EntryState.PROCESSING:
        kept = ("state", "rule", "reason", "due_at", "attempts", "holder", "leased_until", "changed_at")
        return {**new, **{name: getattr(known, name) for name in kept}}
    if new["forced"] and not request.forced and known.state == EntryState.PENDING:
        return {**new, **{name: getattr(known, name) for name in ("state", "rule", "reason", "opens_on", "due_at")}}
    if known.state == EntryState.PENDING and verdict.state is EntryState.PENDING:
        new["due_at"] = min(known.due_at, now)  # it keeps its place
    return new


def _is_noted(known: Row[Any], request: Request) -> bool:
    """Whether the same was said of the entity before, and nothing is to be done about it."""
    verdict = request.verdict
    if verdict.state in (EntryState.PENDING, EntryState.PROCESSING):
        return False
    then = (known.state, known.intent, known.rule, known.reason, known.opens_on)
    return then == (verdict.state, request.intent, verdict.rule, verdict.reason, verdict.opens_on)


def _due(request: Request, now: datetime) -> datetime:
    opens_on = request.verdict.opens_on
    if request.verdict.state is not EntryState.DEFERRED or opens_on is None:
        return now
    return request.opens_at or datetime.combine(opens_on, time(), UTC)


def lease(
    connection: Connection,
    institution: str,
    api_name: str,
    holder: str,
    limit: int,
    now: datetime,
    term: timedelta,
    *,
    kinds: Sequence[EntryKind] | None = None,
    sites: Collection[str] | None = None,
) -> list[Entry]:
    """Take the oldest entries that are due, to process them; nobody else takes them meanwhile.

    :param holder: who takes them; no two that run at once have the same name.
    :param limit: how many at most.
    :param term: for how long; :func:`renew` makes it longer.
    :param kinds: only these.
    :param sites: only what needs the auth key of one of these course sites, or of which that is not known. Each is
        looked up by itself, so that a long backlog of another site costs nothing.
    :returns: the entries by age, each with the attempt counted.
    """
    due = _mine(institution, api_name) & (table.c.state == EntryState.PENDING) & (table.c.due_at <= now)
    if kinds is not None:
        due &= table.c.kind.in_(kinds)
    if sites is None:
        return _take(connection, select(table.c.id).where(due), holder, limit, now, term)
    ages = (table.c.due_at, table.c.id)
    oldest = (select(*ages).where(due, table.c.at_site == one).order_by(*ages).limit(limit) for one in {"", *sites})
    found = sorted(tuple(row) for query in oldest for row in connection.execute(query))
    some = table.c.id.in_([number for _, number in found[:limit]])
    return _take(connection, select(table.c.id).where(due, some), holder, limit, now, term) if found else []


def lease_entities(
    connection: Connection,
    institution: str,
    api_name: str,
    holder: str,
    entities: Iterable[Entity],
    now: datetime,
    term: timedelta,
) -> list[Entry]:
    """Take the entries of some entities that others depend on, those too that are not due yet.

    Entities without an entry, or whose entry is done, failed or taken by somebody else, are left out.
    """
    waiting = table.c.state.in_((EntryState.PENDING, EntryState.DEFERRED))
    found: list[Entry] = []
    for some in batches(entities):
        query = select(table.c.id).where(_about(connection, institution, api_name, some), waiting)
        found += _take(connection, query, holder, len(some), now, term)
    return found


def _take(
    connection: Connection, which: Select[Any], holder: str, limit: int, now: datetime, term: timedelta
) -> list[Entry]:
    oldest = which.order_by(table.c.due_at, table.c.id).limit(limit).with_for_update(skip_locked=True)
    picked = list(connection.execute(oldest).scalars())
    if not picked:
        return []
    values = {
        "state": EntryState.PROCESSING,
        "holder": holder,
        "leased_until": now + term,
        "attempts": table.c.attempts + 1,
    }
    taken: dict[int, Entry] = {}
    for some in batches(picked):
        statement = update(table).where(table.c.id.in_(some)).values(values).returning(table)
        taken |= {row.id: entry_of(row) for row in connection.execute(statement)}
    return [taken[number] for number in picked]


def finish(
    connection: Connection,
    entry: Entry,
    state: EntryState,
    rule: str,
    reason: str,
    now: datetime,
    *,
    error_code: str | None = None,
    due_at: datetime | None = None,
) -> bool:
    """Say what became of an entry that was leased. One that changed meanwhile is open again.

    :param state: DONE, SKIPPED, FAILED; PENDING to try again at ``due_at``; DEFERRED until ``due_at``.
    :param rule: id of the rule that decided, or what CourseKey was told.
    :returns: whether the lease was still ours; when it was not, somebody else sees to the entry.
    """
    values = ended(state, rule, reason, now, error_code or "", due_at)
    ours = _held(entry)
    same = table.c.generation == entry.generation
    place = connection.execute(update(table).where(ours, same).values(values).returning(*_PLACE)).first()
    changed = None
    if place is None:
        again = {**values, "state": EntryState.PENDING, "rule": CHANGED, "due_at": now, "attempts": 0}
        changed = connection.execute(update(table).where(ours).values(again).returning(*_PLACE)).first()
    where = place or changed or connection.execute(select(*_PLACE).where(table.c.id == entry.id)).first()
    if where is not None:
        told = Outcome(entry.entity, entry.intent, state, rule, reason, entry.holder, entry.attempts, error_code or "")
        queue_history.record(connection, where.institution, where.api_name, [told], now)
    return bool(place or changed)


def ended(
    state: EntryState, rule: str, reason: str, now: datetime, error_code: str, due_at: datetime | None
) -> dict[str, Any]:
    """The columns of an entry that is no longer leased."""
    values: dict[str, Any] = {
        "state": state,
        "rule": rule,
        "reason": reason,
        "error_code": error_code,
        "due_at": due_at or now,
        "holder": "",
        "leased_until": None,
        "changed_at": now,
    }
    return values | {"opens_on": due_at.date()} if state is EntryState.DEFERRED and due_at else values


_PLACE = (table.c.institution, table.c.api_name)


def give_back(connection: Connection, entries: Iterable[Entry], now: datetime) -> int:
    """Give back entries with which nothing was tried, as when their auth key is refused: they are pending again."""
    values = {
        "state": EntryState.PENDING,
        "holder": "",
        "leased_until": None,
        "attempts": table.c.attempts - 1,
        "changed_at": now,
    }
    return sum(connection.execute(update(table).where(_held(one)).values(values)).rowcount for one in entries)


def renew(connection: Connection, institution: str, api_name: str, holder: str, until: datetime) -> int:
    """Make every lease of a holder longer.

    :returns: how many entries it still holds.
    """
    mine = _mine(institution, api_name) & (table.c.state == EntryState.PROCESSING) & (table.c.holder == holder)
    return connection.execute(update(table).where(mine).values(leased_until=until)).rowcount


def release_expired(connection: Connection, institution: str, api_name: str, now: datetime) -> int:
    """Open the entries again whose holder was killed.

    :returns: how many.
    """
    values = {
        "state": EntryState.PENDING,
        "rule": LEASE_OVER,
        "holder": "",
        "leased_until": None,
        "changed_at": now,
    }
    over = (table.c.state == EntryState.PROCESSING) & (table.c.leased_until <= now)
    return connection.execute(update(table).where(_mine(institution, api_name), over).values(values)).rowcount


def open_deferred(connection: Connection, institution: str, api_name: str, now: datetime) -> int:
    """Open the entries whose day has come, at midnight where the section is.

    :returns: how many.
    """
    due = (table.c.state == EntryState.DEFERRED) & (table.c.due_at <= now)
    values = {"state": EntryState.PENDING, "changed_at": now}
    return connection.execute(update(table).where(_mine(institution, api_name), due).values(values)).rowcount


def heal(connection: Connection, institution: str, api_name: str, now: datetime, longest: timedelta) -> int:
    """Bring near what a clock that was ahead for a while put off for longer than anything is: it is due now.

    :param longest: for how long a pending entry is put off, and an entry leased, at most.
    :returns: how many entries were concerned.
    """
    mine, far = _mine(institution, api_name), now + longest
    late = mine & (table.c.state == EntryState.PENDING) & (table.c.due_at > far)
    held = mine & (table.c.state == EntryState.PROCESSING) & (table.c.leased_until > far)
    healed = connection.execute(update(table).where(late).values(due_at=now)).rowcount
    return healed + connection.execute(update(table).where(held).values(leased_until=now)).rowcount


def about(connection: Connection, institution: str, api_name: str, entities: Iterable[Entity]) -> dict[Entity, Entry]:
    """The entries of some entities, in whatever state."""
    return {
        entity: entry_of(row)
        for some in batches(entities)
        for entity, row in _rows(connection, select(table).where(_about(connection, institution, api_name, some)))
    }


def _locked(
    connection: Connection, institution: str, api_name: str, entities: Iterable[Entity]
) -> Mapping[Entity, Row[Any]]:
    """The rows of some entities, which nobody changes until the transaction ends."""
    return {
        entity: row
        for some in batches(sorted(entities))
        for entity, row in _rows(
            connection,
            select(table).where(_about(connection, institution, api_name, some)).order_by(table.c.id).with_for_update(),
        )
    }


def _rows(connection: Connection, query: Select[Any]) -> list[tuple[Entity, Row[Any]]]:
    return [(entity_of(row), row) for row in connection.execute(query)]


def _mine(institution: str, api_name: str) -> ColumnElement[bool]:
    return and_(table.c.institution == institution, table.c.api_name == api_name)


def _held(entry: Entry) -> ColumnElement[bool]:
    return and_(table.c.id == entry.id, table.c.state == EntryState.PROCESSING, table.c.holder == entry.holder)


def _about(connection: Connection, institution: str, api_name: str, entities: Iterable[Entity]) -> ColumnElement[bool]:
    named = [table.c[name] for name in KEY]
    return matching(connection, named, ((institution, api_name, *columns_of(one).values()) for one in entities))


def entry_of(row: Row[Any]) -> Entry:
    """A row of the queue as an entry."""
    return Entry(
        id=row.id,
        entity=entity_of(row),
        intent=Intent(row.intent),
        state=EntryState(row.state),
        rule=row.rule,
        reason=row.reason,
        generation=row.generation,
        forced=row.forced,
        asked_by=row.asked_by,
        due_at=row.due_at,
        created_at=row.created_at,
        opens_on=row.opens_on,
        attempts=row.attempts,
        holder=row.holder,
        error_code=row.error_code,
        changed_at=row.changed_at,
    )
