"""An import of time attended that is killed at some point, and run again, ends as if it had not been."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.attendance.booking import Time
from rosterflow.store import attendance_rows, migrate
from rosterflow.store.attendance_rows import Sent
from rosterflow.store.engine import Store
from tests.scenarios.attendance_books import Books, books
from tests.scenarios.attendance_killing import STUDENTS, killed_at, night, open_ground
from tests.sync.attendance_ground import MONDAY, Ground, Killed, exported, ground

KEY = Fernet.generate_key().decode()
MIRRORED = 1
"""The first commit after those that make the college: from there on it is the import that is killed."""
State = tuple[Books, dict[tuple[str, date], Time]]


def state(here: Ground) -> State:
    """The books, and what Campus Cafe holds."""
    booked = books(here.store, here.college.key)
    here.store.dispose()
    return booked, here.module.held()


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[State, int]:
    """How an import ends that nobody kills, and in how many steps."""
    folder = tmp_path_factory.mktemp("unharmed")
    steps = killed_at(folder, KEY, None)
    assert steps is not None
    return state(open_ground(folder, KEY)), steps


def kill(unharmed: tuple[State, int], folder: Path, chance: random.Random, times: int) -> None:
    expected, steps = unharmed
    assert (len(expected[0].facts), expected[0].due) == (20 * len(STUDENTS), ())
    assert {state for _, _, state, _ in expected[0].rows.values()} == {Sent.CONFIRMED}
    for number in range(times):
        at = chance.randrange(MIRRORED, steps)
        mine = folder / str(number)
        mine.mkdir()
        assert killed_at(mine, KEY, at) is None

        here = open_ground(mine, KEY)
        night(here)

        assert state(here) == expected, f"killed at step {at} of {steps}"


def test_an_import_killed_five_times_and_run_again_gives_the_same_ledger_and_the_same_rows(
    unharmed: tuple[State, int], tmp_path: Path
) -> None:
    kill(unharmed, tmp_path, random.Random(5), 5)


@pytest.mark.soak
def test_an_import_killed_anywhere_and_run_again_gives_the_same_ledger_and_the_same_rows(
    unharmed: tuple[State, int], tmp_path: Path
) -> None:
    kill(unharmed, tmp_path, random.Random(), 20)


def test_rows_that_were_taken_before_the_kill_are_not_sent_again_and_are_confirmed_all_the_same(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.db", [KEY])
    migrate.upgrade(store)
    here = ground(store)
    here.take(*(exported("S1", person, MONDAY, 3600) for person in ("2001", "2002", "2003", "2004")))
    here.module.dies_after = 3
    with pytest.raises(Killed):
        here.write()
    here.module.dies_after = None

    here.write()

    with store.begin() as connection:
        sent = attendance_rows.times_of_days(connection, here.college.key, MONDAY, MONDAY)
    store.dispose()
    assert [[key.person for key, _ in call] for call in here.module.sent[1:]] == [["2004"]]
    assert {key.person: one.outcome.state for key, one in sent.items()} == dict.fromkeys(
        ("2001", "2002", "2003", "2004"), Sent.CONFIRMED
    )
