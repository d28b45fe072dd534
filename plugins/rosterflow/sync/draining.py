"""The drain: the oldest entries of the queue are sent to CourseKey, batch by batch (reference coursekey §3.2, §5.3).

A batch is leased with what its entries depend on; users go first, then section by section the course, its staff, its
sessions, its students, and drops last. What is sent is what Campus Cafe and the rules say now, not what was queued.
Sections are worked on side by side, as far as each auth key's pace allows; the entries of one section one by one. The
next batch is taken as soon as what is left of those before cannot keep the auth keys busy.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from traceback import extract_tb

from rosterflow.domain.coursekey.queue import Entity, Entry, EntryKind, EntryState, Intent
from rosterflow.domain.coursekey.sites import School
from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.hooks.coursekey_answers import Refusal
from rosterflow.store import queue
from rosterflow.store.coursekey_maps import MapKey, MapKind
from rosterflow.store.queue import Request
from rosterflow.sync.coursekey_again import BY_DRAIN, look_up_again
from rosterflow.sync.coursekey_desk import Blocked, Desk, Place, Sent, course_entity, open_desk
from rosterflow.sync.coursekey_steps import STEPS, gathered
from rosterflow.sync.coursekey_turns import is_to_be_asked, judged, needs
from rosterflow.sync.cycles import passing_over_what_is_there
from rosterflow.sync.drain_batches import Batch, Lanes, Name, all_of, batch_of, in_turn, together
from rosterflow.sync.drain_state import FAR, LONGEST_BACK_OFF, Drained, Failure, Key, Work
from rosterflow.sync.drain_writing import Writing
from rosterflow.sync.queueing import Judge
from rosterflow.wire.coursekey_profile import Problem

log = logging.getLogger(__name__)

TERM = timedelta(minutes=10)
"""For how long entries are leased; renewed three times as often."""
IN_A_ROW = 3
"""After so many entries in a row that could not be sent for now, an auth key is left alone until the next run."""
WAITS = timedelta(minutes=1)
"""When an entry is tried again whose dependency, or course's name, another drain is working on."""
WRITTEN_EVERY = 1.0
"""Seconds for which what became of an entry waits at most to be written down."""
OPEN_AT_ONCE = 10
"""So many batches are worked on at a time at most."""
LANES_FOR_A_CALL = 2
"""So many sections or users are at hand for each call that may be under way: between calls we do work of our own."""


def drain(work: Work, *, batch: int | None = None, max_batches: int | None = None) -> Drained:
    """Send what is due, until nothing is left or ``max_batches`` are through.

    :param batch: how many of the oldest entries are taken at a time; ``None``: the college's setting.
    :raises RetryableError: ``store-unavailable``.
    """
    settings = work.college
    run = _Drain(work, batch or settings.batch)
    with passing_over_what_is_there():
        return asyncio.run(run.through(settings.max_batches if max_batches is None else max_batches))


class _Drain:
    def __init__(self, work: Work, batch: int) -> None:
        self._work = work
        self._batch_size = batch
        self._result = Drained()
        self._keys: dict[str, Key] = {}
        self._held: dict[Entity, Entry] = {}
        self._failures: dict[Entity, Failure] = {}
        self._writing = Writing(work)
        self._open: list[Desk] = []
        self._lanes = Lanes()
        self._looked_up_again: set[MapKey] = set()
        for pair in work.college.crskeyauth:
            self._keys.setdefault(pair.connection, Key(pair.alias, work.hooks(pair.connection)))
        self._gathered = gathered(key.hook for key in self._keys.values())
        for key in self._keys.values():
            try:
                key.hook.settings()  # before the event loop runs: Airflow looks a connection up synchronously
            except FatalError as error:
                self._stop(key, error)

    @property
    def _queue(self) -> tuple[str, str]:
        return self._work.college.key, self._work.college.coursekey.api_name

    async def through(self, most: int) -> Drained:
        """Batch after batch."""
        store, clock = self._work.store, self._work.clock
        with store.begin() as connection:
            queue.heal(connection, *self._queue, clock(), FAR)
            queue.release_expired(connection, *self._queue, clock())
            queue.open_deferred(connection, *self._queue, clock())
        async with AsyncExitStack() as opened:
            for key in self._keys.values():
                if key.error is None:
                    await opened.enter_async_context(key.hook)
            try:
                async with together() as group:
                    beside = [group.create_task(self._renew()), group.create_task(self._write_often())]
                    await self._send(group, most)
                    for task in beside:
                        task.cancel()
            finally:
                self._writing.write()
                with store.begin() as connection:
                    queue.give_back(connection, self._held.values(), clock())
        self._result.calls = sum(key.hook.calls for key in self._keys.values())
        return self._result

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(TERM.total_seconds() / 3)
            try:
                with self._work.store.begin() as connection:
                    queue.renew(connection, *self._queue, self._work.holder, self._work.clock() + TERM)
            except RetryableError as error:
                log.warning("The leases could not be renewed this time: %s", error.message)

    async def _write_often(self) -> None:
        while True:
            await asyncio.sleep(WRITTEN_EVERY)
            self._writing.write()

    # -- batches -------------------------------------------------------------------------------------------------

    async def _send(self, group: asyncio.TaskGroup, most: int) -> None:
        """Batch after batch, until nothing is due or ``most`` are through."""
        running: set[asyncio.Task[None]] = set()
        before = asyncio.Event()
        before.set()
        is_dry = False
        while True:
            while not is_dry and len(self._result.batches) < most and self._has_room(running):
                entries, desk = self._take()
                is_dry = not entries
                if entries:
                    batch = batch_of(entries, desk, before)
                    before = batch.users_are_there
                    self._begin(batch)
                    task = group.create_task(self._through(batch))
                    task.add_done_callback(lambda _: self._lanes.moved.set())
                    running.add(task)
                    await asyncio.sleep(0)  # it opens its lanes, and calls go on between two batches
            if not running:
                return
            await self._lanes.moved.wait()
            self._lanes.moved.clear()
            if ended := {task for task in running if task.done()}:
                running -= ended
                is_dry = False

    def _has_room(self, running: Collection[object]) -> bool:
        """Whether auth keys would wait for us, were no other batch begun."""
        usable = (key.hook.settings().limits.concurrent_calls for key in self._keys.values() if key.error is None)
        return len(running) < OPEN_AT_ONCE and len(self._lanes) < LANES_FOR_A_CALL * max(1, sum(usable))

    def _begin(self, batch: Batch) -> None:
        self._open.append(batch.desk)
        self._lanes.open(batch.users)
        self._result.batches.append(batch.counts)

    async def _through(self, batch: Batch) -> None:
        """Work off one batch: its users, and when those of the batches before are there too, its sections."""
        counts = batch.counts
        await all_of(self._one_by_one(batch, name, some) for name, some in batch.users.items())
        await batch.before.wait()
        batch.users_are_there.set()
        self._lanes.open(batch.sections)
        await all_of(self._one_by_one(batch, name, some) for name, some in batch.sections.items())
        self._writing.write()
        self._open = [desk for desk in self._open if desk is not batch.desk]
        held = counts.pop(EntryState.PROCESSING, 0)
        if not counts:  # one of unusable keys alone does not count
            self._result.batches = [one for one in self._result.batches if one is not counts]
        elif held:
            counts[EntryState.PENDING] += held

    def _take(self) -> tuple[list[Entry], Desk]:
        """Lease the oldest entries with what they depend on, and load what they are about."""
        self._writing.write()  # the tables must have what is known by now
        work, now = self._work, self._work.clock()
        with work.store.begin() as connection:
            entries = queue.lease(
                connection, *self._queue, work.holder, self._batch_size, now, TERM, sites=self._usable_sites()
            )
            desk = open_desk(work.store, connection, work.college, entries, work.clock, work.password)
            needed = self._needed(desk, entries)
            if needed:
                taken = {entry.entity for entry in entries}
                queued = queue.about(connection, *self._queue, needed.keys() - taken)
                new = [
                    request
                    for entity, request in needed.items()
                    if entity not in taken and (entity not in queued or is_to_be_asked(queued[entity], request))
                ]
                queue.put(connection, *self._queue, new, now)
                for request in new:
                    self._remember(request)
                entries += queue.lease_entities(connection, *self._queue, work.holder, needed.keys() - taken, now, TERM)
        return entries, desk

    def _usable_sites(self) -> set[str] | None:
        """Sites whose auth key can be used; ``None`` when every key can."""
        if not self._result.unusable:
            return None
        return {pair.site for pair in self._work.college.crskeyauth if self._keys[pair.connection].error is None}

    def _needed(self, desk: Desk, entries: Iterable[Entry]) -> dict[Entity, Request]:
        """What some entries depend on and CourseKey does not have, nor has refused in this run."""
        judge = Judge(desk.college, desk.campus, desk.clock())
        found: dict[Entity, Request] = {}
        for entry in entries:
            for entity in self._missing(desk, judge, entry):
                if entity not in self._failures and (entity not in found or entry.forced):
                    found[entity] = judge.request(entity, forced=entry.forced, asked_by=BY_DRAIN)
        return found

    def _missing(self, desk: Desk, judge: Judge, entry: Entry) -> Iterable[Entity]:
        entity = entry.entity
        if entry.intent is Intent.REMOVE or entity.kind in (EntryKind.USER, EntryKind.COURSE):
            return
        school = self._school(desk, entry)
        if school is None or self._keys[school.connection].error is not None:
            return
        if judged(judge, desk, entry).verdict.state is not EntryState.PENDING:
            return
        course = MapKey(MapKind.COURSE, school.school_id, entity.section_key)
        if course not in desk.maps:
            yield course_entity(entity)
        if entity.person and desk.account(school, entity.person) is None and not desk.other_school(course):
            yield desk.user_entity(entity)

    def _remember(self, request: Request) -> None:
        said = request.verdict
        if said.state is not EntryState.PENDING:
            self._failures[request.entity] = Failure(said.state, said.rule, said.reason, due_at=request.opens_at)

    # -- one entry -----------------------------------------------------------------------------------------------

    async def _one_by_one(self, batch: Batch, name: Name, entries: Sequence[Entry]) -> None:
        async with self._lanes.turn(name):
            for some in in_turn(entries, self._gathered):
                await all_of(self._one(batch, entry) for entry in some)

    async def _one(self, batch: Batch, entry: Entry) -> None:
        batch.counts[await self._work_off(batch.desk, entry)] += 1

    async def _work_off(self, desk: Desk, entry: Entry) -> EntryState:
        """Send one entry; what became of it, PROCESSING when it is held because its key cannot be used."""
        judge = Judge(desk.college, desk.campus, desk.clock())
        request = judged(judge, desk, entry)
        said = request.verdict
        if said.state is not EntryState.PENDING:
            return self._end(entry, Failure(said.state, said.rule, said.reason, due_at=request.opens_at))
        school = self._school(desk, entry)
        if school is None:
            return self._end(entry, Failure(EntryState.SKIPPED, "not-there", "It was never in CourseKey."))
        key = self._keys[school.connection]
        if key.error is not None:
            return self._hold(entry)
        try:
            sent = await STEPS[entry.entity.kind, entry.intent](desk, Place(school, key.hook, key.names), entry)
        except Blocked as blocked:
            return self._wait_for(blocked.entity, entry)
        except RosterflowError as error:
            return self._went_wrong(desk, school, key, entry, error)
        except Exception as error:  # one that is ours to mend must not keep the others from being sent
            frames = extract_tb(error.__traceback__)
            where = ", ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
            log.error("%s: %s in %s", entry.entity, type(error).__name__, where)  # its words may name people
            words = f"Rosterflow failed at it ({type(error).__name__})."
            return self._end(entry, Failure(EntryState.FAILED, "unexpected", words, Code.UNEXPECTED))
        key.failures = 0
        return self._confirm(entry, sent)

    def _school(self, desk: Desk, entry: Entry) -> School | None:
        """The school an entry belongs to; that of a removal is the one where the person is."""
        entity, college = entry.entity, desk.college
        key = entity.section_key
        if key is None:
            return college.school_of(entity.site)
        if entry.intent is Intent.REMOVE:
            kind = MapKind.STAFF if entity.kind is EntryKind.STAFF else MapKind.ENROLLMENT
            at = {one.school for one in desk.maps if (one.kind, one.section, one.person) == (kind, key, entity.person)}
            pairs = [pair.site for pair in college.crskeyauth if pair.school in at]
            if pairs:
                return college.school_of(pairs[0])
        section = desk.campus.section(key)
        return college.school_of(section.site) if section else None

    def _confirm(self, entry: Entry, sent: Sent) -> EntryState:
        """Note what is known of CourseKey, for the open batches too, and what became of the entry."""
        self._failures.pop(entry.entity, None)
        for desk in self._open:
            desk.maps.update((one.key, one) for one in sent.known)
        self._forget(sent.forgotten)
        self._writing.sent(entry, sent)
        return sent.state

    def _forget(self, keys: Iterable[MapKey]) -> None:
        for desk in self._open:
            for key in keys:
                desk.maps.pop(key, None)

    def _end(self, entry: Entry, why: Failure) -> EntryState:
        self._failures[entry.entity] = why
        self._writing.failed(entry, why)
        return why.state

    def _hold(self, entry: Entry) -> EntryState:
        """Keep it until the end of the run, so that it is not taken again and again, and nobody else takes it."""
        self._held[entry.entity] = entry
        return EntryState.PROCESSING

    def _wait_for(self, entity: Entity, entry: Entry) -> EntryState:
        """End as what it depends on has ended: failed with it, put off with it, or soon when another drain has it."""
        if entity in self._held:
            return self._hold(entry)
        why = self._failures.get(entity)
        if why is None:
            due = self._work.clock() + WAITS
            words = f"It waits for the {entity.kind}."
            return self._end(entry, Failure(EntryState.PENDING, "waits", words, due_at=due))
        words = f"It needs the {entity.kind}: {why.reason}"
        return self._end(entry, why._replace(rule=needs(entity.kind), reason=words, code=why.code or why.rule))

    def _went_wrong(self, desk: Desk, school: School, key: Key, entry: Entry, error: RosterflowError) -> EntryState:
        match error:
            case RosterflowError(code=Code.STORE_UNAVAILABLE):
                raise error
            case RosterflowError(code=Code.WRITER_BUSY):
                due = self._work.clock() + WAITS
                return self._end(entry, Failure(EntryState.PENDING, "waits", error.message, due_at=due))
            case FatalError():
                self._stop(key, error)
                return self._hold(entry)
            case RetryableError():
                return self._later(key, entry, error)
            case Refusal(problem=Problem.UNKNOWN_COURSE | Problem.UNKNOWN_USER as problem) if self._may_look(
                school, entry, problem
            ):
                key.failures = 0
                return self._look_up_again(school, entry, problem)
            case _:
                key.failures = 0
                return self._end(entry, Failure(EntryState.FAILED, "refused", error.message, error.code))

    def _stop(self, key: Key, error: RosterflowError) -> None:
        if key.error is not None:
            return
        key.error = error
        self._result.unusable[key.alias] = error
        log.error("Auth key %s is left alone in this run: %s", key.alias, error.message)

    def _later(self, key: Key, entry: Entry, error: RetryableError) -> EntryState:
        """Try it again with longer and longer pauses; a key that fails entry after entry is left alone."""
        key.failures += 1
        if key.failures >= IN_A_ROW:
            self._stop(key, error)
            return self._hold(entry)
        if entry.attempts >= self._work.college.max_attempts:
            words = f"Given up after {entry.attempts} attempts: {error.message}"
            return self._end(entry, Failure(EntryState.FAILED, "tries-used-up", words, Code.TRIES_USED_UP))
        pause = min(timedelta(minutes=2**entry.attempts), LONGEST_BACK_OFF)
        pause = min(max(pause, timedelta(seconds=error.retry_after or 0)), FAR)
        due = self._work.clock() + pause
        return self._end(entry, Failure(EntryState.PENDING, "try-again", error.message, error.code, due))

    def _may_look(self, school: School, entry: Entry, problem: Problem) -> bool:
        """Whether to look again for what CourseKey does not know: once in a run, or others of a section never end."""
        entity = entry.entity
        key = MapKey(MapKind.USER, school.school_id, person=entity.person)
        if problem is Problem.UNKNOWN_COURSE:
            key = MapKey(MapKind.COURSE, school.school_id, entity.section_key)
        is_first = entry.attempts == 1 and key not in self._looked_up_again
        self._looked_up_again.add(key)
        return is_first

    def _look_up_again(self, school: School, entry: Entry, problem: Problem) -> EntryState:
        self._writing.write()
        self._forget(look_up_again(self._work, school.school_id, entry, problem))
        return EntryState.PENDING
