"""The batches of a drain that are being worked on, and the lanes in which that is done."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.queue import Entity, Entry, EntryKind, EntryState, Intent
from rosterflow.sync.coursekey_desk import Desk
from rosterflow.sync.coursekey_steps import turn

Name = Entity | SectionKey | None
"""Of a lane: the user, or the section."""


@dataclass(slots=True)
class Batch:
    """One batch.

    :param users: entries of users, each a lane of its own.
    :param sections: entries of each section, in the order in which they are sent.
    :param before: set when the users of all batches before are there.
    :param users_are_there: set when those of this one are there too.
    """

    desk: Desk
    users: dict[Name, list[Entry]]
    sections: dict[Name, list[Entry]]
    before: asyncio.Event
    users_are_there: asyncio.Event = field(default_factory=asyncio.Event)
    counts: Counter[EntryState] = field(default_factory=Counter)


def batch_of(entries: Iterable[Entry], desk: Desk, before: asyncio.Event) -> Batch:
    """Sort entries into lanes."""
    users: dict[Name, list[Entry]] = {}
    sections: dict[Name, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.entity.kind is EntryKind.USER:
            users[entry.entity] = [entry]
        else:
            sections[entry.entity.section_key].append(entry)
    return Batch(desk, users, {key: sorted(some, key=turn) for key, some in sections.items()}, before)


def in_turn(entries: Iterable[Entry], gathered: Collection[tuple[EntryKind, Intent]]) -> Iterator[list[Entry]]:
    """Entries one by one, but those together that stand side by side and go out in one call."""
    for what, some in groupby(entries, lambda one: (one.entity.kind, one.intent)):
        if what in gathered:
            yield list(some)
        else:
            yield from ([one] for one in some)


class Lanes:
    """What is in one lane is done one by one, in the order of the batches; lanes are worked on side by side.

    :ivar moved: set when a lane came to its end.
    """

    def __init__(self) -> None:
        self.moved = asyncio.Event()
        self._open: Counter[Name] = Counter()
        self._locks: dict[Name, asyncio.Lock] = defaultdict(asyncio.Lock)

    def __len__(self) -> int:
        """How many are open, those that wait for their turn included."""
        return len(self._open)

    def open(self, names: Iterable[Name]) -> None:
        """Open the lanes in which a batch can be worked on now."""
        for name in names:
            self._open[name] += 1

    @asynccontextmanager
    async def turn(self, name: Name) -> AsyncIterator[None]:
        """The turn of one batch in a lane; at its end it has left the lane."""
        async with self._locks[name]:
            yield
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name], self._locks[name]
        self.moved.set()


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """Tasks side by side; the first error that is not an entry's own ends all of them."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def all_of(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of it side by side."""
    async with together() as group:
        for one in work:
            group.create_task(one)
