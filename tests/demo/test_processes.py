"""Children that never outlive us: `demo.processes`, `demo.sessions` and `demo.watchdog`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from demo.errors import DemoError, log_tail
from demo.processes import Child, Children, signals_deferred
from demo.sessions import Session, members
from demo.watchdog import left_running

INCLUDE = Path(__file__).parents[2] / "include"

# A child with a grandchild in a process group of its own, as Airflow's tasks are; it says when both run.
FAMILY = (
    "import os, subprocess, sys, time;"
    "subprocess.Popen(['sleep', '600'], process_group=0);"
    "print('ready', flush=True); time.sleep(600)"
)
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
)


@pytest.fixture
def children() -> Iterator[Children]:
    with Children() as ours:
        yield ours


def start(children: Children, log: Path, program: str) -> Child:
    child = children.start("the child", [sys.executable, "-c", program], log)
    wait_until(lambda: "ready" in log_tail(log))
    return child


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def test_stopping_a_child_ends_its_descendants_in_other_process_groups_too(children: Children, tmp_path: Path) -> None:
    child = start(children, tmp_path / "log", FAMILY)
    family = members([child.process.pid])

    children.stop(child)

    assert len(family) == 2
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_child_that_ignores_its_stop_signal_is_killed_after_the_grace(children: Children, tmp_path: Path) -> None:
    child = start(children, tmp_path / "log", STUBBORN)

    children.stop(child, grace=0.1)

    assert child.process.returncode == -signal.SIGKILL


def test_leaving_the_block_ends_every_child(tmp_path: Path) -> None:
    with Children() as children:
        first = start(children, tmp_path / "first", FAMILY)
        second = start(children, tmp_path / "second", FAMILY)

    assert members([first.process.pid, second.process.pid]) == []


def test_a_child_that_ends_by_itself_is_reported_with_its_name_code_and_log(children: Children, tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = children.start("The scheduler", [sys.executable, "-c", "print('out of paper'); raise SystemExit(3)"], log)
    child.process.wait()

    with pytest.raises(DemoError, match="^The scheduler ended by itself with exit code 3$") as caught:
        children.check()

    assert (caught.value.log, log_tail(log)) == (log, "out of paper")


def test_a_command_that_fails_is_an_error(children: Children, tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="^initdb failed with exit code 1$"):
        children.run("initdb", ["false"], tmp_path / "log", timeout=10)


def test_a_command_that_takes_too_long_is_ended(children: Children, tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="^initdb did not end within 0 s$"):
        children.run("initdb", ["sleep", "600"], tmp_path / "log", timeout=0.1)

    children.check()


def test_a_command_that_does_not_exist_is_an_error(children: Children, tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="^initdb cannot be started: .*No such file"):
        children.start("initdb", [tmp_path / "missing"], tmp_path / "log")


@pytest.fixture
def interrupting() -> Iterator[None]:
    """SIGINT as Python handles it, also below a shell that has its background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupting")
def test_a_signal_is_held_back_until_the_bookkeeping_is_done() -> None:
    done = []

    with pytest.raises(KeyboardInterrupt), signals_deferred():  # noqa: PT012 - the order is what is tested
        signal.raise_signal(signal.SIGINT)
        done.append("bookkeeping")

    assert done == ["bookkeeping"]


def test_the_log_tail_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\ntwo\nthree\n", encoding="utf-8")

    assert (log_tail(log, 2), log_tail(tmp_path / "missing")) == ("two\nthree", "")


def test_the_watchdog_reads_who_is_left_the_youngest_first() -> None:
    lines = ["start 10 15\n", "start 11 2\n", "start 12 15\n", "end 11\n"]

    assert left_running(lines) == [Session(12, signal.SIGTERM), Session(10, signal.SIGTERM)]


@pytest.mark.parametrize("killed_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_nothing_outlives_a_parent_that_is_killed(killed_by: signal.Signals, tmp_path: Path) -> None:
    log = tmp_path / "log"
    parent_program = (
        "import signal, sys, time; from pathlib import Path; from demo.processes import Children\n"
        "for stop in (signal.SIGTERM, signal.SIGHUP): signal.signal(stop, signal.SIG_DFL)\n"  # nohup ignores one
        f"child = Children().start('child', [sys.executable, '-c', {FAMILY!r}], Path(sys.argv[1]))\n"
        "print(child.process.pid, flush=True); time.sleep(600)"
    )
    environment = {**os.environ, "PYTHONPATH": str(INCLUDE)}
    parent = subprocess.Popen(
        [sys.executable, "-c", parent_program, log], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
    wait_until(lambda: len(members([child])) == 2)

    parent.send_signal(killed_by)
    parent.wait(timeout=60)

    wait_until(lambda: members([child]) == [])
