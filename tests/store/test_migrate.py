"""The migrations make exactly the tables that the code knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from rosterflow.domain.errors import Code, FatalError
from rosterflow.store import migrate
from rosterflow.store.coursekey_tables import queue_entry
from rosterflow.store.engine import Store


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    with store.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, queue_entry.metadata) == []


def test_upgrading_an_upgraded_store_changes_nothing(store: Store) -> None:
    migrate.upgrade(store)

    migrate.check(store)


def test_a_store_that_was_never_upgraded_is_refused_by_name_of_both_versions(tmp_path: Path) -> None:
    with pytest.raises(FatalError) as caught:
        migrate.check(Store(f"sqlite:///{tmp_path}/new.db"))

    assert (caught.value.code, caught.value.message) == (
        Code.STORE_OUTDATED,
        "The store is at version none, this code needs 0003.",
    )


def test_the_version_that_the_code_needs_is_the_newest_migration(store: Store) -> None:
    with store.begin() as connection:
        newest = ScriptDirectory.from_config(migrate.config(connection)).get_current_head()

    assert newest == migrate.VERSION


def test_the_migrations_can_be_taken_back(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/new.db")
    migrate.upgrade(store)

    with store.begin() as connection:
        command.downgrade(migrate.config(connection), "base")

    with store.begin() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
