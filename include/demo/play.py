"""``make demo``: start everything, play the story, stop everything.

The exit code is 0 when the whole story was played and everything stopped, 1 for a failure, 130 when it was interrupted
before that. ``DEMO_KEEP=1`` keeps everything up after the story until Ctrl-C. Logs stay in ``.run/demo``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from demo import attendance_story  # noqa: F401 - importing it defines the steps, those of the parts before it first
from demo.airflow import PEOPLE
from demo.errors import DemoError, log_tail
from demo.postgres import Postgres
from demo.processes import STOP_SIGNALS, Children, signals_deferred
from demo.stack import REPOSITORY, Stack
from demo.steps import STEPS

RUN = REPOSITORY / ".run"
INTERRUPTED = 130


class Progress:
    """Prints lines with the seconds since its creation in front."""

    def __init__(self) -> None:
        """Start the clock."""
        self._begin = time.monotonic()

    def __call__(self, text: str) -> None:
        """Print one line."""
        print(f"[{time.monotonic() - self._begin:6.1f} s] {text}", flush=True)


def main() -> int:
    """Run the demo and return the exit code."""
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)
    say = Progress()
    try:
        with _only_one(), Children() as children:
            home = _fresh_home(children)
            stack = Stack(children, home, say)
            try:
                _play(stack)
            finally:
                with signals_deferred():
                    say("stopping")
                    stack.stop()
    except DemoError as error:
        return _failed(error)
    except KeyboardInterrupt:
        say("interrupted; everything is stopped")
        return INTERRUPTED
    say("everything is stopped")
    return 0


def _play(stack: Stack) -> None:
    stack.start()
    _print_addresses(stack)
    for number, step in enumerate(STEPS, start=1):
        stack.say(f"{number}/{len(STEPS)} {step.title}")
        step.act(stack)
        stack.check()
    if os.environ.get("DEMO_KEEP", "0") not in {"", "0"}:
        _print_addresses(stack)
        stack.say("everything stays up (DEMO_KEEP); Ctrl-C stops it")
        _wait_for_interrupt(stack)


def _print_addresses(stack: Stack) -> None:
    others = ", ".join(person for person in PEOPLE if person != "admin")
    print(f"\n  Airflow   {stack.airflow.url}   log in as admin / admin (or {others}: the password is the name)")
    print(f"  sandbox   {stack.sandbox_url}   Canvas as a tree, CourseKey at /college/coursekey, mail at /mail")
    print(f"  logs      {stack.home}\n", flush=True)


def _wait_for_interrupt(stack: Stack) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            stack.check()
            time.sleep(1)


def _failed(error: DemoError) -> int:
    print(f"\nThe demo failed: {error}", file=sys.stderr)
    if error.log is not None:
        print(f"The end of {error.log}:\n{log_tail(error.log)}", file=sys.stderr)
    return 1


def _fresh_home(children: Children) -> Path:
    """Return an empty directory for this run; the logs of the last one go, and what it left behind if it was killed."""
    home = RUN / "demo"
    Postgres(children, home / "postgres").remove()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, mode=0o700)
    return home


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    RUN.mkdir(exist_ok=True)
    with (RUN / "demo.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError("another `make demo` is running in this directory") from None
        yield


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
