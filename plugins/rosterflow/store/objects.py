"""What Canvas confirmed, object by object."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, literal, select, tuple_

from rosterflow.domain.confirmed import ConfirmedObject
from rosterflow.domain.model import Key, Kind
from rosterflow.store.bulk import ROWS_AT_ONCE, among, batches, insert_into, upsert
from rosterflow.store.codec import from_text, text_of
from rosterflow.store.engine import UtcDateTime
from rosterflow.store.tables import canvas_object as table
from rosterflow.store.tables import plan_change

COLUMNS = table.c["kind", "sis_id", "body", "owned_by_canvas"]
NOTHING = frozenset[str]()


def load(
    connection: Connection, institution: str, keys: Collection[Key] | None = None, *, kind: Kind | None = None
) -> Iterator[ConfirmedObject]:
    """What Canvas confirmed for an institution, deleted objects included.

    :param keys: of these objects only; by default all.
    :param kind: of objects of this kind only; by default all.
    """
    query = select(*COLUMNS).where(table.c.institution == institution)
    if kind is not None:
        query = query.where(table.c.kind == str(kind))
    if keys is not None and len(keys) <= ROWS_AT_ONCE:
        query = query.where(tuple_(table.c.kind, table.c.sis_id).in_([(str(kind), sis_id) for kind, sis_id in keys]))
        keys = None
    for of, sis_id, body, owned in connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        if keys is None or (of, sis_id) in keys:
            owned_by_canvas = frozenset(owned.split()) if owned else NOTHING
            yield ConfirmedObject(from_text(of, body), owned_by_canvas)


def save(
    connection: Connection, institution: str, confirmed: Iterable[ConfirmedObject], *, now: datetime, run_id: int | None
) -> None:
    """Write down what Canvas confirmed; what was known about the same keys is replaced."""
    upsert(connection, table, (_row(institution, one, now, run_id) for one in confirmed))


def save_made(
    connection: Connection, institution: str, plan_id: int, seqs: Iterable[int], *, now: datetime, run_id: int
) -> None:
    """Write down as confirmed what changes of a plan made, just as they were sent: the database has them already.

    What is known to belong to Canvas stays known.
    """
    values: dict[str, ColumnElement[Any]] = {
        "institution": literal(institution),
        "kind": plan_change.c.kind,
        "sis_id": plan_change.c.sis_id,
        "body": plan_change.c.after,
        "owned_by_canvas": literal(""),
        "confirmed_at": literal(now, UtcDateTime),
        "run_id": literal(run_id),
    }
    for some in among(seqs, plan_change.c.seq):
        made = select(*values.values()).where(plan_change.c.plan_id == plan_id, some)
        statement = insert_into(connection, table).from_select(list(values), made)
        fresh = {name: statement.excluded[name] for name in ("body", "confirmed_at", "run_id")}
        connection.execute(statement.on_conflict_do_update(index_elements=[*table.primary_key], set_=fresh))


def forget(connection: Connection, institution: str, keys: Iterable[Key]) -> None:
    """Forget objects that no longer go by these ids."""
    for some in batches((str(key.kind), key.sis_id) for key in keys):
        connection.execute(
            delete(table).where(table.c.institution == institution, tuple_(table.c.kind, table.c.sis_id).in_(some))
        )


def forget_all(connection: Connection, institution: str) -> None:
    """Forget everything about an institution, before its base is read from Canvas again."""
    connection.execute(delete(table).where(table.c.institution == institution))


def _row(institution: str, one: ConfirmedObject, now: datetime, run_id: int | None) -> dict[str, object]:
    thing = one.thing
    return {
        "institution": institution,
        "kind": thing.kind,
        "sis_id": thing.sis_id,
        "body": text_of(thing),
        "owned_by_canvas": " ".join(sorted(one.owned_by_canvas)),
        "confirmed_at": now,
        "run_id": run_id,
    }
