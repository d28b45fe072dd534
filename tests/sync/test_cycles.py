"""Work that is not disturbed by the search for reference cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from rosterflow.sync.cycles import passing_over_what_is_there, undisturbed


@pytest.fixture(autouse=True)
def searching() -> Iterator[None]:
    """The search is on, whatever a test does to it."""
    gc.enable()
    yield
    gc.enable()


def test_the_search_is_off_during_the_work_and_on_after_it() -> None:
    @undisturbed
    def work(first: int, *, second: int) -> tuple[int, bool]:
        return first + second, gc.isenabled()

    assert (work(1, second=2), gc.isenabled()) == ((3, False), True)


def test_the_search_is_on_again_after_work_that_failed() -> None:
    @undisturbed
    def work() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        work()

    assert gc.isenabled()


def test_who_switched_the_search_off_keeps_it_off() -> None:
    gc.disable()

    undisturbed(lambda: None)()

    assert not gc.isenabled()


def test_work_inside_work_does_not_switch_the_search_on() -> None:
    inner = undisturbed(lambda: None)

    @undisturbed
    def outer() -> bool:
        inner()
        return gc.isenabled()

    assert not outer()


def test_what_is_there_is_passed_over_during_the_work_and_looked_at_again_after_it() -> None:
    with passing_over_what_is_there():
        passed_over = gc.get_freeze_count()

    assert (passed_over > 0, gc.get_freeze_count()) == (True, 0)


def test_what_is_there_is_looked_at_again_after_work_that_failed() -> None:
    with pytest.raises(KeyError), passing_over_what_is_there():
        raise KeyError

    assert gc.get_freeze_count() == 0
