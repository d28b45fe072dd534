"""Killing a sync (SIGKILL, no clean-up) just before or after one of its steps towards store or Canvas."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import httpx
import sqlalchemy

from rosterflow.store.engine import Store
from rosterflow.sync import runs
from rosterflow.sync.approving import APPROVE, Answer
from rosterflow.sync.pages import PageStore
from tests.harness import Clock, Harness, institution

FORKING = get_context("forkserver")
FORKING.set_forkserver_preload([__name__])


CALLS = {"/sis_imports": "import", "/reports/": "report", "/courses/": "course"}


@dataclass(frozen=True)
class Job:
    """What the process to be killed does.

    :param approval: the request to approve; without one it is a daily run.
    :param settings: what differs from the usual institution.
    """

    database: str
    pages: str
    page_key: str
    environment: Mapping[str, str]
    moment: datetime
    approval: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


class Killer:
    """Ends the process at a step: just before a commit, or before or after a call that changes something in Canvas.

    Steps are named by the calls: ``commit 1 at first``, ``before import 1``, ``after import 1``, ``commit 1 after
    import 1``, ``before report 1`` and so on.
    """

    def __init__(self, at: str | None) -> None:
        self.at = at
        self.steps: list[str] = []
        self._calls: Counter[str] = Counter()
        self._commits = 0
        self._since = "at first"

    def commit(self, _: object) -> None:
        self._commits += 1
        self._step(f"commit {self._commits} {self._since}")

    def before(self, call: str) -> None:
        self._calls[call] += 1
        self._step(f"before {call} {self._calls[call]}")

    def after(self, call: str) -> None:
        self._commits, self._since = 0, f"after {call} {self._calls[call]}"
        self._step(self._since)

    def _step(self, name: str) -> None:
        if name == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.steps.append(name)


def killed_at(job: Job, at: str | None) -> list[str] | None:
    """Do the job in a process that is killed at a step; its steps when it came to its end instead."""
    receiver, sender = FORKING.Pipe(duplex=False)
    child = FORKING.Process(target=_work, args=(job, at, sender))
    child.start()
    sender.close()
    child.join()
    if child.exitcode == -signal.SIGKILL:
        return None
    assert child.exitcode == 0, "the job failed before it was killed"
    steps: list[str] = receiver.recv()
    return steps


def _work(job: Job, at: str | None, sender: Connection) -> None:
    os.environ.update(job.environment)
    killer = Killer(at)
    store = Store(job.database, [job.page_key])
    harness = Harness(store, PageStore(job.pages, [job.page_key]), institution(**job.settings), Clock(job.moment))
    run = harness.open("apply", dag="canvas_approval" if job.approval else "fs_canvas_sync")
    source = harness.read(run)
    _watch(store, killer)
    if job.approval:
        runs.close_run(store, harness.institution, run, well=False, now=harness.clock())
        harness.approve(job.approval, Answer(APPROVE, "looks right", "kari"))
    else:
        settled = harness.settle(run)
        plan_id = harness.plan(settled, source)
        harness.guard(settled, plan_id)
        harness.write(settled, plan_id)
        runs.close_run(store, harness.institution, settled, well=True, now=harness.clock())
    sender.send(killer.steps)


def _watch(store: Store, killer: Killer) -> None:
    """Have the killer told of every commit and of every call that changes something in Canvas."""
    sqlalchemy.event.listen(store.engine, "commit", killer.commit)
    send: Callable[..., httpx.Response] = httpx.Client.send

    def watched(client: httpx.Client, request: httpx.Request, **how: Any) -> httpx.Response:
        if request.method == "GET":
            return send(client, request, **how)
        path = request.url.path
        call = next((name for part, name in CALLS.items() if part in path), path)
        killer.before(call)
        answer = send(client, request, **how)
        killer.after(call)
        return answer

    httpx.Client.send = watched  # type: ignore[assignment, method-assign]
