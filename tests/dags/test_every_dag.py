"""What holds for every DAG of the package (design §7)."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from airflow._shared.module_loading import find_path_from_directory
from airflow.providers.standard.operators.python import PythonOperator

from rosterflow.notifications.failures import FailureMail
from rosterflow.notifications.recording import forget_failure_of_task, record_failure_of_task
from rosterflow.operators.approval import AskPersonOperator
from rosterflow.operators.canvas import WritesPlan
from rosterflow.operators.planning import GuardOperator, PlanOperator
from rosterflow.operators.retry import ByErrorClass
from tests.conftest import REPOSITORY
from tests.dags.conftest import DAGS, Load
from tests.household import college, yaml_of

pytestmark = pytest.mark.airflow

FILES = sorted(path.name for path in DAGS.glob("*.py"))
SLOW = {"pandas", "numpy", "pyarrow", "gql", "alembic", "requests", "aiohttp", "typer", "fsspec.implementations.http"}
"""What takes long to load and has no business in a DAG file, which every task process executes."""

LOADED = """
import json, runpy, sys
import airflow.sdk, airflow.models.dagrun, airflow.providers.standard.operators.hitl
import airflow.providers.standard.operators.trigger_dagrun, airflow.providers.smtp.hooks.smtp
import airflow.providers.common.io.xcom.backend
known = set(sys.modules)
runpy.run_path(sys.argv[1])
print(json.dumps(sorted(set(sys.modules) - known)))
"""


def test_every_dag_file_can_be_imported(load: Load) -> None:
    bag = load()

    assert bag.import_errors == {}
    assert set(bag.dags) == {
        "canvas_approval__fjordvik",
        "canvas_reconcile__fjordvik",
        "coursekey_approval__harbor",
        "coursekey_attendance__harbor",
        "coursekey_outbound__harbor",
        "coursekey_queue__harbor",
        "fs_canvas_sync__fjordvik",
        "rosterflow_housekeeping",
    }


@pytest.mark.parametrize("file", FILES)
def test_a_dag_file_loads_nothing_that_is_slow_to_load(file: str, institutions: Path) -> None:
    command = [sys.executable, "-c", LOADED, str(DAGS / file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout.splitlines()[-1])

    assert "rosterflow.domain.institution" in modules
    assert SLOW & set(modules) == set()


@pytest.mark.parametrize("file", FILES)
def test_a_dag_file_is_short_and_holds_no_logic(file: str) -> None:
    text = (DAGS / file).read_text(encoding="utf-8")
    classes = [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]

    assert len(text.splitlines()) <= 80
    assert classes == []


def test_every_dag_has_an_owner_tags_a_description_and_a_failure_mail(load: Load) -> None:
    for dag in load().dags.values():
        assert dag.owner == "rosterflow", dag.dag_id
        assert "rosterflow" in dag.tags, dag.dag_id
        assert len(dag.doc_md) > 200, dag.dag_id
        assert isinstance(dag.on_failure_callback, FailureMail), dag.dag_id


def test_no_dag_makes_up_for_missed_runs_by_itself(load: Load) -> None:
    assert {dag.dag_id: dag.catchup for dag in load().dags.values() if dag.catchup} == {}


def test_one_run_at_a_time_except_of_approvals_which_may_wait_for_days(load: Load) -> None:
    assert {dag.dag_id: dag.max_active_runs for dag in load().dags.values()} == {
        "canvas_approval__fjordvik": 16,
        "canvas_reconcile__fjordvik": 1,
        "coursekey_approval__harbor": 16,
        "coursekey_attendance__harbor": 4,
        "coursekey_outbound__harbor": 1,
        "coursekey_queue__harbor": 1,
        "fs_canvas_sync__fjordvik": 1,
        "rosterflow_housekeeping": 1,
    }


def test_every_task_writes_down_its_failure_and_forgets_it_when_it_went_well_after_all(load: Load) -> None:
    for dag in load().dags.values():
        for task in dag.tasks:
            where = f"{dag.dag_id} {task.task_id}"
            assert list(task.on_failure_callback) == [record_failure_of_task], where
            assert list(task.on_retry_callback) == [record_failure_of_task], where
            assert list(task.on_success_callback) == [forget_failure_of_task], where
            assert list(task.on_skipped_callback) == [forget_failure_of_task], where


def test_every_task_that_reads_or_writes_has_four_retries_decided_by_the_class_of_the_error(load: Load) -> None:
    bag = load()
    for dag_id in ("canvas_approval__fjordvik", "canvas_reconcile__fjordvik", "fs_canvas_sync__fjordvik"):
        for task in bag.dags[dag_id].tasks:
            assert task.retries >= 4, task.task_id
            assert isinstance(task.retry_policy, ByErrorClass), task.task_id


def test_everything_that_plans_or_writes_takes_the_one_slot_of_its_canvas_root(load: Load) -> None:
    pool = college().canvas.pool
    bag = load()
    pools = {
        (task.task_id, task.pool) for dag in bag.dags.values() for task in dag.tasks if task.pool != "default_pool"
    }
    writers = {
        (task.task_id, pool)
        for dag in bag.dags.values()
        for task in dag.tasks
        if isinstance(task, PlanOperator | GuardOperator | WritesPlan)
    }

    assert pools == writers
    assert len(writers) == 6


def test_no_task_logs_what_it_returns(load: Load) -> None:
    tasks = [task for dag in load().dags.values() for task in dag.tasks]

    assert [task.task_id for task in tasks if isinstance(task, PythonOperator) and task.show_return_value_in_logs] == []


def test_every_task_says_in_the_ui_what_it_does(load: Load) -> None:
    silent = [f"{dag.dag_id} {task.task_id}" for dag in load().dags.values() for task in dag.tasks if not task.doc_md]

    assert silent == []


def test_approvals_run_without_having_been_switched_on(load: Load) -> None:
    bag = load()

    assert bag.dags["canvas_approval__fjordvik"].is_paused_upon_creation is False
    assert bag.dags["fs_canvas_sync__fjordvik"].is_paused_upon_creation is None


def test_only_the_institutions_approvers_are_asked_and_a_comment_must_be_given(institutions: Path, load: Load) -> None:
    (institutions / "fjordvik.yaml").write_text(
        yaml_of("fjordvik") + "approval: {approvers: [kari, 'ola'], timeout_hours: 2}\n", encoding="utf-8"
    )
    first = load("canvas_approval.py").dags["canvas_approval__fjordvik"].get_task("ask_person")

    assert isinstance(first, AskPersonOperator)
    assert [user["id"] for user in first.assigned_users or ()] == ["kari", "ola"]
    assert first.response_timeout == timedelta(hours=2)
    assert first.defaults == ["Reject"]
    assert list(first.params) == ["comment"]


def test_a_broken_institution_gets_a_dag_that_says_why_and_stops_no_other(institutions: Path, load: Load) -> None:
    (institutions / "nordby.yaml").write_text("key: nordby\nnumber: ten\ncolour: red\n", encoding="utf-8")

    bag = load()
    broken = bag.dags["fs_canvas_sync__nordby"]

    assert bag.import_errors == {}
    assert "fs_canvas_sync__fjordvik" in bag.dags
    assert "canvas_approval__nordby" not in bag.dags
    assert "nordby.yaml: colour: no such setting" in broken.doc_md
    assert "settings-invalid" in broken.tags
    assert isinstance(broken.on_failure_callback, FailureMail)
    assert list(broken.get_task("check_settings").on_failure_callback) == [record_failure_of_task]
    with pytest.raises(Exception, match="nordby.yaml: colour: no such setting"):
        broken.get_task("check_settings").execute({})


def test_without_any_institution_there_are_no_dags_of_institutions_and_no_error(institutions: Path, load: Load) -> None:
    (institutions / "fjordvik.yaml").unlink()
    (institutions / "harbor.yaml").unlink()

    bag = load()

    assert bag.import_errors == {}
    assert set(bag.dags) == {"rosterflow_housekeeping"}


def test_the_scanner_executes_nothing_below_plugins() -> None:
    found = find_path_from_directory(str(REPOSITORY / "plugins"), ".airflowignore")

    assert [path for path in found if path.endswith(".py")] == []
