"""Who is where, as Canvas confirmed it, roster by roster."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, literal, select, tuple_

from rosterflow.domain.model import Key, Kind
from rosterflow.domain.rosters import Roster
from rosterflow.store.bulk import ROWS_AT_ONCE, among, batches, upsert
from rosterflow.store.codec import outline_from_text, roster_from_text, text_of
from rosterflow.store.engine import UtcDateTime
from rosterflow.store.history import whole_sis_id
from rosterflow.store.sealing import seal_of
from rosterflow.store.tables import plan_change
from rosterflow.store.tables import roster as table

_KINDS: dict[str, Kind] = {kind: kind for kind in Kind}


def load(connection: Connection, institution: str, keys: Collection[Key] | None = None) -> Iterator[Roster]:
    """Everybody whom we ever sent, with what became of them.

    :param keys: of these rosters only; by default all.
    """
    seal = seal_of(connection)
    query = select(table.c.kind, table.c.sis_id, table.c.body).where(table.c.institution == institution)
    if keys is not None and len(keys) <= ROWS_AT_ONCE:
        query = query.where(tuple_(table.c.kind, table.c.sis_id).in_([(str(kind), sis_id) for kind, sis_id in keys]))
        keys = None
    for kind, sis_id, body in connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        if keys is None or (kind, sis_id) in keys:
            yield roster_from_text(kind, body, seal)


def at_places(connection: Connection, institution: str, places: Iterable[Key]) -> Iterator[Roster]:
    """The rosters whose place is one of some objects."""
    wanted = set(places)
    heads = {str(place) for place in wanted}
    names = connection.execute(select(table.c.kind, table.c.sis_id).where(table.c.institution == institution))
    found = [(kind, sis_id) for kind, sis_id in names if not heads.isdisjoint(_heads(sis_id))]
    loaded = load(connection, institution, {Key(Kind(kind), sis_id) for kind, sis_id in found})
    return (one for one in loaded if one.place in wanted)


def _heads(sis_id: str) -> Iterator[str]:
    """What may be the place in a roster's id, which has the role behind it: either may have an ``as`` of its own."""
    return accumulate(sis_id.split(" as "), "{} as {}".format)


def save(connection: Connection, institution: str, confirmed: Iterable[Roster], *, now: datetime) -> None:
    """Write down what Canvas confirmed; what was known about the same rosters is replaced."""
    seal = seal_of(connection)
    upsert(
        connection,
        table,
        (
            {
                "institution": institution,
                "kind": str(one.kind),
                "sis_id": one.whole.sis_id,
                "body": text_of(one, seal),
                "active": one.headcount,
                "confirmed_at": now,
            }
            for one in confirmed
        ),
    )


def save_made(connection: Connection, institution: str, plan_id: int, seqs: Iterable[int], *, now: datetime) -> None:
    """Write down the rosters that changes of a plan made, just as they were sent: the database has them already.

    :param seqs: changes that brought active people into rosters in which nobody was.
    """
    values: dict[str, ColumnElement[Any]] = {
        "institution": literal(institution),
        "kind": plan_change.c.kind,
        "sis_id": whole_sis_id(),
        "body": plan_change.c.after,
        "active": plan_change.c.weight,
        "confirmed_at": literal(now, UtcDateTime),
    }
    for some in among(seqs, plan_change.c.seq):
        made = select(*values.values()).where(plan_change.c.plan_id == plan_id, some)
        connection.execute(insert(table).from_select(list(values), made))


def keys(connection: Connection, institution: str) -> frozenset[Key]:
    """The keys of all rosters."""
    found = connection.execute(select(table.c.kind, table.c.sis_id).where(table.c.institution == institution))
    return frozenset(Key(_KINDS[kind], sis_id) for kind, sis_id in found)


def census(connection: Connection, institution: str) -> Iterator[tuple[Roster, int]]:
    """Every roster without its people, and how many of them have what it gives."""
    query = select(table.c.kind, table.c.body, table.c.active).where(table.c.institution == institution)
    for kind, body, active in connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        yield outline_from_text(kind, body), active


def forget(connection: Connection, institution: str, keys: Iterable[Key]) -> None:
    """Forget rosters whose place no longer goes by its id."""
    for some in batches((str(key.kind), key.sis_id) for key in keys):
        connection.execute(
            delete(table).where(table.c.institution == institution, tuple_(table.c.kind, table.c.sis_id).in_(some))
        )


def forget_all(connection: Connection, institution: str) -> None:
    """Forget all people of an institution, before the base is read from Canvas again."""
    connection.execute(delete(table).where(table.c.institution == institution))
