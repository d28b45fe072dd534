"""A real mail server, an installation of one college, and Airflow's connection to the mail server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from rosterflow.store import migrate
from rosterflow.store.engine import Store
from sandbox.mail import Message
from sandbox.serving import RunningSandbox
from tests.household import yaml_of

SENDER = "Rosterflow <rosterflow@drift.example>"


@pytest.fixture(scope="package")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def smtp(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets up ``smtp_default`` for a port, with extras."""

    def connect(port: int, **extra: object) -> None:
        plain = {"disable_ssl": True, "disable_tls": True, "retry_limit": 0, "timeout": 2, "from_email": SENDER}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": plain | extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))

    return connect


@pytest.fixture
def sandbox(running: RunningSandbox, smtp: Callable[..., None]) -> RunningSandbox:
    """The sandbox with an empty mailbox, as ``smtp_default``."""
    running.world.mailbox.clear()
    running.world.faults.clear()
    smtp(running.smtp_port)
    return running


@pytest.fixture
def mails(sandbox: RunningSandbox) -> Callable[[], list[Message]]:
    return sandbox.world.mailbox.messages


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment and a settings file; returns the folder of the files."""
    folder = tmp_path / "institutions"
    folder.mkdir()
    mail = "{failures: [drift@fjordvik.example], held: [studieadm@fjordvik.example]}"
    (folder / "fjordvik.yaml").write_text(yaml_of("fjordvik", mail=mail), encoding="utf-8")
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", f"file://{tmp_path}/blobs")
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(folder))
    monkeypatch.setenv("ROSTERFLOW_OPERATORS", "operators@drift.example")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.drift.example/under/")
    return folder


@pytest.fixture
def store(installation: Path, tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/store.db")
    migrate.upgrade(store)
    yield store
    store.dispose()
