"""The drain and its store: a database that goes away, and two drains on PostgreSQL."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from demo.postgres import Postgres
from demo.processes import Children
from rosterflow.domain.coursekey.queue import EntryState
from rosterflow.domain.errors import Code, RetryableError
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from sandbox.serving import RunningSandbox
from tests.harness import Clock
from tests.scenarios.drain_ground import Ground, college, connections, ground


def classes(town: Ground, count: int = 4, students: int = 8) -> None:
    people = [town.person(2001 + number) for number in range(students)]
    for number in range(count):
        key = town.section(f"MTH{number}/1")
        town.teach(key, town.person(9001 + number))
        town.register(key, *people)
    town.collect()


def whole(town: Ground, count: int = 4, students: int = 8) -> None:
    users = [one for one in town.there()["users"] if one["issuedID"]]
    assert set(town.counts()) == {EntryState.DONE}
    assert (len(users), {one["welcomeMails"] for one in users}) == (students + count, {1})
    assert [len(one["enrollments"]) for one in town.there()["courses"]] == [students] * count
    assert [len(one["staff"]) for one in town.there()["courses"]] == [2] * count


class Failing(Store):
    """A store whose database goes away at one transaction."""

    transactions = 0
    at = -1

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        self.transactions += 1
        with super().begin() as connection:
            yield connection
            if self.transactions == self.at:
                raise OperationalError("commit", {}, Exception("server closed the connection"))


@pytest.mark.parametrize("at", [2, 5, 9, 13, 17])
def test_a_database_that_goes_away_stops_the_drain_and_loses_nothing(
    sandbox: RunningSandbox, tmp_path: Path, clock: Clock, at: int
) -> None:
    with ground(sandbox, tmp_path, clock) as town:
        classes(town)
        failing = Failing(str(town.store.engine.url), [town.page_key])
        failing.at = at
        good, town.store = town.store, failing

        with pytest.raises(RetryableError) as caught:
            town.drain()

        assert caught.value.code is Code.STORE_UNAVAILABLE
        failing.dispose()
        town.store = good
        clock.forward(minutes=11)
        town.drain()
        whole(town)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Children() as children, Postgres(children, tmp_path_factory.mktemp("postgres")) as server:
        server.create_database("rosterflow")
        yield server


def test_drains_at_once_on_postgresql_share_the_work(
    sandbox: RunningSandbox, postgres: Postgres, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in connections(sandbox.url).items():
        monkeypatch.setitem(os.environ, name, value)
    key = Fernet.generate_key().decode()
    store = Store(postgres.url("rosterflow"), [key])
    migrate.upgrade(store)
    town = Ground(sandbox, store, college(sandbox.url), clock, key)
    classes(town, students=20)
    failed: list[BaseException] = []

    def one() -> None:
        try:
            town.drain(batch=10)
        except BaseException as error:
            failed.append(error)

    drains = [threading.Thread(target=one) for _ in range(3)]
    for drain in drains:
        drain.start()
    for drain in drains:
        drain.join()
    clock.forward(minutes=5)
    town.drain()

    assert failed == []
    whole(town, students=20)
    by = {line.outcome.by for line in town.history() if line.outcome.state is EntryState.DONE}
    assert len(by) > 1
    store.dispose()
