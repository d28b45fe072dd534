"""Where each institution stands: first contact, last complete run, silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from rosterflow.store.bulk import upsert
from rosterflow.store.tables import institution


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an institution stands.

    :param based_at: when its base was taken from Canvas; ``None`` when it must be, before anything is planned.
    :param contacted_at: when its first plan was approved; until then everything is held.
    :param complete_at: when a run last saw everything and ended well.
    :param canvas: the Canvas that what is confirmed is true of; ``None`` before first contact and after `rebase`.
    :param account: SIS id of the institution's own account there.
    """

    based_at: datetime | None
    contacted_at: datetime | None
    complete_at: datetime | None
    first_seen_at: datetime
    silence_mailed_at: datetime | None
    canvas: str | None = None
    account: str | None = None


def standing(connection: Connection, key: str, now: datetime) -> Standing:
    """Where an institution stands; one never seen before is written down."""
    row = connection.execute(select(institution).where(institution.c.key == key)).mappings().first()
    if row is None:
        upsert(connection, institution, [{"key": key, "first_seen_at": now}], keep=("first_seen_at",))
        return Standing(None, None, None, now, None)
    return Standing(**{name: row[name] for name in Standing.__dataclass_fields__})


def mark(connection: Connection, key: str, **values: datetime | str | None) -> None:
    """Set some fields of :class:`Standing`."""
    connection.execute(update(institution).where(institution.c.key == key).values(**values))
