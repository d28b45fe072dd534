"""Child processes that never outlive this one.

Each child leads its own session (see `demo.sessions`), so that a Ctrl-C at the terminal reaches only us and the order
of the shutdown is ours. `Children.close` runs at the end of the ``with`` block and at exit; should this process be
killed outright, `demo.watchdog` does the same.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from demo.errors import DemoError
from demo.sessions import Session, end

GRACE_SECONDS = 15.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Account:
    """The system account a child runs under."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Child:
    """A running child: the name people read, where its output goes, and its process."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]
    session: Session

    def is_running(self) -> bool:
        """Say whether the child has not ended."""
        return self.process.poll() is None

    def ended(self) -> DemoError:
        """Return the error for a child that ended by itself."""
        return DemoError(f"{self.name} ended by itself with exit code {self.process.poll()}", self.log)


class Children:
    """The children of this process; a context manager that ends them all, the youngest first."""

    def __init__(self) -> None:
        """Start with no child."""
        self._running: list[Child] = []
        self._watchdog: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Return self; children are ended when the block ends."""
        return self

    def __exit__(self, *exc: object) -> None:
        """End every child."""
        self.close()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> Child:
        """Start `command` with its output appended to `log` and return the child.

        `account` is the system account to run under (only root may name one), `stop_signal` what makes it shut down in
        order. Raises `DemoError` when the command cannot be started.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        # A signal between the start and the bookkeeping would leave a child nobody knows of.
        with signals_deferred(), log.open("ab") as output:
            try:
                process = subprocess.Popen(
                    [str(part) for part in command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=dict(env) if env is not None else None,
                    cwd=cwd,
                    start_new_session=True,
                    user=account.uid if account else None,
                    group=account.gid if account else None,
                    extra_groups=[] if account else None,
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise DemoError(f"{name} cannot be started: {error}") from error
            child = Child(name, log, process, Session(process.pid, stop_signal))
            self._running.append(child)
            self._tell_watchdog(f"start {process.pid} {int(stop_signal)}")
        return child

    def run(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        timeout: float,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        account: Account | None = None,
    ) -> None:
        """Run `command` to its end; arguments as in `start`.

        Raises `DemoError` when it fails or does not end within `timeout` seconds.
        """
        child = self.start(name, command, log, env=env, cwd=cwd, account=account)
        try:
            code = child.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise DemoError(f"{name} did not end within {timeout:.0f} s", log) from None
        finally:
            self.stop(child)
        if code != 0:
            raise DemoError(f"{name} failed with exit code {code}", log)

    def check(self) -> None:
        """Raise `DemoError` for the first child that ended although nobody stopped it."""
        for child in self._running:
            if not child.is_running():
                raise child.ended()

    def stop(self, *children: Child, grace: float = GRACE_SECONDS) -> None:
        """End these children and all their descendants, together; children already stopped are passed over."""
        ours = [child for child in children if child in self._running]
        with signals_deferred():
            end([child.session for child in ours], grace)
            for child in ours:
                child.process.wait()
                self._running.remove(child)
                self._tell_watchdog(f"end {child.process.pid}")

    def close(self) -> None:
        """End every child, the youngest first, then the watchdog."""
        with signals_deferred():
            for child in reversed(self._running):
                self.stop(child)
            if self._watchdog is not None and self._watchdog.stdin is not None:
                self._watchdog.stdin.close()
                self._watchdog.wait()
                self._watchdog = None
                atexit.unregister(self.close)

    def _tell_watchdog(self, message: str) -> None:
        if self._watchdog is None:
            self._watchdog = _start_watchdog()
            atexit.register(self.close)
        if self._watchdog.stdin is not None:
            # Whoever killed the watchdog took the safety net, not the run.
            with contextlib.suppress(BrokenPipeError):
                self._watchdog.stdin.write(f"{message}\n")
                self._watchdog.stdin.flush()


@contextlib.contextmanager
def signals_deferred() -> Iterator[None]:
    """Hold back SIGINT, SIGTERM and SIGHUP until the end of the block; the first one held is then delivered."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in before:
        signal.signal(number, lambda received, _frame: held.append(received))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])


def _start_watchdog() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "demo.watchdog"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        start_new_session=True,
        text=True,
    )
