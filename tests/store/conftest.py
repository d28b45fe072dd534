"""The store on both databases: every test that takes `store` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from demo.postgres import Postgres
from demo.processes import Children
from rosterflow.store import migrate
from rosterflow.store.coursekey_tables import queue_entry
from rosterflow.store.engine import Store

KEY = Fernet.generate_key().decode()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One PostgreSQL server for all tests of the store."""
    with Children() as children, Postgres(children, tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def on_postgres(postgres: Postgres) -> Iterator[Store]:
    """A migrated store on PostgreSQL."""
    postgres.create_database("rosterflow")
    store = Store(postgres.url("rosterflow"), [KEY])
    migrate.upgrade(store)
    yield store
    store.dispose()


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "store.db"
    store = Store(f"sqlite:///{path}")
    migrate.upgrade(store)
    store.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty, migrated store."""
    if request.param == "postgresql":
        store: Store = request.getfixturevalue("on_postgres")
        yield store
        with store.begin() as connection:
            for table in reversed(queue_entry.metadata.sorted_tables):
                connection.execute(table.delete())
        return
    path = tmp_path / "store.db"
    shutil.copy(request.getfixturevalue("sqlite_file"), path)
    store = Store(f"sqlite:///{path}", [KEY])
    yield store
    store.dispose()
