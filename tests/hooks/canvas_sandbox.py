"""A sandbox's Canvas for the tests of the hook: what is imported into it, and how it is made to misbehave."""

from __future__ import annotations

import json
from typing import Protocol

import pytest

from rosterflow.domain.errors import RosterflowError
from rosterflow.domain.model import Account, Course, Section, Term
from rosterflow.domain.plan import Action, Change
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.wire.canvas_csv import sis_files, zip_of
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox

TOKEN = "sandbox-canvas-token"
STRUCTURE = (
    Account("184_1_0_0", "Fakultet for prøver", "FSDEMO"),
    Account("184_2_0_0", "Fakultet uten hjem", "NOWHERE"),
    Term("2026_HØST", "Høst 2026"),
    Course("UE_1", "PRØVE", "Prøvelære", "184_1_0_0", "2026_HØST"),
    Section("UA_1", "Gruppe 1", "UE_1"),
)
ARCHIVE = zip_of(
    sis_files([Change(Action.CREATE, None, one, "new", "") for one in STRUCTURE], mark="mark-7", publish_new=False)
)


class Waits(list[float]):
    """Remembers how long was waited instead of waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def connect(monkeypatch: pytest.MonkeyPatch, host: str, password: str = TOKEN) -> None:
    value = {"conn_type": "canvas", "host": host, "password": password}
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_TEST", json.dumps(value))


class Hooks(Protocol):
    """Makes hooks on the connection under test."""

    def __call__(self, seconds: float = 2, attempts: int = 5) -> CanvasHook: ...


def arm(sandbox: RunningSandbox, kind: str, count: int | None = 1, match: str = "", seconds: float = 0) -> None:
    sandbox.world.faults.add(Fault("canvas", kind, count=count, match=match, seconds=seconds))


def fired(sandbox: RunningSandbox) -> int:
    return sum(fault["fired"] for fault in sandbox.world.faults.listing())


def imported(hook: CanvasHook) -> str:
    """An import that has ended: its id."""
    number = hook.post_sis_import(ARCHIVE).id
    while not hook.sis_import(number).is_over:
        pass
    return number


def problem(call: object) -> RosterflowError:
    assert callable(call)
    with pytest.raises(RosterflowError) as caught:
        call()
    assert TOKEN not in f"{caught.value!r}{caught.value}{caught.value.__cause__!r}"
    return caught.value
