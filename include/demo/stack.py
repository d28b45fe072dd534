"""The whole stack: the sandbox, PostgreSQL and Airflow, as the demo and the end-to-end tests use it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from demo.airflow import Airflow
from demo.airflow_api import wait_for
from demo.ports import free_port
from demo.postgres import Postgres
from demo.processes import Child, Children

REPOSITORY = Path(__file__).parents[2]
SANDBOX_PORT = 8900
SMTP_OFFSET = 25
USUAL_URL = f"http://localhost:{SANDBOX_PORT}"
"""The sandbox's address in include/institutions."""


class Stack:
    """The sandbox, PostgreSQL (one database for Airflow, one for our store) and Airflow.

    All files lie in `home`; `say` is told the progress. The processes belong to `children`, which ends them.
    """

    def __init__(self, children: Children, home: Path, say: Callable[[str], None]) -> None:
        """Choose ports, passwords and keys; nothing is started yet."""
        self.repository = REPOSITORY
        self.home = home
        self.say = say
        self.postgres = Postgres(children, home / "postgres")
        sandbox_port = free_port(int(os.environ.get("PORT", SANDBOX_PORT)))
        self.sandbox_url = f"http://127.0.0.1:{sandbox_port}"
        self.smtp_port = free_port(sandbox_port + SMTP_OFFSET)
        self.airflow = Airflow(
            children,
            home / "airflow",
            repository=REPOSITORY,
            database_url=self.postgres.url("airflow"),
            settings={
                "ROSTERFLOW_DATABASE_URL": self.postgres.url("rosterflow"),
                "ROSTERFLOW_INSTITUTIONS": str(home / "settings"),
                "ROSTERFLOW_STORAGE": f"file://{home / 'storage'}",
                "ROSTERFLOW_PAGE_KEYS": Fernet.generate_key().decode(),
            },
            xcom_backend="rosterflow.xcom.EncryptedPages",
            say=say,
        )
        self._children = children
        self._sandbox: Child | None = None

    def start(self) -> None:
        """Start everything and return when it can be used. Raises `DemoError`."""
        self._start_sandbox()
        write_settings(self.home / "settings", self.sandbox_url)
        self.postgres.start()
        self.postgres.create_database("airflow")
        self.postgres.create_database("rosterflow")
        self.say(f"PostgreSQL answers on port {self.postgres.port}")
        self.airflow.start()
        wait_for(self._sandbox_state, "the sandbox's first answer", seconds=60, meanwhile=self.check)
        self.say(f"The sandbox answers at {self.sandbox_url}")

    def stop(self) -> None:
        """Stop everything, the database last, and remove its data."""
        self.airflow.stop()
        if self._sandbox is not None:
            self._children.stop(self._sandbox)
        self.postgres.stop()
        self.postgres.remove()

    def check(self) -> None:
        """Raise `DemoError` when a part of the stack ended by itself."""
        self._children.check()

    def _start_sandbox(self) -> None:
        port = self.sandbox_url.rpartition(":")[2]
        self._sandbox = self._children.start(
            "The sandbox",
            [sys.executable, "-m", "sandbox", "--port", port, "--smtp-port", str(self.smtp_port)],
            self.home / "sandbox.log",
            env={**os.environ, "PYTHONPATH": str(REPOSITORY / "include")},
            cwd=self.home,
        )

    def _sandbox_state(self) -> object | None:
        try:
            answer = httpx.get(f"{self.sandbox_url}/control/state", timeout=10, trust_env=False)
        except httpx.TransportError:
            return None
        return answer if answer.status_code == httpx.codes.OK else None


def write_settings(folder: Path, sandbox_url: str) -> None:
    """Copy the institutions' settings into a new folder; where they name the sandbox, they name this one."""
    folder.mkdir()
    for path in (REPOSITORY / "include" / "institutions").glob("*.yaml"):
        text = path.read_text(encoding="utf-8").replace(USUAL_URL, sandbox_url)
        (folder / path.name).write_text(text, encoding="utf-8")
