"""Each way to break the product that docs/proof.md lists is noticed by the tests that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mutations import MUTATIONS, REPOSITORY, Mutation, reds_of, source_of, table

PAGE = REPOSITORY / "docs/proof.md"
EACH = pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)


@EACH
def test_a_mutation_still_has_its_place(mutation: Mutation) -> None:
    assert source_of(mutation).count(mutation.right) == 1
    assert mutation.wrong not in source_of(mutation)


@EACH
def test_the_tests_that_notice_a_mutation_exist(mutation: Mutation) -> None:
    missing = [test for test in mutation.reds if not _exists(*test.split("::"))]

    assert (missing, mutation.reds != ()) == ([], True)


def _exists(path: str, name: str) -> bool:
    file: Path = REPOSITORY / path
    return file.is_file() and re.search(rf"^def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE) is not None


def test_the_page_of_proofs_has_the_table_of_mutations() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")


@pytest.mark.soak
@EACH
def test_a_mutation_turns_every_test_red_that_is_said_to_notice_it(mutation: Mutation) -> None:
    assert reds_of(mutation, mutation.reds) == set(mutation.reds)
