"""An institution's sync on the ground: its own store and page store, against a running sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from rosterflow.domain.institution import Institution
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from rosterflow.sync.pages import PageStore
from sandbox.serving import RunningSandbox
from tests.harness import Harness, connections, institution


@contextmanager
def ground(sandbox: RunningSandbox, folder: Path, key: str = "demo", **settings: Any) -> Iterator[Harness]:
    """A harness for the sandbox's university.

    :param folder: where its store and pages lie.
    :param key: the institution's; those that are open at the same time have different ones.
    :param settings: what differs from the usual institution.
    """
    one = institution(key, **settings)
    page_key = Fernet.generate_key().decode()
    store = Store(f"sqlite:///{folder}/store.db", [page_key])
    migrate.upgrade(store)
    harness = Harness(store, PageStore(str(folder / "pages"), [page_key]), one)
    given = addresses(sandbox, one)
    os.environ.update(given)
    try:
        yield harness
    finally:
        for name in given:
            del os.environ[name]
        harness.close()
        store.dispose()


def addresses(sandbox: RunningSandbox, one: Institution) -> dict[str, str]:
    """The connections of an institution, with FS at the address of its dialect and time to answer on a busy machine."""
    path = {"2026": "/fs/graphql", "2023": "/fs/2023/graphql"}[one.fs.dialect]
    return {
        name: text.replace("/fs/graphql", path) for name, text in connections(sandbox.url, one, read_timeout=60).items()
    }
