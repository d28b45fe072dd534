"""How far each resource of Campus Cafe was read, and when everything was last compared."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from rosterflow.domain.coursekey.campus import Resource
from rosterflow.store.bulk import upsert
from rosterflow.store.coursekey_tables import campus_cursor as table


class Cursor(NamedTuple):
    """How far a resource was read.

    :param read_to: the newest change that was read, by Campus Cafe's clock; ``None`` when nothing ever was.
    :param compared_at: when everything was last read.
    :param tried_at: when that was last tried, whether or not it was whole.
    """

    read_to: datetime | None = None
    compared_at: datetime | None = None
    tried_at: datetime | None = None


def cursor(connection: Connection, institution: str, resource: Resource) -> Cursor:
    """How far a resource was read."""
    query = select(table.c.read_to, table.c.compared_at, table.c.tried_at).where(
        table.c.institution == institution, table.c.resource == resource
    )
    row = connection.execute(query).first()
    return Cursor(*row) if row else Cursor()


def move(connection: Connection, institution: str, resource: Resource, to: Cursor) -> None:
    """Write down how far it was read."""
    upsert(connection, table, [{"institution": institution, "resource": resource, **to._asdict()}])
