"""A plan that was applied is undone: Canvas is as it was, what cannot come back is told, and no sync does it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rosterflow.domain.losses import Why
from rosterflow.domain.model import Key, Kind
from rosterflow.store.plans import ChangeState
from sandbox.university.model import Undervisningsenhet
from tests.harness import Done
from tests.scenarios.college import College, college
from tests.scenarios.people_day import PEOPLE, people_in_canvas
from tests.scenarios.persons import follows, newcomer, standing


@pytest.fixture
def faculty(tmp_path: Path) -> Iterator[College]:
    """A college whose Canvas has the people whom FS has."""
    with college(tmp_path, **PEOPLE) as one:
        one.harness.first_contact()
        yield one


def everything(one: College) -> tuple[object, ...]:
    """All that Canvas has."""
    return one.canvas(), people_in_canvas(one)


def mass_drop(one: College, count: int = 4) -> Done:
    """A day on which FS has lost everybody in some teaching, and nobody is asked."""
    with one.changing_fs():
        for at in range(count):
            one.teaching(at).studieretter.clear()
    return one.harness.run(days_later=1)


def states(one: College, plan_id: int) -> set[ChangeState]:
    return {change.state for change in one.harness.changes(plan_id)}


def test_a_day_with_a_wrong_mass_drop_is_undone_and_everybody_is_back(faculty: College) -> None:
    before = everything(faculty)
    dropped = mass_drop(faculty)
    assert everything(faculty) != before

    asked = faculty.harness.undone(dropped.plan_id)

    assert everything(faculty) == before
    assert [loss.why for loss in asked.inverse.losses] == []
    assert asked.plan_id is not None
    assert states(faculty, asked.plan_id) == {ChangeState.CONFIRMED}
    assert faculty.acts()[-2:] == [("kari", "undo", "wrong file"), ("kari", "approve", "looks right")]


def test_what_was_undone_is_held_until_somebody_approves_it(faculty: College) -> None:
    before = everything(faculty)
    dropped = mass_drop(faculty)
    after = everything(faculty)
    faculty.harness.undone(dropped.plan_id)

    done = faculty.harness.run(days_later=1)

    changes = faculty.harness.changes(done.plan_id)
    assert {(one.state, one.guard_rule) for one in changes} == {(ChangeState.HELD, "undone")}
    assert all("Undone by hand on 2026-09-02 because: wrong file." in (one.guard_reason or "") for one in changes)
    assert everything(faculty) == before
    faculty.harness.approve()
    assert everything(faculty) == after
    assert faculty.harness.run(days_later=1).changes == 0
