"""What a drain works with, and what it came to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import EntryState
from rosterflow.domain.errors import RosterflowError
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.store.engine import Store
from rosterflow.sync.coursekey_desk import Password

LONGEST_BACK_OFF = timedelta(hours=6)
FAR = timedelta(days=1)
"""Nothing is put off, nor leased, for longer, whatever CourseKey asks for."""


@dataclass(slots=True)
class Key:
    """One auth key in one run.

    :param alias: what it is called in CRSKEYAUTH.
    :param error: why it is not used any more in this run.
    :param failures: how many entries in a row could not be sent for now.
    :param names: locks of the names of courses that are being found or made.
    """

    alias: str
    hook: CourseKeyHook
    error: RosterflowError | None = None
    failures: int = 0
    names: dict[tuple[str, str], asyncio.Lock] = field(default_factory=dict)


class Failure(NamedTuple):
    """Why an entry was not sent, for those that depend on it."""

    state: EntryState
    rule: str
    reason: str
    code: str = ""
    due_at: datetime | None = None


@dataclass(slots=True)
class Drained:
    """What a drain came to.

    :param batches: what became of the entries of each batch, dependencies included; those of an unusable key stay
        PENDING.
    :param unusable: auth keys that could not be used, by alias, and why.
    :param calls: calls to CourseKey.
    """

    batches: list[Counter[EntryState]] = field(default_factory=list)
    unusable: dict[str, RosterflowError] = field(default_factory=dict)
    calls: int = 0

    @property
    def states(self) -> Counter[EntryState]:
        """What became of all entries."""
        return sum(self.batches, Counter[EntryState]())


@dataclass(frozen=True, slots=True)
class Work:
    """What a drain works with.

    :param hooks: makes the hook of a connection.
    :param password: the password a new account of a person is to begin with.
    :param holder: who drains; no two that run at once have the same name.
    :param clock: the present, aware.
    """

    store: Store
    college: College
    hooks: Callable[[str], CourseKeyHook]
    password: Password
    holder: str
    clock: Callable[[], datetime]
