"""A run whose task is cleared after its end goes on as the writer, unless somebody else has written meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from rosterflow.domain.errors import Code, FatalError
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run
from rosterflow.sync.runs import close_run, keep_lease, open_run, take_lease
from tests.household import NOW, SCOPE, college

COLLEGE = college()


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store("sqlite://")
    migrate.upgrade(store)
    yield store
    store.dispose()


def opened(store: Store, name: str) -> Run:
    return open_run(store, COLLEGE, dag_id="sync", dag_run_id=name, mode="apply", scope=SCOPE, now=NOW)


def test_a_writer_that_goes_on_keeps_its_number(store: Store) -> None:
    run = take_lease(store, COLLEGE, opened(store, "a"), NOW)

    assert keep_lease(store, COLLEGE, run, NOW).fence == run.fence


def test_a_run_that_had_ended_becomes_the_writer_again(store: Store) -> None:
    run = take_lease(store, COLLEGE, opened(store, "a"), NOW)
    close_run(store, COLLEGE, run, well=False, now=NOW)

    again = keep_lease(store, COLLEGE, run, NOW + timedelta(days=1))

    assert run.fence is not None
    assert again.fence == run.fence + 1
    assert keep_lease(store, COLLEGE, again, NOW + timedelta(days=1)).fence == again.fence


def test_a_run_after_which_another_one_wrote_may_not_go_on_however_often_it_tries(store: Store) -> None:
    run = take_lease(store, COLLEGE, opened(store, "a"), NOW)
    close_run(store, COLLEGE, run, well=False, now=NOW)
    other = take_lease(store, COLLEGE, opened(store, "b"), NOW)
    close_run(store, COLLEGE, other, well=True, now=NOW)

    for _ in range(2):
        with pytest.raises(FatalError) as raised:
            keep_lease(store, COLLEGE, run, NOW)
        assert raised.value.code is Code.PLAN_STALE
    assert take_lease(store, COLLEGE, opened(store, "c"), NOW).fence == 3


def test_a_run_may_not_go_on_while_another_one_writes(store: Store) -> None:
    run = take_lease(store, COLLEGE, opened(store, "a"), NOW)
    close_run(store, COLLEGE, run, well=False, now=NOW)
    take_lease(store, COLLEGE, opened(store, "b"), NOW)

    with pytest.raises(FatalError, match="Another run has written"):
        keep_lease(store, COLLEGE, run, NOW)


def test_a_run_that_never_was_the_writer_cannot_go_on_as_one(store: Store) -> None:
    with pytest.raises(FatalError, match="Another run has written"):
        keep_lease(store, COLLEGE, opened(store, "a"), NOW)
