"""The tasks of a comparison with Canvas."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.sdk.exceptions import AirflowSkipException
from cryptography.fernet import Fernet

from rosterflow.domain.confirmed import ConfirmedObject
from rosterflow.domain.errors import Code, NeedsPerson
from rosterflow.domain.model import Course, Origin, SourceKind
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.operators import reconcile
from rosterflow.operators.reconcile import BelieveCanvasOperator, CompareOperator, MailComparisonOperator
from rosterflow.operators.run import OpenRunOperator
from rosterflow.store import history, institutions, migrate, objects
from rosterflow.store.engine import Store
from rosterflow.sync.letters import Letter
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
