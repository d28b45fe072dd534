"""A college on the ground: its own store, against a Campus Cafe and a CourseKey that run in the sandbox."""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml
from cryptography.fernet import Fernet
from sqlalchemy import event

from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import Entity, Entry, EntryKind, EntryState, Intent
from rosterflow.hooks.campus_cafe import CampusCafeHook
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.store import migrate, queue, queue_history, queue_looking
from rosterflow.store.campus import StoredCampus
from rosterflow.store.engine import Store
from rosterflow.store.queue_looking import Selection
from rosterflow.sync.collecting import Collected, collect
from rosterflow.sync.drain_state import Drained, Work
from rosterflow.sync.draining import drain
from rosterflow.sync.queueing import Judge
from sandbox.coursekey.picture import picture
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World
from tests.conftest import REPOSITORY
from tests.harness import Clock

KEYS = ("sandbox-coursekey-key-1", "sandbox-coursekey-key-2")
TOKEN = "sandbox-campuscafe-token"
EMPTY = "sections=0,students=0,registrations=0,instructors=1,awkward=0"
SMALL = "sections=9,students=40,registrations=90,instructors=5,awkward=0"
FALL = "202610"
NOON = datetime(2026, 9, 1, 16, tzinfo=UTC)
OWNER = "registrar@college.example"
DEMO = REPOSITORY / "include" / "institutions" / "college.yaml"


def college_settings(url: str, **changes: Any) -> dict[str, Any]:
    """The settings of the demo's college at the sandbox's address.

    :param changes: parameters in lower case and without prefix, or the college's own settings.
    """
    raw: dict[str, Any] = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    parameters = raw["coursekey"]
    parameters["COURSEKEY_BASE_URL"] = f"{url}/coursekey"
    parameters["COURSEKEY_EXPORT_BASE_URL"] = f"{url}/coursekey-export"
    for name, value in changes.items():
        if f"COURSEKEY_{name.upper()}" in parameters:
            parameters[f"COURSEKEY_{name.upper()}"] = value
        else:
            raw[name] = value
    return raw


def college(url: str, **changes: Any) -> College:
    """The demo's college at the sandbox's address, with other settings."""
    return College.model_validate(college_settings(url, **changes))


def connections(url: str, **extra: Any) -> dict[str, str]:
    """Airflow's connections to the sandbox; ``extra`` is how fast CourseKey may be asked."""
    fast = {"calls_per_second": 100_000, "concurrent_calls": 8, **extra}
    keys = {
        f"AIRFLOW_CONN_COURSEKEY_DEMO_{number}": {"conn_type": "coursekey", "password": key, "extra": fast}
        for number, key in enumerate(KEYS, 1)
    }
    campus = {"conn_type": "campus_cafe", "host": f"{url}/campuscafe", "password": TOKEN}
    return {name: json.dumps(one) for name, one in {**keys, "AIRFLOW_CONN_CAMPUS_CAFE_DEMO": campus}.items()}


async def no_waiting(seconds: float) -> None:
    """Waits for nothing."""


@dataclass
class Ground:
    """One college and what it talks to."""

    sandbox: RunningSandbox
    store: Store
    college: College
    clock: Clock
    page_key: str
    hooks: Callable[[str], CourseKeyHook] | None = None
    _names: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # -- Campus Cafe ---------------------------------------------------------------------------------------------

    def put(self, resource: str, **record: Any) -> None:
        """Add or change a record in Campus Cafe."""
        self.sandbox.world.college.put(resource, record)

    def section(self, name: str = "MTH101/4", site: str = "MAIN", **more: Any) -> SectionKey:
        """Put a section into Campus Cafe."""
        course, section = name.split("/")
        usual = {"title": "Intro to Math", "beginDate": "2026-08-24", "endDate": "2026-12-18", "enrollmentCode4": "LEC"}
        self.put("sections", semester=FALL, courseNumber=course, section=section, site=site, **{**usual, **more})
        return SectionKey(FALL, course, section)

    def person(self, number: int | str, **more: Any) -> str:
        """Put a person into Campus Cafe; their ID."""
        usual = {"firstName": "Pia", "lastName": f"Quill{number}", "email": f"pia.quill.{number}@college.example"}
        self.put("persons", id=str(number), **{**usual, **more})
        return str(number)

    def register(self, key: SectionKey, *persons: str, status: str = "registered") -> None:
        """Register people in a section, or change their standing."""
        for person in persons:
            self.put("registrations", **_named(key), personId=person, status=status)

    def teach(self, key: SectionKey, person: str, **more: Any) -> None:
        """Put somebody on a section's staff."""
        self.put("staff", **_named(key), personId=person, **more)

    # -- us ------------------------------------------------------------------------------------------------------

    def collect(self) -> Collected:
        """Read Campus Cafe."""
        with CampusCafeHook("campus_cafe_demo") as source:
            return collect(self.store, self.college, source, self.clock())

    def work(self, holder: str = "") -> Work:
        """What a drain works with."""

        def hook(connection_id: str) -> CourseKeyHook:
            base = self.college.coursekey.base_url
            return CourseKeyHook(connection_id, base_url=base, timeout=httpx.Timeout(5), sleep=no_waiting)

        def password(person: str) -> str | None:
            with CampusCafeHook("campus_cafe_demo") as source:
                return source.initial_password(person)

        name = holder or f"drain {next(self._names)}"
        return Work(self.store, self.college, self.hooks or hook, password, name, self.clock)

    def drain(self, **how: Any) -> Drained:
        """Send what is due."""
        return drain(self.work(), **how)

    def run(self, *, minutes: float = 15) -> Drained:
        """A run of the DAG some time later: collect, then drain."""
        self.clock.forward(minutes=minutes)
        self.collect()
        return self.drain()

    def queue(self, *entities: Entity, intent: Intent = Intent.UPSERT, forced: bool = False) -> None:
        """Queue something past the collector, by the rules."""
        with self.store.begin() as connection:
            campus = StoredCampus(connection, self.college.key)
            judge = Judge(self.college, campus, self.clock())
            asked = [judge.request(one, intent, forced=forced) for one in entities]
            queue.put(connection, self.college.key, self.college.coursekey.api_name, asked, self.clock())

    def counts(self) -> Counter[EntryState]:
        """How many entries of the queue are in each state."""
        with self.store.begin() as connection:
            return +queue_looking.counts(connection, self.college.key, self.college.coursekey.api_name)

    def entries(self, *states: EntryState) -> list[Entry]:
        """The entries in some states."""
        with self.store.begin() as connection:
            key, api = self.college.key, self.college.coursekey.api_name
            return queue_looking.entries(connection, key, api, states or tuple(EntryState), Selection(), 10_000)

    def entry(self, entity: Entity) -> Entry:
        """The entry of an entity."""
        with self.store.begin() as connection:
            return queue.about(connection, self.college.key, self.college.coursekey.api_name, [entity])[entity]

    def history(self) -> list[queue_history.Line]:
        """The queue history, oldest first."""
        with self.store.begin() as connection:
            return queue_history.latest(connection, self.college.key, 100_000)[::-1]

    # -- CourseKey -----------------------------------------------------------------------------------------------

    def arm(self, kind: str, count: int | None = 1, match: str = "", after: int = 0, seconds: float = 0.0) -> None:
        """Have CourseKey misbehave."""
        fault = Fault("coursekey", kind, count=count, match=match, after=after, seconds=seconds)
        self.sandbox.world.faults.add(fault)

    def configure(self, **settings: Any) -> None:
        """Change how CourseKey behaves."""
        self.sandbox.world.coursekey.configure(**settings)

    def there(self) -> dict[str, Any]:
        """Users and courses of CourseKey, with all that belongs to them, without its ids."""
        shown = picture(self.sandbox.world.coursekey, ids=False)
        return {"users": shown["users"], "courses": shown["courses"]}

    def course(self, name: str) -> dict[str, Any]:
        """One course of CourseKey."""
        return next(one for one in self.there()["courses"] if one["name"] == name)

    def calls(self) -> Counter[str]:
        """How often each operation was called."""
        found: Counter[str] = Counter()
        for (_, operation), count in self.sandbox.world.coursekey.calls_made.items():
            found[operation] += count
        return found

    def forget_calls(self) -> None:
        """Count the calls anew."""
        self.sandbox.world.coursekey.calls_made.clear()


def _named(key: SectionKey) -> dict[str, str]:
    return {"semester": key.semester, "courseNumber": key.course, "section": key.section}


def course_of(key: SectionKey) -> Entity:
    return Entity(EntryKind.COURSE, *key)


def staff(key: SectionKey, person: str) -> Entity:
    return Entity(EntryKind.STAFF, *key, person)


def enrollment(key: SectionKey, person: str) -> Entity:
    return Entity(EntryKind.ENROLLMENT, *key, person)


def user(person: str, site: str = "MAIN") -> Entity:
    return Entity(EntryKind.USER, person=person, site=site)


@contextmanager
def sandbox_of(size: str, clock: Clock) -> Iterator[RunningSandbox]:
    """A sandbox whose college has a size and whose clock is ours."""
    with RunningSandbox(World(Settings(size="small", college=size), now=clock)) as sandbox:
        yield sandbox


def hurry(connection: Any, _: object) -> None:
    """A killed process loses nothing of SQLite all the same: only a machine that goes down would."""
    connection.execute("PRAGMA synchronous=OFF").close()


@contextmanager
def ground(sandbox: RunningSandbox, folder: Path, clock: Clock, **changes: Any) -> Iterator[Ground]:
    """A college with an empty store."""
    page_key = Fernet.generate_key().decode()
    store = Store(f"sqlite:///{folder}/store.db", [page_key])
    event.listen(store.engine, "connect", hurry)
    migrate.upgrade(store)
    given = connections(sandbox.url)
    os.environ.update(given)
    try:
        yield Ground(sandbox, store, college(sandbox.url, **changes), clock, page_key)
    finally:
        for name in given:
            del os.environ[name]
        store.dispose()


Made = Callable[..., AbstractContextManager[Ground]]
"""Opens a college with some parameters."""


def a_class(
    town: Ground, students: int = 2, name: str = "MTH101/4", site: str = "MAIN", first: int = 2001
) -> SectionKey:
    """A section with an instructor and some students, collected."""
    key = town.section(name, site)
    town.teach(key, town.person(f"9{first}", firstName="Ted"), isPrimary=True)
    town.register(key, *(town.person(first + number) for number in range(students)))
    town.collect()
    return key
