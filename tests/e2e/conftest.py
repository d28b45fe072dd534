"""The whole stack for the end-to-end tests, started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.errors import DemoError, log_tail
from demo.processes import Children
from demo.stack import Stack

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this directory `e2e`."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The sandbox, PostgreSQL and Airflow with this repository's DAGs; about 20 s, once for all tests."""
    with Children() as children:
        running = Stack(children, tmp_path_factory.mktemp("stack"), say=print)
        try:
            running.start()
        except DemoError as error:
            pytest.fail(f"{error}\n{log_tail(error.log) if error.log else ''}")
        yield running
        running.stop()
