"""The connection to the store: PostgreSQL in production, SQLite for unit tests and one-process use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, DateTime, Dialect, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.types import TypeDecorator

from rosterflow.domain.errors import Code, RetryableError

ROWS_AT_ONCE = 1000


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
    """

    def __init__(self, url: str) -> None:
        self.engine: Engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)

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


def _prepare_sqlite(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def upsert(
    connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]], *, keep: Sequence[str] = ()
) -> None:
    """Insert rows, or update the ones whose primary key is already there.

    :param rows: all with the same columns.
    :param keep: columns that an existing row keeps as they are.
    """
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    keys = [column.name for column in table.primary_key]
    remaining = iter(rows)
    while some := list(islice(remaining, ROWS_AT_ONCE)):
        statement = make(table)
        changed = {name: statement.excluded[name] for name in some[0] if name not in keys and name not in keep}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), some)
