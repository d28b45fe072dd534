"""The lock, pyproject.toml and docs/dependencies.md say the same (no network: `make lock` is what asks an index)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = [Requirement(text) for extra in PROJECT["optional-dependencies"].values() for text in extra]

# One entry: the pin, its hashes on continued lines, and the comments that say who asks for it.
ENTRY = re.compile(
    r"^(?P<pin>\S[^\n]*==[^\n]*) \\\n(?P<hashes>(?:    --hash=[^\n]+\n)+)(?P<why>(?:    #[^\n]*\n)*)", re.M
)
OURS = "rosterflow (pyproject.toml)"


def entries(lock: str) -> list[tuple[Requirement, bool]]:
    """Every pin of a lock file, and whether pyproject.toml itself asks for it."""
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    return [(Requirement(found["pin"]), OURS in found["why"]) for found in ENTRY.finditer(text)]


def pins(lock: str) -> set[str]:
    return {str(requirement) for requirement, _ in entries(lock)}


@pytest.mark.parametrize(("lock", "asked"), [("requirements.txt", RUNTIME), ("requirements-dev.txt", RUNTIME + EXTRAS)])
def test_the_lock_pins_exactly_what_pyproject_asks_for(lock: str, asked: list[Requirement]) -> None:
    locked = {canonicalize_name(requirement.name) for requirement, ours in entries(lock) if ours}

    assert locked == {canonicalize_name(requirement.name) for requirement in asked}


@pytest.mark.parametrize(("lock", "asked"), [("requirements.txt", RUNTIME), ("requirements-dev.txt", RUNTIME + EXTRAS)])
def test_every_pin_lies_in_the_range_pyproject_allows(lock: str, asked: list[Requirement]) -> None:
    allowed = {canonicalize_name(requirement.name): requirement.specifier for requirement in asked}

    outside = [
        str(requirement)
        for requirement, ours in entries(lock)
        if ours
        and not all(allowed[canonicalize_name(requirement.name)].contains(pin.version) for pin in requirement.specifier)
    ]

    assert outside == []


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_line_of_the_lock_is_a_pin_with_a_hash(lock: str) -> None:
    text = (REPOSITORY / lock).read_text(encoding="utf-8")

    assert ENTRY.sub("", text).strip() == ""


def test_what_is_tested_is_what_is_shipped() -> None:
    assert pins("requirements.txt") - pins("requirements-dev.txt") == set()


def test_every_direct_dependency_is_explained() -> None:
    text = (REPOSITORY / "docs" / "dependencies.md").read_text(encoding="utf-8")

    unexplained = [requirement.name for requirement in RUNTIME + EXTRAS if f"| `{requirement.name}` |" not in text]

    assert unexplained == []
