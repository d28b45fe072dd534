"""Which changes of a plan go on, and which wait for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from rosterflow.domain.confirmed import World
from rosterflow.domain.guards import guard, needs_second_person
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import Action, Change, Plan, hash_of
from rosterflow.domain.sequence import Stalled
from rosterflow.store import approvals, history, institutions, plans, row_errors, runs
from rosterflow.store.approvals import Approval, ApprovalState, Asked
from rosterflow.store.engine import Store
from rosterflow.store.history import Event
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.store.runs import Run
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.runs import saw_all, verify_lease
from rosterflow.sync.worlds import world_of

Why = tuple[str, str]
"""Why a change is held: the guard's rule, and the reason for a person."""

SYSTEM = "rosterflow"
APPROVAL_HOLDS = timedelta(days=14)
"""For so long a later plan may carry out what was approved: longer than the longest back-off of a refused row."""
EVER = datetime(1970, 1, 1, tzinfo=UTC)
NO_LONGER = ("newer-plan", "a newer plan no longer contains it")
FOR_TWO = ("two-person", "asked again with others, for together they are too many for one person")
NOT_FOR_ITSELF = frozenset({"first-contact", "waits-for"})
"""Rules that hold a change because of something else, not because of what it is."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guards made of a plan.

    :param ask: id of the request for approval that a person must be asked about now, when there is a new one.
    """

    allowed: int
    held: int
    ask: int | None


@undisturbed
def guard_plan(store: Store, institution: Institution, run: Run, plan_id: int, now: datetime) -> Guarded:
    """Split a stored plan into what goes on and what is held; ask for approval of what is newly held.

    In a run that only plans, nothing is asked and nothing that waits is touched. Guarding a plan again changes nothing.
    """
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        planned = plans.changes(connection, plan_id)
        if not planned or any(one.state is ChangeState.PLANNED for one in planned):
            _split(connection, institution, run, plan_id, planned, now)
        held = plans.count(connection, plan_id, ChangeState.HELD)
        frozen = plans.count(connection, plan_id, ChangeState.FROZEN)
        allowed = sum(one.change.weight for one in planned) - held - frozen
        waiting = {"frozen": frozen} if frozen else {}
        runs.add_counts(connection, run.id, allowed=allowed, held=held, **waiting)
        return Guarded(allowed, held, _asked_by(connection, institution, plan_id))


def _split(
    connection: Connection,
    institution: Institution,
    run: Run,
    plan_id: int,
    planned: Sequence[StoredChange],
    now: datetime,
) -> None:
    first_contact = plans.get_plan(connection, plan_id).first_contact
    world = world_of(connection, institution) if planned else World()
    made = Plan(tuple(one.change for one in planned), unchanged=Counter())
    today = now.astimezone(institution.zone).date()
    verdict = guard(made, world, institution.guards, first_contact=first_contact, scope=run.scope, today=today)
    seq_of = {one.change.key: one.seq for one in planned}
    held = {seq_of[one.change.key]: (one.rule, one.reason) for one in verdict.held}
    frozen = {seq_of[one.change.key]: (one.rule, one.reason) for one in verdict.frozen}
    free = [one for one in planned if one.seq not in frozen]
    held |= _held_too(free, held, _remembered(connection, institution, free, world), world)
    plans.set_state(connection, plan_id, (one.seq for one in free if one.seq not in held), ChangeState.ALLOWED)
    plans.hold(connection, plan_id, held)
    plans.hold(connection, plan_id, frozen, ChangeState.FROZEN)
    if run.mode != "apply":
        return
    current = runs.get_run(connection, run.id)
    if first_contact and not planned and saw_all(institution, current):
        institutions.mark(connection, institution.key, contacted_at=now)
    waiting = [one for one in planned if one.seq in held]
    let_through = _let_approved_through(connection, institution, plan_id, waiting, world, now)
    left = [one for one in waiting if one.seq not in let_through]
    if current.counts.get("gaps") == 0 and not current.scope.is_partial:
        _withdraw(connection, institution, current, left, as_a_whole=first_contact, now=now)
        _withdraw_approved(connection, institution, current, planned, now)
    # Of all that is held, not of what is new: else a large removal could be approved bit by bit by one person.
    two_person = needs_second_person([one.change for one in waiting], world, institution.guards, run.scope)
    if two_person:
        _take_back_for_two(connection, institution, left, now)
    _ask(connection, institution, run, plan_id, left, two_person=two_person, now=now)


def _asked_or_rejected(connection: Connection, institution: Institution, since: datetime) -> dict[str, Asked]:
    """What a person is being asked about, or rejected since a moment."""
    rejected = approvals.rejected_since(connection, institution.key, since)
    return rejected | approvals.asked_about(connection, institution.key)


def _remembered(
    connection: Connection, institution: Institution, planned: Sequence[StoredChange], world: World
) -> dict[int, Why]:
    """What earlier days say must be held, by ``seq``, though what Canvas holds today does not show it.

    An account out of which things moved is not one in which nothing ever lay. And a removal that a person was asked
    about, and has not approved, does not become harmless because others like it were carried out meanwhile.
    """
    closing = {one.seq: _account_and_below(one.change.key, world) for one in planned if _closes_account(one.change)}
    left = history.moved_out_of(connection, institution.key, {account for line in closing.values() for account in line})
    found: dict[int, Why] = {
        seq: ("account-had-courses", f"Something lay in {line[0]} that moved elsewhere.")
        for seq, line in closing.items()
        if not left.isdisjoint(line)
    }
    asked = _asked_or_rejected(connection, institution, EVER)
    for one in planned if asked else ():
        before = asked.get(one.fingerprint)
        if before and before.rule not in NOT_FOR_ITSELF:
            found[one.seq] = (before.rule, before.reason)
    return found


def _closes_account(change: Change) -> bool:
    return change.kind is Kind.ACCOUNT and change.action is Action.DELETE


def _account_and_below(account: Key, world: World) -> list[str]:
    """The SIS ids of an account and of every account below it, deleted ones too."""
    line = [account]
    for above in line:
        line += [key for key in world.below(above) if key.kind is Kind.ACCOUNT and key not in line]
    return [key.sis_id for key in line]


def _held_too(
    planned: Sequence[StoredChange], held: Mapping[int, Why], more: Mapping[int, Why], world: World
) -> dict[int, Why]:
    """What else is held when ``more`` is, and what waits for that."""
    stalled = Stalled(world, [one.change for one in planned])
    found: dict[int, Why] = {}
    for one in planned if more else ():
        if one.seq not in held and one.seq in more:
            found[one.seq] = more[one.seq]
        elif one.seq not in held and (blocker := stalled.blocker(one.change)):
            found[one.seq] = ("waits-for", f"Waits for the held {blocker.action} of {blocker.key}.")
        if one.seq in held or one.seq in found:
            stalled.add(one.change)
    return found


def _let_approved_through(
    connection: Connection,
    institution: Institution,
    plan_id: int,
    held: Sequence[StoredChange],
    world: World,
    now: datetime,
) -> frozenset[int]:
    """Let through what a person approved with an earlier plan and what could not be carried out then.

    It is exactly what was shown, before and after, and waits for nothing that nobody approved.

    :returns: the ``seq`` of each.
    """
    approved = approvals.approved_since(connection, institution.key, now - APPROVAL_HOLDS)
    stalled = Stalled(world, [one.change for one in held])
    going: dict[int, list[int]] = {}
    for one in held if approved else ():
        asked = approved.get(one.fingerprint)
        if asked is None or stalled.blocker(one.change):
            stalled.add(one.change)
        else:
            going.setdefault(asked.request, []).append(one.seq)
    for request, seqs in going.items():
        plans.set_state(connection, plan_id, seqs, ChangeState.ALLOWED)
        approvals.hand_on(connection, request, plan_id, seqs)
    return frozenset(seq for seqs in going.values() for seq in seqs)


def _ask(
    connection: Connection,
    institution: Institution,
    run: Run,
    plan_id: int,
    held: Sequence[StoredChange],
    *,
    two_person: bool,
    now: datetime,
) -> None:
    """Ask a person about what is held and nobody was asked about lately."""
    asked = _asked_or_rejected(connection, institution, now - timedelta(days=institution.approval.ask_again_days))
    new: list[StoredChange] = []
    known: dict[int, list[int]] = {}
    for one in held:
        if one.fingerprint in asked:
            known.setdefault(asked[one.fingerprint].request, []).append(one.seq)
        else:
            new.append(one)
    for request, seqs in known.items():
        approvals.tie(connection, plan_id, seqs, request)
    if not new:
        return
    seqs = [one.seq for one in new]
    history.record_changes(connection, institution.key, plan_id, seqs, "held", now, run_id=run.id, guarded=True)
    approvals.ask(
        connection,
        institution.key,
        plan_id,
        seqs,
        hash_of(one.fingerprint for one in new),
        two_person=two_person,
        first_contact=plans.get_plan(connection, plan_id).first_contact,
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
    held: Sequence[StoredChange],
    *,
    as_a_whole: bool,
    now: datetime,
) -> None:
    """Take back requests for what a newer plan no longer contains: a complete one, about objects it speaks about."""
    wanted = {one.fingerprint for one in held}
    for request, waiting in _open_requests(connection, institution).items():
        gone = [
            one for one in waiting if one.fingerprint not in wanted and (as_a_whole or _speaks_about(run, one.change))
        ]
        if as_a_whole and request.hash != hash_of(one.fingerprint for one in held):
            gone = list(waiting)
        _take_back(connection, institution, request, gone, NO_LONGER, now)
        if gone and len(gone) == len(waiting):
            approvals.set_approval_state(connection, request.id, ApprovalState.WITHDRAWN, now)


def _withdraw_approved(
    connection: Connection, institution: Institution, run: Run, planned: Sequence[StoredChange], now: datetime
) -> None:
    """Take back what was approved and not carried out, and what a newer, complete plan no longer contains.

    Should it be wanted once more, then for another reason than the one that was approved.
    """
    wanted = {one.fingerprint for one in planned}
    if run.counts.get("waiting"):
        refused = row_errors.refusals(connection, institution.key).values()
        wanted |= {refusal.fingerprint for refusal in refused if refusal.not_before > now}
    approved = approvals.approved_since(connection, institution.key, now - APPROVAL_HOLDS)
    for number in sorted({asked.request for fingerprint, asked in approved.items() if fingerprint not in wanted}):
        request = approvals.get_approval(connection, number)
        left = approvals.not_carried_out(connection, number)
        gone = [one for one in left if one.fingerprint not in wanted and _speaks_about(run, one.change)]
        _take_back(connection, institution, request, gone, NO_LONGER, now)
        if request.state is ApprovalState.APPROVED and approvals.is_carried_out(connection, number):
            approvals.set_approval_state(connection, number, ApprovalState.WITHDRAWN, now)


def _speaks_about(run: Run, change: Change) -> bool:
    return run.scope.covers(change.before or change.after)


def _take_back_for_two(
    connection: Connection, institution: Institution, held: Sequence[StoredChange], now: datetime
) -> None:
    """Take back what one person was asked about, so that two are asked about it together with the rest."""
    together = {one.fingerprint for one in held}
    for request, waiting in _open_requests(connection, institution).items():
        again = [one for one in waiting if one.fingerprint in together and not request.two_person]
        _take_back(connection, institution, request, again, FOR_TWO, now)
        if again and len(again) == len(waiting):
            approvals.set_approval_state(connection, request.id, ApprovalState.WITHDRAWN, now)


def _take_back(
    connection: Connection,
    institution: Institution,
    request: Approval,
    some: Sequence[StoredChange],
    why: Why,
    now: datetime,
) -> None:
    if not some:
        return
    rule, reason = why
    approvals.withdraw(connection, request.id, (one.fingerprint for one in some))
    history.record(
        connection,
        institution.key,
        [Event(one.change.key, "withdrawn", rule, reason) for one in some],
        now,
        plan_id=request.plan_id,
    )
    history.record_act(
        connection,
        institution.key,
        actor=SYSTEM,
        act="withdrawn",
        reason=reason,
        now=now,
        plan_hash=request.hash,
        approval_id=request.id,
        detail=f"{len(some)} changes",
    )


def _open_requests(connection: Connection, institution: Institution) -> dict[Approval, Sequence[StoredChange]]:
    return {
        request: approvals.changes_of(connection, request, ChangeState.HELD)
        for request in approvals.in_state(connection, institution.key, ApprovalState.WAITING)
    }
