"""Questions a person asks of the store, answered for one institution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, select

from rosterflow.domain.confirmed import ConfirmedObject, Refusal
from rosterflow.domain.model import Key, Kind
from rosterflow.store.codec import from_text
from rosterflow.store.plans import ChangeState, StoredPlan, get_plan
from rosterflow.store.runs import UNDO
from rosterflow.store.tables import canvas_object, plan, plan_change, refusal, row_error, run


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What Canvas confirmed about an object, and when."""

    one: ConfirmedObject
    at: datetime


def confirmed_about(connection: Connection, institution: str, sis_id: str) -> list[Confirmed]:
    """What Canvas confirmed about the objects with a SIS id: a course and its section often share one."""
    query = select(canvas_object).where(canvas_object.c.institution == institution, canvas_object.c.sis_id == sis_id)
    return [
        Confirmed(
            ConfirmedObject(from_text(row.kind, row.body), frozenset(row.owned_by_canvas.split())),
            row.confirmed_at,
        )
        for row in connection.execute(query.order_by(canvas_object.c.kind))
    ]


def refusals_about(connection: Connection, institution: str, sis_id: str) -> dict[Key, Refusal]:
    """What Canvas refused about the objects with a SIS id, and when it is tried again."""
    query = select(refusal).where(refusal.c.institution == institution, refusal.c.sis_id == sis_id)
    return {
        Key(Kind(row.kind), row.sis_id): Refusal(row.fingerprint, row.attempts, row.not_before)
        for row in connection.execute(query.order_by(refusal.c.kind))
    }


def errors_about(connection: Connection, institution: str, subjects: Sequence[str]) -> Sequence[Any]:
    """Open row errors about some subjects: keys of objects, or rows of the source in its own words."""
    query = select(row_error).where(
        row_error.c.institution == institution, row_error.c.gone_at.is_(None), row_error.c.subject.in_(subjects)
    )
    return connection.execute(query.order_by(row_error.c.code, row_error.c.subject)).all()


def find_plan(
    connection: Connection,
    number: int | None,
    institution: str,
    state: ChangeState | None = None,
    *,
    of_source: bool = False,
) -> StoredPlan | None:
    """A plan by its number, or the newest of an institution; ``None`` when there is none.

    :param institution: empty when the number is enough.
    :param state: without a number, the newest plan with a change in this state.
    :param of_source: only a plan of what the source wants, none that undoes another one.
    """
    query = select(plan.c.id).order_by(plan.c.id.desc()).limit(1)
    if number is not None:
        query = query.where(plan.c.id == number)
    elif state is not None:
        query = query.where(exists().where(plan_change.c.plan_id == plan.c.id, plan_change.c.state == state))
    if institution:
        query = query.where(plan.c.institution == institution)
    if of_source:
        query = query.join(run, run.c.id == plan.c.run_id).where(run.c.mode != UNDO)
    found = connection.execute(query).scalar()
    return None if found is None else get_plan(connection, found)


def plan_before(connection: Connection, later: StoredPlan) -> int | None:
    """The number of the plan that an institution had before another one."""
    query = select(plan.c.id).where(plan.c.institution == later.institution, plan.c.id < later.id)
    return connection.execute(query.order_by(plan.c.id.desc()).limit(1)).scalar()
