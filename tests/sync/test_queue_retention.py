"""Housekeeping forgets what the queue has done with, and nothing that is not processed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.coursekey.queue import EntryState
from rosterflow.sync.housekeeping import Household, forget_what_is_old
from rosterflow.sync.pages import PageStore
from tests.domain.coursekey.builders import college as settings
from tests.scenarios.campus import DAY, NOW, Campus, a_section, campus, enrollment, person, registration


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Campus]:
    """A college with a section that was sent, and a student whose e-mail is missing."""
    with campus(tmp_path, REMOVE_FROM_QUEUE_DAYS=30) as made:
        a_section(made.registrar, 2)
        made.registrar.have(person("2001", email=""))
        made.sync()
        yield made


@pytest.fixture
def house(one: Campus, tmp_path: Path) -> Household:
    """The household of an installation with that college alone."""
    blobs = PageStore(f"file://{tmp_path}/blobs", [Fernet.generate_key().decode()])
    return Household(one.store, blobs, (), (), (), lambda letter: None, "", NOW, (one.college,))


def test_what_is_done_is_forgotten_after_its_days_and_what_failed_is_kept(one: Campus, house: Household) -> None:
    early = forget_what_is_old(replace(house, now=NOW + 30 * DAY))
    late = forget_what_is_old(replace(house, now=NOW + 31 * DAY))

    assert (early, late) == (0, 4 + 8)
    assert {entity: entry.state for entity, entry in one.entries().items()} == {enrollment("2001"): EntryState.FAILED}
    assert one.told_of(enrollment("2001")) == [(EntryState.FAILED, "email-missing")]
    assert one.told_of(enrollment("2000")) == []


def test_the_days_are_those_of_the_parameter(one: Campus, house: Household) -> None:
    patient = replace(house, colleges=(settings(REMOVE_FROM_QUEUE_DAYS=60),), now=NOW + 31 * DAY)

    assert forget_what_is_old(patient) == 0


def test_what_has_long_been_gone_from_campus_cafe_is_forgotten(one: Campus, house: Household) -> None:
    one.registrar.lose(registration("2001"))
    one.collect(NOW + DAY)

    forget_what_is_old(replace(house, now=NOW + 400 * DAY))
    kept = one.guard(NOW + 400 * DAY).held
    forget_what_is_old(replace(house, now=NOW + 402 * DAY))

    assert kept == 0
    assert len(one.sections()) == 1
