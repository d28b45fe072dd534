"""When too much time attended is gone from CourseKey's export at once, a person is asked before it is taken back.

The road is that of drops and removals of staff: a stored plan, a request, an answer with a comment, and the audit. What
is approved is that the read was right: it is joined again, as a whole one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rosterflow.domain.attendance.ledger import Fact
from rosterflow.domain.attendance.reading import KeptRead
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.institution import Limit
from rosterflow.domain.model import Kind, Origin, SourceKind
from rosterflow.domain.plan import Action, Change, Plan, hash_of
from rosterflow.domain.rosters import STANDINGS, Place, Roster, Standing
from rosterflow.store import approvals, attendance, attendance_raw, history, plans
from rosterflow.store.approvals import Approval, ApprovalState
from rosterflow.store.engine import Store
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.sync.approving import Answer, Book, answer, counting
from rosterflow.sync.approving import Verdict as Decided
from rosterflow.sync.asking import NO_LONGER
from rosterflow.sync.describing import SHOWN, Description

RULE = "attendance-gone"
ROLE = "time attended"
READ_AGAIN = "Those days have been read again since."


@dataclass(slots=True)
class Lost:
    """What is gone of one course."""

    facts: int = 0
    seconds: int = 0
    persons: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Gone:
    """What a read does not have any more, by course."""

    courses: dict[str, Lost] = field(default_factory=dict)

    def add(self, facts: Iterable[Fact]) -> None:
        """Take more of it in."""
        for fact in facts:
            lost = self.courses.setdefault(fact.key.course_id, Lost())
            lost.facts += 1
            lost.seconds += fact.seconds
            lost.persons.add(fact.person)

    @property
    def facts(self) -> int:
        """How many records."""
        return sum(lost.facts for lost in self.courses.values())

    def takes_two(self, booked: int, limit: Limit) -> bool:
        """Whether a second person must agree that it is gone.

        :param booked: how many records there were.
        """
        return self.facts > limit.floor or self.facts * 100 > booked * limit.percent


def hold(
    connection: Connection, college: College, read: KeptRead, run: int, gone: Gone, booked: int, now: datetime
) -> int | None:
    """Ask a person about what is gone, in place of who was asked about the same school before.

    :param booked: how many records were booked in the days of the read.
    :returns: the request; ``None`` when a person said no to just this lately, and is not asked again yet.
    """
    changes = tuple(_change(read, course, lost) for course, lost in sorted(gone.courses.items()))
    for request, waiting in _open(connection, college, read.school).items():
        _withdraw(connection, college, request, waiting, now)
    if _is_rejected(connection, college, changes, now):
        return None
    plan_id = plans.save_plan(connection, college.key, run, Plan(changes, Counter()), first_contact=False, now=now)
    why = f"{gone.facts} records of {read.first} to {read.last} are no longer in CourseKey's export of {read.school}."
    seqs = range(len(changes))
    plans.hold(connection, plan_id, dict.fromkeys(seqs, (RULE, why)))
    history.record_changes(connection, college.key, plan_id, seqs, "held", now, run_id=run, guarded=True)
    digest = hash_of(change.fingerprint for change in changes)
    two = gone.takes_two(booked, college.guards.two_person)
    return approvals.ask(connection, college.key, plan_id, seqs, digest, two_person=two, first_contact=False, now=now)


def is_about_attendance(connection: Connection, college: College, approval_id: int) -> bool:
    """Whether a request asks about time attended.

    :raises FatalError: ``request-unknown`` when the college has no such request.
    """
    request = approvals.get_approval(connection, college.key, approval_id)
    return any(one.change.rule == RULE for one in approvals.changes_of(connection, request))


def describe_voids(store: Store, college: College, approval_id: int, *, link: str = "") -> Description:
    """Describe what a request asks about.

    :raises FatalError: ``request-unknown`` when the college has no such request.
    """
    with store.begin() as connection:
        request = approvals.get_approval(connection, college.key, approval_id)
        waiting = approvals.changes_of(connection, request, ChangeState.HELD)
    why = next((one.guard_reason or "" for one in waiting), "")
    lines = tuple(one.change.reason for one in waiting)
    people = " Two people must approve." if request.two_person else ""
    first = f"The first {SHOWN} of {len(lines)}:" if len(lines) > SHOWN else "The courses:"
    body = (
        f"**{why}** Until somebody answers, this time stays booked.{people} A comment is required.",
        "",
        "Approve when CourseKey is right: the next import takes the time back in Campus Cafe. Reject when it is not.",
        "",
        f"**{first}**",
        "",
        *(f"- {line}" for line in lines[:SHOWN]),
        *(["", f"[All of them]({link})"] if link else []),
        "",
        f"Request {approval_id}, plan {request.plan_id}, digest `{request.hash[:12]}`.",
    )
    return Description(f"{college.name}: time attended is gone. {why}", "\n".join(body), lines)


def decide_voids(
    store: Store,
    college: College,
    run_id: int,
    approval_id: int,
    answers: Sequence[Answer],
    now: datetime,
    again: Callable[[KeptRead], object],
) -> Decided:
    """Carry out what a person answered; deciding again, after a killed try, finds what was decided.

    :param again: joins a read once more, as one that was approved to be whole.
    :raises FatalError: ``request-unknown`` when the college has no such request.
    :raises NeedsPerson: ``approval-invalid`` when an answer does not count; it can be given again.
    """
    with store.begin() as connection:
        book = Book(connection, college, approvals.get_approval(connection, college.key, approval_id), run_id, now)
        answered = answer(book, answers, _too_late)
        approved = approvals.changes_of(connection, book.request, ChangeState.ALLOWED)
        read = _read_of(connection, college.key, approved) if approved else None
    if read is not None:
        again(read)
        with store.begin() as connection:
            plans.set_state(connection, book.request.plan_id, [one.seq for one in approved], ChangeState.CONFIRMED)
            approvals.set_approval_state(connection, approval_id, ApprovalState.APPLIED, now)
    return counting(book, answered)


def _change(read: KeptRead, course: str, lost: Lost) -> Change:
    """What is gone of one course, as the students who lose it."""
    before, after = (
        Roster(
            Kind.ENROLLMENT,
            Place(Kind.COURSE, f"{read.school}/{course}"),
            ROLE,
            dict.fromkeys(sorted(lost.persons), STANDINGS[standing]),
            # No semester, so that the questions about drops leave these alone.
            origin=Origin(SourceKind.UNDERVISNINGSENHET, f"read {read.number}"),
        )
        for standing in (Standing.ACTIVE, Standing.DELETED)
    )
    hours = lost.seconds / 3600
    reason = f"Course {course}: {lost.facts} records of {len(lost.persons)} students, {hours:.2f} hours, are gone."
    return Change(Action.DELETE, before, after, RULE, reason)


def _read_of(connection: Connection, institution: str, some: Sequence[StoredChange]) -> KeptRead:
    """The inverse of :func:`_change`, as far as the read is concerned."""
    origin = some[0].change.after.origin
    return attendance_raw.read_numbered(connection, institution, int((origin.term or "").removeprefix("read ")))


def _open(connection: Connection, college: College, school: str) -> dict[Approval, list[StoredChange]]:
    """The requests that ask about a school's time attended, each with what still waits."""
    found = {
        request: approvals.changes_of(connection, request, ChangeState.HELD)
        for request in approvals.in_state(connection, college.key, *approvals.OPEN)
    }
    return {
        request: waiting
        for request, waiting in found.items()
        if waiting and all(_is_of(one.change, school) for one in waiting)
    }


def _is_of(change: Change, school: str) -> bool:
    return change.rule == RULE and change.key.sis_id.startswith(f"course {school}/")


def _withdraw(
    connection: Connection, college: College, request: Approval, waiting: Collection[StoredChange], now: datetime
) -> None:
    rule, reason = NO_LONGER
    approvals.withdraw(connection, request.id, (one.fingerprint for one in waiting))
    approvals.set_approval_state(connection, request.id, ApprovalState.WITHDRAWN, now)
    events = [history.Event(one.change.key, "withdrawn", rule, reason) for one in waiting]
    history.record(connection, college.key, events, now, plan_id=request.plan_id)


def _is_rejected(connection: Connection, college: College, changes: Iterable[Change], now: datetime) -> bool:
    """Whether a person said no to all of it lately."""
    since = now - timedelta(days=college.approval.ask_again_days)
    rejected = {one.change.aim for one in approvals.rejected_since(connection, college.key, since)}
    return all(change.aim in rejected for change in changes)


def _too_late(book: Book, waiting: Sequence[StoredChange]) -> Mapping[int, str]:
    """Nothing is gone by a read after which each of its days was read whole."""
    read = _read_of(book.connection, book.institution.key, waiting)
    covered = attendance.coverage(book.connection, book.institution.key, read.school)
    days = (read.first + timedelta(days=at) for at in range((read.last - read.first).days + 1))
    is_read_again = all(day in covered and covered[day] > read.read_at for day in days)
    return {one.seq: READ_AGAIN for one in waiting} if is_read_again else {}
