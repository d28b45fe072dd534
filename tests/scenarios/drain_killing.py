"""Killing a drain (SIGKILL, no clean-up) just before or after one of its commits or calls to CourseKey."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import httpx
import sqlalchemy

from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.store.engine import Store
from rosterflow.sync.drain_state import Work
from rosterflow.sync.draining import drain
from tests.harness import Clock
from tests.scenarios.drain_ground import college, hurry, no_waiting

FORKING = get_context("forkserver")
FORKING.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Job:
    """What the process to be killed does.

    :param url: the sandbox's.
    :param holder: who drains.
    """

    url: str
    database: str
    page_key: str
    environment: Mapping[str, str]
    moment: datetime
    holder: str


class Killer:
    """Counts the steps, which are commits and the beginnings and ends of calls that change something; ends at one."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.steps = 0

    def step(self, *_: object) -> None:
        if self.steps == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.steps += 1


def killed_at(job: Job, at: int | None) -> int | None:
    """Drain in a process that is killed at a step; how many steps it made when it came to its end instead."""
    receiver, sender = FORKING.Pipe(duplex=False)
    child = FORKING.Process(target=_work, args=(job, at, sender))
    child.start()
    sender.close()
    child.join()
    if child.exitcode == -signal.SIGKILL:
        return None
    assert child.exitcode == 0, "the drain failed before it was killed"
    steps: int = receiver.recv()
    return steps


def _work(job: Job, at: int | None, sender: Connection) -> None:
    os.environ.update(job.environment)
    killer = Killer(at)
    store = Store(job.database, [job.page_key])
    sqlalchemy.event.listen(store.engine, "connect", hurry)
    sqlalchemy.event.listen(store.engine, "commit", killer.step)
    _watch(killer)
    one = college(job.url)

    def hook(connection_id: str) -> CourseKeyHook:
        return CourseKeyHook(connection_id, base_url=one.coursekey.base_url, sleep=no_waiting)

    drain(Work(store, one, hook, lambda _: None, job.holder, Clock(job.moment)))
    sender.send(killer.steps)


def _watch(killer: Killer) -> None:
    send: Callable[..., Any] = httpx.AsyncClient.send

    async def watched(client: httpx.AsyncClient, request: httpx.Request, **how: Any) -> httpx.Response:
        if request.method == "GET":
            return await send(client, request, **how)  # type: ignore[no-any-return]
        killer.step()
        answer: httpx.Response = await send(client, request, **how)
        killer.step()
        return answer

    httpx.AsyncClient.send = watched  # type: ignore[assignment, method-assign]
