"""A college whose Campus Cafe is a few records, and whose CourseKey does what it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from cryptography.fernet import Fernet

from rosterflow.domain.coursekey.campus import (
    Person,
    Reading,
    Record,
    Registration,
    Resource,
    Section,
    SectionKey,
    Semester,
    Standing,
    Teaching,
)
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import Entity, Entry, EntryKind, EntryState, Intent
from rosterflow.domain.snapshot import Scope
from rosterflow.store import campus as mirror
from rosterflow.store import coursekey_maps, history, migrate, queue, queue_history, queue_looking, runs
from rosterflow.store.campus import Name, name_of
from rosterflow.store.coursekey_maps import MapKey, MapKind, Mapped
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run
from rosterflow.sync.approving import Answer, Verdict
from rosterflow.sync.collecting import Collected, collect
from rosterflow.sync.guarding import Guarded
from rosterflow.sync.removing import decide_removals, guard_removals
from tests.domain.coursekey.builders import college as settings

NOW = datetime(2026, 9, 7, 14, 0, tzinfo=UTC)
"""Ten in the morning in New York, two weeks into the fall."""
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

FALL = Semester("202610", "Fall 2026", date(2026, 8, 24), date(2026, 12, 11))
MATH = SectionKey("202610", "MTH101", "4")
RESOURCES: dict[type[Record], Resource] = {
    Semester: Resource.SEMESTERS,
    Section: Resource.SECTIONS,
    Person: Resource.PERSONS,
    Teaching: Resource.STAFF,
    Registration: Resource.REGISTRATIONS,
}


def section(key: SectionKey = MATH, **fields: Any) -> Section:
    plain = {"title": "Intro to Math", "site": "MAIN", "first": FALL.first, "last": FALL.last, "attendance_code": "LEC"}
    return Section(*key, **{**plain, **fields})


def person(number: str, **fields: Any) -> Person:
    plain = {"first_name": "Ada", "last_name": "Invented", "email": f"p{number}@college.example"}
    return Person(number, **{**plain, **fields})


def registration(number: str, key: SectionKey = MATH, standing: Standing = Standing.REGISTERED) -> Registration:
    return Registration(*key, number, standing, registered_at=NOW - 10 * DAY)


def teaching(number: str, key: SectionKey = MATH, *, is_removed: bool = False) -> Teaching:
    return Teaching(*key, number, is_primary=True, is_removed=is_removed)


def enrollment(number: str, key: SectionKey = MATH) -> Entity:
    return Entity(EntryKind.ENROLLMENT, *key, number)


def staff(number: str, key: SectionKey = MATH) -> Entity:
    return Entity(EntryKind.STAFF, *key, number)


def course(key: SectionKey = MATH) -> Entity:
    return Entity(EntryKind.COURSE, *key)


@dataclass(slots=True)
class Registrar:
    """Campus Cafe: what it has, and what it was asked.

    :param gaps: why a read of a resource is not whole.
    :param deadly: whoever reads one of these is killed.
    :param asked: each read: the resource, since when, and of which semesters.
    """

    records: dict[tuple[Resource, Name], Record] = field(default_factory=dict)
    gaps: dict[Resource, tuple[str, ...]] = field(default_factory=dict)
    problems: dict[Resource, tuple[str, ...]] = field(default_factory=dict)
    deadly: set[Resource] = field(default_factory=set)
    asked: list[tuple[Resource, datetime | None, tuple[str, ...]]] = field(default_factory=list)

    def have(self, *records: Record, at: datetime = NOW - HOUR) -> None:
        """Records that are new or different."""
        for record in records:
            named = RESOURCES[type(record)], name_of(record)
            is_dated = "modified_at" in record.__struct_fields__
            self.records[named] = msgspec.structs.replace(record, modified_at=at) if is_dated else record

    def lose(self, *records: Record) -> None:
        """Records that are deleted, of which no change feed tells."""
        for record in records:
            del self.records[RESOURCES[type(record)], name_of(record)]

    def read(self, resource: Resource, *, modified_since: datetime | None, semesters: Sequence[str]) -> Reading:
        """What there is, or what changed since."""
        if resource in self.deadly:
            raise KeyboardInterrupt
        self.asked.append((resource, modified_since, tuple(semesters)))
        found = [
            record
            for (kind, name), record in self.records.items()
            if kind is resource
            and (not name.semester or not semesters or name.semester in semesters)
            and (modified_since is None or getattr(record, "modified_at", NOW) >= modified_since)
        ]
        return Reading(resource, tuple(found), self.problems.get(resource, ()), self.gaps.get(resource, ()))

    def initial_password(self, person_id: str) -> str | None:
        """Nobody has one."""
        return None


@dataclass(slots=True)
class Campus:
    """A college with its store, between Campus Cafe and a CourseKey that takes everything."""

    store: Store
    college: College
    registrar: Registrar = field(default_factory=Registrar)
    runs: int = 0

    def collect(self, at: datetime = NOW) -> Collected:
        """Read what changed, and queue it."""
        return collect(self.store, self.college, self.registrar, at)

    def guard(self, at: datetime = NOW) -> Guarded:
        """Queue the removals that are due, or hold them."""
        return guard_removals(self.store, self.college, self.open_run(at), at)

    def decide(self, request: int, *answers: Answer, at: datetime = NOW) -> Verdict:
        """People answer."""
        return decide_removals(self.store, self.college, self.open_run(at).id, request, answers, at)

    def open_run(self, at: datetime) -> Run:
        """A run of the DAG."""
        self.runs += 1
        with self.store.begin() as connection:
            scope = Scope(frozenset())
            return runs.open_run(connection, self.college.key, "outbound", f"run {self.runs}", "apply", scope, at)

    def drain(self, at: datetime = NOW) -> list[tuple[Entity, Intent]]:
        """Send everything that is due; what was sent, by age."""
        key, api_name = self.college.key, self.college.coursekey.api_name
        with self.store.begin() as connection:
            entries = queue.lease(connection, key, api_name, f"drain {at}", 10_000, at, HOUR)
            for entry in entries:
                self._send(connection, entry, at)
                queue.finish(connection, entry, EntryState.DONE, "sent", "Done.", at)
        return [(entry.entity, entry.intent) for entry in entries]

    def _send(self, connection: Any, entry: Entry, at: datetime) -> None:
        one = entry.entity
        if one.kind is EntryKind.SESSIONS:
            return
        school = "548156"
        place = MapKey(MapKind(one.kind), school, one.section_key, one.person)
        if entry.intent is Intent.REMOVE:
            coursekey_maps.forget(connection, self.college.key, place)
        else:
            coursekey_maps.put(connection, self.college.key, [Mapped(place, "7")], at)

    def sync(self, at: datetime = NOW) -> list[tuple[Entity, Intent]]:
        """Collect, guard and drain."""
        self.collect(at)
        self.guard(at)
        return self.drain(at)

    def entries(self) -> dict[Entity, Entry]:
        """The queue."""
        with self.store.begin() as connection:
            found = queue_looking.entries(
                connection,
                self.college.key,
                self.college.coursekey.api_name,
                list(EntryState),
                queue_looking.Selection(),
                10_000,
            )
        return {one.entity: one for one in found}

    def told_of(self, entity: Entity) -> list[tuple[EntryState, str]]:
        """What the history says of an entity, oldest first."""
        with self.store.begin() as connection:
            lines = queue_history.latest(connection, self.college.key, 10_000)
        return [(one.outcome.state, one.outcome.rule) for one in lines if one.outcome.entity == entity][::-1]

    def there(self) -> set[Entity]:
        """Who is in CourseKey."""
        with self.store.begin() as connection:
            return {one.entity for one in coursekey_maps.people_there(connection, self.college.key)}

    def acts(self) -> list[tuple[str, str, str]]:
        """What people did, and why."""
        with self.store.begin() as connection:
            return [(act.actor, act.act, act.reason) for act in history.acts(connection, self.college.key)]

    def sections(self) -> list[SectionKey]:
        """The sections in the mirror."""
        with self.store.begin() as connection:
            return mirror.sections_of(connection, self.college.key, FALL.code)

    def states(self) -> Counter[EntryState]:
        """How many entries are in each state."""
        with self.store.begin() as connection:
            return queue_looking.counts(connection, self.college.key, self.college.coursekey.api_name)


@cache
def _migrated() -> bytes:
    """An empty, migrated SQLite file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        store = Store(f"sqlite:///{path}")
        migrate.upgrade(store)
        store.dispose()
        return path.read_bytes()


@contextmanager
def campus(folder: Path, **changes: Any) -> Iterator[Campus]:
    """A college with an empty store."""
    path = folder / "campus.db"
    path.write_bytes(_migrated())
    store = Store(f"sqlite:///{path}", [Fernet.generate_key().decode()])
    yield Campus(store, settings(**changes))
    store.dispose()


def a_section(registrar: Registrar, students: int, key: SectionKey = MATH) -> list[str]:
    """A section with an instructor and so many students; their Campus Cafe IDs."""
    numbers = [f"2{n:03}" for n in range(students)]
    registrar.have(FALL, section(key), person("1002"), teaching("1002", key))
    registrar.have(*(person(one) for one in numbers), *(registration(one, key) for one in numbers))
    return numbers
