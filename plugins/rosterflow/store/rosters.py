"""Who is where, as Canvas confirmed it, roster by roster."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import accumulate

from sqlalchemy import Connection, delete, select, tuple_

from rosterflow.domain.model import Key, Kind
from rosterflow.domain.rosters import Roster
from rosterflow.store.bulk import ROWS_AT_ONCE, batches, upsert
from rosterflow.store.codec import roster_from_text, text_of
from rosterflow.store.sealing import seal_of
from rosterflow.store.tables import roster as table


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
                "confirmed_at": now,
            }
            for one in confirmed
        ),
    )


def forget(connection: Connection, institution: str, keys: Iterable[Key]) -> None:
    """Forget rosters whose place no longer goes by its id."""
    for some in batches((str(key.kind), key.sis_id) for key in keys):
        connection.execute(
            delete(table).where(table.c.institution == institution, tuple_(table.c.kind, table.c.sis_id).in_(some))
        )


def forget_all(connection: Connection, institution: str) -> None:
    """Forget all people of an institution, before the base is read from Canvas again."""
    connection.execute(delete(table).where(table.c.institution == institution))
