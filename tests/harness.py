"""The sync of one institution without Airflow: the same steps as its DAGs, in the same order, over real HTTP.

A step that fails with a retryable error is tried again, as Airflow would, while the clock goes on; any other error ends
the run, and the run is closed whatever happened, as the DAG's teardown does it.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

import httpx

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.domain.fs.rows import FsSource
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.people import PeopleSource
from rosterflow.domain.model import Key, Kind, SourceKind, key_of
from rosterflow.domain.rosters import Thing
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.windows import scope_on
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.hooks.fs import FSGraphQLHook
from rosterflow.hooks.fs_operations import STRUCTURE
from rosterflow.store import approvals, imports, institutions, plans
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.engine import Store
from rosterflow.store.imports import ImportState
from rosterflow.store.institutions import Standing
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.store.runs import Run
from rosterflow.sync import runs
from rosterflow.sync.approving import APPROVE, Answer, Verdict, conclude, decide
from rosterflow.sync.confirming import confirm_import, ids_to_read_back, read_back, waits_for_reading_back
from rosterflow.sync.guarding import Guarded, guard_plan
from rosterflow.sync.hiding import hide_courses
from rosterflow.sync.kept_reads import KeptRead, keep_read
from rosterflow.sync.pages import PageStore
from rosterflow.sync.planning import make_plan
from rosterflow.sync.reading import (
    Checkpoint,
    KeptPage,
    operation_of,
    read_operation,
    source_of,
    summary_of,
    variables_for,
)
from rosterflow.sync.reading_people import (
    STRUCTURE_NEEDED,
    Pages,
    Part,
    page_size_of,
    people_parts,
    people_source,
    structure_of,
)
from rosterflow.sync.reported import kinds_for_undo, reported_kinds, things_of
from rosterflow.sync.reporting import Report, report
from rosterflow.sync.sending import post_import, prepare_import
from rosterflow.sync.settling import settle_imports, take_base
from rosterflow.sync.undoing import Undoing, plan_undo

T = TypeVar("T")
TRIES = 5
LOOK_SECONDS = 0.005
SECONDS = 5.0


@dataclass
class Clock:
    """The time in a test; waiting only moves it on."""

    moment: datetime = datetime(2026, 9, 1, 1, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **amount: float) -> None:
        self.moment += timedelta(**amount)

    def sleep(self, seconds: float) -> None:
        self.forward(seconds=seconds)


class Read(NamedTuple):
    """What a run read."""

    structure: FsSource
    people: PeopleSource


@dataclass(frozen=True)
class Done:
    """What a run came to."""

    run: Run
    plan_id: int
    guarded: Guarded
    report: Report

    @property
    def changes(self) -> int:
        return sum(row.changes for row in self.report.rows)


def institution(key: str = "demo", **settings: Any) -> Institution:
    """The sandbox's university with connections of its own, without its people; ``settings`` override."""
    given: dict[str, Any] = {
        "key": key,
        "name": "Demohøgskolen",
        "number": "184",
        "fs": {"connection": f"fs_{key}", "service_numbers": ["1"], "null_service_number_is_ours": True},
        "canvas": {"connection": f"canvas_{key}", "root": "sandbox", "account": "FSDEMO"},
        "room_codes": {"codes": {"eget-rom": "own_room", "ikke-rom": "section", "ingen": "none"}},
        "people": {"sync": False},
    }
    for name, value in settings.items():
        given[name] = {**given[name], **value} if isinstance(given.get(name), dict) else value
    return Institution.model_validate(given)


def connections(url: str, one: Institution, *, token: str = "sandbox-canvas-token", **extra: Any) -> dict[str, str]:
    """Environment variables with the Airflow connections to a sandbox; ``extra`` goes to FS."""
    fs = {"conn_type": "fs_graphql", "host": f"{url}/fs/graphql", "login": "sandbox", "password": "sandbox"}
    canvas = {"conn_type": "canvas", "host": f"{url}/canvas", "password": token}
    return {
        f"AIRFLOW_CONN_{one.fs.connection.upper()}": json.dumps({**fs, "extra": {"read_timeout": 5, **extra}}),
        f"AIRFLOW_CONN_{one.canvas.connection.upper()}": json.dumps(canvas),
    }


@dataclass
class Harness:
    """Runs an institution's sync.

    :param patience: real seconds to wait for Canvas before an import counts as slow.
    """

    store: Store
    blobs: PageStore
    institution: Institution
    clock: Clock = field(default_factory=Clock)
    seconds: float = SECONDS
    patience: float = 20
    _hook: CanvasHook | None = None

    # -- a whole run -------------------------------------------------------------------------------------------------

    def run(
        self,
        mode: str = "apply",
        *,
        scope: Scope | None = None,
        accept_empty: Collection[SourceKind] = (),
        days_later: float = 0,
    ) -> Done:
        """One run of the sync's DAG."""
        self.clock.forward(days=days_later)
        run = self.open(mode, scope)
        try:
            run = self.settle(run)
            plan_id = self.plan(run, self.read(run), accept_empty)
            guarded = self.guard(run, plan_id)
            if mode == "apply":
                self.write(run, plan_id)
        except RosterflowError:
            runs.close_run(self.store, self.institution, run, well=False, now=self.clock())
            raise
        runs.close_run(self.store, self.institution, run, well=True, now=self.clock())
        return Done(run, plan_id, guarded, report(self.store, run.id))

    def approve(self, number: int | None = None, *answers: Answer) -> Verdict:
        """One run of the approval's DAG, about the request that waits."""
        number = number or self.waiting()[0]
        run = self.open("apply", dag="canvas_approval")
        given = answers or (Answer(APPROVE, "looks right", "kari"),)
        try:
            run = self.task(lambda: runs.take_lease(self.store, self.institution, run, self.clock()))
            verdict = self.task(lambda: decide(self.store, self.institution, run, number, given, self.clock()))
            if verdict.approved:
                with self.store.begin() as connection:
                    plan_id = approvals.get_approval(connection, self.institution.key, number).plan_id
                self.write(run, plan_id, number)
            conclude(self.store, self.institution, number, self.clock())
        finally:
            runs.close_run(self.store, self.institution, run, well=False, now=self.clock())
        return verdict

    def decide(self, number: int, *answers: Answer) -> Verdict:
        """As much of an approval as there is before anything is sent."""
        run = self.open("apply", dag="canvas_approval")
        try:
            run = self.task(lambda: runs.take_lease(self.store, self.institution, run, self.clock()))
            return decide(self.store, self.institution, run, number, answers, self.clock())
        finally:
            runs.close_run(self.store, self.institution, run, well=False, now=self.clock())

    def undo(self, plan_id: int, reason: str = "wrong file") -> Undoing:
        """One run of the comparison's DAG in which somebody wants a plan undone; it only asks."""
        run = self.settle(self.open("plan", dag="canvas_reconcile"))
        try:
            return plan_undo(
                self.store,
                self.institution,
                run,
                plan_id,
                self.report(kinds_for_undo(self.institution)),
                actor="kari",
                reason=reason,
                now=self.clock(),
            )
        finally:
            runs.close_run(self.store, self.institution, run, well=True, now=self.clock())

    def undone(self, plan_id: int, reason: str = "wrong file") -> Undoing:
        """An undo that people approve, when there is something to undo."""
        asked = self.undo(plan_id, reason)
        if asked.request:
            self.approve(asked.request, *(Answer(APPROVE, "looks right", user) for user in ("kari", "ola")))
        return asked

    def first_contact(self) -> Done:
        """The first run and its approval."""
        done = self.run()
        self.approve()
        return done

    # -- its steps ---------------------------------------------------------------------------------------------------

    def open(self, mode: str = "apply", scope: Scope | None = None, *, dag: str = "fs_canvas_sync") -> Run:
        today = self.clock().astimezone(self.institution.zone).date()
        return runs.open_run(
            self.store,
            self.institution,
            dag_id=f"{dag}__{self.institution.key}",
            dag_run_id=uuid.uuid4().hex,
            mode=mode,
            scope=scope or scope_on(today, self.institution.terms),
            now=self.clock(),
        )

    def settle(self, run: Run) -> Run:
        """Become the writer, and take the base from Canvas when that is needed."""
        held = self.task(lambda: runs.take_lease(self.store, self.institution, run, self.clock()))
        hook = self.canvas()
        if self.task(lambda: settle_imports(self.store, hook, self.institution, held, self.clock())):
            found = self.listed(hook, reported_kinds(self.institution))
            take_base(self.store, self.institution, held, found.values(), self.clock())
        return held

    def read(self, run: Run) -> Read:
        """Everything the run's scope holds in FS; each operation, and each part of one, is a task of its own."""
        structure = {name: self._read_one(run, name) for name in STRUCTURE[self.institution.fs.dialect]}
        read = {name: self._nodes(pages) for name, pages in structure.items()}
        gaps = [gap for name, pages in structure.items() for gap in summary_of(name, pages).gaps]
        source = source_of(self.institution, read, gaps)
        ids = {name: self._nodes(structure[name]) for name in STRUCTURE_NEEDED[self.institution.fs.dialect]}
        parts = people_parts(self.institution, run.scope, structure_of(run.scope, ids))
        people = [(part, self._read_one(run, part.operation, part.variables)) for part in parts]
        unknown = [gap for part, pages in people for gap in summary_of(part.operation, pages).gaps]
        of_structure = {name: [page.name for page in pages] for name, pages in structure.items()}
        of_people = [(part, [page.name for page in pages]) for part, pages in people]
        keep_read(self.blobs, run, KeptRead(of_structure, of_people, gaps, unknown))
        reads: list[tuple[Part, Pages]] = [(part, partial(self._nodes, pages)) for part, pages in people]
        return Read(source, people_source(self.institution.fs.dialect, reads, unknown))

    def _nodes(self, pages: Sequence[KeptPage]) -> Iterator[list[Any]]:
        return (self.blobs.get(page.name) for page in pages)

    def _read_one(self, run: Run, name: str, variables: dict[str, Any] | None = None) -> list[KeptPage]:
        operation = operation_of(self.institution, name)
        asked = variables or variables_for(self.institution, run.scope, operation)
        checkpoint = Checkpoint(self.blobs, {"run": run.id, "operation": name, "variables": asked})

        def read() -> list[KeptPage]:
            with self.fs() as reader:
                size = page_size_of(self.institution, operation)
                return list(read_operation(reader, operation, asked, checkpoint, page_size=size))

        return self.task(read)

    def plan(self, run: Run, read: Read, accept_empty: Collection[SourceKind] = ()) -> int:
        return make_plan(
            self.store, self.institution, run, read.structure, read.people, accept_empty=accept_empty, now=self.clock()
        )

    def guard(self, run: Run, plan_id: int) -> Guarded:
        return guard_plan(self.store, self.institution, run, plan_id, self.clock())

    def write(self, run: Run, plan_id: int, approval_id: int | None = None) -> None:
        """Apply and confirm a plan, or the approved changes of one."""
        for part in (1, 2):
            self.task(lambda part=part: self.apply(run, plan_id, approval_id, part))  # type: ignore[misc]
            self.task(lambda: self.confirm(run, plan_id, approval_id))

    def apply(self, run: Run, plan_id: int, approval_id: int | None = None, part: int = 1) -> None:
        """Send one part and confirm it row by row."""
        hook = self.canvas()
        one = prepare_import(
            self.store,
            self.blobs,
            hook,
            self.institution,
            run,
            plan_id,
            approval_id=approval_id,
            part=part,
            now=self.clock(),
        )
        if one is None or one.state is ImportState.CONFIRMED:
            return
        one = post_import(self.store, self.blobs, hook, self.institution, run, one.id, self.clock())
        self.wait(lambda: hook.sis_import(str(one.canvas_id)).is_over)
        ended = hook.sis_import(str(one.canvas_id))
        with self.store.begin() as connection:
            again = imports.get_import(connection, one.id)
        confirm_import(self.store, hook, self.institution, again, ended, self.clock())

    def confirm(self, run: Run, plan_id: int, approval_id: int | None = None) -> None:
        """Do by REST what CSV cannot, and read back what Canvas may have accepted without doing it."""
        hook = self.canvas()
        hide_courses(self.store, hook, self.institution, plan_id, approval_id, run_id=run.id, now=self.clock())
        kinds = waits_for_reading_back(self.store, plan_id)
        if kinds:
            asked = ids_to_read_back(self.store, plan_id)
            found = self.listed(hook, tuple(sorted(f"{kind}s" for kind in kinds)), asked)
            read_back(self.store, hook, self.institution, plan_id, found, run_id=run.id, now=self.clock())

    # -- looking -----------------------------------------------------------------------------------------------------

    def waiting(self) -> list[int]:
        """The requests that wait for a person."""
        with self.store.begin() as connection:
            waiting = approvals.in_state(connection, self.institution.key, ApprovalState.WAITING)
        return [request.id for request in waiting]

    def standing(self) -> Standing:
        """Where the institution stands."""
        with self.store.begin() as connection:
            return institutions.standing(connection, self.institution.key, self.clock())

    def changes(self, plan_id: int, *states: ChangeState) -> list[StoredChange]:
        with self.store.begin() as connection:
            return plans.changes(connection, plan_id, *states)

    # -- waiting and trying again ------------------------------------------------------------------------------------

    def task(self, step: Callable[[], T]) -> T:
        """Do a step as an Airflow task does it: again after a retryable error."""
        for _ in range(TRIES - 1):
            try:
                return step()
            except RetryableError as error:
                self.clock.forward(seconds=error.retry_after or 30)
        return step()

    def wait(self, is_over: Callable[[], bool]) -> None:
        until = time.monotonic() + self.patience
        while not is_over():
            if time.monotonic() > until:
                raise FatalError(Code.IMPORT_SLOW, "Canvas is not done yet.")
            time.sleep(LOOK_SECONDS)

    def listed(
        self, hook: CanvasHook, kinds: Sequence[str], only: Collection[str] | None = None
    ) -> Mapping[Key, Thing]:
        """What Canvas's provisioning report lists, all of it or that of some SIS ids."""
        return {key_of(thing): thing for thing in things_of(self.institution, self.report(kinds, hook), only)}

    def report(self, kinds: Sequence[str], hook: CanvasHook | None = None) -> bytes:
        """Canvas's provisioning report."""
        canvas = hook or self.canvas()

        def ordered() -> bytes:
            number = canvas.start_provisioning_report(tuple(kinds)).id
            self.wait(lambda: canvas.provisioning_report(number).is_over)
            return canvas.download(canvas.provisioning_report(number).url or "")

        return self.task(ordered)

    def canvas(self) -> CanvasHook:
        """A hook with what the connection says now; one is open at a time."""
        self.close()
        self._hook = CanvasHook(
            self.institution.canvas.connection, timeout=httpx.Timeout(self.seconds), attempts=2, sleep=self.clock.sleep
        )
        return self._hook

    def close(self) -> None:
        """Close what is open to Canvas."""
        if self._hook is not None:
            self._hook.close()
            self._hook = None

    def fs(self) -> FSGraphQLHook:
        settings = self.institution.fs
        return FSGraphQLHook(
            settings.connection, settings=settings, institution=self.institution.key, sleep=self.clock.sleep
        )


def in_canvas(sandbox: Any) -> dict[Key, tuple[Any, ...]]:
    """Everything with a SIS id in the sandbox's Canvas: what it is called, where it lies, its state and dates."""
    canvas = sandbox.world.canvas
    with canvas.lock:
        found: dict[Key, tuple[Any, ...]] = {}
        for account in canvas.accounts:
            parent = canvas.accounts.get(account.parent_account_id)
            found[Key(Kind.ACCOUNT, account.sis_id)] = (account.name, parent and parent.sis_id, _state(account))
        for term in canvas.terms:
            found[Key(Kind.TERM, term.sis_id)] = (term.name, term.start_at, term.end_at, _state(term))
        for course in canvas.courses:
            lies_in = (canvas.accounts[course.account_id].sis_id, canvas.terms[course.term_id].sis_id)
            names = (course.course_code, course.name)
            dates = (course.start_at, course.end_at)
            found[Key(Kind.COURSE, course.sis_id)] = (*names, *lies_in, *dates, _state(course))
        for section in canvas.sections:
            course = canvas.courses[section.course_id]
            found[Key(Kind.SECTION, section.sis_id)] = (section.name, course.sis_id, _state(section))
    return {key: value for key, value in found.items() if key.sis_id is not None}


def _state(record: Any) -> str:
    return str(record.workflow_state)
