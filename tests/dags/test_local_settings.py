"""What Airflow's processes load before they fork tasks and parsers (plugins/airflow_local_settings.py)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dags.conftest import DAGS

pytestmark = pytest.mark.airflow

LOADED = """
import json, runpy, sys
import airflow
before = {name for name in sys.modules if name.startswith("rosterflow.")}
for file in sys.argv[2:]:
    runpy.run_path(file)
print(json.dumps([sorted(before), sorted({name for name in sys.modules if name.startswith("rosterflow.")} - before)]))
"""


def loaded(component: str) -> tuple[list[str], list[str]]:
    """Our modules that a component of Airflow has from its beginning, and those that all DAG files add."""
    command = [sys.executable, "-c", LOADED, component, *map(str, sorted(DAGS.glob("*.py")))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, added = json.loads(done.stdout.splitlines()[-1])
    return before, added


@pytest.mark.parametrize("component", ["scheduler", "dag-processor"])
def test_what_is_forked_for_a_task_or_a_dag_file_has_all_modules_already(component: str, institutions: Path) -> None:
    before, added = loaded(component)

    assert "rosterflow.operators.canvas" in before
    assert added == []


def test_other_processes_of_airflow_do_without_them(institutions: Path) -> None:
    before, added = loaded("api-server")

    assert [name for name in before if name.startswith("rosterflow.operators")] == []
    assert "rosterflow.operators.canvas" in added


def test_a_scheduler_begins_all_the_same_when_the_package_cannot_be_loaded(institutions: Path) -> None:
    broken = "import sys; sys.modules['rosterflow.hooks.fs'] = None; import airflow.settings; print('begun')"
    command = [sys.executable, "-c", broken, "scheduler"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "begun"
    assert "Rosterflow could not be loaded ahead of its tasks." in done.stdout + done.stderr
