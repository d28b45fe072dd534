"""Ending whole process trees.

Every child of ours leads a session of its own. Airflow's task processes move to process groups of their own, so
signalling the child's group would miss them; the session is what all of them keep, even after their parent has died.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil

POLL_SECONDS = 0.05
KILL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Session:
    """A session we started: its leader's pid and the signal that makes the leader shut down in order."""

    leader: int
    stop_signal: int = signal.SIGTERM


def members(leaders: Iterable[int]) -> list[psutil.Process]:
    """Return the living processes of the sessions led by `leaders` (a zombie has ended already)."""
    wanted = set(leaders)
    return [process for process in psutil.process_iter() if _session_of(process) in wanted]


def end(sessions: Sequence[Session], grace: float) -> None:
    """Ask every leader to stop, wait up to `grace` seconds for them all, then kill what is left of the sessions."""
    for session in sessions:
        with contextlib.suppress(ProcessLookupError):
            os.kill(session.leader, session.stop_signal)
    deadline = time.monotonic() + grace
    while any(_is_alive(session.leader) for session in sessions) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    deadline = time.monotonic() + KILL_SECONDS
    while (left := members(session.leader for session in sessions)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(POLL_SECONDS)


def _session_of(process: psutil.Process) -> int | None:
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
        session = os.getsid(process.pid)
        return session if process.status() != psutil.STATUS_ZOMBIE else None
    return None


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False
