"""Remembering what people undid, when Canvas has confirmed it, so that no sync does it again by itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from rosterflow.domain.institution import Institution
from rosterflow.domain.model import key_of
from rosterflow.domain.plan import Change
from rosterflow.domain.rosters import Roster
from rosterflow.domain.undo import UNDO
from rosterflow.domain.undone import UNDONE, undone_by
from rosterflow.store import history, plans, runs, undone
from rosterflow.store.history import Event


def remember_undone(
    connection: Connection, institution: Institution, plan_id: int, confirmed: Iterable[Change], now: datetime
) -> None:
    """Inside the transaction that confirms changes: write down those of them that undo something."""
    mine = [change for change in confirmed if change.rule == UNDO]
    if not mine:
        return
    asked = runs.get_run(connection, plans.get_plan(connection, plan_id).run_id)
    today, because = now.astimezone(institution.zone).date(), str(asked.counts["because"])
    found = [one for change in mine if (one := undone_by(change, plan_id, today, because))]
    undone.remember(connection, institution.key, found)
    events = [
        Event(key_of(change.after), UNDONE, UNDO, change.reason)
        for change in mine
        if not isinstance(change.after, Roster)  # what happens to people is told person by person
    ]
    history.record(connection, institution.key, events, now, run_id=asked.id, plan_id=plan_id)
