"""Writing many rows at once.

On PostgreSQL thousands of rows are one parameter, a JSON text that the server takes apart (``json_to_recordset``): to
bind each value of each row by itself costs the client several times as much. SQLite binds them in its own process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from rosterflow.store.engine import UtcDateTime, json_text

T = TypeVar("T")
Row = Mapping[str, Any]
Insert = postgresql.Insert | sqlite.Insert

ROWS_AT_ONCE = 1000
RUNS_AT_ONCE = 300
ROWS_IN_A_TEXT = 5000
"""Some megabytes: enough to make a round trip worth while, and little beside the rows themselves."""


def batches(items: Iterable[T], size: int = ROWS_AT_ONCE) -> Iterator[list[T]]:
    """The items in lists of at most ``size``: a statement takes only so many."""
    remaining = iter(items)
    while some := list(islice(remaining, size)):
        yield some


def insert_rows(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Insert rows.

    :param rows: all with the same columns, whose values are JSON's or aware datetimes.
    """
    for some in batches(rows, ROWS_IN_A_TEXT):
        _execute(connection, table, some, insert_into(connection, table))


def upsert(
    connection: Connection, table: Table, rows: Iterable[Row], *, keep: Sequence[str] = (), by: Sequence[str] = ()
) -> None:
    """Insert rows, or update the ones whose key is already there.

    :param rows: as for :func:`insert_rows`; no two with the same key.
    :param keep: columns that an existing row keeps as they are.
    :param by: the key, columns that are unique together; without them the primary key.
    """
    keys = by or [each.name for each in table.primary_key]
    for some in batches(rows, ROWS_IN_A_TEXT):
        statement = insert_into(connection, table)
        changed = {name: statement.excluded[name] for name in some[0] if name not in keys and name not in keep}
        if changed:
            statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=keys)
        _execute(connection, table, some, statement)


def insert_into(connection: Connection, table: Table) -> Insert:
    """An insert of the database's own dialect, which knows what to do about rows that are there already."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _execute(connection: Connection, table: Table, rows: list[Row], statement: Insert) -> None:
    if connection.dialect.name != "postgresql":
        connection.execute(statement, rows)
        return
    names = list(rows[0])
    _refuse_naive(table, names, rows)
    text = json_text(rows)
    connection.execute(statement.from_select(names, _rows_of(table, names)), {"rows": text})


def _rows_of(table: Table, names: Sequence[str]) -> Select[Any]:
    """The rows in the JSON text ``rows``, each value as its column's type."""
    typed = (column(name, table.c[name].type) for name in names)
    given = func.json_to_recordset(cast(bindparam("rows", type_=Text), postgresql.JSON(none_as_null=True)))
    rows = given.table_valued(*typed).render_derived("given", with_types=True)
    return select(*rows.c)


def _refuse_naive(table: Table, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Refuse datetimes without a time zone, as :class:`UtcDateTime` does for values that are bound one by one."""
    for name in names:
        if isinstance(table.c[name].type, UtcDateTime) and any(row[name] and not row[name].tzinfo for row in rows):
            raise ValueError("a datetime without a time zone reached the store")


def matching(
    connection: Connection, columns: Sequence[Column[Any]], rows: Iterable[Sequence[str]]
) -> ColumnElement[bool]:
    """A condition of a SELECT: that the columns have the values of one of some rows.

    The rows are one parameter, joined to the table by an index over the columns; a list of row values makes SQLite look
    through all of the table.

    :param columns: all that an index begins with, the institution too: SQLite, which counts nothing, would else take
        some other index that begins with those given elsewhere.
    :param rows: as many as make a text of reasonable length; values in the order of ``columns``. One that is given
        twice counts once.
    """
    names = [each.name for each in columns]
    once = dict.fromkeys(map(tuple, rows))
    text = bindparam(None, json_text([dict(zip(names, row, strict=True)) for row in once]), type_=Text)
    if connection.dialect.name == "postgresql":
        # Not of the columns' own types: one that is too short for a value would refuse it, instead of not having it.
        given = func.json_to_recordset(cast(text, postgresql.JSON)).table_valued(
            *(column(each.name, Text) for each in columns)
        )
        named = given.render_derived("given", with_types=True)
        return and_(*(each == named.c[each.name] for each in columns))
    rows_of = func.json_each(text).table_valued("value", name="given")
    return and_(*(each == func.json_extract(rows_of.c.value, f"$.{each.name}") for each in columns))


def among(numbers: Iterable[int], which: Column[int]) -> Iterator[ColumnElement[bool]]:
    """Conditions that together pick the rows with these numbers; numbers that follow one another cost as one."""
    for some in batches(_runs(sorted(numbers)), RUNS_AT_ONCE):
        yield or_(*(which.between(first, last) for first, last in some))


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of numbers without a gap."""
    first = last = None
    for number in numbers:
        if first is None or last is None:
            first = last = number
        elif number <= last + 1:
            last = number
        else:
            yield first, last
            first = last = number
    if first is not None and last is not None:
        yield first, last
