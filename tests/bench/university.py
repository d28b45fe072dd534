"""The sandbox in a process of its own, with a university of any size and days of change as large as it is.

It also counts what reaches its Canvas.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from tests.bench.traffic import NOTHING, Counter, Traffic

if TYPE_CHECKING:
    from sandbox.university.model import Emne, EvuKurs, Undervisningsaktivitet, Undervisningsenhet, University
    from sandbox.university.people import EmneStudierett
    from sandbox.world import World

YEAR, TERM = 2026, "HOST"
FULL = "full"
TENTH = (
    "fakulteter=3,institutter=6,grupper=8,emner=350,undervises=180,aktiviteter=77,egne_rom=42,program=21,"
    "kull=4,klasser=3,evu=22"
)
TENTH_OF_PEOPLE = "studenter=5500,ansatte=350,kursdeltakere=150,deltakelser=20"
FOLLOWED = {300_000: 10, 1_000_000: 42}
"""How many emner a student follows in a term, in tenths, for so many enrollments in Canvas."""
ONE_IN = 200
"""Of this many rows one gets another name on a day of change: 0.5 %."""
ONE_RIGHT_IN = 200
"""Of this many rights to follow teaching in the term one is given up and another one given. Together with the groups,
and beside all other enrollments, these are about 0.5 % of all rows.
"""


def sizes(enrollments: int | None) -> tuple[str, str]:
    """A full university and a tenth of it, in the sandbox's words; with people, for so many enrollments."""
    if enrollments is None:
        return FULL, TENTH
    followed = f"emnevalg={FOLLOWED[enrollments]}"
    return f"{FULL},{followed}", f"{TENTH},{TENTH_OF_PEOPLE},{followed}"


@dataclass(frozen=True, slots=True)
class RemoteSandbox:
    """A sandbox in another process.

    :param url: its address.
    """

    url: str
    _orders: Connection

    def day_of_change(self) -> list[str]:
        """Let a day pass; returns what changed, in words."""
        self._orders.send("day")
        said: list[str] = self._orders.recv()
        return said

    def traffic(self) -> Traffic:
        """What reached Canvas since this was asked last."""
        self._orders.send("traffic")
        counted: Traffic = self._orders.recv()
        return counted


@contextmanager
def remote_sandbox(size: str) -> Iterator[RemoteSandbox]:
    """A sandbox with a university of a size, gone at the end of the block, or when we are."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs, size), name="sandbox", daemon=True)
    process.start()
    theirs.close()
    try:
        yield RemoteSandbox(ours.recv(), ours)
    finally:
        ours.close()
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()


def _serve(orders: Connection, size: str) -> None:
    from sandbox.serving import RunningSandbox  # only this process needs it
    from sandbox.world import Settings, World

    class CountedSandbox(RunningSandbox):
        def __init__(self, world: World) -> None:
            super().__init__(world)
            self.counter = Counter(self._server.config.app)
            self._server.config.app = self.counter

    with CountedSandbox(World(Settings(size=size, year=YEAR, term=TERM))) as sandbox:
        orders.send(sandbox.url)
        while True:
            try:
                order = orders.recv()
            except EOFError:
                return
            if order == "traffic":
                orders.send(sandbox.counter.traffic)
                sandbox.counter.traffic = NOTHING
            else:
                orders.send(_pass_a_day(sandbox.world))


def _pass_a_day(world: World) -> list[str]:
    said = world.play_day_of_change()
    university = world.university
    with university.lock:
        renamed, moved = _rename_some(university), _move_some(university)
        university.revision += 1
    return [*said, f"{renamed} rows have another name", f"{moved} students follow something else"]


def _rename_some(university: University) -> int:
    """Give one in 200 emner, activities and EVU courses another name."""
    teaching = [ue for emne in university.emner for ue in emne.undervisningsenheter]
    rows: list[Emne | EvuKurs | Undervisningsaktivitet] = [
        *university.emner,
        *university.evukurs,
        *(ua for ue in teaching for ua in ue.aktiviteter),
    ]
    chosen = rows[::ONE_IN]
    for row in chosen:
        row.navn = replace(row.navn, nb=f"{row.navn.nb} – nytt navn")
    return len(chosen)


def _move_some(university: University) -> int:
    """Let one in 200 students of the term's teaching give it up, groups and all, and follow what the next gave up."""
    from sandbox.university.people import EmneStudierett
    from sandbox.university.studies import displace, place

    teaching = [
        ue for emne in university.emner for ue in emne.undervisningsenheter if ue.semester == university.semester
    ]
    given_up = [right for ue in teaching for right in ue.studieretter][::ONE_RIGHT_IN]
    groups = {right: [placement.aktivitet for placement in right.plasseringer] for right in given_up}
    for right in given_up:
        for placement in right.plasseringer:
            displace(right, placement)
        right.enhet.studieretter.remove(right)
    moved = 0
    for left, right in zip(given_up, [*given_up[1:], *given_up[:1]], strict=True):
        if not _follows(left, right.enhet):
            taken = EmneStudierett(left.student, right.enhet)
            right.enhet.studieretter.append(taken)
            for group in groups[right]:
                place(taken, group)
            moved += 1
    return moved


def _follows(right: EmneStudierett, teaching: Undervisningsenhet) -> bool:
    return any(other.student is right.student for other in teaching.studieretter)
