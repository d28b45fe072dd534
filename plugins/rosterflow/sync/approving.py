"""A person's decision about held changes: what is shown, who may answer, and what may still be sent (issue 2 §2.5).

Airflow's own API checks neither the comment nor who answers, so everything is checked here again, under the writer
lease and against what Canvas confirmed by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import attrgetter

from sqlalchemy import Connection

from rosterflow.domain.errors import Code, NeedsPerson
from rosterflow.domain.guards import stale
from rosterflow.domain.institution import Institution, Tenant
from rosterflow.domain.plan import hash_of
from rosterflow.domain.sequence import Stalled
from rosterflow.store import approvals, history, imports, institutions, plans, runs
from rosterflow.store.approvals import Approval, ApprovalState
from rosterflow.store.engine import Store
from rosterflow.store.history import Event
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.store.runs import Run
from rosterflow.sync.asking import SYSTEM
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.runs import saw_all, verify_lease
from rosterflow.sync.worlds import world_of

APPROVE = "Approve"
NOBODY = "time-out"
LEFT_OUT = (ChangeState.HELD, ChangeState.STALE, ChangeState.WITHDRAWN, ChangeState.REJECTED)
"""What became of a change that was not approved, or too late."""
SETTLED = {
    ApprovalState.WITHDRAWN: "It was withdrawn: a newer plan no longer contains it, or asks anew.",
    ApprovalState.REJECTED: "It was rejected already.",
    ApprovalState.TIMED_OUT: "Its time was up.",
    ApprovalState.STALE: "It was no longer as it was shown.",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answered.

    :param chosen: ``Approve`` or ``Reject``.
    :param user: the person's id as Airflow gives it.
    :param timed_out: whether nobody answered in time.
    """

    chosen: str
    comment: str
    user: str
    timed_out: bool = False


TooLate = Callable[["Book", Sequence[StoredChange]], Mapping[int, str]]
"""Says which approved changes may not be sent, by ``seq``, each with the reason."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about a request.

    :param approved: how many changes may be sent now; those of people are counted by person.
    :param stale: how many were approved too late, because Canvas is no longer as it was shown.
    :param withdrawn: how many a newer plan had taken back.
    """

    state: ApprovalState
    approved: int = 0
    stale: int = 0
    withdrawn: int = 0


@undisturbed
def decide(
    store: Store, institution: Institution, run: Run, approval_id: int, answers: Sequence[Answer], now: datetime
) -> Verdict:
    """Carry out what people answered: the changes that may be sent become allowed, the others say why not.

    Deciding again, after a killed try, finds what was decided, and sees again whether Canvas is as it was shown.

    :param run: the run that will send them; it holds the writer lease.
    :param answers: the first person's, and the second's where two are needed.
    :raises FatalError: ``request-unknown`` when the institution has no such request.
    :raises NeedsPerson: ``approval-invalid`` when an answer does not count; it can be given again.
    """
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        book = Book(
            connection, institution, approvals.get_approval(connection, institution.key, approval_id), run.id, now
        )
        answered = answer(book, answers, partial(_too_late, institution))
    return counting(book, answered)


def answer(book: Book, answers: Sequence[Answer], too_late: TooLate) -> Verdict | str:
    """Inside a transaction: carry out what people answered, or say why the answers do not count.

    :param too_late: which approved changes may not be sent any more.
    """
    shown = approvals.changes_of(book.connection, book.request)
    if book.request.state in approvals.GIVEN:
        return _again(book, shown, too_late)
    if book.request.state in SETTLED:
        book.act(_people(answers), "refused", SETTLED[book.request.state])
        return _verdict(book.request.state, shown)
    problem = _problem(book.institution, book.request, shown, answers)
    if not problem:
        return _carry_out(book, shown, answers, too_late)
    book.act(_people(answers), "refused", problem)
    approvals.set_approval_state(book.connection, book.request.id, ApprovalState.INVALID, book.now)
    return problem


def counting(book: Book, answered: Verdict | str) -> Verdict:
    """What was decided, once it is written down.

    :raises NeedsPerson: ``approval-invalid`` when an answer does not count; it can be given again.
    """
    if isinstance(answered, Verdict):
        return answered
    raise NeedsPerson(Code.APPROVAL_INVALID, f"{book.institution.key}: request {book.request.id}: {answered}")


def conclude(store: Store, institution: Institution, approval_id: int, now: datetime) -> None:
    """Write down that what was approved has been carried out, when it has.

    :raises FatalError: ``request-unknown`` when the institution has no such request.
    """
    with store.begin() as connection:
        conclude_request(connection, institution, approval_id, now)


def conclude_request(connection: Connection, institution: Institution, approval_id: int, now: datetime) -> None:
    """Inside a transaction: close an approved request of which nothing is left to send or to confirm."""
    request = approvals.get_approval(connection, institution.key, approval_id)
    if request.state is ApprovalState.APPROVED and approvals.is_carried_out(connection, approval_id):
        approvals.set_approval_state(connection, approval_id, ApprovalState.APPLIED, now)


def _carry_out(book: Book, shown: Sequence[StoredChange], answers: Sequence[Answer], too_late: TooLate) -> Verdict:
    waiting = [one for one in shown if one.state is ChangeState.HELD]
    needed = answers[:2] if book.request.two_person else answers[:1]
    if any(answer.timed_out for answer in needed):
        book.close(ApprovalState.TIMED_OUT, ChangeState.REJECTED, waiting, "timed out")
        book.act([NOBODY], NOBODY, "Nobody answered in time.")
        return _verdict(ApprovalState.TIMED_OUT, shown)
    if rejections := [answer for answer in needed if answer.chosen != APPROVE]:
        book.close(ApprovalState.REJECTED, ChangeState.REJECTED, waiting, "rejected")
        book.act([rejections[0].user], "reject", rejections[0].comment)
        return _verdict(ApprovalState.REJECTED, shown)
    return _approve(book, shown, waiting, needed, too_late(book, waiting))


def _approve(
    book: Book,
    shown: Sequence[StoredChange],
    waiting: Sequence[StoredChange],
    answers: Sequence[Answer],
    too_late: Mapping[int, str],
) -> Verdict:
    going = [one for one in waiting if one.seq not in too_late]
    late = [one for one in waiting if one.seq in too_late]
    state = ApprovalState.APPROVED if going else ApprovalState.STALE
    made = Verdict(state, _weigh(going), _weigh(late), _weigh(shown, ChangeState.WITHDRAWN))
    book.close(state, ChangeState.ALLOWED, going, "approved")
    detail = f"{made.approved} changes approved, {made.stale} refused as stale, {made.withdrawn} withdrawn before"
    for answer in answers:
        book.act([answer.user], "approve", answer.comment, detail)
    book.refuse(waiting, too_late)
    book.end_first_contact()
    return made


def _again(book: Book, shown: Sequence[StoredChange], too_late: TooLate) -> Verdict:
    """What was approved by an earlier try; what it never began to send may be too late by now."""
    plan_id, number = book.request.plan_id, book.request.id
    begun = {
        seq
        for part in (1, 2)
        if (one := imports.import_of(book.connection, plan_id, number, part))
        for seqs in one.rows.values()
        for seq in seqs
    }
    unsent = [one for one in shown if one.state is ChangeState.ALLOWED and one.seq not in begun]
    late = too_late(book, unsent) if unsent else {}
    book.refuse(unsent, late)
    verdict = _verdict(ApprovalState.APPROVED, approvals.changes_of(book.connection, book.request))
    if late and not verdict.approved:
        approvals.set_approval_state(book.connection, number, ApprovalState.STALE, book.now)
    return verdict


def _too_late(institution: Institution, book: Book, waiting: Sequence[StoredChange]) -> dict[int, str]:
    """Approved changes that may not be sent, by ``seq``, each with the reason.

    Nothing may while the base is about to be read anew, and nothing that another run sent and nobody confirmed.
    """
    connection, key = book.connection, book.institution.key
    others = plans.changes_of_others(connection, book.request.plan_id, book.request.id, ChangeState.HELD)
    world = world_of(connection, institution, [one.change for one in (*waiting, *others)])
    if institutions.standing(connection, key, book.now).based_at is None:
        return {one.seq: "What Canvas has must be read again first." for one in waiting}
    unsettled = plans.unsettled(connection, key)
    outdated = {change.key for change in stale([one.change for one in waiting], world)}
    held = sorted((*waiting, *others), key=attrgetter("seq"))
    stalled = Stalled(world, [one.change for one in held])
    ours = {one.seq for one in waiting}
    reasons: dict[int, str] = {}
    for one in held:
        change = one.change
        if one.seq not in ours:
            if not stale([change], world):
                stalled.add(change)
        elif one.key in outdated or one.key in unsettled:
            reasons[one.seq] = "Canvas is no longer as it was shown."
        elif blocker := stalled.blocker(change):
            reasons[one.seq] = f"It cannot go ahead without the {blocker.action} of {blocker.key}."
        if one.seq in reasons:
            stalled.add(change)
    return reasons


def _problem(institution: Tenant, request: Approval, shown: Sequence[StoredChange], answers: Sequence[Answer]) -> str:
    """Why the answers do not count, ``""`` when they do."""
    if hash_of(one.change.fingerprint for one in shown) != request.hash:
        return "The changes are not the ones that were shown."
    if not answers:
        return "There is no answer."
    first = answers[0]
    if problem := _problem_of(institution, first):
        return problem
    if not request.two_person or first.timed_out or first.chosen != APPROVE:
        return ""
    if len(answers) < 2:
        return "A second person must answer too."
    second = answers[1]
    if not second.timed_out and second.user == first.user:
        return "The second person must be another one than the first."
    return _problem_of(institution, second)


def _problem_of(institution: Tenant, answer: Answer) -> str:
    if answer.timed_out:
        return ""
    if institution.approval.approvers and answer.user not in institution.approval.approvers:
        return "Whoever answered is not among the approvers."
    return "" if answer.comment.strip() else "The comment is missing."


def _people(answers: Iterable[Answer]) -> list[str]:
    return [NOBODY if answer.timed_out else answer.user for answer in answers] or [NOBODY]


def _verdict(state: ApprovalState, shown: Iterable[StoredChange]) -> Verdict:
    shown = list(shown)
    return Verdict(
        state,
        approved=_weigh(one for one in shown if one.state not in LEFT_OUT),
        stale=_weigh(shown, ChangeState.STALE),
        withdrawn=_weigh(shown, ChangeState.WITHDRAWN),
    )


def _weigh(ones: Iterable[StoredChange], state: ChangeState | None = None) -> int:
    """How many objects, and people in a role, some changes are about; by default in whatever state."""
    return sum(one.weight for one in ones if state in (None, one.state))


@dataclass(frozen=True, slots=True)
class Book:
    """One decision's bookkeeping, inside its transaction."""

    connection: Connection
    institution: Tenant
    request: Approval
    run_id: int
    now: datetime

    def close(self, state: ApprovalState, of_changes: ChangeState, ones: Sequence[StoredChange], event: str) -> None:
        """Close the request, with what became of its changes."""
        approvals.set_approval_state(self.connection, self.request.id, state, self.now)
        plans.set_state(self.connection, self.request.plan_id, [one.seq for one in ones], of_changes)
        history.record_changes(
            self.connection,
            self.institution.key,
            self.request.plan_id,
            [one.seq for one in ones],
            event,
            self.now,
            run_id=self.run_id,
            guarded=True,
        )

    def end_first_contact(self) -> None:
        """End the institution's first contact when a plan of everything was approved, and nothing of it left out."""
        plan = plans.get_plan(self.connection, self.request.plan_id)
        run, institution = runs.get_run(self.connection, plan.run_id), self.institution
        if not self.request.first_contact or not isinstance(institution, Institution) or not saw_all(institution, run):
            return
        if not any(plans.count(self.connection, plan.id, state) for state in LEFT_OUT):
            institutions.mark(self.connection, self.institution.key, contacted_at=self.now)

    def refuse(self, approved: Sequence[StoredChange], reasons: Mapping[int, str]) -> None:
        """Leave out those changes that were approved too late, each with its reason by ``seq``."""
        if not reasons:
            return
        plan_id = self.request.plan_id
        late = [one for one in approved if one.seq in reasons]
        plans.set_state(self.connection, plan_id, reasons, ChangeState.STALE, reasons)
        events = [Event(one.key, "stale", one.guard_rule or "", reasons[one.seq]) for one in late]
        history.record(self.connection, self.institution.key, events, self.now, run_id=self.run_id, plan_id=plan_id)
        what = "Canvas" if isinstance(self.institution, Institution) else "The college"
        self.act([SYSTEM], "refused", f"{what} is no longer as it was shown.", f"{_weigh(late)} changes")

    def act(self, people: Iterable[str], act: str, reason: str, detail: str = "") -> None:
        """Write into the audit who decided what, and why."""
        for person in people:
            history.record_act(
                self.connection,
                self.institution.key,
                actor=person,
                act=act,
                reason=reason,
                now=self.now,
                plan_hash=self.request.hash,
                approval_id=self.request.id,
                detail=detail,
            )
