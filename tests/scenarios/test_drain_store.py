"""The drain and its store: a database that goes away, drains on PostgreSQL, and two that want one name."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from demo.postgres import Postgres
from demo.processes import Children
from rosterflow.domain.coursekey.queue import EntryState
from rosterflow.domain.coursekey.remote import Course
from rosterflow.domain.errors import Code, RetryableError
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from rosterflow.sync.drain_state import Drained
from rosterflow.sync.draining import drain
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
    for thread in drains:
        thread.start()
    for thread in drains:
        thread.join()
    clock.forward(minutes=5)
    town.drain()

    assert failed == []
    whole(town, students=20)
    by = {line.outcome.by for line in town.history() if line.outcome.state is EntryState.DONE}
    assert len(by) > 1
    store.dispose()


class Hesitant(CourseKeyHook):
    """Tells of the course it made when another drain is through."""

    def __init__(self, *given: Any, made: threading.Event, may_go_on: threading.Event, **named: Any) -> None:
        super().__init__(*given, **named)
        self._made, self._may_go_on = made, may_go_on

    async def create_course(self, *given: Any, **named: Any) -> Course:
        course = await super().create_course(*given, **named)
        self._made.set()
        assert self._may_go_on.wait(10)
        return course


def overtaken(town: Ground, second: str) -> Drained:
    """A drain makes a course; before it knows so, a second section is collected and another drain begins and ends."""
    made, may_go_on = threading.Event(), threading.Event()

    def hook(connection: str) -> CourseKeyHook:
        base = town.college.coursekey.base_url
        return Hesitant(connection, base_url=base, made=made, may_go_on=may_go_on)

    town.register(town.section("MTH101/4"), town.person(2001))
    town.collect()
    first = threading.Thread(target=drain, args=(replace(town.work("first"), hooks=hook),))
    first.start()
    assert made.wait(10)
    town.register(town.section(second), town.person(2002))
    town.collect()
    result = town.drain()
    may_go_on.set()
    first.join()
    return result


def one_course_for_one_section(town: Ground) -> None:
    """Two drains at once, whose sections have one name."""
    meanwhile = overtaken(town, "MTH101/5")

    assert meanwhile.states == {EntryState.PENDING: 3, EntryState.DONE: 1}
    town.clock.forward(minutes=2)
    town.drain()
    [course] = town.there()["courses"]
    assert [one["email"] for one in course["enrollments"]] == ["pia.quill.2001@college.example"]
    failed = {(str(one.entity), one.error_code) for one in town.entries(EntryState.FAILED)}
    assert failed == {
        ("course 202610/MTH101/5", "course-name-taken"),
        ("sessions 202610/MTH101/5", "course-name-taken"),
        ("enrollment 202610/MTH101/5 2002", "course-name-taken"),
    }


def test_two_drains_at_once_never_take_one_course_for_two_sections(
    sandbox: RunningSandbox, tmp_path: Path, clock: Clock
) -> None:
    with ground(sandbox, tmp_path, clock, course_name_format="@COURSE_TITLE@") as town:
        one_course_for_one_section(town)


def test_nor_do_they_on_postgresql(
    sandbox: RunningSandbox, postgres: Postgres, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in connections(sandbox.url).items():
        monkeypatch.setitem(os.environ, name, value)
    postgres.create_database("one_name")
    key = Fernet.generate_key().decode()
    store = Store(postgres.url("one_name"), [key])
    migrate.upgrade(store)

    one_course_for_one_section(
        Ground(sandbox, store, college(sandbox.url, course_name_format="@COURSE_TITLE@"), clock, key)
    )
    store.dispose()
