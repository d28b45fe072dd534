"""A sync killed at any step leaves nothing that the next day's run does not make good (issue 2 §2.7.5).

Two colleges live through the same days. One's sync is killed on the way, the other's never is; a day later their
Canvases are the same. Every kind of step is among those below; `make soak` kills at every single one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from rosterflow.domain.model import Key
from rosterflow.store.approvals import ApprovalState
from sandbox.university.model import Organisasjonsenhet, Undervisningsaktivitet, Undervisningsenhet
from tests.harness import connections
from tests.scenarios.college import PAGE_KEY, College, college
from tests.scenarios.killing import Job, killed_at

DAILY = (
    "commit 6 at first",
    "before import 1",
    "after import 1",
    "commit 1 after import 1",
    "commit 3 after import 1",
    "before report 1",
    "commit 1 after report 1",
    "after import 2",
    "commit 2 after import 2",
    "commit 1 after report 2",
)
APPROVAL = (
    "commit 3 at first",
    "before import 1",
    "after import 1",
    "commit 1 after import 1",
    "commit 2 after import 1",
)

_days = count()


@dataclass
class Student:
    """A college with the rows that change from day to day."""

    college: College
    taught: Undervisningsenhet
    other: Undervisningsenhet
    activity: Undervisningsaktivitet
    unit: Organisasjonsenhet
    folder: Path

    def change(self, day: int, *, on: bool) -> None:
        """A day on which things go, or come back; something has a new name in any case."""
        with self.college.changing_fs():
            self.taught.skal_eksporteres = self.activity.skal_eksporteres = self.unit.er_aktiv = on
        self.college.rename_emne(self.other, f"Navn {day}")

    def job(self, approval: int | None = None) -> Job:
        one = self.college
        there = connections(one.sandbox.url, one.harness.institution)
        return Job(f"sqlite:///{self.folder}/store.db", f"{self.folder}/pages", PAGE_KEY, there, one.clock(), approval)


def student(folder: Path, key: str) -> Iterator[Student]:
    with college(folder, key=key) as one:
        unit = one.open_unit(99)
        one.harness.first_contact()
        taught = [one.teaching(at) for at in range(6)]
        with_sections = next(ue for ue in taught if any(a.skal_eksporteres for a in ue.aktiviteter))
        taught.remove(with_sections)
        activity = next(a for a in with_sections.aktiviteter if a.skal_eksporteres)
        yield Student(one, taught[0], taught[1], activity, unit, folder)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Student]:
    yield from student(tmp_path_factory.mktemp("killed"), "demo")


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Student]:
    yield from student(tmp_path_factory.mktemp("calm"), "calm")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Student]:
    """A college in which nothing was ever re-opened by REST, after which only REST can close it again."""
    yield from student(tmp_path, "demo")


def live_through(killed: Student, calm: Student, at: str) -> None:
    """Things go, and the sync is killed; they come back, and it is killed again."""
    for on in (False, True):
        day = next(_days)
        before = killed.college.removed()
        for one in (killed, calm):
            one.change(day, on=on)
        killed_at(killed.job(), at)
        calm.college.harness.run()
        assert killed.college.removed() <= before | calm.college.removed()

        for one in (killed, calm):
            one.college.harness.run(days_later=1)
        assert killed.college.canvas() == calm.college.canvas()
        assert killed.college.harness.run().changes == 0


@pytest.mark.parametrize("at", DAILY)
def test_a_daily_run_that_was_killed_is_made_good_by_the_next(killed: Student, calm: Student, at: str) -> None:
    live_through(killed, calm, at)


def steps_of_a_day(killed: Student) -> list[str]:
    """The steps of a run on a day on which things go; nobody is killed, and they come back."""
    killed.change(next(_days), on=False)
    steps = killed_at(killed.job(), None) or []
    killed.change(next(_days), on=True)
    killed.college.harness.run(days_later=1)
    return steps


def test_the_steps_of_a_daily_run_are_all_there(fresh: Student) -> None:
    """Else the tests above would kill nobody."""
    steps = steps_of_a_day(fresh)

    assert set(DAILY) <= set(steps)
    assert {step for step in steps if "commit" not in step} == {
        f"{when} {call} {number}" for when in ("before", "after") for call in ("import", "report") for number in (1, 2)
    }


@pytest.mark.soak
def test_a_daily_run_may_be_killed_anywhere(killed: Student, calm: Student) -> None:
    for at in steps_of_a_day(killed):
        live_through(killed, calm, at)


# -- approvals --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[Key, tuple[Any, ...]]:
    """What Canvas holds after a first contact that nobody disturbed."""
    with college(tmp_path_factory.mktemp("expected")) as one:
        one.harness.first_contact()
        return one.canvas()


def approve_first_contact(folder: Path, expected: dict[Key, tuple[Any, ...]], at: str | None) -> list[str]:
    """The first contact is approved, and the approval killed; the next days' runs, and the person, go on.

    :returns: the approval's steps, when it was not killed.
    """
    folder.mkdir()
    with college(folder) as one:
        one.harness.run()
        number = one.harness.waiting()[0]
        there = connections(one.sandbox.url, one.harness.institution)
        job = Job(f"sqlite:///{folder}/store.db", f"{folder}/pages", PAGE_KEY, there, one.clock(), number)

        steps = killed_at(job, at)
        assert (steps is None) is (at is not None)
        assert one.removed() == set()
        one.clock.forward(days=1)
        if one.request(number) is ApprovalState.WAITING:
            one.harness.approve(number)
        one.harness.run()

        assert one.request(number) is ApprovalState.APPLIED
        assert one.canvas() == expected
        assert one.harness.run(days_later=1).changes == 0
        return steps or []


@pytest.mark.parametrize("at", APPROVAL)
def test_an_approval_that_was_killed_holds_and_is_carried_out(
    tmp_path: Path, expected: dict[Key, tuple[Any, ...]], at: str
) -> None:
    approve_first_contact(tmp_path / "college", expected, at)


@pytest.mark.soak
def test_an_approval_may_be_killed_anywhere(tmp_path: Path, expected: dict[Key, tuple[Any, ...]]) -> None:
    for number, at in enumerate(approve_first_contact(tmp_path / "whole", expected, None)):
        approve_first_contact(tmp_path / str(number), expected, at)
