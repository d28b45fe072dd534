"""Undoing a plan that was applied: its inverse becomes a plan of its own, held, approved and sent as any other.

Nothing is sent here. What the undo cannot bring back is kept with the run that planned it, so that the question to a
person can tell it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.institution import Institution
from rosterflow.domain.losses import HARMLESS, Loss
from rosterflow.domain.plan import Plan
from rosterflow.domain.undo import UNDO, Applied, Ground, Inverse, undo
from rosterflow.store import history, looking, plans, runs, undone
from rosterflow.store.engine import Store
from rosterflow.store.plans import ChangeState
from rosterflow.store.runs import Run, RunState
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.guarding import hold_undo
from rosterflow.sync.reconciling import canvas_as_it_is
from rosterflow.sync.reported import others_in
from rosterflow.sync.runs import verify_lease
from rosterflow.sync.worlds import world_of

CONFIRMED = (ChangeState.CONFIRMED, ChangeState.OWNED)
MOST_LOSSES = 500
"""So many are kept with the run; whoever asks for the undo sees all of them."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """An undo that was planned.

    :param plan_id: the plan that undoes; ``None`` when there is nothing to undo.
    :param request: the request for approval that waits for a person.
    """

    inverse: Inverse
    plan_id: int | None = None
    request: int | None = None


def inverse_of(store: Store, institution: Institution, number: int, report: bytes, *, reason: str) -> Inverse:
    """What would undo a plan; changes nothing.

    :param number: the plan that was applied.
    :param report: Canvas's provisioning report of :func:`~rosterflow.sync.reported.kinds_for_undo`.
    :raises FatalError: ``plan-unknown`` when the institution has no such plan.
    """
    with store.begin() as connection:
        return _inverse(connection, institution, number, report, reason)


@undisturbed
def plan_undo(
    store: Store,
    institution: Institution,
    run: Run,
    number: int,
    report: bytes,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> Undoing:
    """Plan the inverse of a plan, hold all of it, and ask a person.

    :param run: must be the one writer, so that nothing is sent meanwhile; it becomes one that undoes.
    :param actor: who asks for it, for the audit.
    :raises FatalError: as :func:`inverse_of`.
    """
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        inverse = _inverse(connection, institution, number, report, reason)
        if not inverse.changes:
            return Undoing(inverse)
        runs.note(connection, run.id, mode=runs.UNDO, state=RunState.PLANNED)
        told = [msgspec.to_builtins(loss) for loss in inverse.losses[:MOST_LOSSES]]
        runs.add_counts(connection, run.id, undoes=number, because=reason, by=actor, losses=told)
        made = Plan(inverse.changes, Counter())
        plan_id = plans.save_plan(connection, institution.key, run.id, made, first_contact=False, now=now)
        request = hold_undo(connection, institution, runs.get_run(connection, run.id), plan_id, now)
        history.record_act(
            connection,
            institution.key,
            actor=actor,
            act=UNDO,
            reason=reason,
            now=now,
            plan_hash=made.hash,
            approval_id=request,
            detail=f"plan {number}: {len(inverse.changes)} changes, {len(serious(inverse.losses))} losses",
        )
    return Undoing(inverse, plan_id, request)


def serious(losses: tuple[Loss, ...]) -> list[Loss]:
    """The losses to think about: without what was never done, or is as it was."""
    return [loss for loss in losses if loss.why not in HARMLESS]


def losses_of(counts: Mapping[str, Any]) -> tuple[Loss, ...]:
    """The losses that were kept with a run that undoes."""
    return tuple(msgspec.convert(one, Loss) for one in counts.get("losses", ()))


def _inverse(connection: Connection, institution: Institution, number: int, report: bytes, reason: str) -> Inverse:
    if looking.find_plan(connection, number, institution.key) is None:
        raise FatalError(Code.PLAN_UNKNOWN, f"{institution.key} has no plan {number}.")
    actual, _ = canvas_as_it_is(institution, report)
    ground = Ground(world_of(connection, institution), actual, others_in(institution, report))
    planned = plans.changes(connection, number)
    applied = Applied(
        tuple(one.change for one in planned if one.state in CONFIRMED),
        tuple(one.change for one in planned if one.state not in CONFIRMED),
        undone.ended_by(connection, institution.key, number),
    )
    return undo(applied, ground, f"Undoes plan {number}: {reason}")
