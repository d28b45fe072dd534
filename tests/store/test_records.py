"""Approvals, row errors, decisions, history and where an institution stands."""

from __future__ import annotations

from datetime import datetime

import pytest

from rosterflow.domain.confirmed import Refusal
from rosterflow.domain.decisions import Decision
from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.model import Key, Kind, SourceKind
from rosterflow.domain.plan import hash_of
from rosterflow.store import approvals, decisions, failures, history, institutions, plans, row_errors
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.engine import Store
from rosterflow.store.history import Event
from rosterflow.store.plans import ChangeState
from rosterflow.store.row_errors import RowErrorNote
from tests.store.things import DAY, HOME, HOUR, NOW, TERM, UNIT, UNIT_KEY, a_plan, a_run, create

CHANGES = (create(TERM), create(UNIT))


def asked(store: Store, number: int = 1) -> tuple[int, int]:
    """A request about both changes of a plan: its id and the plan's."""
    with store.begin() as connection:
        plan = a_plan(connection, *CHANGES, number=number)
        plans.hold(connection, plan, {0: ("updates", "too many"), 1: ("updates", "too many")})
        request = approvals.ask(
            connection,
            HOME,
            plan,
            [0, 1],
            hash_of(one.fingerprint for one in CHANGES),
            two_person=True,
            first_contact=False,
            now=NOW,
        )
    return request, plan


def test_a_request_comes_back_with_the_changes_that_were_shown(store: Store) -> None:
    number, plan = asked(store)
    with store.begin() as connection:
        request = approvals.get_approval(connection, HOME, number)
        shown = approvals.changes_of(connection, request)

    assert (request.plan_id, request.state, request.two_person) == (plan, ApprovalState.WAITING, True)
    assert tuple(one.change for one in shown) == CHANGES
    assert request.hash == hash_of(one.fingerprint for one in shown)


def test_what_a_person_is_being_asked_about_is_known_with_the_reason(store: Store) -> None:
    number, plan = asked(store)
    with store.begin() as connection:
        plans.set_state(connection, plan, [0], ChangeState.WITHDRAWN)

        [asked_about] = approvals.asked_about(connection, HOME)
        assert (asked_about.change, asked_about.approval_id) == (CHANGES[1], number)
        assert (asked_about.guard_rule, asked_about.guard_reason) == ("updates", "too many")
        assert approvals.asked_about(connection, "south") == []


@pytest.mark.parametrize("how", [ApprovalState.REJECTED, ApprovalState.TIMED_OUT])
def test_what_was_rejected_or_timed_out_is_known_for_a_while(store: Store, how: ApprovalState) -> None:
    number, _ = asked(store)
    with store.begin() as connection:
        approvals.set_approval_state(connection, number, how, NOW + DAY)

        assert [one.change for one in approvals.rejected_since(connection, HOME, NOW)] == list(CHANGES)
        assert approvals.rejected_since(connection, HOME, NOW + 2 * DAY) == []


def test_what_was_approved_and_is_not_carried_out_is_known_until_another_plan_has_it(store: Store) -> None:
    number, plan = asked(store)
    with store.begin() as connection:
        approvals.set_approval_state(connection, number, ApprovalState.APPROVED, NOW + DAY)
        plans.set_state(connection, plan, [0], ChangeState.ALLOWED)
        plans.set_state(connection, plan, [1], ChangeState.CONFIRMED)
        newer = a_plan(connection, *CHANGES, number=2)

        assert [one.change for one in approvals.approved_since(connection, HOME, NOW)] == [CHANGES[0]]
        assert not approvals.is_carried_out(connection, number)
        plans.set_state(connection, newer, [0], ChangeState.ALLOWED)
        approvals.hand_on(connection, number, newer, [0])
        assert [one.state for one in plans.changes(connection, plan)] == [ChangeState.STALE, ChangeState.CONFIRMED]
        assert [one.change for one in approvals.approved_since(connection, HOME, NOW)] == [CHANGES[0]]
        plans.set_state(connection, newer, [0], ChangeState.CONFIRMED)
        assert approvals.approved_since(connection, HOME, NOW) == []
        assert approvals.is_carried_out(connection, number)


# -- row errors -------------------------------------------------------------------------------------------------------


def problem(subject: str, message: str = "no name") -> RowErrorNote:
    return RowErrorNote("source", subject, Code.ROW_INVALID, "emne", "navn", message)


def open_errors(store: Store) -> list[tuple[str, str, datetime, datetime]]:
    with store.begin() as connection:
        found = row_errors.open_errors(connection, HOME)
        return [(row.subject, row.message, row.first_at, row.last_at) for row in found]


def replace_all(store: Store, hours: int, *notes: RowErrorNote) -> None:
    with store.begin() as connection:
        row_errors.replace_side(connection, HOME, "source", notes, NOW + hours * HOUR)


def test_an_error_that_stays_keeps_the_time_it_was_first_seen(store: Store) -> None:
    replace_all(store, 0, problem("A"))
    replace_all(store, 1, problem("A", "still no name"), problem("B"))

    assert open_errors(store) == [
        ("A", "still no name", NOW, NOW + HOUR),
        ("B", "no name", NOW + HOUR, NOW + HOUR),
    ]


def test_an_error_that_is_gone_is_known_as_such_and_begins_anew_when_it_comes_back(store: Store) -> None:
    replace_all(store, 0, problem("A"), problem("B"))
    replace_all(store, 1, problem("B"))

    with store.begin() as connection:
        gone = row_errors.gone_since(connection, HOME, NOW)
        assert [(row.subject, row.gone_at) for row in gone] == [("A", NOW + HOUR)]
    replace_all(store, 2, problem("A"), problem("B"))
    assert open_errors(store) == [
        ("A", "no name", NOW + 2 * HOUR, NOW + 2 * HOUR),
        ("B", "no name", NOW, NOW + 2 * HOUR),
    ]


def test_errors_of_the_two_sides_do_not_touch_each_other(store: Store) -> None:
    with store.begin() as connection:
        canvas = RowErrorNote("canvas", str(UNIT_KEY), Code.ROW_REFUSED, "account", "", "Parent account didn't exist")
        row_errors.note(connection, HOME, [canvas], NOW)
    replace_all(store, 1, problem("A"))
    replace_all(store, 2)

    assert [row[0] for row in open_errors(store)] == ["account 184_12_0_0"]
    with store.begin() as connection:
        row_errors.settle(connection, HOME, "canvas", [str(UNIT_KEY)], NOW + HOUR)
    assert open_errors(store) == []


def test_errors_long_gone_are_purged_and_open_ones_never(store: Store) -> None:
    replace_all(store, 0, problem("A"), problem("B"))
    replace_all(store, 1, problem("B"))

    with store.begin() as connection:
        assert row_errors.purge(connection, HOME, NOW + DAY) == 1
    assert [row[0] for row in open_errors(store)] == ["B"]


def test_the_newest_refusal_of_an_object_counts_until_canvas_accepts_it(store: Store) -> None:
    first, second = Refusal("a", 1, NOW + HOUR), Refusal("a", 2, NOW + DAY)
    with store.begin() as connection:
        row_errors.save_refusals(connection, HOME, {UNIT_KEY: first, Key(Kind.TERM, "x"): first})
        row_errors.save_refusals(connection, HOME, {UNIT_KEY: second})
        assert row_errors.refusals(connection, HOME) == {UNIT_KEY: second, Key(Kind.TERM, "x"): first}
        row_errors.clear_refusals(connection, HOME, [UNIT_KEY])
        assert row_errors.refusals(connection, HOME) == {Key(Kind.TERM, "x"): first}


# -- decisions --------------------------------------------------------------------------------------------------------


def decision(subject: str, rule: str = "ue-not-exported", facts: tuple[tuple[str, str], ...] = ()) -> Decision:
    return Decision(SourceKind.UNDERVISNINGSENHET, subject, False, rule, facts, Key(Kind.COURSE, f"UE_{subject}"))


def test_a_run_writes_only_the_decisions_that_differ(store: Store) -> None:
    kinds = [SourceKind.UNDERVISNINGSENHET]
    with store.begin() as connection:
        first = decisions.replace(connection, HOME, kinds, [decision("A"), decision("B")], 1)
        again = decisions.replace(connection, HOME, kinds, [decision("A"), decision("B")], 2)
        changed = decisions.replace(connection, HOME, kinds, [decision("A", facts=(("skal", "false"),))], 3)

        assert (first, again, changed) == (2, 0, 1)
        assert [row.since_run for row in decisions.about(connection, HOME, "UE_A")] == [3]
        assert decisions.about(connection, HOME, "UE_B") == []


def test_decisions_on_kinds_that_were_not_read_stay(store: Store) -> None:
    with store.begin() as connection:
        decisions.replace(connection, HOME, [SourceKind.UNDERVISNINGSENHET], [decision("A")], 1)
        decisions.replace(connection, HOME, [SourceKind.EMNE], [], 2)

        assert len(decisions.about(connection, HOME, "UE_A")) == 1


def test_a_run_that_did_not_see_all_rows_says_nothing_about_the_others(store: Store) -> None:
    kinds = [SourceKind.UNDERVISNINGSENHET]
    with store.begin() as connection:
        decisions.replace(connection, HOME, kinds, [decision("A"), decision("B")], 1)
        decisions.add(connection, HOME, kinds, [decision("A", "ue-exported")], 2)

        found = [(row.subject, row.rule) for one in "AB" for row in decisions.about(connection, HOME, f"UE_{one}")]
    assert found == [("A", "ue-exported"), ("B", "ue-not-exported")]


def test_a_rule_that_yields_says_something_only_about_rows_that_nobody_decided_on(store: Store) -> None:
    kinds = [SourceKind.UNDERVISNINGSENHET]
    with store.begin() as connection:
        decisions.replace(connection, HOME, kinds, [decision("A")], 1)
        made = [decision("A", "followed-not-read"), decision("B", "followed-not-read")]
        added = decisions.add(connection, HOME, kinds, made, 2, yielding={"followed-not-read"})

        found = [(row.subject, row.rule) for one in "AB" for row in decisions.about(connection, HOME, f"UE_{one}")]
    assert (added, found) == (1, [("A", "ue-not-exported"), ("B", "followed-not-read")])


# -- history, audit, institutions, failures ---------------------------------------------------------------------------


def test_history_is_told_oldest_first_and_purged_by_age_but_the_audit_stays(store: Store) -> None:
    with store.begin() as connection:
        run = a_run(connection)
        for hours, event in enumerate(("created", "updated")):
            history.record(connection, HOME, [Event(UNIT_KEY, event, "new")], NOW + hours * HOUR, run_id=run.id)
        history.record_act(connection, HOME, actor="kari", act="approve", reason="fine", now=NOW, plan_hash="abc")

        assert [row.event for row in history.of_object(connection, HOME, "184_12_0_0")] == ["created", "updated"]
        assert history.purge(connection, HOME, NOW + HOUR) == 1
        assert [row.event for row in history.of_object(connection, HOME, "184_12_0_0")] == ["updated"]
        assert [(row.actor, row.act, row.reason) for row in history.acts(connection, HOME)] == [
            ("kari", "approve", "fine")
        ]


def test_an_institution_is_written_down_when_it_is_first_seen(store: Store) -> None:
    with store.begin() as connection:
        first = institutions.standing(connection, HOME, NOW)
        institutions.mark(connection, HOME, contacted_at=NOW + HOUR)
        again = institutions.standing(connection, HOME, NOW + DAY)

    assert (first.first_seen_at, first.contacted_at) == (NOW, None)
    assert (again.first_seen_at, again.contacted_at, again.based_at) == (NOW, NOW + HOUR, None)


def test_the_newest_failure_of_a_task_counts_until_the_task_goes_well(store: Store) -> None:
    with store.begin() as connection:
        for number, code in enumerate((Code.UNREACHABLE, Code.THROTTLED), 1):
            error = RetryableError(code, f"try {number}")
            failures.record_failure(connection, "sync", "run 1", "apply", error, try_number=number, now=NOW)

        found = failures.failures_of(connection, "sync", "run 1")
        assert [(row.code, row.message, row.try_number) for row in found] == [("throttled", "try 2", 2)]
        failures.clear_failure(connection, "sync", "run 1", "apply")
        assert failures.failures_of(connection, "sync", "run 1") == []
