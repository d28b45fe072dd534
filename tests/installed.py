"""An installation of one college: a migrated store, its settings, and what the environment says of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from rosterflow.domain.coursekey.college import College
from rosterflow.settings import load_college
from rosterflow.store import migrate
from rosterflow.store.engine import Store


@dataclass(frozen=True, slots=True)
class Installed:
    """What was installed.

    :param key: encrypts pages.
    """

    store: Store
    college: College
    key: str


@contextmanager
def installed(
    home: Path, environment: pytest.MonkeyPatch, settings: Mapping[str, Any], **connections: str
) -> Iterator[Installed]:
    """The college of these settings, in a folder; ``connections`` are Airflow's, as environment variables."""
    key = Fernet.generate_key().decode()
    path = home / "college.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    given = {
        "ROSTERFLOW_DATABASE_URL": f"sqlite:///{home}/store.db",
        "ROSTERFLOW_STORAGE": f"file://{home}/blobs",
        "ROSTERFLOW_PAGE_KEYS": key,
        "ROSTERFLOW_INSTITUTIONS": str(home),
        **connections,
    }
    for name, value in given.items():
        environment.setenv(name, value)
    store = Store(given["ROSTERFLOW_DATABASE_URL"], [key])
    migrate.upgrade(store)
    yield Installed(store, load_college(path), key)
    store.dispose()
