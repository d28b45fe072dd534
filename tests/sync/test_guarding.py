"""Which part of a plan goes on, which waits, and what a person is asked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from rosterflow.domain.institution import Freeze
from rosterflow.domain.model import Account, Course, Key, Kind, State
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.rosters import Roster
from rosterflow.store import approvals, history, institutions, plans, runs
from rosterflow.store.approvals import Approval, ApprovalState
from rosterflow.store.history import MOVED_OUT, Event
from rosterflow.store.plans import ChangeState
from rosterflow.sync.guarding import Guarded, guard_plan, hold_undo
from tests.sync.desk import COURSE, DAY, HOME, NOW, TERM, UNIT, Desk, change, close, create, desk

COURSES = tuple(replace(COURSE, sis_id=f"UE_{number}") for number in range(8))
CLOSINGS = tuple(map(close, COURSES))
"""More than the floor of five, and more than a tenth of all."""


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as one:
        with one.store.begin() as connection:
            institutions.mark(connection, HOME.key, based_at=NOW, contacted_at=NOW)
        one.believe(UNIT, TERM, *COURSES)
        yield one


def planned(at: Desk, *changes: Change, first_contact: bool = False) -> int:
    with at.store.begin() as connection:
        plan = Plan(changes, Counter())
        return plans.save_plan(connection, HOME.key, at.run.id, plan, first_contact=first_contact, now=NOW)


def guard(at: Desk, plan_id: int, days: float = 0, mode: str = "apply") -> Guarded:
    return guard_plan(at.store, HOME, replace(at.run, mode=mode), plan_id, NOW + days * DAY)


def decided(at: Desk, number: int, state: ApprovalState, of_changes: ChangeState, days: float = 0) -> None:
    """A person's decision about a request."""
    with at.store.begin() as connection:
        request = approvals.get_approval(connection, HOME.key, number)
        seqs = [one.seq for one in approvals.changes_of(connection, request)]
        plans.set_state(connection, request.plan_id, seqs, of_changes)
        approvals.set_approval_state(connection, number, state, NOW + days * DAY)


def moved_out(at: Desk, account: Account) -> None:
    with at.store.begin() as connection:
        event = Event(Key(Kind.ACCOUNT, account.sis_id), MOVED_OUT, "", "course UE_1")
        history.record(connection, HOME.key, [event], NOW)


def test_additions_go_on_and_too_many_removals_wait(at: Desk) -> None:
    plan_id = planned(at, create(replace(COURSE, sis_id="UE_NEW")), *CLOSINGS)

    assert guard(at, plan_id) == Guarded(allowed=1, held=8, ask=(1,))
    assert at.states(plan_id) == [ChangeState.ALLOWED] + [ChangeState.HELD] * 8


def test_guarding_again_changes_nothing_even_after_something_was_sent(at: Desk) -> None:
    plan_id = planned(at, create(replace(COURSE, sis_id="UE_NEW")), *CLOSINGS)
    first = guard(at, plan_id)
    with at.store.begin() as connection:
        plans.set_state(connection, plan_id, [0], ChangeState.SENT)

    assert guard(at, plan_id) == first
    assert at.states(plan_id)[0] is ChangeState.SENT


def test_a_run_that_only_plans_asks_nobody(at: Desk) -> None:
    assert guard(at, planned(at, *CLOSINGS), mode="plan") == Guarded(allowed=0, held=8, ask=())


def test_an_empty_first_plan_ends_the_first_contact(at: Desk) -> None:
    with at.store.begin() as connection:
        institutions.mark(connection, HOME.key, contacted_at=None)
        runs.add_counts(connection, at.run.id, gaps=0)

    guard(at, planned(at, first_contact=True))

    with at.store.begin() as connection:
        assert institutions.standing(connection, HOME.key, NOW).contacted_at == NOW


def test_what_is_asked_about_already_is_not_asked_again(at: Desk) -> None:
    guard(at, planned(at, *CLOSINGS))

    more = close(replace(COURSE, sis_id="UE_MORE"))
    at.believe(replace(COURSE, sis_id="UE_MORE"))

    assert guard(at, planned(at, *CLOSINGS, more), days=1).ask == (1, 2)
    with at.store.begin() as connection:
        request = approvals.get_approval(connection, HOME.key, 2)
        assert [one.change for one in approvals.changes_of(connection, request)] == [more]


def test_what_is_asked_about_stays_held_when_no_guard_holds_it_any_more(at: Desk) -> None:
    guard(at, planned(at, *CLOSINGS))

    assert guard(at, planned(at, CLOSINGS[0]), days=1) == Guarded(allowed=0, held=1, ask=(1,))


@pytest.mark.parametrize("state", [ApprovalState.REJECTED, ApprovalState.TIMED_OUT])
def test_what_was_rejected_is_asked_about_again_only_after_a_week(at: Desk, state: ApprovalState) -> None:
    guard(at, planned(at, *CLOSINGS))
    decided(at, 1, state, ChangeState.REJECTED)

    assert guard(at, planned(at, *CLOSINGS), days=6.9) == Guarded(allowed=0, held=8, ask=())
    assert guard(at, planned(at, *CLOSINGS), days=7.1) == Guarded(allowed=0, held=8, ask=(2,))


def test_what_was_approved_and_never_carried_out_goes_on_by_itself(at: Desk) -> None:
    guard(at, planned(at, *CLOSINGS))
    decided(at, 1, ApprovalState.APPROVED, ChangeState.ALLOWED)

    again = planned(at, *CLOSINGS)

    assert guard(at, again, days=1) == Guarded(allowed=8, held=0, ask=())
    assert set(at.states(again)) == {ChangeState.ALLOWED}


def test_what_was_approved_and_no_guard_holds_any_more_is_carried_out_by_the_newer_plan(at: Desk) -> None:
    first = planned(at, *CLOSINGS)
    guard(at, first)
    decided(at, 1, ApprovalState.APPROVED, ChangeState.ALLOWED)

    again = planned(at, CLOSINGS[0])

    assert guard(at, again, days=1) == Guarded(allowed=1, held=0, ask=())
    assert at.states(first)[0] is ChangeState.STALE
    with at.store.begin() as connection:
        assert [one.approval_id for one in plans.changes(connection, again)] == [1]


def test_an_approval_does_not_hold_for_another_change_nor_for_ever(at: Desk) -> None:
    guard(at, planned(at, *CLOSINGS))
    decided(at, 1, ApprovalState.APPROVED, ChangeState.ALLOWED)

    renamed = tuple(replace(one, long_name="Nytt navn") for one in COURSES)
    at.believe(*renamed)
    assert guard(at, planned(at, *map(close, renamed)), days=1).held == 8
    at.believe(*COURSES)
    assert guard(at, planned(at, *CLOSINGS), days=15).held == 8


def test_an_account_out_of_which_something_moved_is_not_closed_without_a_person(at: Desk) -> None:
    empty = Account("184_9_0_0", "Tomt", "FSDEMO")
    inner = Account("184_9_1_0", "Tomt i tomt", "184_9_0_0", State.DELETED)
    at.believe(empty, inner)
    closing = change(Action.DELETE, empty, replace(empty, state=State.DELETED))
    assert guard(at, planned(at, closing)).held == 0

    with at.store.begin() as connection:
        history.record(
            connection, HOME.key, [Event(Key(Kind.ACCOUNT, inner.sis_id), MOVED_OUT, "", "course UE_1")], NOW
        )

    plan_id = planned(at, closing)
    assert guard(at, plan_id).held == 1
    with at.store.begin() as connection:
        (held,) = plans.changes(connection, plan_id)
    assert (held.guard_rule, held.guard_reason) == (
        "account-had-courses",
        "Something lay in 184_9_0_0 that moved elsewhere.",
    )


def test_what_waits_for_a_change_that_stays_held_waits_too(at: Desk) -> None:
    outer = Account("184_9_0_0", "Ytre", "FSDEMO")
    inner = Account("184_9_1_0", "Indre", "184_9_0_0")
    at.believe(outer, inner)
    closings = [change(Action.DELETE, one, replace(one, state=State.DELETED)) for one in (inner, outer)]
    moved_out(at, inner)

    assert guard(at, planned(at, *closings)) == Guarded(allowed=0, held=2, ask=(1,))


def test_many_small_days_together_may_not_be_what_one_may_not(at: Desk) -> None:
    first = planned(at, *CLOSINGS[:4])
    assert guard(at, first).allowed == 4
    carried_out(at, first)

    again = planned(at, *CLOSINGS[4:6])

    assert guard(at, again, days=6.9) == Guarded(allowed=0, held=2, ask=(1,))
    with at.store.begin() as connection:
        reasons = {one.guard_reason for one in plans.changes(connection, again)}
    assert reasons == {"6 of 8 courses in the institution within a week; the limit is 5."}


def test_what_was_removed_a_week_ago_or_approved_or_is_there_again_counts_no_more(at: Desk) -> None:
    approved = planned(at, *CLOSINGS)
    guard(at, approved)
    decided(at, 1, ApprovalState.APPROVED, ChangeState.ALLOWED)
    carried_out(at, approved)
    assert guard(at, planned(at, close(fresh(at, "UE_A"))), days=1).allowed == 1

    at.believe(*COURSES)
    unasked = planned(at, *CLOSINGS[:4])
    guard(at, unasked, days=1)
    carried_out(at, unasked)
    at.believe(*COURSES[:4])  # they are there again
    assert guard(at, planned(at, *(close(fresh(at, f"UE_B{number}")) for number in range(2))), days=1).allowed == 2

    carried_out(at, unasked)
    assert guard(at, planned(at, *(close(fresh(at, f"UE_C{number}")) for number in range(2))), days=7.1).allowed == 2


def carried_out(at: Desk, plan_id: int) -> None:
    """Canvas confirms a plan."""
    with at.store.begin() as connection:
        changes = plans.changes(connection, plan_id)
        plans.set_state(connection, plan_id, [one.seq for one in changes], ChangeState.CONFIRMED)
    at.believe(*(one.change.after for one in changes if not isinstance(one.change.after, Roster)))


def fresh(at: Desk, sis_id: str) -> Course:
    """Another course that Canvas has."""
    course = replace(COURSE, sis_id=sis_id)
    at.believe(course)
    return course


def test_dates_that_shut_courses_now_count_as_removals(at: Desk) -> None:
    ended = [change(Action.UPDATE, one, replace(one, end=NOW - DAY)) for one in COURSES[:6]]

    assert guard(at, planned(at, *ended)) == Guarded(allowed=0, held=6, ask=(1,))


def test_dates_that_shut_a_term_with_courses_in_use_always_wait(at: Desk) -> None:
    plan_id = planned(at, change(Action.UPDATE, TERM, replace(TERM, end=NOW - DAY)))

    assert guard(at, plan_id) == Guarded(allowed=0, held=1, ask=(1,))
    with at.store.begin() as connection:
        [held] = plans.changes(connection, plan_id)
    assert (held.guard_rule, held.guard_reason) == (
        "term-shut",
        "Its dates shut 8 course(s) in use in 2026_HØST.",
    )


def test_during_a_freeze_removals_wait_without_anybody_being_asked_and_go_on_after_it(at: Desk) -> None:
    today = NOW.astimezone(HOME.zone).date()
    frozen = HOME.model_copy(
        update={"guards": HOME.guards.model_copy(update={"freeze": (Freeze(first=today, to=today),)})}
    )
    plan_id = planned(at, create(replace(COURSE, sis_id="UE_NEW")), CLOSINGS[0])
    again = planned(at, CLOSINGS[0])

    assert guard_plan(at.store, frozen, at.run, plan_id, NOW) == Guarded(allowed=1, held=0, ask=())
    assert at.states(plan_id) == [ChangeState.ALLOWED, ChangeState.FROZEN]
    assert guard_plan(at.store, frozen, at.run, again, NOW + 1 * DAY) == Guarded(allowed=1, held=0, ask=())


# -- undoing -----------------------------------------------------------------------------------------------------------


def undoing(at: Desk, *changes: Change) -> tuple[list[tuple[ChangeState, str | None]], Approval]:
    """An undo of these changes is held; what became of each, and the request."""
    plan_id = planned(at, *changes)
    with at.store.begin() as connection:
        runs.add_counts(connection, at.run.id, undoes=1, because="wrong file")
        run = runs.get_run(connection, at.run.id)
        number = hold_undo(connection, HOME, run, plan_id, NOW)
        held = [(change.state, change.guard_rule) for change in plans.changes(connection, plan_id)]
        return held, approvals.get_approval(connection, HOME.key, number)


def test_of_an_undo_everything_is_held_however_little_it_is(at: Desk) -> None:
    held, request = undoing(at, create(replace(COURSE, sis_id="UE_NEW")), CLOSINGS[0])

    assert held == [(ChangeState.HELD, "undo"), (ChangeState.HELD, "undo")]
    assert (request.state, request.two_person) == (ApprovalState.WAITING, False)


def test_a_guard_that_holds_a_part_of_an_undo_by_itself_says_so(at: Desk) -> None:
    held, request = undoing(at, *CLOSINGS)

    assert held == [(ChangeState.HELD, "removals-institution")] * len(CLOSINGS)
    assert request.two_person


def test_what_was_undone_is_held_with_its_reason(at: Desk) -> None:
    again = msgspec.structs.replace(
        CLOSINGS[0], rule="undone", reason="Undone by hand on 2026-09-02 because: wrong file."
    )
    plan_id = planned(at, again)

    assert guard(at, plan_id) == Guarded(allowed=0, held=1, ask=(1,))
    with at.store.begin() as connection:
        (one,) = plans.changes(connection, plan_id)
    assert (one.guard_rule, one.guard_reason) == ("undone", again.reason)
