"""Two institutions in one Canvas root account write in turn and leave each other alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.model import Key, Kind
from rosterflow.sync import runs
from sandbox.serving import RunningSandbox
from sandbox.university.generate import generate
from sandbox.world import Settings, World
from tests.harness import Harness, connections, institution
from tests.scenarios.college import College, college

SOUTH = "215"


@dataclass
class Neighbours:
    """Two colleges with an FS each, in the first one's Canvas and with one store."""

    north: College
    south: Harness
    south_fs: World


@pytest.fixture
def neighbours(tmp_path: Path) -> Iterator[Neighbours]:
    with college(tmp_path) as north:
        world = World(Settings(size="small"), now=north.clock)
        world.university = generate(2, "small", 2026, "HOST", int(SOUTH))
        one = institution("south", number=SOUTH, canvas={"account": "SOUTH"})
        form = {"account[name]": "Sørhøgskolen", "account[sis_account_id]": "SOUTH"}
        north.by_hand("POST", "/accounts/1/sub_accounts", **form)
        with RunningSandbox(world) as fs:
            ways = connections(fs.url, one) | {
                name: value for name, value in connections(north.sandbox.url, one).items() if "CANVAS" in name
            }
            with mock.patch.dict(os.environ, ways):
                south = Harness(north.harness.store, north.harness.blobs, one, north.clock)
                yield Neighbours(north, south, world)
                south.close()


def test_each_has_its_own_and_both_share_the_terms(neighbours: Neighbours) -> None:
    north, south = neighbours.north, neighbours.south
    north.harness.first_contact()
    of_north = north.canvas()

    south.first_contact()

    there = north.canvas()
    assert {key: value for key, value in there.items() if key in of_north} == of_north
    of_south = there.keys() - of_north.keys()
    assert {key.kind for key in of_south} == {Kind.ACCOUNT, Kind.COURSE, Kind.SECTION}
    assert all(SOUTH in key.sis_id.split("_") for key in of_south)
    assert (north.harness.run(days_later=1).changes, south.run().changes) == (0, 0)


def test_what_goes_away_in_one_touches_nothing_of_the_other(neighbours: Neighbours) -> None:
    north, south = neighbours.north, neighbours.south
    north.harness.first_contact()
    of_north = north.canvas()
    south.first_contact()

    neighbours.south_fs.play_day_of_change()
    changed = south.run(days_later=1)

    assert changed.changes > 0
    assert {key: value for key, value in north.canvas().items() if key in of_north} == of_north
    assert north.harness.run().changes == 0


def test_while_one_writes_the_other_waits(neighbours: Neighbours) -> None:
    north, south = neighbours.north.harness, neighbours.south
    writing = runs.take_lease(north.store, north.institution, north.open(), north.clock())
    waiting = south.open()

    with pytest.raises(RetryableError) as caught:
        runs.take_lease(south.store, south.institution, waiting, south.clock())

    assert (caught.value.code, caught.value.message) == (
        Code.WRITER_BUSY,
        f"run:{writing.id} writes to the Canvas root account sandbox.",
    )
    runs.close_run(north.store, north.institution, writing, well=True, now=north.clock())
    assert (runs.take_lease(south.store, south.institution, waiting, south.clock()).fence or 0) > (writing.fence or 0)


def test_a_run_whose_lease_was_taken_over_writes_nothing_more(neighbours: Neighbours) -> None:
    north, south = neighbours.north.harness, neighbours.south
    asleep = north.settle(north.open())
    plan_id = north.plan(asleep, north.read(asleep))
    north.clock.forward(hours=8)
    runs.take_lease(south.store, south.institution, south.open(), south.clock())

    for step in (
        lambda: north.guard(asleep, plan_id),
        lambda: north.apply(asleep, plan_id),
        lambda: north.plan(asleep, north.read(asleep)),
    ):
        with pytest.raises(RetryableError) as caught:
            step()
        assert caught.value.code is Code.WRITER_BUSY
    assert neighbours.north.imports() == 0
    assert Key(Kind.TERM, "2026_HØST") not in neighbours.north.canvas()
