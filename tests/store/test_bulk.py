"""Writing many rows at once, the same on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, true
from sqlalchemy.exc import StatementError

from rosterflow.store import bulk
from rosterflow.store.bulk import among, batches, insert_rows, matching, upsert
from rosterflow.store.coursekey_tables import queue_entry
from rosterflow.store.engine import Store
from rosterflow.store.tables import decision, history
from tests.store.things import DAY, HOUR, NOW


def event(sis_id: str, at: datetime = NOW) -> dict[str, Any]:
    words = {"kind": "course", "event": "updated", "rule": "changed", "detail": 'på "nynorsk" \\ \n – «æøå» %s :x'}
    return {"at": at, "institution": "north", "run_id": None, "plan_id": 7, "sis_id": sis_id, **words}


def decided(subject: str, since_run: int, facts: list[list[str]], *, allowed: bool = True) -> dict[str, Any]:
    identity = {"institution": "north", "source": "emne", "subject": subject, "rule": "emne-sent"}
    return {**identity, "allowed": allowed, "facts": facts, "kind": None, "sis_id": None, "since_run": since_run}


def found(store: Store, table: Any) -> list[dict[str, Any]]:
    with store.begin() as connection:
        rows = connection.execute(select(table).order_by(*table.primary_key)).mappings().all()
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


def test_rows_come_back_as_they_were_inserted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ROWS_IN_A_TEXT", 2)
    events = [event("A"), event("B", NOW + HOUR), event("C", NOW + DAY)]

    with store.begin() as connection:
        insert_rows(connection, history, iter(events))

    assert found(store, history) == events


def test_inserting_nothing_is_no_statement(store: Store) -> None:
    with store.begin() as connection:
        insert_rows(connection, history, [])
        upsert(connection, decision, [])

    assert found(store, history) + found(store, decision) == []


def test_an_upsert_replaces_what_it_does_not_keep(store: Store) -> None:
    with store.begin() as connection:
        upsert(connection, decision, [decided("MAT1", 1, [["a", "b"]]), decided("MAT2", 1, [])])
        upsert(connection, decision, [decided("MAT2", 2, [["c", "d"]], allowed=False)], keep=("since_run",))

    assert found(store, decision) == [
        decided("MAT1", 1, [["a", "b"]]),
        decided("MAT2", 1, [["c", "d"]], allowed=False),
    ]


def test_a_row_whose_columns_are_all_kept_stays_as_it_is(store: Store) -> None:
    columns = ("allowed", "facts", "kind", "sis_id", "since_run")

    with store.begin() as connection:
        upsert(connection, decision, [decided("MAT1", 1, [])])
        upsert(connection, decision, [decided("MAT1", 2, [["a", "b"]])], keep=columns)

    assert found(store, decision) == [decided("MAT1", 1, [])]


def test_a_time_without_its_zone_is_refused_in_bulk_too(store: Store) -> None:
    naive = datetime(2026, 9, 1)  # noqa: DTZ001 - the point

    with pytest.raises((StatementError, ValueError), match="time zone"), store.begin() as connection:
        insert_rows(connection, history, [event("A", naive)])


@pytest.mark.parametrize(
    ("numbers", "conditions"),
    [([], 0), ([5], 1), ([3, 1, 2, 2], 1), ([1, 3, 5, 7, 8], 2)],
    ids=["none", "one", "a run with a number twice", "more runs than a statement takes"],
)
def test_numbers_are_picked_by_the_runs_they_form(
    store: Store, monkeypatch: pytest.MonkeyPatch, numbers: list[int], conditions: int
) -> None:
    monkeypatch.setattr(bulk, "RUNS_AT_ONCE", 3)
    picked = list(among(numbers, history.c.plan_id))

    with store.begin() as connection:
        insert_rows(connection, history, [{**event(str(n)), "plan_id": n} for n in range(10)])
        rows = [connection.execute(select(history.c.plan_id).where(true(), one)).scalars().all() for one in picked]

    assert (len(picked), sorted(n for some in rows for n in some)) == (conditions, sorted(set(numbers)))


def test_batches_cover_everything_once() -> None:
    assert list(batches(range(5), 2)) == [[0, 1], [2, 3], [4]]


def test_every_column_has_a_type_that_bulk_writing_knows() -> None:
    """A column of another type than these needs a look at how its values become JSON."""
    types = {
        str(column.type.compile()).partition("(")[0]
        for table in queue_entry.metadata.sorted_tables
        for column in table.c
    }

    assert types == {"VARCHAR", "TEXT", "INTEGER", "BOOLEAN", "JSON", "DATE", "DATETIME"}


def names_of(store: Store, rows: Sequence[Sequence[str]]) -> list[str]:
    columns = [decision.c[name] for name in ("institution", "source", "subject")]
    with store.begin() as connection:
        query = select(decision.c.subject).where(matching(connection, columns, rows)).order_by(decision.c.subject)
        return list(connection.execute(query).scalars())


def test_rows_are_picked_by_several_columns_at_once(store: Store) -> None:
    with store.begin() as connection:
        upsert(connection, decision, [decided(subject, 1, []) for subject in ("MAT1", "MAT'2", 'MAT"3', "MAT4")])

    rows = [("north", "emne", "MAT'2"), ("north", "emne", 'MAT"3'), ("south", "emne", "MAT1"), ("north", "evu", "MAT4")]

    assert names_of(store, rows) == ['MAT"3', "MAT'2"]
    assert names_of(store, []) == []


def test_a_row_that_is_asked_for_twice_is_picked_once(store: Store) -> None:
    with store.begin() as connection:
        upsert(connection, decision, [decided("MAT1", 1, [])])

    assert names_of(store, [("north", "emne", "MAT1"), ["north", "emne", "MAT1"]]) == ["MAT1"]


def test_what_is_too_long_for_a_column_is_not_there(store: Store) -> None:
    with store.begin() as connection:
        upsert(connection, decision, [decided("MAT1", 1, [])])

    assert names_of(store, [("n" * 1000, "emne", "MAT1"), ("north", "emne", "MAT1")]) == ["MAT1"]


def test_many_rows_are_picked_by_an_index_of_all_of_their_columns(sqlite_file: Path) -> None:
    sqlite = Store(f"sqlite:///{sqlite_file}")
    columns = [queue_entry.c[name] for name in ("institution", "api_name", "kind", "semester")]
    with sqlite.begin() as connection:
        query = select(queue_entry).where(matching(connection, columns, [("north", "api", "course", "2026FA")]))
        compiled = query.compile(connection)
        given = tuple(compiled.params[name] for name in compiled.positiontup or ())
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", given)]

    sqlite.dispose()
    searches = [line for line in plan if line.startswith("SEARCH queue_entry")]
    assert [" AND ".join(f"{each.name}=?" for each in columns) in line for line in searches] == [True]
