"""The tasks of a comparison with Canvas."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.sdk.exceptions import AirflowSkipException
from cryptography.fernet import Fernet

from rosterflow.domain.confirmed import ConfirmedObject
from rosterflow.domain.errors import Code, FatalError, NeedsPerson
from rosterflow.domain.model import Course, Origin, SourceKind
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.snapshot import Scope
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.operators import reconcile
from rosterflow.operators.reconcile import (
    BelieveCanvasOperator,
    CompareOperator,
    MailComparisonOperator,
    PlanUndoOperator,
)
from rosterflow.operators.run import OpenRunOperator
from rosterflow.store import history, institutions, migrate, objects, plans, runs
from rosterflow.store.engine import Store
from rosterflow.store.plans import ChangeState
from rosterflow.sync.letters import Letter
from sandbox.canvas.objects import Write
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World
from tests.harness import connections, institution
from tests.household import NOW
from tests.operators.running import Instance, context

COURSE = Course("UE_184_NOR_1_2026_HØST_1", "NOR", "Norsk", "FSDEMO", origin=Origin(SourceKind.UNDERVISNINGSENHET))
ONE = institution(mail={"reconcile": ["studieadm@demo.example"]})


CLOSING: dict[str, Callable[[Any], None]] = {"store": Store.dispose, "canvas": CanvasHook.close}


class Pushing(Instance):
    """A task instance that keeps what is pushed."""

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = json.loads(json.dumps(value))

    def xcom_pull(self, task_ids: str, key: str = "return_value") -> Any:
        return self.pushed.get(task_ids if key == "return_value" else key)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small"))) as running:
        yield running


@pytest.fixture
def store(sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store in which a course was confirmed that the sandbox's Canvas does not have."""
    plain = ONE.model_dump(mode="json", by_alias=True)
    (tmp_path / "demo.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
    given = {
        "ROSTERFLOW_DATABASE_URL": f"sqlite:///{tmp_path}/store.db",
        "ROSTERFLOW_STORAGE": f"file://{tmp_path}/blobs",
        "ROSTERFLOW_PAGE_KEYS": Fernet.generate_key().decode(),
        "ROSTERFLOW_INSTITUTIONS": str(tmp_path),
        **connections(sandbox.url, ONE),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    store = Store(given["ROSTERFLOW_DATABASE_URL"])
    migrate.upgrade(store)
    with store.begin() as connection:
        institutions.standing(connection, "demo", NOW)
        institutions.mark(connection, "demo", based_at=NOW)
        objects.save(connection, "demo", [ConfirmedObject(COURSE)], now=NOW, run_id=None)
    yield store
    store.dispose()


def ran(task: Any, ti: Pushing, **params: Any) -> Any:
    """What a task returns; what it opened is closed."""
    try:
        return task.execute(context(ti, **params))
    finally:
        for name in vars(task).keys() & CLOSING.keys():
            CLOSING[name](getattr(task, name))


def compared(ti: Pushing, **params: Any) -> Any:
    """What the comparison of a run that was just opened returns."""
    ran(OpenRunOperator(task_id="open_run", institution="demo", mode="plan"), ti)
    ti.pushed["compare"] = ran(CompareOperator(task_id="compare", institution="demo"), ti, **params)
    return ti.pushed["compare"]


def mailing() -> MailComparisonOperator:
    return MailComparisonOperator(task_id="mail", institution="demo", compared_by="compare")


def believing() -> BelieveCanvasOperator:
    return BelieveCanvasOperator(task_id="believe_canvas", institution="demo", compared_by="compare")


def test_a_comparison_returns_counts_alone_and_hands_its_rows_on_as_pages(store: Store) -> None:
    ti = Pushing()

    told = compared(ti)

    assert (told["pages"], told["counts"], told["to_repair"]) == (1, {"missing": {"course": 1}}, 1)
    (row,) = ti.pushed["page_0001"]
    assert (row["finding"], row["sis_id"]) == ("missing", COURSE.sis_id)


def test_what_was_found_is_mailed_with_its_lists(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ti = Pushing()
    compared(ti)
    sent: list[Letter] = []
    monkeypatch.setattr(reconcile, "send", sent.append)

    ran(mailing(), ti)

    (letter,) = sent
    assert letter.to == ("studieadm@demo.example",)
    assert COURSE.sis_id in letter.attachments[1].data.decode()


def test_canvas_is_believed_when_a_person_asks_for_a_repair_and_says_why(store: Store) -> None:
    ti = Pushing()
    compared(ti, repair=True, reason="wrong click")
    believed = ran(believing(), ti, repair=True, reason=" wrong click ")

    assert believed == {"believed": 1}
    with store.begin() as connection:
        assert list(objects.load(connection, "demo")) == []
        (act,) = history.acts(connection, "demo")
        (event,) = history.of_object(connection, "demo", COURSE.sis_id)
    assert (act.actor, act.act, act.reason, act.detail) == ("unknown", "repair", "wrong click", "missing: 1 course")
    assert (event.event, event.rule) == ("taken from Canvas", "missing")


def test_nothing_is_believed_when_nobody_asked(store: Store) -> None:
    ti = Pushing()
    compared(ti)

    with pytest.raises(AirflowSkipException, match="only compares"):
        ran(believing(), ti, repair=False)


def test_a_repair_without_a_reason_is_refused_before_anything_is_compared(store: Store) -> None:
    with pytest.raises(NeedsPerson, match="a repair needs a reason") as caught:
        compared(Pushing(), repair=True, reason=" ")

    assert caught.value.code is Code.APPROVAL_INVALID


def test_where_no_base_was_taken_there_is_nothing_to_compare(store: Store) -> None:
    with store.begin() as connection:
        institutions.mark(connection, "demo", based_at=None)

    with pytest.raises(AirflowSkipException, match="takes its base"):
        compared(Pushing())


# -- an undo -----------------------------------------------------------------------------------------------------------


def undoing() -> PlanUndoOperator:
    return PlanUndoOperator(task_id="plan_undo", institution="demo", compared_by="compare")


def applied(store: Store) -> int:
    """A plan that closed the course, by what was confirmed."""
    with store.begin() as connection:
        run = runs.open_run(connection, "demo", "sync", "1", "apply", Scope(frozenset()), NOW)
        change = Change(Action.UPDATE, replace(COURSE, long_name="Old"), COURSE, "changed", "FS has another name.")
        made = Plan((change,), Counter())
        number = plans.save_plan(connection, "demo", run.id, made, first_contact=False, now=NOW)
        plans.set_state(connection, number, [0], ChangeState.CONFIRMED)
    return number


def test_nothing_is_undone_when_nobody_asked(store: Store) -> None:
    ti = Pushing()
    compared(ti)

    with pytest.raises(AirflowSkipException, match="undoes nothing"):
        ran(undoing(), ti, undo=None)


def test_an_undo_without_a_reason_is_refused_before_anything_is_compared(store: Store) -> None:
    with pytest.raises(NeedsPerson, match="an undo needs a reason"):
        compared(Pushing(), undo=applied(store), reason=" ")


def test_an_undo_of_an_unknown_plan_says_so(store: Store) -> None:
    ti = Pushing()
    compared(ti, undo=99, reason="wrong file")

    with pytest.raises(FatalError, match="demo has no plan 99") as caught:
        ran(undoing(), ti, undo=99, reason="wrong file")
    assert caught.value.code is Code.PLAN_UNKNOWN


def test_an_undo_with_nothing_left_to_undo_asks_nobody(store: Store) -> None:
    number, ti = applied(store), Pushing()
    compared(ti, undo=number, reason="wrong file")

    with pytest.raises(AirflowSkipException, match="nothing to undo"):  # the course is not in Canvas any more
        ran(undoing(), ti, undo=number, reason="wrong file")


@pytest.fixture
def course_in_canvas(sandbox: RunningSandbox) -> Iterator[None]:
    """The course that was confirmed, for one test."""
    canvas = sandbox.world.canvas
    place = {"account_id": next(one.id for one in canvas.accounts if one.sis_id == "FSDEMO"), "term_id": 1}
    with canvas.lock:
        made = canvas.create_course(Write(batch_id=1), name="Norsk", course_code="NOR", sis_id=COURSE.sis_id, **place)
    yield
    with canvas.lock:
        made.sis_id = None


@pytest.mark.usefixtures("course_in_canvas")
def test_an_undo_is_held_and_says_whom_to_ask(store: Store) -> None:
    number, ti = applied(store), Pushing()
    compared(ti, undo=number, reason="wrong file")

    told = ran(undoing(), ti, undo=number, reason=" wrong file ")

    assert told == {"plan_id": number + 1, "ask": (1,)}
    with store.begin() as connection:
        (change,) = plans.changes(connection, number + 1)
        act = history.acts(connection, "demo")[-1]
    assert (change.state, change.guard_rule, change.change.after) == (
        ChangeState.HELD,
        "undo",
        replace(COURSE, long_name="Old"),
    )
    assert (act.actor, act.act, act.reason, act.approval_id) == ("unknown", "undo", "wrong file", 1)
