"""Bringing the store's tables to this version of the code.

Alembic is imported where it is used: it loads slowly, and every DAG file leads here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from rosterflow.domain.errors import Code, FatalError
from rosterflow.store.engine import Store

if TYPE_CHECKING:
    from alembic.config import Config

VERSION = "0003"
"""The newest of the migrations. Alembic would find it out, but takes longer to load than the first task of a run."""

ONE_AT_A_TIME = 0x526F73746572
"""Key of the PostgreSQL advisory lock that keeps two upgrades from running at once."""


def config(connection: Connection) -> Config:
    """Alembic's configuration for one open connection."""
    from alembic.config import Config

    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.set_main_option("path_separator", "os")
    return made


def upgrade(store: Store) -> None:
    """Bring the store to this version; nothing happens when it is there already."""
    from alembic import command

    with store.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
        command.upgrade(config(connection), "head")


def check(store: Store) -> None:
    """See that the store is at this version.

    :raises FatalError: ``store-outdated`` naming the version it has and the one it needs.
    """
    with store.begin() as connection:
        has = _version(connection)
    if has != VERSION:
        raise FatalError(Code.STORE_OUTDATED, f"The store is at version {has or 'none'}, this code needs {VERSION}.")


def _version(connection: Connection) -> str | None:
    """The version the store has; alembic could tell too, but writes two lines into every task's log."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
