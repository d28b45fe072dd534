"""A small college: its FS and its Canvas in a running sandbox, its sync, and what people do to either."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

import httpx
from cryptography.fernet import Fernet

from rosterflow.domain.confirmed import World as ConfirmedWorld
from rosterflow.domain.model import Key, Kind
from rosterflow.store import approvals, history, migrate, objects, row_errors
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.engine import Store
from rosterflow.sync.pages import PageStore
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from sandbox.university.model import Navn, Niva, Organisasjonsenhet, Undervisningsenhet, University
from sandbox.world import Settings, World
from tests.harness import Clock, Harness, connections, in_canvas, institution

TOKEN = {"Authorization": "Bearer sandbox-canvas-token"}
PAGE_KEY = Fernet.generate_key().decode()
GONE = ("deleted", "completed")


@dataclass
class College:
    """The college, with a clock that FS, Canvas and the sync share."""

    sandbox: RunningSandbox
    harness: Harness
    clock: Clock

    @property
    def university(self) -> University:
        return self.sandbox.world.university

    # -- what happens in FS ------------------------------------------------------------------------------------------

    @contextmanager
    def changing_fs(self) -> Iterator[University]:
        """Change rows of FS, all at once."""
        with self.university.lock:
            yield self.university
            self.university.revision += 1

    def teaching(self, at: int = 0) -> Undervisningsenhet:
        """Exported teaching of this term that has a course of its own."""
        now = self.university.semester
        return [
            ue
            for emne in self.university.emner
            for ue in emne.undervisningsenheter
            if ue.semester == now
            and ue.skal_eksporteres
            and ue.terminnummer == 1
            and ue.folger is None
            and self.course_of(ue) in self.canvas()
        ][at]

    def course_of(self, ue: Undervisningsenhet) -> Key:
        term = f"{ue.semester.arstall}_{ue.semester.kode.value}"
        return Key(Kind.COURSE, f"UE_184_{ue.emne.kode}_{ue.emne.versjonskode}_{term}_{ue.terminnummer}")

    def export(self, *teaching: Undervisningsenhet, on: bool) -> None:
        with self.changing_fs():
            for ue in teaching:
                ue.skal_eksporteres = on

    def open_unit(self, group: int) -> Organisasjonsenhet:
        """A new unit in which nothing lies yet."""
        above = next(unit for unit in self.university.enheter if unit.niva is Niva.INSTITUTT)
        numbers = (above.fakultetsnummer, above.instituttnummer, group)
        unit = Organisasjonsenhet(*numbers, Navn(f"Gruppe {group}"), Niva.GRUPPE, above)
        with self.changing_fs() as university:
            university.enheter.append(unit)
        return unit

    def close_unit(self, unit: Organisasjonsenhet) -> None:
        with self.changing_fs():
            unit.er_aktiv = False

    def rename_emne(self, ue: Undervisningsenhet, name: str) -> None:
        with self.changing_fs():
            ue.emne.navn = Navn(name)

    # -- what people do in Canvas ------------------------------------------------------------------------------------

    def canvas(self) -> dict[Key, tuple[Any, ...]]:
        return in_canvas(self.sandbox)

    def state_in_canvas(self, key: Key) -> str:
        return str(self.canvas()[key][-1])

    def removed(self) -> set[Key]:
        """What is deleted or concluded."""
        return {key for key, values in self.canvas().items() if values[-1] in GONE}

    def by_hand(self, method: str, path: str, **form: str) -> None:
        """A person's change in Canvas, over REST."""
        url = f"{self.sandbox.url}/canvas/api/v1{path}"
        httpx.request(method, url, headers=TOKEN, data=form or None).raise_for_status()

    def edit_course(self, key: Key, **form: str) -> None:
        fields = {f"course[{name}]": value for name, value in form.items()}
        self.by_hand("PUT", f"/courses/sis_course_id:{quote(key.sis_id, safe='')}", **fields)

    def edit_account(self, sis_id: str, **form: str) -> None:
        fields = {f"account[{name}]": value for name, value in form.items()}
        self.by_hand("PUT", f"/accounts/sis_account_id:{quote(sis_id, safe='')}", **fields)

    def edit_term(self, sis_id: str, **form: str) -> None:
        fields = {f"enrollment_term[{name}]": value for name, value in form.items()}
        self.by_hand("PUT", f"/accounts/1/terms/sis_term_id:{quote(sis_id, safe='')}", **fields)

    def imports(self) -> int:
        return len(self.sandbox.world.canvas.sis_batches)

    def fault(self, target: str, kind: str, **how: Any) -> None:
        self.sandbox.world.faults.add(Fault(target, kind, **how))

    # -- what we wrote down ------------------------------------------------------------------------------------------

    def request(self, number: int) -> ApprovalState:
        with self.harness.store.begin() as connection:
            return approvals.get_approval(connection, "demo", number).state

    def acts(self) -> list[tuple[str, str, str]]:
        """Who did what, and why."""
        with self.harness.store.begin() as connection:
            acts = history.acts(connection, self.harness.institution.key)
        return [(act.actor, act.act, act.reason) for act in acts]

    def believed(self) -> ConfirmedWorld:
        """What we hold to be in Canvas."""
        with self.harness.store.begin() as connection:
            return ConfirmedWorld(objects.load(connection, self.harness.institution.key))

    def events(self, key: Key) -> list[str]:
        with self.harness.store.begin() as connection:
            found = history.of_object(connection, self.harness.institution.key, key.sis_id)
        return [one.event for one in found if one.kind == key.kind]

    def open_errors(self) -> list[tuple[str, str]]:
        with self.harness.store.begin() as connection:
            found = row_errors.open_errors(connection, self.harness.institution.key)
        return [(one.subject, one.message) for one in found if one.side == "canvas"]

    def gone_errors(self, since: datetime) -> list[str]:
        with self.harness.store.begin() as connection:
            found = row_errors.gone_since(connection, self.harness.institution.key, since)
        return [one.subject for one in found if one.side == "canvas"]


@contextmanager
def college(folder: Path, **settings: Any) -> Iterator[College]:
    """A college nobody has synced yet; ``settings`` are those of its institution."""
    clock = Clock()
    one = institution(**settings)
    store = Store(f"sqlite:///{folder}/store.db", [PAGE_KEY])
    migrate.upgrade(store)
    with (
        RunningSandbox(World(Settings(size="small"), now=clock)) as sandbox,
        mock.patch.dict(os.environ, connections(sandbox.url, one)),
    ):
        harness = Harness(store, PageStore(f"{folder}/pages", [PAGE_KEY]), one, clock)
        try:
            yield College(sandbox, harness, clock)
        finally:
            harness.close()
            store.dispose()
