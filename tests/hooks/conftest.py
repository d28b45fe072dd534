"""A Canvas hook on a running sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from rosterflow.hooks.canvas import CanvasHook
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World
from tests.hooks.canvas_sandbox import Hooks, Waits, connect


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small"))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.world.reset()
    return running


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def hooks(waits: Waits) -> Iterator[Hooks]:
    with ExitStack() as opened:

        def make(seconds: float = 2, attempts: int = 5) -> CanvasHook:
            hook = CanvasHook("canvas_test", timeout=httpx.Timeout(seconds), attempts=attempts, sleep=waits)
            return opened.enter_context(hook)

        yield make


@pytest.fixture
def hook(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, hooks: Hooks) -> CanvasHook:
    connect(monkeypatch, f"{sandbox.url}/canvas")
    return hooks()
