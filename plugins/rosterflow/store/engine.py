"""The connection to the store: PostgreSQL in production, SQLite for unit tests and one-process use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, DateTime, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator

from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.store.sealing import OPTION, Seal

POSTGRESQL: dict[str, Any] = {
    "connect_args": {"connect_timeout": 10},
    "executemany_mode": "values_plus_batch",  # many rows a round trip, for upserts and updates too
    "executemany_batch_page_size": 500,
}

SQLITE: dict[str, Any] = {"poolclass": NullPool}
"""Opening a file is cheap, and a connection that nobody keeps is never left open."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant on both databases; SQLite has no zones of its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive datetimes: a local time without its zone is a wrong time twice a year."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone reached the store")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back what SQLite stored without its zone as the UTC instant it is."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Store:
    """A pool of connections to the store, with short transactions.

    :param url: SQLAlchemy URL, ``postgresql+psycopg2://…`` or ``sqlite:///…``.
    :param keys: Fernet keys for personal data, newest first; without one only what is about nobody can be kept.
    :raises FatalError: ``settings-invalid`` when the URL is none, ``page-key-invalid`` when a key is none.
    """

    def __init__(self, url: str, keys: Sequence[str] = ()) -> None:
        self.engine: Engine = _engine(url).execution_options(**{OPTION: Seal(keys)})
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back on any error.

        :raises RetryableError: ``store-unavailable`` when the database cannot be reached or went away.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise RetryableError(Code.STORE_UNAVAILABLE, "The store cannot be reached.") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise RetryableError(Code.STORE_UNAVAILABLE, "The store's connection was cut.") from error
            raise

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parts = make_url(url)
        in_a_file = parts.database not in (None, "", ":memory:")
        options = {"psycopg2": POSTGRESQL, "pysqlite": SQLITE if in_a_file else {}}.get(parts.get_dialect().driver, {})
        json = {"json_serializer": json_text, "json_deserializer": msgspec.json.decode}
        return create_engine(parts, pool_pre_ping=True, hide_parameters=True, **json, **options)
    except (ArgumentError, NoSuchModuleError):
        raise FatalError(Code.SETTINGS_INVALID, "ROSTERFLOW_DATABASE_URL is no SQLAlchemy URL.") from None


def json_text(value: object) -> str:
    """A value as the JSON that the store keeps: the same text for the same value on both databases."""
    return msgspec.json.encode(value).decode()


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver would begin a transaction only at its first write
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """One writer at a time from the first read on, as a row lock does it on PostgreSQL."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
