"""The task `report`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
import yaml
from cryptography.fernet import Fernet

from rosterflow.domain.model import Course, State
from rosterflow.domain.plan import Action, Change
from rosterflow.operators.run import ReportOperator
from rosterflow.store import approvals, migrate, plans
from rosterflow.store.engine import Store
from rosterflow.store.plans import ChangeState
from tests.household import NOW, opened, planned
from tests.operators.running import RUN_ID, context

SETTINGS = {
    "key": "demo",
    "name": "Demohøgskolen",
    "number": "184",
    "fs": {"connection": "fs_demo"},
    "canvas": {"connection": "canvas_demo", "account": "FSDEMO"},
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    (tmp_path / "demo.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", f"file://{tmp_path}/blobs")
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(tmp_path))
    store = Store(f"sqlite:///{tmp_path}/store.db")
    migrate.upgrade(store)
    yield store
    store.dispose()


def test_an_approval_that_only_hid_courses_and_so_needed_no_import_is_reported(store: Store) -> None:
    course = Course("UE_1", "NOR1", "Norsk 1", "EMNE_NOR1")
    hidden = Course("UE_1", "NOR1", "Norsk 1", "EMNE_NOR1", state=State.UNPUBLISHED)
    plan_id = planned(store, opened(store), [Change(Action.HIDE, course, hidden, "gone", "It is gone.")])
    opened(store, "demo", name=RUN_ID)
    with store.begin() as connection:
        request = approvals.ask(
            connection, "fjordvik", plan_id, [0], "hash", two_person=False, first_contact=False, now=NOW
        )
        plans.set_state(connection, plan_id, [0], ChangeState.CONFIRMED)

    task = ReportOperator(task_id="report", institution="demo")
    with mock.patch.object(task.log, "info") as said:
        task.execute(context(approval_id=request))
    task.store.dispose()

    told = [call.args[1] for call in said.call_args_list]
    assert "course: 0 created, 0 updated, 1 removed, 0 held, 0 refused, 0 unchanged" in told
