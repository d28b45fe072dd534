"""What people undid, as long as it counts; and who ended with a place that a plan ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, delete, select

from rosterflow.domain.rosters import Roster
from rosterflow.domain.undone import Undone
from rosterflow.store.bulk import upsert
from rosterflow.store.codec import roster_from_text, text_of, thing_from_text
from rosterflow.store.sealing import seal_of
from rosterflow.store.tables import ended_roster, undone


def load(connection: Connection, institution: str, sis_id: str | None = None) -> list[Undone]:
    """What is remembered of an institution, the oldest undo first.

    :param sis_id: of this object, or whole roster, only; by default everything.
    """
    query = select(undone).where(undone.c.institution == institution)
    if sis_id is not None:
        query = query.where(undone.c.sis_id == sis_id)
    seal = seal_of(connection)
    return [
        Undone(
            row.plan_id,
            thing_from_text(row.kind, row.was, seal),
            thing_from_text(row.kind, row.became, seal),
            date.fromisoformat(row.day),
            row.because,
        )
        for row in connection.execute(query.order_by(undone.c.plan_id, undone.c.kind, undone.c.sis_id, undone.c.part))
    ]


def remember(connection: Connection, institution: str, ones: Iterable[Undone]) -> None:
    """Write down what somebody undid."""
    seal = seal_of(connection)
    rows = (
        {
            "institution": institution,
            "kind": str(one.key.kind),
            "sis_id": one.key.sis_id,
            "part": one.part,
            "plan_id": one.plan_id,
            "was": text_of(one.was, seal),
            "became": text_of(one.became, seal),
            "day": one.on.isoformat(),
            "because": one.because,
        }
        for one in ones
    )
    upsert(connection, undone, rows)


def replace(connection: Connection, institution: str, ones: Iterable[Undone]) -> None:
    """Make what is remembered of an institution what is given."""
    connection.execute(delete(undone).where(undone.c.institution == institution))
    remember(connection, institution, ones)


def remember_ended(connection: Connection, institution: str, plan_id: int, rosters: Iterable[Roster]) -> None:
    """Write down who ended with a place that a plan ended, as they were before."""
    seal = seal_of(connection)
    rows = (
        {
            "institution": institution,
            "plan_id": plan_id,
            "kind": str(one.kind),
            "sis_id": one.whole.sis_id,
            "body": text_of(one, seal),
        }
        for one in rosters
    )
    upsert(connection, ended_roster, rows)


def ended_by(connection: Connection, institution: str, plan_id: int) -> tuple[Roster, ...]:
    """Who ended with a place that a plan ended, as they were before, roster by roster."""
    mine = (ended_roster.c.institution == institution) & (ended_roster.c.plan_id == plan_id)
    query = select(ended_roster.c.kind, ended_roster.c.body).where(mine).order_by(ended_roster.c.sis_id)
    seal = seal_of(connection)
    return tuple(roster_from_text(kind, body, seal) for kind, body in connection.execute(query))
