"""An import of time attended that is killed at some point, and run again, ends as if it had not been."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.attendance.booking import Time
from rosterflow.store import attendance_rows
from tests.scenarios.attendance_killing import STUDENTS, killed_at, night, open_ground
from tests.sync.attendance_ground import Ground

KEY = Fernet.generate_key().decode()
MIRRORED = 1
"""The first commit after those that make the college: from there on it is the import that is killed."""
State = tuple[dict[tuple[str, str], tuple[date, int]], dict[tuple[str, date], Time], list[date]]


def state(here: Ground) -> State:
    """The ledger, what Campus Cafe holds, and the days that are still to be written."""
    with here.store.begin() as connection:
        due = list(attendance_rows.due(connection, here.college.key))
    here.store.dispose()
    return here.booked(), here.module.held(), due


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[State, int]:
    """How an import ends that nobody kills, and in how many steps."""
    folder = tmp_path_factory.mktemp("unharmed")
    steps = killed_at(folder, KEY, None)
    assert steps is not None
    return state(open_ground(folder, KEY)), steps


def kill(unharmed: tuple[State, int], folder: Path, chance: random.Random, times: int) -> None:
    expected, steps = unharmed
    assert (len(expected[0]), expected[2]) == (20 * len(STUDENTS) - 1, [])
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
