"""Hiding courses: unpublishing them by REST, since CSV cannot, and knowing afterwards which are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from rosterflow.domain.errors import RowError
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Kind
from rosterflow.domain.plan import Action
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.store import closed_courses, plans
from rosterflow.store.engine import Store
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.sync.confirming import Book, Outcome
from rosterflow.sync.place import verify_place
from rosterflow.sync.publishing import UNPUBLISHED, remember_published
from rosterflow.sync.sending import sendable


def hide_courses(
    store: Store,
    hook: CanvasHook,
    institution: Institution,
    plan_id: int,
    approval_id: int | None,
    *,
    run_id: int,
    now: datetime,
) -> Outcome:
    """Unpublish the courses that a plan hides; Canvas refuses those with graded work. Doing it again goes on with it.

    :param approval_id: hide those that were approved with this request instead of those that the plan allows.
    """
    with store.begin() as connection:
        to_hide = [one for one in sendable(connection, plan_id, approval_id) if _hides_course(one)]
        to_hide += _begun(connection, plan_id)
    if not to_hide:
        return Outcome(0, 0, 0)
    verify_place(store, hook, institution, now)
    states = remember_published(store, hook, institution, [one.change for one in to_hide])
    with store.begin() as connection:
        plans.set_state(connection, plan_id, [one.seq for one in to_hide], ChangeState.SENT)
    words: dict[int, str] = {}
    for one in to_hide:
        try:
            if states[one.change.after.sis_id] != UNPUBLISHED:
                hook.course_event(one.change.after.sis_id, "claim")
        except RowError as error:
            words[one.seq] = error.message
    with store.begin() as connection:
        book = Book(connection, institution, plan_id, run_id, now)
        refused = [one for one in to_hide if one.seq in words]
        book.refuse(refused, words)
        closed_courses.forget(connection, institution.key, [one.change.after.sis_id for one in refused])
        book.accept([one for one in to_hide if one.seq not in words], {})
    return Outcome(len(to_hide) - len(words), len(words), 0)


def settle_hidden(store: Store, hook: CanvasHook, institution: Institution, run_id: int, now: datetime) -> None:
    """Ask Canvas about the courses that a run was hiding when it ended: its report does not tell which it had done."""
    with store.begin() as connection:
        begun = {plan_id: _begun(connection, plan_id) for plan_id in plans.with_sent(connection, institution.key)}
    for plan_id, changes in begun.items():
        hidden = [one for one in changes if hook.course_state(one.change.after.sis_id) == UNPUBLISHED]
        with store.begin() as connection:
            Book(connection, institution, plan_id, run_id, now).accept(hidden, {})


def _begun(connection: Connection, plan_id: int) -> list[StoredChange]:
    """The hidings of a plan that were begun, and of which nobody wrote down what came."""
    return [one for one in plans.changes(connection, plan_id, ChangeState.SENT) if _hides_course(one)]


def _hides_course(one: StoredChange) -> bool:
    """Whether a change unpublishes a course; people are hidden by CSV."""
    return one.change.action is Action.HIDE and one.change.kind is Kind.COURSE
