from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from rosterflow.domain.model import Course, Kind
from rosterflow.domain.plan import Action, Change
from rosterflow.store import approvals, imports, migrate, plans
from rosterflow.store.engine import Store
from rosterflow.store.plans import ChangeState
from rosterflow.sync.reporting import Report, Row, as_lines, as_table, report
from tests.household import NOW, opened, planned


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/store.db")
    migrate.upgrade(store)
    yield store
    store.dispose()


def change(action: Action, number: int = 1) -> Change:
    thing = Course(f"UE_{number}", "NOR1", "Norsk 1", "EMNE_NOR1")
    return Change(action, None if action is Action.CREATE else thing, thing, "changed", "It changed.")


def set_state(store: Store, plan_id: int, state: ChangeState) -> None:
    with store.begin() as connection:
        plans.set_state(connection, plan_id, [0], state)


@pytest.mark.parametrize(
    ("action", "state", "column"),
    [
        (Action.CREATE, ChangeState.CONFIRMED, "created"),
        (Action.UPDATE, ChangeState.CONFIRMED, "updated"),
        (Action.REOPEN, ChangeState.CONFIRMED, "updated"),
        (Action.CHANGE_ID, ChangeState.CONFIRMED, "updated"),
        (Action.CLOSE, ChangeState.CONFIRMED, "removed"),
        (Action.HIDE, ChangeState.CONFIRMED, "removed"),
        (Action.DELETE, ChangeState.CONFIRMED, "removed"),
        (Action.DELETE, ChangeState.HELD, "held"),
        (Action.CREATE, ChangeState.REFUSED, "refused"),
        (Action.UPDATE, ChangeState.OWNED, "kept"),
        (Action.CREATE, ChangeState.PLANNED, "open"),
        (Action.CREATE, ChangeState.ALLOWED, "open"),
        (Action.CREATE, ChangeState.SENT, "open"),
        (Action.CREATE, ChangeState.UNKNOWN, "open"),
        (Action.CLOSE, ChangeState.STALE, "dropped"),
        (Action.CLOSE, ChangeState.WITHDRAWN, "dropped"),
        (Action.CLOSE, ChangeState.REJECTED, "dropped"),
    ],
)
def test_a_change_is_counted_once_by_what_became_of_it(
    store: Store, action: Action, state: ChangeState, column: str
) -> None:
    run = opened(store)
    plan_id = planned(store, run, [change(action)])
    set_state(store, plan_id, state)

    course = next(row for row in report(store, run.id).rows if row.kind is Kind.COURSE)

    assert course == Row(Kind.COURSE, **{column: 1})


def test_every_state_of_a_change_has_its_column(store: Store) -> None:
    run = opened(store)
    plan_id = planned(store, run, [change(Action.CREATE)])
    for state in ChangeState:
        set_state(store, plan_id, state)
        assert sum(row.changes for row in report(store, run.id).rows) == 1


def test_a_report_has_one_row_for_each_kind_in_canvas_s_order(store: Store) -> None:
    run = opened(store, first_gaps=["emner: page 2 is missing"], problems=3, waiting=2)
    plan_id = planned(store, run, [], {Kind.ACCOUNT: 12, Kind.COURSE: 80})

    assert report(store, run.id) == Report(
        run_id=run.id,
        institution="fjordvik",
        mode="apply",
        plan_id=plan_id,
        rows=tuple(Row(kind, unchanged={Kind.ACCOUNT: 12, Kind.COURSE: 80}.get(kind, 0)) for kind in Kind),
        gaps=("emner: page 2 is missing",),
        problems=3,
        waiting=2,
    )


def test_a_run_without_a_plan_reports_nothing(store: Store) -> None:
    run = opened(store)

    told = report(store, run.id)

    assert (told.is_empty, told.plan_id) == (True, None)


def test_a_run_planned_twice_reports_its_newest_plan(store: Store) -> None:
    run = opened(store)
    planned(store, run, [change(Action.CREATE, 1), change(Action.CREATE, 2)])
    newest = planned(store, run, [change(Action.CREATE, 3)])

    told = report(store, run.id)

    assert (told.plan_id, sum(row.open for row in told.rows)) == (newest, 1)


def test_a_run_that_applied_approved_changes_reports_those_and_not_the_same_ones_of_newer_plans(store: Store) -> None:
    closing = change(Action.CLOSE)
    plan_id = planned(store, opened(store, name="scheduled__1"), [closing, change(Action.CREATE, 2)])
    newer = planned(store, opened(store, name="scheduled__2"), [closing])
    approving = opened(store, name="approval__1")
    with store.begin() as connection:
        request = approvals.ask(
            connection, "fjordvik", plan_id, [0], "hash", two_person=False, first_contact=False, now=NOW
        )
        approvals.tie(connection, newer, [0], request)
        plans.set_state(connection, plan_id, [0], ChangeState.CONFIRMED)
        plans.set_state(connection, newer, [0], ChangeState.HELD)
        imports.prepare(
            connection,
            institution="fjordvik",
            root="canvas_test",
            run_id=approving.id,
            plan_id=plan_id,
            approval_id=request,
            part=1,
            now=NOW,
        )

    told = report(store, approving.id)

    assert (told.rows[2], told.plan_id) == (Row(Kind.COURSE, removed=1), None)
    assert report(store, approving.id, approval_id=request) == told


def test_the_log_has_one_line_for_each_kind_and_names_only_unusual_counts_that_are_not_zero() -> None:
    told = Report(1, "fjordvik", "apply", 7, (Row(Kind.COURSE, created=2, held=1, kept=3, unchanged=40),))

    assert as_lines(told) == [
        "course: 2 created, 0 updated, 0 removed, 1 held, 0 refused, 3 kept by Canvas, 40 unchanged"
    ]


def test_the_log_says_what_else_a_person_should_know() -> None:
    told = Report(1, "fjordvik", "plan", 7, (), gaps=("page 2 is missing", "a null node"), problems=3, waiting=2)

    assert as_lines(told) == [
        "The read was not complete, so nothing was removed: page 2 is missing; a null node",
        "3 rows of the source could not be used: python -m rosterflow errors list",
        "2 changes wait because Canvas refused them lately.",
        "This run only planned. See it with: python -m rosterflow plan show --plan 7",
    ]


def test_the_table_shows_the_usual_columns_and_those_that_hold_something() -> None:
    rows = (Row(Kind.ACCOUNT, created=4), Row(Kind.COURSE, updated=1, kept=2, unchanged=9))
    console = Console(width=120)

    with console.capture() as captured:
        console.print(as_table(Report(3, "fjordvik", "apply", 7, rows)))

    cells = [line.split() for line in captured.get().replace("│", " ").replace("┃", " ").splitlines()]
    assert ["kind", "created", "updated", "removed", "held", "refused", "kept", "by", "Canvas", "unchanged"] in cells
    assert ["account", "4", "0", "0", "0", "0", "0", "0"] in cells
    assert ["course", "0", "1", "0", "0", "0", "2", "9"] in cells
