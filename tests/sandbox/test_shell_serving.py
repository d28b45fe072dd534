from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import httpx
import pytest

from sandbox.faults import Fault
from sandbox.serving import PortTaken, RunningSandbox
from sandbox.world import Settings, World

INCLUDE = Path(__file__).parents[2] / "include"


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--size", "small", *arguments],
        env={**os.environ, "PYTHONPATH": str(INCLUDE), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_a_sandbox_answers_while_it_runs_and_frees_its_ports_and_thread() -> None:
    others = set(threading.enumerate())  # a sandbox that tests share may run all the while
    with RunningSandbox() as sandbox, httpx.Client(base_url=sandbox.url) as client:
        assert client.get("/control/state").status_code == 200
        with socket.create_connection(("127.0.0.1", sandbox.smtp_port)) as smtp:
            assert smtp.recv(100).startswith(b"220 sandbox ")
    assert "sandbox" not in [thread.name for thread in set(threading.enumerate()) - others]
    for port in (sandbox.port, sandbox.smtp_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_a_request_held_back_by_a_fault_does_not_hold_up_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(1) as pool:
        with RunningSandbox() as sandbox:
            sandbox.world.faults.add(Fault("fs", "timeout", seconds=60))
            answer = pool.submit(httpx.get, f"{sandbox.url}/fs/graphql", timeout=60)
            with socket.create_connection(("127.0.0.1", sandbox.smtp_port)) as smtp:
                smtp.recv(100)
                # An SMTP client must not hold it up either; talking to it passes the time until the fault strikes.
                while sandbox.world.faults.is_armed("fs", ["timeout"]):
                    smtp.sendall(b"NOOP\r\n")
                    smtp.recv(100)
            started = perf_counter()
        assert perf_counter() - started < 1
        with pytest.raises(httpx.RemoteProtocolError):
            answer.result()
    assert capfd.readouterr().err == ""


def test_a_port_that_does_not_exist_is_named_too() -> None:
    with pytest.raises(PortTaken, match="port 70000 cannot be listened on"):
        RunningSandbox(port=70_000)


def test_two_sandboxes_are_two_worlds() -> None:
    with RunningSandbox() as one, RunningSandbox(World(Settings(seed=5, size="small"))) as other:
        states = [httpx.get(f"{sandbox.url}/control/state").json() for sandbox in (one, other)]
    assert [state["settings"]["seed"] for state in states] == [1, 5]


def test_a_taken_port_is_named_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} cannot be listened on"):
            RunningSandbox(port=port)
        with pytest.raises(PortTaken, match=f"port {port} cannot be listened on"):
            RunningSandbox(smtp_port=port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_addresses_once_and_ends_cleanly(number: signal.Signals) -> None:
    port, smtp_port = free_port(), free_port()
    with started("--smtp-port", str(smtp_port), PORT=str(port)) as process:
        assert process.stdout
        assert process.stderr
        first = process.stdout.readline()
        answer = httpx.get(f"http://127.0.0.1:{port}/control/state")
        process.send_signal(number)
        out, errors = process.stdout.read(), process.stderr.read()
        process.wait(timeout=10)
    assert first == "The sandbox is running; Ctrl-C stops it.\n"
    assert answer.status_code == 200
    for shown in (
        f"http://127.0.0.1:{port}/fs/graphql",
        "user sandbox, password sandbox",
        f"http://127.0.0.1:{port}/canvas/api/v1",
        "sandbox-canvas-token",
        f"SMTP on port {smtp_port}",
        "/control/state",
    ):
        assert shown in out
    assert (process.returncode, errors) == (0, "")


def test_the_command_says_in_one_line_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with started("--port", str(port), "--smtp-port", "0") as process:
            out, errors = process.communicate(timeout=10)
    assert (process.returncode, out) == (1, "")
    assert errors == (
        f"The sandbox cannot start: port {port} cannot be listened on: Address already in use."
        f" Choose another, for example PORT={port + 100}.\n"
    )


def test_the_command_says_in_one_line_that_there_is_no_such_size() -> None:
    with started("--port", "0", "--smtp-port", "0", "--size", "gigantic") as process:
        out, errors = process.communicate(timeout=10)
    assert (process.returncode, out) == (1, "")
    assert errors.startswith("The sandbox cannot start: size must be")
    assert errors.count("\n") == 1
