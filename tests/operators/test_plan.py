"""The task `plan` writes down which pages it planned from, so that they can be explained while they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from rosterflow.hooks.fs_operations import STRUCTURE
from rosterflow.operators.planning import PlanOperator
from rosterflow.operators.run import OpenRunOperator
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from rosterflow.sync.runs import take_lease
from tests.harness import institution
from tests.household import NOW
from tests.operators.running import DAG_ID, RUN_ID, Instance, context

ONE = institution()
READS = {name: f"read.{name}" for name in STRUCTURE["2026"]}
PART = {"operation": "enhetsroller", "variables": {"organisasjonskode": "184"}, "about": "", "rows": 2}


class Read(Instance):
    """A task instance of a run that read empty pages: one of each operation, and two of roles in a mapped task."""

    def xcom_pull(self, task_ids: str, key: str = "return_value", map_indexes: int = -1) -> Any:
        if key != "return_value":
            return []
        if task_ids == "split_people":
            return [[PART]]
        counts = {"operation": "enhetsroller", "pages": 2, "gaps": ["A page was lost."]}
        return [counts] if task_ids == "read_people" else {"pages": 1, "gaps": []}


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlanOperator]:
    plain = ONE.model_dump(mode="json", by_alias=True)
    (tmp_path / "demo.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", f"file://{tmp_path}/blobs")
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(tmp_path))
    store = Store(f"sqlite:///{tmp_path}/store.db")
    migrate.upgrade(store)
    opened = OpenRunOperator(task_id="open_run", institution="demo")
    opened.execute(context())
    take_lease(store, ONE, opened.run_of(context()), NOW)
    task = PlanOperator(task_id="plan", institution="demo", reads=READS, people=("split_people", "read_people"))
    yield task
    for one in (task.store, opened.store, store):
        one.dispose()


def test_the_pages_of_a_plan_are_named_beside_them(task: PlanOperator) -> None:
    task.execute(context(Read()))

    run = f"xcom/{DAG_ID}/{RUN_ID}"
    pages = [f"{run}/read_people/0/page_0001", f"{run}/read_people/0/page_0002"]
    assert task.blobs.get(f"{run}/reads") == {
        "structure": {name: [f"{run}/read.{name}/-1/page_0001"] for name in READS},
        "people": [{"operation": "enhetsroller", "about": "", "pages": pages}],
        "gaps": [],
        "people_gaps": ["A page was lost."],
    }
