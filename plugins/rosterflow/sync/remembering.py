"""Remembering what people undid, so that no sync does it again by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable
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
from rosterflow.store.runs import Run


def remember_undone(
    connection: Connection, institution: Institution, plan_id: int, confirmed: Iterable[Change], now: datetime
) -> None:
    """Inside the transaction that confirms changes: write down those of them that undo something."""
    mine = [change for change in confirmed if change.rule == UNDO]
    if not mine:
        return
    asked = _asked_by(connection, plan_id)
    _remember(connection, institution, plan_id, asked, mine, now)
    events = [
        Event(key_of(change.after), UNDONE, UNDO, change.reason)
        for change in mine
        if not isinstance(change.after, Roster)  # what happens to people is told person by person
    ]
    history.record(connection, institution.key, events, now, run_id=asked.id, plan_id=plan_id)


def remember_sent(
    connection: Connection, institution: Institution, plan_id: int, seqs: Collection[int], now: datetime
) -> None:
    """Inside the transaction that says that changes are sent: write down those that undo something.

    Should the sync be killed before it sees what came of them, Canvas may have done them all the same. What Canvas has
    not done nobody wants back, so it is forgotten again.
    """
    asked = _asked_by(connection, plan_id)
    if asked.mode == runs.UNDO:
        sent = [one.change for one in plans.changes(connection, plan_id) if one.seq in seqs]
        _remember(connection, institution, plan_id, asked, sent, now)


def _remember(
    connection: Connection, institution: Institution, plan_id: int, asked: Run, changes: Iterable[Change], now: datetime
) -> None:
    today, because = now.astimezone(institution.zone).date(), str(asked.counts["because"])
    found = [one for change in changes if (one := undone_by(change, plan_id, today, because))]
    undone.remember(connection, institution.key, found)


def _asked_by(connection: Connection, plan_id: int) -> Run:
    """The run in which somebody asked for an undo."""
    return runs.get_run(connection, plans.get_plan(connection, plan_id).run_id)
