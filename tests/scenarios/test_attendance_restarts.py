"""An import in whose middle the database, or both neighbours, go away: the next one ends with the same books."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from demo.postgres import Postgres
from demo.processes import Children
from rosterflow.domain.errors import RosterflowError
from rosterflow.store.engine import Store
from rosterflow.sync.pages import PageStore
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World
from tests.harness import Clock
from tests.scenarios.attendance_nights import MAIN, WEST, Dump, Nights, nights_on
from tests.scenarios.drain_ground import EMPTY

NOON = datetime(2026, 9, 1, 16, tzinfo=UTC)
NIGHT = datetime(2026, 9, 14, 9, 30, tzinfo=UTC)
FIRST, LAST = date(2026, 9, 7), date(2026, 9, 13)
HOUR = timedelta(hours=1)
CLASS = tuple(str(number) for number in range(2001, 2011))
POINTS = 4


@dataclass
class Steps:
    """Counts the steps of an import; at one of them something happens."""

    made: int = 0
    at: int | None = None
    happens: Callable[[], object] = field(default=lambda: None)

    def step(self) -> None:
        """One more."""
        if self.made == self.at:
            self.happens()
        self.made += 1


class Watched(Store):
    """A store whose transactions are steps, just before they end."""

    steps: Steps

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction."""
        with super().begin() as connection:
            yield connection
            self.steps.step()


class WatchedPages(PageStore):
    """A page store in which each page is a step."""

    steps: Steps

    def put_bytes(self, name: str, data: bytes) -> None:
        """Keep a page."""
        super().put_bytes(name, data)
        self.steps.step()


class Neighbours:
    """CourseKey and Campus Cafe, which can be stopped and started with all that they know."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.running = RunningSandbox(world)
        self.running.__enter__()

    def stop(self) -> None:
        """Stop them; what is asked meanwhile gets no answer."""
        self.running._server.should_exit = True
        self.running._thread.join()

    def start(self) -> None:
        """Start them at the same address."""
        self.running = RunningSandbox(self.world, port=self.running.port)
        self.running.__enter__()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Children() as children, Postgres(children, tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="module")
def neighbours() -> Iterator[Neighbours]:
    made = Neighbours(World(Settings(size="small", college=EMPTY), now=Clock(NOON)))
    yield made
    made.stop()
    made.world.close()


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def college(postgres: Postgres, neighbours: Neighbours, steps: Steps, tmp_path: Path) -> Iterator[Nights]:
    """A college whose students attended for a week, at two schools; nothing of it is booked."""
    neighbours.world.reset(college=EMPTY)
    clock = Clock(NOON)
    neighbours.world.now = clock

    def watched(url: str, keys: list[str]) -> Store:
        store = Watched(url, keys)
        store.steps = steps
        return store

    with nights_on(postgres, neighbours.running, tmp_path, clock, watched) as one:
        one.teach("MTH101/4", *CLASS, days="Monday|Wednesday|Friday")
        one.teach("ART110/1", *CLASS[:4], site="WEST", days="Tuesday|Saturday")
        one.town.configure(auto_schedule=[MAIN, WEST], export_page_size=15)
        clock.moment = NIGHT
        one.attend(FIRST, LAST)
        pages = WatchedPages(f"file://{tmp_path / 'pages'}", [one.town.page_key])
        pages.steps, one.blobs = steps, pages
        yield one


def disturbed(college: Nights, steps: Steps, at: int, happens: Callable[[], object]) -> None:
    """A night in whose middle something happens; how it ends is no matter."""
    steps.made, steps.at, steps.happens = 0, at, happens
    with suppress(RosterflowError):
        college.night(FIRST, LAST, at=NIGHT)
    assert steps.made > at
    steps.at = None


def points(college: Nights, steps: Steps) -> tuple[Dump, list[int]]:
    """How an import ends that nothing disturbs; and some of its steps."""
    steps.made = 0
    college.night(FIRST, LAST, at=NIGHT)
    chosen = random.Random(5).sample(range(1, steps.made - 1), POINTS)
    expected = college.dump()
    assert len(expected[0].facts) > 30
    assert set(expected[0].changes.values()) == {1}
    return expected, chosen


def restart(server: Postgres | Neighbours) -> None:
    server.stop()
    server.start()


def nothing_changes(
    college: Nights, steps: Steps, happens: Callable[[], object], afterwards: Callable[[], object] = lambda: None
) -> None:
    """Whatever happens in the middle of a night, the next one leaves the books as if nothing had.

    :param afterwards: what is put right before the next night.
    """
    expected, chosen = points(college, steps)
    for at in chosen:
        college.anew()
        disturbed(college, steps, at, happens)
        afterwards()
        college.night(FIRST, LAST, at=NIGHT + HOUR)

        assert college.dump() == expected, f"happened at step {at}"


def test_a_database_that_is_restarted_in_the_middle_changes_nothing_of_what_is_booked(
    college: Nights, steps: Steps, postgres: Postgres
) -> None:
    nothing_changes(college, steps, partial(restart, postgres))


def test_servers_that_are_restarted_in_the_middle_change_nothing_of_what_is_booked(
    college: Nights, steps: Steps, neighbours: Neighbours
) -> None:
    nothing_changes(college, steps, partial(restart, neighbours))


def test_servers_that_go_away_in_the_middle_until_the_next_night_change_nothing_of_what_is_booked(
    college: Nights, steps: Steps, neighbours: Neighbours
) -> None:
    nothing_changes(college, steps, neighbours.stop, afterwards=neighbours.start)
