"""What happened to one person, and what was planned for them, out of events and plans that are about many."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, or_, select

from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import Action
from rosterflow.domain.rosters import Roster
from rosterflow.store.history import ID_CHANGED
from rosterflow.store.plans import ChangeState, StoredChange, changes_where
from rosterflow.store.tables import history, plan, plan_change, sis_import

OF_PEOPLE = (Kind.USER, Kind.ENROLLMENT, Kind.ADMIN)
RENAMING = (ChangeState.HELD, ChangeState.ALLOWED, ChangeState.SENT, ChangeState.CONFIRMED)
"""What became of a change of an id that a person may go by."""


class PlannedChange(NamedTuple):
    """A change that is about a person, among others.

    :param sent_at: when the plan's first import was sent, ``None`` when none was.
    """

    change: StoredChange
    plan_id: int
    planned_at: datetime
    sent_at: datetime | None


def events_about(connection: Connection, institution: str, person: str) -> list[Any]:
    """What happened to somebody as people are shown, and to the same under earlier ids, oldest first."""
    people = [person]
    for one in people:
        rows = _naming(connection, institution, one)
        people += [old for row in rows if row.event == ID_CHANGED and (old := row.detail.split()[0]) not in people]
    found = {row.id: row for one in people for row in _naming(connection, institution, one)}
    return [row for _, row in sorted(found.items())]


def _naming(connection: Connection, institution: str, person: str) -> list[Any]:
    query = select(history).where(
        history.c.institution == institution,
        history.c.kind.in_([str(kind) for kind in OF_PEOPLE]),
        history.c.detail.contains(person, autoescape=True),
    )
    rows = connection.execute(query.order_by(history.c.id)).all()
    return [row for row in rows if person in row.detail.split()]


def ids_of(connection: Connection, institution: str, user: str) -> frozenset[str]:
    """The SIS ids that a user goes by and went by in kept plans: the one given, and each that was to become it."""
    asked = (plan.c.id == plan_change.c.plan_id) & (plan.c.institution == institution)
    made = changes_where(connection, asked & _CHANGES_USERS_IDS, *RENAMING)
    pairs = [pair for one in made if isinstance(one.change.after, Roster) for pair in one.change.after.ids.items()]
    found = [user]
    for one in found:
        found += [old for old, new in pairs if new == one and old not in found]
    return frozenset(found)


def changes_about(connection: Connection, institution: str, rosters: Collection[Key], user: str) -> list[PlannedChange]:
    """The changes of kept plans that are about a person, oldest plan first.

    :param rosters: the whole rosters to look through, beside all changes of users' ids.
    """
    if not rosters:
        return []
    sent = func.min(sis_import.c.posting_at)
    query = select(plan.c.id, plan.c.made_at, sent).outerjoin(sis_import, sis_import.c.plan_id == plan.c.id)
    made = connection.execute(query.where(plan.c.institution == institution).group_by(plan.c.id).order_by(plan.c.id))
    named = [
        (plan_change.c.kind == str(kind)) & plan_change.c.sis_id.startswith(whole, autoescape=True)
        for kind, whole in sorted(rosters)
    ]
    return [
        PlannedChange(one, plan_id, planned_at, sent_at)
        for plan_id, planned_at, sent_at in made.all()
        for one in changes_where(connection, (plan_change.c.plan_id == plan_id) & or_(_CHANGES_USERS_IDS, *named))
        if isinstance(part := one.change.after, Roster) and (part.ids or part.whole in rosters)
        if user in part.members
    ]


_CHANGES_USERS_IDS = (plan_change.c.kind == Kind.USER) & (plan_change.c.action == Action.CHANGE_ID)
