"""Which changes of a plan go on, and which wait for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rosterflow.domain.confirmed import World
from rosterflow.domain.guards import guard, needs_second_person
from rosterflow.domain.institution import Institution
from rosterflow.domain.plan import Plan, hash_of
from rosterflow.store import approvals, history, institutions, objects, plans, runs
from rosterflow.store.approvals import Approval, ApprovalState
from rosterflow.store.engine import Store
from rosterflow.store.history import Event
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.store.runs import Run
from rosterflow.sync.runs import verify_lease

SYSTEM = "rosterflow"


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guards made of a plan.

    :param ask: id of the request for approval that a person must be asked about now, when there is a new one.
    """

    allowed: int
    held: int
    ask: int | None


def guard_plan(store: Store, institution: Institution, run: Run, plan_id: int, now: datetime) -> Guarded:
    """Split a stored plan into what goes on and what is held; ask for approval of what is newly held.

    In a run that only plans, nothing is asked and nothing that waits is touched.
    """
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        stored = plans.get_plan(connection, plan_id)
        planned = plans.changes(connection, plan_id)
        world = World(objects.load(connection, institution.key))
        made = Plan(tuple(one.change for one in planned), unchanged=Counter())
        verdict = guard(made, world, institution.guards, first_contact=stored.first_contact)
        seq_of = {one.change.key: one.seq for one in planned}
        held = {seq_of[one.change.key]: (one.rule, one.reason) for one in verdict.held}
        plans.set_state(connection, plan_id, (s for s in seq_of.values() if s not in held), ChangeState.ALLOWED)
        plans.hold(connection, plan_id, held)
        ask = None
        if run.mode == "apply":
            if stored.first_contact and not planned:
                institutions.mark(connection, institution.key, contacted_at=now)
            waiting = plans.changes(connection, plan_id, ChangeState.HELD)
            _ask(connection, institution, run, plan_id, waiting, world, now)
            ask = _asked_by(connection, institution, plan_id)
        runs.add_counts(connection, run.id, allowed=len(planned) - len(held), held=len(held))
    return Guarded(len(planned) - len(held), len(held), ask)


def _ask(
    connection: Connection,
    institution: Institution,
    run: Run,
    plan_id: int,
    held: Sequence[StoredChange],
    world: World,
    now: datetime,
) -> None:
    first_contact = plans.get_plan(connection, plan_id).first_contact
    open_requests = _open_requests(connection, institution)
    _withdraw(connection, institution, run, open_requests, held, as_a_whole=first_contact, now=now)
    asked = _asked_already(connection, institution)
    rejected = approvals.rejected_since(
        connection, institution.key, now - timedelta(days=institution.approval.ask_again_days)
    )
    new: list[StoredChange] = []
    for one in held:
        fingerprint = one.change.fingerprint
        if fingerprint in asked:
            approvals.tie(connection, plan_id, [one.seq], asked[fingerprint])
        elif fingerprint in rejected:
            approvals.tie(connection, plan_id, [one.seq], rejected[fingerprint])
        else:
            new.append(one)
    if not new:
        return
    history.record(
        connection,
        institution.key,
        [Event(one.change.key, "held", one.guard_rule or "", one.guard_reason or "") for one in new],
        now,
        run_id=run.id,
        plan_id=plan_id,
    )
    changes = [one.change for one in new]
    approvals.ask(
        connection,
        institution.key,
        plan_id,
        [one.seq for one in new],
        hash_of(changes),
        two_person=needs_second_person(changes, world, institution.guards),
        first_contact=first_contact,
        now=now,
    )


def _asked_by(connection: Connection, institution: Institution, plan_id: int) -> int | None:
    """The request that a plan made; asking twice about it finds the same one."""
    waiting = approvals.in_state(connection, institution.key, ApprovalState.WAITING)
    return next((request.id for request in waiting if request.plan_id == plan_id), None)


def _withdraw(
    connection: Connection,
    institution: Institution,
    run: Run,
    open_requests: Mapping[Approval, Sequence[StoredChange]],
    held: Sequence[StoredChange],
    *,
    as_a_whole: bool,
    now: datetime,
) -> None:
    """Take back requests for what the newer plan no longer contains.

    Only a complete plan of the whole scope may say so, and only about objects that it speaks about.
    """
    current = runs.get_run(connection, run.id)
    if current.counts.get("gaps") or current.scope.is_partial:
        return
    wanted = {one.change.fingerprint for one in held}
    for request, waiting in open_requests.items():
        gone = [
            one
            for one in waiting
            if one.change.fingerprint not in wanted and _speaks_about(current, one, as_a_whole=as_a_whole)
        ]
        if as_a_whole and request.hash != hash_of(one.change for one in held):
            gone = list(waiting)
        if gone:
            _take_back(connection, institution, request, gone, now)
        if gone and len(gone) == len(waiting):
            approvals.set_approval_state(connection, request.id, ApprovalState.WITHDRAWN, now)


def _speaks_about(run: Run, one: StoredChange, *, as_a_whole: bool) -> bool:
    return as_a_whole or run.scope.covers(one.change.before or one.change.after)


def _take_back(
    connection: Connection, institution: Institution, request: Approval, gone: Sequence[StoredChange], now: datetime
) -> None:
    plans.set_state(connection, request.plan_id, [one.seq for one in gone], ChangeState.WITHDRAWN)
    history.record(
        connection,
        institution.key,
        [Event(one.change.key, "withdrawn", "newer-plan", "a newer plan no longer contains it") for one in gone],
        now,
        plan_id=request.plan_id,
    )
    history.record_act(
        connection,
        institution.key,
        actor=SYSTEM,
        act="withdrawn",
        reason="a newer plan no longer contains it",
        now=now,
        plan_hash=request.hash,
        approval_id=request.id,
        detail=f"{len(gone)} changes",
    )


def _open_requests(connection: Connection, institution: Institution) -> dict[Approval, Sequence[StoredChange]]:
    return {
        request: approvals.changes_of(connection, request, ChangeState.HELD)
        for request in approvals.in_state(connection, institution.key, ApprovalState.WAITING)
    }


def _asked_already(connection: Connection, institution: Institution) -> dict[str, int]:
    return {
        one.change.fingerprint: request.id
        for request, waiting in _open_requests(connection, institution).items()
        for one in waiting
    }
