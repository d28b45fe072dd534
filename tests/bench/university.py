"""The sandbox in a process of its own, with a university of any size and days of change as large as it is."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.university.model import Emne, EvuKurs, Undervisningsaktivitet, University

YEAR, TERM = 2026, "HOST"
SIZES = {
    "full": "full",
    "tenth": "fakulteter=3,institutter=6,grupper=8,emner=350,undervises=180,aktiviteter=77,egne_rom=42,program=21,"
    "kull=4,klasser=3,evu=22",
}
ONE_IN = 200
"""Of this many rows one gets another name on a day of change: 0.5 %."""


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


@contextmanager
def remote_sandbox(size: str) -> Iterator[RemoteSandbox]:
    """A sandbox with a university of a size of :data:`SIZES`, gone at the end of the block, or when we are."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs, SIZES[size]), name=f"sandbox {size}", daemon=True)
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

    with RunningSandbox(World(Settings(size=size, year=YEAR, term=TERM))) as sandbox:
        orders.send(sandbox.url)
        while True:
            try:
                orders.recv()
            except EOFError:
                return
            said = sandbox.world.play_day_of_change()
            renamed = _rename_some(sandbox.world.university)
            orders.send([*said, f"{renamed} rows have another name"])


def _rename_some(university: University) -> int:
    """Give one in 200 emner, activities and EVU courses another name."""
    with university.lock:
        teaching = [ue for emne in university.emner for ue in emne.undervisningsenheter]
        rows: list[Emne | EvuKurs | Undervisningsaktivitet] = [
            *university.emner,
            *university.evukurs,
            *(ua for ue in teaching for ua in ue.aktiviteter),
        ]
        chosen = rows[::ONE_IN]
        for row in chosen:
            row.navn = replace(row.navn, nb=f"{row.navn.nb} – nytt navn")
        university.revision += 1
    return len(chosen)
