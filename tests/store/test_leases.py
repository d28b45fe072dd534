"""One writer at a time per Canvas root account."""

from __future__ import annotations

import threading

import pytest

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.store import leases
from rosterflow.store.engine import Store
from tests.store.things import HOUR, NOW


def acquire(store: Store, holder: str, hours: float = 0, root: str = "sandbox") -> int:
    with store.begin() as connection:
        return leases.acquire(connection, root, holder, NOW + hours * HOUR, HOUR)


def verify(store: Store, holder: str, fence: int) -> None:
    with store.begin() as connection:
        leases.verify(connection, "sandbox", holder, fence)


def release(store: Store, holder: str) -> None:
    with store.begin() as connection:
        leases.release(connection, "sandbox", holder)


def test_a_second_writer_is_told_who_writes_and_to_come_back(store: Store) -> None:
    acquire(store, "run:1")

    with pytest.raises(RetryableError) as caught:
        acquire(store, "run:2", hours=0.5)

    error = caught.value
    assert (error.code, error.message) == (Code.WRITER_BUSY, "run:1 writes to the Canvas root account sandbox.")
    assert error.retry_after == leases.BUSY_WAIT


def test_the_holder_renews_its_lease_under_the_same_number(store: Store) -> None:
    first = acquire(store, "run:1")
    again = acquire(store, "run:1", hours=0.9)

    assert again == first
    with pytest.raises(RetryableError):
        acquire(store, "run:2", hours=1.5)


def test_a_released_lease_goes_to_the_next_under_a_larger_number(store: Store) -> None:
    first = acquire(store, "run:1")
    release(store, "run:1")

    assert acquire(store, "run:2") > first


def test_releasing_a_lease_that_another_has_changes_nothing(store: Store) -> None:
    acquire(store, "run:1")
    release(store, "run:2")

    with pytest.raises(RetryableError):
        acquire(store, "run:2")


def test_a_writer_that_slept_until_its_lease_was_taken_over_is_stopped(store: Store) -> None:
    slept = acquire(store, "run:1")
    took_over = acquire(store, "run:2", hours=1)

    verify(store, "run:2", took_over)
    with pytest.raises(RetryableError, match="went to another run"):
        verify(store, "run:1", slept)


def test_a_lease_that_ran_out_holds_until_somebody_takes_it(store: Store) -> None:
    fence = acquire(store, "run:1")

    verify(store, "run:1", fence)
    assert acquire(store, "run:1", hours=5) == fence


def test_root_accounts_do_not_wait_for_each_other(store: Store) -> None:
    acquire(store, "run:1", root="sandbox")

    assert acquire(store, "run:2", root="other") == 1


def test_of_many_who_come_at_once_exactly_one_writes(store: Store) -> None:
    start = threading.Barrier(8)
    won: list[str] = []

    def come(holder: str) -> None:
        start.wait()
        try:
            acquire(store, holder)
        except RetryableError:
            return
        won.append(holder)

    comers = [threading.Thread(target=come, args=(f"run:{n}",)) for n in range(8)]
    for comer in comers:
        comer.start()
    for comer in comers:
        comer.join()

    assert len(won) == 1
    verify(store, won[0], 1)


def test_nobody_takes_a_lease_over_while_its_holder_writes(store: Store) -> None:
    fence = acquire(store, "run:1")
    order: list[str] = []

    def take_over() -> None:
        acquire(store, "run:2", hours=2)
        order.append("taken over")

    other = threading.Thread(target=take_over)
    with store.begin() as connection:
        leases.verify(connection, "sandbox", "run:1", fence)
        other.start()
        other.join(0.1)
        order.append("written")
    other.join()

    assert order == ["written", "taken over"]


def test_a_lease_that_a_clock_granted_which_was_ahead_is_over(store: Store) -> None:
    acquire(store, "run:1", hours=24 * 300)

    assert acquire(store, "run:2") == 2


def test_a_lease_that_is_ended_leaves_nothing_behind_unless_another_has_it(store: Store) -> None:
    acquire(store, "run:1")
    with store.begin() as connection:
        leases.end(connection, "sandbox", "run:2")
    with pytest.raises(RetryableError):
        acquire(store, "run:2")

    with store.begin() as connection:
        leases.end(connection, "sandbox", "run:1")

    assert acquire(store, "run:2") == 1
