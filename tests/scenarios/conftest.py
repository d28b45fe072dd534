"""Colleges of Canvas before and after their first contact, one whose people come and go, and one with CourseKey."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.serving import RunningSandbox
from sandbox.university.model import Undervisningsenhet
from tests.harness import Clock
from tests.scenarios.college import College, college
from tests.scenarios.drain_ground import EMPTY, NOON, Ground, Made, ground, sandbox_of
from tests.scenarios.persons import faculty_of


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[College]:
    """A college that was never synced."""
    with college(tmp_path) as one:
        yield one


@pytest.fixture
def synced(stranger: College) -> College:
    """A college whose Canvas is as FS wants it."""
    stranger.harness.first_contact()
    return stranger


@pytest.fixture(scope="module")
def faculty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[College]:
    """A synced college with people, to which the tests of a file add their own."""
    with faculty_of(tmp_path_factory.mktemp("faculty")) as one:
        yield one


@pytest.fixture(scope="module")
def ue(faculty: College) -> Undervisningsenhet:
    """Something that is taught there."""
    return faculty.teaching()


@pytest.fixture(scope="module")
def clock() -> Clock:
    """What the college with CourseKey and its sandbox take for the present."""
    return Clock(NOON)


@pytest.fixture(scope="module")
def running(clock: Clock) -> Iterator[RunningSandbox]:
    """A sandbox for all stories of a file."""
    with sandbox_of(EMPTY, clock) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox, clock: Clock) -> RunningSandbox:
    """The sandbox at the beginning of a story: a college without anybody in it."""
    clock.moment = NOON
    running.world.reset(college=EMPTY)
    return running


@pytest.fixture
def made(sandbox: RunningSandbox, tmp_path: Path, clock: Clock) -> Made:
    """The college, with the parameters that it is given."""
    return lambda **changes: ground(sandbox, tmp_path, clock, **changes)


@pytest.fixture
def town(made: Made) -> Iterator[Ground]:
    """The college with its usual parameters."""
    with made() as one:
        yield one
