"""Whom to ask about what a plan holds, and which questions to take back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rosterflow.domain.confirmed import World
from rosterflow.domain.guards import MAY_TAKE, needs_second_person
from rosterflow.domain.institution import Institution, Tenant
from rosterflow.domain.plan import REMOVALS, Action, hash_of
from rosterflow.domain.rosters import Roster
from rosterflow.domain.sequence import Stalled
from rosterflow.domain.snapshot import Snapshot
from rosterflow.store import approvals, history, plans, row_errors, runs
from rosterflow.store.approvals import Approval, ApprovalState
from rosterflow.store.history import Event
from rosterflow.store.plans import ChangeState, StoredChange, StoredPlan
from rosterflow.store.runs import Run

SYSTEM = "rosterflow"
APPROVAL_HOLDS = timedelta(days=14)
"""For so long a later plan may carry out what was approved: longer than the longest back-off of a refused row."""
OVERDUE = timedelta(days=1)
"""A request whose two time-outs passed this long ago reached nobody: whoever should have asked was killed."""

Why = tuple[str, str]
"""A rule, and a reason for a person."""

NO_LONGER = ("newer-plan", "a newer plan no longer contains it")
FOR_TWO = ("two-person", "asked again with others, for together they are too many for one person")
ASKED_ANEW = ("undo", "asked anew: somebody wants the same undone once more")
NO_ANSWER = ("no-answer", "asked again, for no answer that counts has come")


@dataclass(frozen=True, slots=True)
class Matter:
    """A plan about which people may have to be asked, inside the transaction that guards it.

    :param planned: all its changes.
    :param world: what Canvas confirmed.
    """

    connection: Connection
    institution: Tenant
    run: Run
    plan: StoredPlan
    planned: Sequence[StoredChange]
    world: World
    now: datetime

    @property
    def is_whole(self) -> bool:
        """Whether the run saw, without a gap, all that its scope holds: what its plan lacks is no longer wanted."""
        return self.run.counts.get("gaps") == 0 and not self.run.scope.is_partial

    def open_requests(self) -> dict[Approval, Sequence[StoredChange]]:
        """The requests that can be answered, each with what it still asks about."""
        return _open_requests(self.connection, self.institution)


def see_to_questions(matter: Matter, held: Sequence[StoredChange]) -> None:
    """Let go on what was approved before, take back what nobody wants any more, and ask about the rest.

    :param held: the changes that the guards, or earlier days, hold.
    """
    left = _let_approved_through(matter, held)
    if matter.plan.first_contact and matter.open_requests() and not matter.is_whole:
        return  # a first contact is asked about as a whole, and this plan is not
    if matter.is_whole:
        _withdraw(matter, left)
        _withdraw_approved(matter)
    # Of all that is held, not of what is new: else a large removal could be approved bit by bit by one person.
    two_person = _needs_second_person(matter, held)
    _take_back_to_ask_anew(matter, left, two_person=two_person)
    _ask(matter, left, two_person=two_person)


def ask_about_undo(matter: Matter, held: Sequence[StoredChange]) -> int:
    """Ask about a plan that undoes another one, all of it; an older question about the same undo is taken back.

    :returns: the request's id.
    """
    connection, key = matter.connection, matter.institution.key
    older = approvals.undo_requests(connection, key)
    for request in approvals.in_state(connection, key, *approvals.OPEN):
        if request.id in older and _undoes(connection, request) == matter.run.counts["undoes"]:
            waiting = approvals.changes_of(connection, request, ChangeState.HELD)
            _take_back(connection, matter.institution, request, waiting, waiting, ASKED_ANEW, matter.now)
    return _put(matter, held, two_person=_needs_second_person(matter, held))


def _needs_second_person(matter: Matter, held: Sequence[StoredChange]) -> bool:
    taking = [one.change for one in held if one.action in MAY_TAKE]
    return needs_second_person(taking, matter.world, matter.institution.guards, matter.run.scope, matter.now)


def _undoes(connection: Connection, request: Approval) -> object:
    """The plan that a request is about undoing."""
    run_id = plans.get_plan(connection, request.plan_id).run_id
    return runs.get_run(connection, run_id).counts.get("undoes")


def withdraw_wanted(connection: Connection, institution: Institution, read: Snapshot, now: datetime) -> None:
    """Take back what rests on the absence of what the source has: no run need be complete to see that.

    :param read: what a run read.
    """

    def is_refuted(one: StoredChange) -> bool:
        if one.action not in REMOVALS and one.action is not Action.CHANGE_ID:
            return False
        change = one.change
        if isinstance(change.after, Roster):
            wanted = read.rosters.get(change.after.whole)
            return wanted is not None and not wanted.roster.members.keys().isdisjoint(change.after.members)
        return change.key in read.objects and change.key not in read.untouchable

    for request, waiting in _open_requests(connection, institution).items():
        _take_back(connection, institution, request, waiting, filter(is_refuted, waiting), NO_LONGER, now)
    _take_back_approved(connection, institution, is_refuted, now)


def _let_approved_through(matter: Matter, held: Sequence[StoredChange]) -> list[StoredChange]:
    """Let through what a person approved with an earlier plan and what could not be carried out then.

    It is exactly what was shown, before and after, and waits for nothing that nobody approved. What no guard holds any
    more is carried out by this plan too, so the request need not wait for it.

    :returns: what is left of what is held.
    """
    approved = {
        one.fingerprint: one.approval_id
        for one in approvals.approved_since(matter.connection, matter.institution.key, matter.now - APPROVAL_HOLDS)
    }
    if not approved:
        return list(held)
    stalled = Stalled(matter.world, [one.change for one in held])
    waits = {one.seq for one in held}
    going: dict[int, list[int]] = {}
    left: list[StoredChange] = []
    for one in matter.planned:
        request = approved.get(one.fingerprint)
        if request is not None and (one.seq not in waits or not stalled.blocker(one.change)):
            going.setdefault(request, []).append(one.seq)
        elif one.seq in waits:
            stalled.add(one.change)
            left.append(one)
    for request, seqs in going.items():
        plans.set_state(matter.connection, matter.plan.id, seqs, ChangeState.ALLOWED)
        approvals.hand_on(matter.connection, request, matter.plan.id, seqs)
    return left


def _withdraw(matter: Matter, left: Sequence[StoredChange]) -> None:
    """Take back what a newer plan no longer contains; a first contact, which is asked as a whole, altogether."""
    wanted = {one.fingerprint for one in left}
    for request, waiting in matter.open_requests().items():
        gone = [one for one in waiting if one.fingerprint not in wanted and _speaks_about(matter.run, one)]
        if matter.plan.first_contact:
            gone = [] if request.hash == hash_of(wanted) else list(waiting)
        _take_back(matter.connection, matter.institution, request, waiting, gone, NO_LONGER, matter.now)


def _withdraw_approved(matter: Matter) -> None:
    """Take back what was approved and not carried out, and what a newer plan no longer contains.

    Should it be wanted once more, then for another reason than the one that was approved.
    """
    wanted = {one.fingerprint for one in matter.planned}
    if matter.run.counts.get("waiting"):
        refused = row_errors.refusals(matter.connection, matter.institution.key).values()
        wanted |= {refusal.fingerprint for refusal in refused if refusal.not_before > matter.now}

    def is_gone(one: StoredChange) -> bool:
        return one.fingerprint not in wanted and _speaks_about(matter.run, one)

    _take_back_approved(matter.connection, matter.institution, is_gone, matter.now)


def _speaks_about(run: Run, one: StoredChange) -> bool:
    return run.scope.covers(one.change.before or one.change.after)


def _take_back_to_ask_anew(matter: Matter, left: Sequence[StoredChange], *, two_person: bool) -> None:
    """Take back what the new question asks about too: two are needed now, or no answer came, or none that counts."""
    fingerprints = {one.fingerprint for one in left}
    patience = timedelta(hours=2 * matter.institution.approval.timeout_hours) + OVERDUE
    for request, waiting in matter.open_requests().items():
        if two_person and not request.two_person:
            why = FOR_TWO
        elif request.state is ApprovalState.INVALID or request.asked_at + patience < matter.now:
            why = NO_ANSWER
        else:
            continue
        again = [one for one in waiting if one.fingerprint in fingerprints]
        _take_back(matter.connection, matter.institution, request, waiting, again, why, matter.now)


def _ask(matter: Matter, left: Sequence[StoredChange], *, two_person: bool) -> None:
    """Ask a person about what is held and nobody was asked about lately; a first contact as a whole or not at all."""
    connection, plan = matter.connection, matter.plan
    known = _known_as_a_whole(matter, left) if plan.first_contact else _known(matter, left)
    tied: dict[int, list[int]] = {}
    for seq, request in known.items():
        tied.setdefault(request, []).append(seq)
    for request, seqs in tied.items():
        approvals.tie(connection, plan.id, seqs, request)
    new = [one for one in left if one.seq not in known]
    if new:
        _put(matter, new, two_person=two_person)


def _put(matter: Matter, new: Sequence[StoredChange], *, two_person: bool) -> int:
    """Put a question about held changes of a plan.

    :returns: the request's id.
    """
    connection, key, plan = matter.connection, matter.institution.key, matter.plan
    seqs = [one.seq for one in new]
    history.record_changes(connection, key, plan.id, seqs, "held", matter.now, run_id=matter.run.id, guarded=True)
    return approvals.ask(
        connection,
        key,
        plan.id,
        seqs,
        hash_of(one.fingerprint for one in new),
        two_person=two_person,
        first_contact=plan.first_contact,
        now=matter.now,
    )


def _known(matter: Matter, left: Sequence[StoredChange]) -> dict[int, int]:
    """By ``seq``, the request by which a person is being asked about a change, or has lately rejected it."""
    connection, key = matter.connection, matter.institution.key
    rejected = {one.change.aim: one.approval_id for one in approvals.rejected_since(connection, key, _lately(matter))}
    waiting = {one.fingerprint: one.approval_id for one in approvals.asked_about(connection, key)}
    found = {one.seq: waiting.get(one.fingerprint) or rejected.get(one.change.aim) for one in left}
    return {seq: request for seq, request in found.items() if request is not None}


def _known_as_a_whole(matter: Matter, left: Sequence[StoredChange]) -> dict[int, int]:
    """The same of a first contact: one request asks about all of it, or about nothing of it."""
    connection, key = matter.connection, matter.institution.key
    whole = hash_of(one.fingerprint for one in left)
    waiting = approvals.in_state(connection, key, *approvals.OPEN)
    rejected = approvals.in_state(connection, key, *approvals.REFUSED)
    lately = [one for one in rejected if one.decided_at and one.decided_at > _lately(matter)]
    same = [request.id for request in (*lately, *waiting) if request.hash == whole]
    return {one.seq: same[-1] for one in left} if same else {}


def _lately(matter: Matter) -> datetime:
    return matter.now - timedelta(days=matter.institution.approval.ask_again_days)


def _open_requests(connection: Connection, institution: Tenant) -> dict[Approval, Sequence[StoredChange]]:
    """Those about what the source wants: what a person wants undone no newer plan can refute."""
    undos = approvals.undo_requests(connection, institution.key)
    return {
        request: approvals.changes_of(connection, request, ChangeState.HELD)
        for request in approvals.in_state(connection, institution.key, *approvals.OPEN)
        if request.id not in undos
    }


def _take_back_approved(
    connection: Connection, institution: Tenant, is_gone: Callable[[StoredChange], bool], now: datetime
) -> None:
    """Take back some of what was approved and not carried out."""
    approved = approvals.approved_since(connection, institution.key, now - APPROVAL_HOLDS)
    gone = {one.approval_id for one in approved if one.approval_id and is_gone(one)}
    for number in sorted(gone - approvals.undo_requests(connection, institution.key)):
        request = approvals.get_approval(connection, institution.key, number)
        left = approvals.not_carried_out(connection, number)
        _take_back(connection, institution, request, (), filter(is_gone, left), NO_LONGER, now)
        if request.state is ApprovalState.APPROVED and approvals.is_carried_out(connection, number):
            approvals.set_approval_state(connection, number, ApprovalState.WITHDRAWN, now)


def _take_back(
    connection: Connection,
    institution: Tenant,
    request: Approval,
    waiting: Sequence[StoredChange],
    some: Iterable[StoredChange],
    why: Why,
    now: datetime,
) -> None:
    """Take back some of what a request asked for, and the request itself when nothing waits any more.

    :param waiting: what it still asks about.
    """
    gone = list(some)
    if not gone:
        return
    rule, reason = why
    approvals.withdraw(connection, request.id, (one.fingerprint for one in gone))
    if len(gone) == len(waiting):
        approvals.set_approval_state(connection, request.id, ApprovalState.WITHDRAWN, now)
    events = [Event(one.key, "withdrawn", rule, reason) for one in gone]
    history.record(connection, institution.key, events, now, plan_id=request.plan_id)
    history.record_act(
        connection,
        institution.key,
        actor=SYSTEM,
        act="withdrawn",
        reason=reason,
        now=now,
        plan_hash=request.hash,
        approval_id=request.id,
        detail=f"{sum(one.weight for one in gone)} changes",
    )
