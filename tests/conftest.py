"""What all tests share: an Airflow of their own, untouched by the developer's settings."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each process of a test run have whole files, and one of them the end-to-end tests, which wait a lot."""
    end_to_end = REPOSITORY / "tests" / "e2e"
    items.sort(key=lambda item: not item.path.is_relative_to(end_to_end))  # the longest first
    for item in items:
        name = "e2e" if item.path.is_relative_to(end_to_end) else str(item.path.relative_to(REPOSITORY))
        item.add_marker(pytest.mark.xdist_group(name))


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
