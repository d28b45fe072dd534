"""What all tests share: an Airflow of their own, untouched by the developer's settings."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

REPOSITORY = Path(__file__).parents[1]
AIRFLOW_HOME = Path(tempfile.mkdtemp(prefix="rosterflow-tests-"))

# Airflow reads its settings once, when it is first imported, and test modules import it while they are collected.
for name in [name for name in os.environ if name.startswith(("AIRFLOW", "ROSTERFLOW_"))]:
    del os.environ[name]
os.environ |= {
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
    "AIRFLOW_HOME": str(AIRFLOW_HOME),
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW_HOME}/airflow.db",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(AIRFLOW_HOME / "logs"),
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}


class WholeFiles(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process of a test run whole files, and one of them the end-to-end tests, which share a stack."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "e2e" if file.startswith("tests/e2e/") else file


def pytest_xdist_auto_num_workers() -> int:
    """One process for each core, and one for the end-to-end tests, which mostly wait."""
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WholeFiles:
    """Share the tests out among the processes of ``-n``."""
    return WholeFiles(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: the end-to-end tests, the end of their story first, and then the scenarios."""

    def turn(item: pytest.Item) -> tuple[bool, bool, bool]:
        folders = item.path.relative_to(REPOSITORY / "tests").parts
        end_to_end = "e2e" in folders
        # What is played beside the story then runs while the story does.
        ends = end_to_end and isinstance(item, pytest.Function) and "people" in item.fixturenames
        return not end_to_end, not ends, "scenarios" not in folders

    items.sort(key=turn)


def pytest_unconfigure() -> None:
    """Remove Airflow's files of this test run."""
    shutil.rmtree(AIRFLOW_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's metadata database, made once (about 3 s)."""
    from airflow.utils import db  # not for the tests that do without Airflow: it takes seconds to import

    db.initdb()


@pytest.fixture(autouse=True)
def airflow_for_marked_tests(request: pytest.FixtureRequest) -> None:
    """Give the tests marked `airflow` their database."""
    if request.node.get_closest_marker("airflow"):
        request.getfixturevalue("airflow_database")
