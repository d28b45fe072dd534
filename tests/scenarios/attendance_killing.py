"""Killing an import of time attended (SIGKILL, no clean-up) at one of its commits or calls to Campus Cafe."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import sqlalchemy

from rosterflow.domain.attendance.booking import RowKey, Time
from rosterflow.domain.attendance.module import RowResult
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from rosterflow.sync.attendance_importing import import_read
from rosterflow.sync.attendance_writing import write_attendance
from tests.sync.attendance_ground import DAY, MONDAY, NIGHT, Ground, Module, exported, ground

FORKING = get_context("forkserver")
FORKING.set_forkserver_preload([__name__])
STUDENTS = tuple(f"2{n:03}" for n in range(60))
SESSIONS = 20
HOUR = timedelta(hours=1)


@dataclass(slots=True)
class KeptModule(Module):
    """An attendance module that outlives whoever writes to it."""

    path: Path = field(default_factory=Path)

    def write_times(self, rows: Sequence[tuple[RowKey, Time]], batch: str) -> tuple[RowResult, ...]:
        """Take rows, for good."""
        results = Module.write_times(self, rows, batch)
        self.path.write_bytes(pickle.dumps((self.times_kept, self.dates_kept)))
        return results

    def load(self) -> KeptModule:
        """What was taken before."""
        if self.path.exists():
            self.times_kept, self.dates_kept = pickle.loads(self.path.read_bytes())  # noqa: S301 (our own file)
        return self


class Killer:
    """Counts commits; ends at one."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.steps = 0

    def step(self, *_: object) -> None:
        """One more."""
        if self.steps == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.steps += 1


def open_ground(folder: Path, key: str) -> Ground:
    """The college in a folder; made when it is not there."""
    database = folder / "store.db"
    is_new = not database.exists()
    store = Store(f"sqlite:///{database}", [key])
    if is_new:
        migrate.upgrade(store)
    made = ground(store, STUDENTS)
    made.module = KeptModule(path=folder / "module").load()
    return made


def night(here: Ground, killer: Killer | None = None) -> None:
    """Two reads, of which the second raises, lowers and loses some; joined and written."""
    if killer is not None:
        sqlalchemy.event.listen(here.store.engine, "commit", killer.step)
    for at, change in ((0, 0), (1, 300)):
        pages = [
            [
                exported(f"S{session}", person, MONDAY + (session % 3) * DAY, 1799 + change * (session % 2))
                for person in STUDENTS[: len(STUDENTS) - at * (session == 4)]
            ]
            for session in range(SESSIONS)
        ]
        read_at = NIGHT + 4 * DAY + at * HOUR
        opened = here.opened(pages, MONDAY, MONDAY + 2 * DAY, read_at)
        import_read(here.store, here.college, here.run().id, opened, read_at)
        days = (MONDAY, MONDAY + 2 * DAY)
        write_attendance(here.store, here.college, here.run(), here.module, days, lambda at=read_at: at)  # type: ignore[misc]


def killed_at(folder: Path, key: str, at: int | None) -> int | None:
    """Import in a process that is killed at a step; how many steps it made when it came to its end instead."""
    receiver, sender = FORKING.Pipe(duplex=False)
    child = FORKING.Process(target=_work, args=(folder, key, at, sender))
    child.start()
    sender.close()
    child.join()
    if child.exitcode == -signal.SIGKILL:
        return None
    assert child.exitcode == 0, "the import failed before it was killed"
    steps: int = receiver.recv()
    return steps


def _work(folder: Path, key: str, at: int | None, sender: Connection) -> None:
    here, killer = open_ground(folder, key), Killer(at)
    night(here, killer)
    sender.send(killer.steps)
