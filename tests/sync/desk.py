"""A sync between planning and confirming: a store, a plan in it, and a Canvas that does what it is told."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from cryptography.fernet import Fernet

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.errors import Code, RosterflowError, RowError
from rosterflow.domain.model import Account, CanvasObject, Course, Key, Section, SourceKind, State, Term, key_of
from rosterflow.domain.model import Origin as From
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.rosters import Member, Roster, Thing
from rosterflow.domain.snapshot import Scope
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.hooks.canvas_records import Administrator, ImportMessage, SisImport
from rosterflow.store import history, imports, migrate, objects, plans, rosters, row_errors
from rosterflow.store.engine import Store
from rosterflow.store.imports import StoredImport
from rosterflow.store.plans import ChangeState
from rosterflow.store.runs import Run
from rosterflow.sync import runs
from rosterflow.sync.confirming import Outcome, confirm_import, read_back
from rosterflow.sync.pages import PageStore
from rosterflow.sync.sending import post_import, prepare_import
from tests.harness import institution

NOW = datetime(2026, 9, 1, 1, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
HOME = institution()

UNIT = Account("184_1_0_0", "Fakultet", "FSDEMO")
OTHER = Account("184_2_0_0", "Fakultet 2", "FSDEMO")
TERM = Term("2026_HØST", "Høst 2026", origin=From(SourceKind.TERMIN, "2026_HØST"))
COURSE = Course(
    "UE_1", "A", "Kurs A", "184_1_0_0", "2026_HØST", origin=From(SourceKind.UNDERVISNINGSENHET, "2026_HØST")
)
SECTION = Section("UE_1", "Kurs A", "UE_1", origin=From(SourceKind.UNDERVISNINGSENHET, "2026_HØST"))


def create(thing: CanvasObject) -> Change:
    return Change(Action.CREATE, None, thing, "new", "It is new.")


def change(action: Action, before: CanvasObject, after: CanvasObject) -> Change:
    return Change(action, before, after, "rule", "Because.")


def close(course: Course) -> Change:
    return change(Action.CLOSE, course, replace(course, state=State.COMPLETED))


@dataclass
class FakeCanvas:
    """Keeps what was posted; every import ends as ``state`` with ``messages``."""

    clock: datetime = NOW
    state: str = "imported"
    messages: list[ImportMessage] = field(default_factory=list)
    posted: list[bytes] = field(default_factory=list)
    listed: list[SisImport] = field(default_factory=list)
    steered: list[tuple[str, str]] = field(default_factory=list)
    fails: RosterflowError | None = None
    swallows: bool = False
    """Whether a failing POST arrives all the same."""
    uncounted: int = 0
    address: str = "canvas.example.edu 1"
    course_states: dict[str, str] = field(default_factory=dict)
    admins: dict[str, list[Administrator] | RosterflowError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """The accounts whose administrators somebody wanted to know."""

    def post_sis_import(self, archive: bytes) -> SisImport:
        if self.fails and not self.swallows:
            raise self.fails
        self.posted.append(archive)
        made = self.imported(str(len(self.posted)), archive)
        self.listed.insert(0, made)
        if self.fails:
            raise self.fails
        return made

    def imported(self, number: str, archive: bytes) -> SisImport:
        counts: dict[str, int] = {}
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names = tuple(opened.namelist())
            for name in names:
                kind = name.rsplit("-", 1)[1].removesuffix(".csv")
                rows = opened.read(name).decode().count("\n") - 1
                bad = sum(message.file == name for message in self.messages)
                counts["change_sis_ids" if kind == "change_sis_id" else kind] = rows - bad - self.uncounted
        return SisImport(number, self.state, self.clock, counts, names)

    def sis_import(self, number: str) -> SisImport:
        found = next((one for one in self.listed if one.id == number), None)
        if found is None:
            raise RowError(Code.ROW_REFUSED, "The specified resource does not exist.")
        return found

    def sis_imports_since(self, moment: datetime) -> Iterator[SisImport]:
        return iter([one for one in self.listed if one.created_at >= moment])

    def sis_import_messages(self, number: str) -> Iterator[ImportMessage]:
        return iter(self.messages)

    def identity(self) -> str:
        return self.address

    def account_exists(self, sis_id: str) -> bool:
        return sis_id == HOME.canvas.account

    def terms(self) -> Iterator[Term]:
        return iter(())

    def course_state(self, sis_id: str) -> str | None:
        return self.course_states.get(sis_id, "available")

    def administrators(self, account: str) -> list[Administrator]:
        self.asked.append(account)
        found = self.admins.get(account, [])
        if isinstance(found, RosterflowError):
            raise found
        return found

    def conclude_course(self, sis_id: str) -> None:
        self._steer("conclude", sis_id)

    def course_event(self, sis_id: str, event: str) -> None:
        self._steer(event, sis_id)

    def _steer(self, event: str, sis_id: str) -> None:
        if self.fails:
            raise self.fails
        self.steered.append((event, sis_id))


@dataclass
class Desk:
    """What a run works with."""

    store: Store
    blobs: PageStore
    run: Run
    canvas: FakeCanvas

    @property
    def hook(self) -> CanvasHook:
        return cast(CanvasHook, self.canvas)

    def believe(self, *things: CanvasObject, owned: Mapping[Key, frozenset[str]] | None = None) -> None:
        """What Canvas confirmed so far."""
        with self.store.begin() as connection:
            known = (ConfirmedObject(one, (owned or {}).get(key_of(one), frozenset())) for one in things)
            objects.save(connection, HOME.key, known, now=NOW, run_id=None)

    def believe_people(self, *known: Roster) -> None:
        """Who is where, as Canvas confirmed it so far."""
        with self.store.begin() as connection:
            rosters.save(connection, HOME.key, known, now=NOW)

    def people(self) -> dict[str, dict[str, Member]]:
        """Who we believe is where."""
        with self.store.begin() as connection:
            return {one.whole.sis_id: dict(one.members) for one in rosters.load(connection, HOME.key)}

    def plan(self, *changes: Change) -> int:
        """A plan of which everything is allowed."""
        with self.store.begin() as connection:
            number = plans.save_plan(
                connection, HOME.key, self.run.id, Plan(changes, Counter()), first_contact=False, now=NOW
            )
            plans.set_state(connection, number, range(len(changes)), ChangeState.ALLOWED)
        return number

    def prepare(self, plan_id: int, part: int = 1) -> StoredImport | None:
        return prepare_import(
            self.store,
            self.blobs,
            self.hook,
            HOME,
            self.run,
            plan_id,
            approval_id=None,
            part=part,
            now=self.canvas.clock,
        )

    def post(self, one: StoredImport) -> StoredImport:
        return post_import(self.store, self.blobs, self.hook, HOME, self.run, one.id, self.canvas.clock)

    def send(self, plan_id: int) -> Outcome:
        """Prepare, post and confirm the first part of a plan."""
        prepared = self.prepare(plan_id)
        assert prepared is not None
        posted = self.post(prepared)
        ended = self.canvas.sis_import(posted.canvas_id or "")
        return confirm_import(self.store, self.hook, HOME, posted, ended, self.canvas.clock)

    def read_back(self, plan_id: int, *found: Thing) -> None:
        there = {key_of(one): one for one in found}
        read_back(self.store, self.hook, HOME, plan_id, there, run_id=self.run.id, now=self.canvas.clock)

    def states(self, plan_id: int) -> list[ChangeState]:
        with self.store.begin() as connection:
            return [one.state for one in plans.changes(connection, plan_id)]

    def messages(self, plan_id: int) -> list[str | None]:
        with self.store.begin() as connection:
            return [one.message for one in plans.changes(connection, plan_id)]

    def believed(self) -> World:
        with self.store.begin() as connection:
            return World(objects.load(connection, HOME.key))

    def things(self) -> set[CanvasObject]:
        return {one.thing for one in self.believed().values()}

    def import_of(self, number: int) -> StoredImport:
        with self.store.begin() as connection:
            return imports.get_import(connection, number)

    def errors(self) -> list[tuple[str, str]]:
        with self.store.begin() as connection:
            return [(one.subject, one.message) for one in row_errors.open_errors(connection, HOME.key)]

    def events(self, key: Key) -> list[str]:
        with self.store.begin() as connection:
            found = history.of_object(connection, HOME.key, key.sis_id)
        return [one.event for one in found if one.kind == key.kind]


def message(name: str, row: int | None, words: str) -> ImportMessage:
    return ImportMessage(name, row, words)


def files_of(archives: Iterable[bytes]) -> list[str]:
    """Names of the files in what was posted."""
    names: list[str] = []
    for archive in archives:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names += opened.namelist()
    return names


@contextmanager
def desk(folder: Path) -> Iterator[Desk]:
    """A run that holds the lease, on an empty store."""
    key = Fernet.generate_key().decode()
    store = Store(f"sqlite:///{folder}/store.db", [key])
    migrate.upgrade(store)
    scope = Scope(frozenset({"2026_HØST", "2027_VÅR"}))
    run = runs.open_run(store, HOME, dag_id="sync", dag_run_id="1", mode="apply", scope=scope, now=NOW)
    run = runs.take_lease(store, HOME, run, NOW)
    yield Desk(store, PageStore(f"{folder}/pages", [key]), run, FakeCanvas())
    store.dispose()
