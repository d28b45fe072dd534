"""A college before and after its first contact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.college import College, college


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[College]:
    """A college that was never synced."""
    with college(tmp_path) as one:
        yield one


@pytest.fixture
def synced(stranger: College) -> College:
    """A college whose Canvas is as FS wants it."""
    stranger.harness.first_contact()
    return stranger
