"""Waiting for Canvas outside the worker, over HTTP against the sandbox."""

from __future__ import annotations

import asyncio
import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent

from rosterflow.hooks.canvas import CanvasHook
from rosterflow.triggers.canvas import Awaited, CanvasTrigger
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox

POLL_SECONDS = 0.05
PATIENCE = 10.0


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    with RunningSandbox() as running:
        connection = {"conn_type": "canvas", "host": f"{running.url}/canvas", "password": "sandbox-canvas-token"}
        monkeypatch.setenv("AIRFLOW_CONN_CANVAS_PROEVE", json.dumps(connection))
        yield running


def posted() -> str:
    """The id of a SIS import that has just been posted."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("terms.csv", "term_id,name,status\n2026_HØST,Høst 2026,active\n")
    with CanvasHook("canvas_proeve") as hook:
        return str(hook.post_sis_import(archive.getvalue()).id)


def trigger(canvas_id: str, awaited: Awaited = Awaited.SIS_IMPORT, *, seconds: float = PATIENCE) -> CanvasTrigger:
    return CanvasTrigger(
        canvas_conn_id="canvas_proeve",
        awaited=awaited,
        canvas_id=canvas_id,
        poll_seconds=POLL_SECONDS,
        deadline=time.time() + seconds,
    )


def events(waiting: CanvasTrigger) -> list[Any]:
    """The payload of every event of a trigger, to its end."""

    async def collect() -> list[TriggerEvent]:
        return [event async for event in waiting.run()]

    return [event.payload for event in asyncio.run(asyncio.wait_for(collect(), PATIENCE * 2))]


def test_a_trigger_that_airflow_kept_is_the_same_trigger() -> None:
    path, values = trigger("17", Awaited.REPORT).serialize()
    again = CanvasTrigger(**json.loads(json.dumps(values)))

    assert path == "rosterflow.triggers.canvas.CanvasTrigger"
    assert again.serialize() == (path, values)
    assert again.awaited is Awaited.REPORT


def test_an_import_that_is_over_is_told_at_once(sandbox: RunningSandbox) -> None:
    assert events(trigger(posted())) == [{"status": "over"}]


def test_a_slow_import_is_told_when_it_is_over_and_not_before(sandbox: RunningSandbox) -> None:
    sandbox.world.faults.add(Fault("canvas", "slow_import", seconds=0.6))
    number = posted()
    begin = time.monotonic()

    assert events(trigger(number)) == [{"status": "over"}]
    assert time.monotonic() - begin >= 0.5
    with CanvasHook("canvas_proeve") as hook:
        assert hook.sis_import(number).is_over


def test_a_finished_report_is_told(sandbox: RunningSandbox) -> None:
    with CanvasHook("canvas_proeve") as hook:
        number = hook.start_provisioning_report(("accounts",)).id

    assert events(trigger(number, Awaited.REPORT)) == [{"status": "over"}]


def test_an_import_that_takes_too_long_is_late(sandbox: RunningSandbox) -> None:
    sandbox.world.faults.add(Fault("canvas", "slow_import", seconds=30))

    assert events(trigger(posted(), seconds=0.3)) == [{"status": "late"}]


@pytest.mark.parametrize("kind", ["500", "429", "html", "truncate", "drop_before"])
def test_a_look_that_fails_is_repeated_because_the_import_goes_on(sandbox: RunningSandbox, kind: str) -> None:
    number = posted()
    sandbox.world.faults.add(Fault("canvas", kind, count=2, match="GET"))

    assert events(trigger(number)) == [{"status": "over"}]
    assert sandbox.world.faults.listing()[0]["fired"] == 2


def test_a_missing_connection_ends_the_waiting_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_CANVAS_PROEVE", raising=False)

    (told,) = events(trigger("17"))

    assert (told["status"], told["code"]) == ("failed", "connection-missing")
    assert "canvas_proeve" in told["message"]
