"""The comparison with Canvas: its graph, its schedule and its form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import CronTriggerTimetable

from tests.dags.conftest import Load
from tests.household import yaml_of

pytestmark = pytest.mark.airflow


@pytest.fixture
def dag(load: Load) -> Any:
    return load("canvas_reconcile.py").dags["canvas_reconcile__fjordvik"]


def test_what_is_found_is_mailed_and_where_somebody_wants_it_a_repair_or_an_undo_is_planned(dag: Any) -> None:
    assert dag.get_task("compare").downstream_task_ids == {"mail", "believe_canvas", "plan_undo"}
    assert dag.get_task("believe_canvas").downstream_task_ids == {"plan_repair"}
    assert dag.get_task("plan_undo").downstream_task_ids == {"ask_approval"}
    assert dag.get_task("close_run").is_teardown


def test_a_repair_starts_a_sync_that_only_plans(dag: Any) -> None:
    repair = dag.get_task("plan_repair")

    assert (repair.trigger_dag_id, repair.conf) == ("fs_canvas_sync__fjordvik", {"mode": "plan"})


def test_nothing_is_repaired_or_undone_unless_somebody_asks_for_it(dag: Any) -> None:
    assert {name: dag.params[name] for name in dag.params} == {"repair": False, "undo": None, "reason": ""}


def test_it_runs_by_hand_unless_the_settings_say_when(dag: Any, institutions: Path, load: Load) -> None:
    (institutions / "fjordvik.yaml").write_text(yaml_of("fjordvik", reconcile="0 6 * * 0"), encoding="utf-8")

    weekly = load("canvas_reconcile.py").dags["canvas_reconcile__fjordvik"]

    assert dag.schedule is None
    assert isinstance(weekly.schedule, CronTriggerTimetable)
    assert weekly.schedule.expression == "0 6 * * 0"
