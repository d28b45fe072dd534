"""A plan that is applied and undone leaves Canvas as it was, for all that we created or changed (issue 3 §3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rosterflow.domain.diff import diff
from rosterflow.domain.guards import guard
from rosterflow.domain.institution import Removal
from rosterflow.domain.leaving import Leaving
from rosterflow.domain.losses import Why
from rosterflow.domain.people_settings import Ladder
from rosterflow.domain.plan import Change, Plan
from rosterflow.domain.snapshot import Snapshot
from rosterflow.domain.undone import set_apart
from rosterflow.store import institutions, plans, undone
from rosterflow.store.plans import ChangeState
from rosterflow.sync import runs
from rosterflow.sync.worlds import world_of
from tests.domain.builders import NO_LIMITS
from tests.properties.undo_cases import Picture, pictures
from tests.scenarios.college import College, college
from tests.scenarios.people_day import people_in_canvas

law = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
policies = st.builds(
    Removal,
    course=st.sampled_from(("close", "unpublish")),
    section=st.just("delete"),
    account=st.sampled_from(("delete", "leave")),
)
ladders = st.builds(Ladder, gone=st.sampled_from(("inactive", "completed", "deleted")))
_marks = (f"P{number}x" for number in count())


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[College]:
    """A Canvas that holds a college for each case."""
    folder: Path = tmp_path_factory.mktemp("undo")
    with college(folder, people={"sync": True}) as one:
        with one.harness.store.begin() as connection:
            institutions.standing(connection, "demo", one.clock())
            institutions.mark(connection, "demo", based_at=one.clock(), contacted_at=one.clock())
        yield one


def planned(one: College, snapshot: Snapshot, removal: Removal, ladder: Ladder) -> Plan:
    """What a sync would plan, with what was undone set apart."""
    with one.harness.store.begin() as connection:
        world = world_of(connection, one.harness.institution)
        remembered = undone.load(connection, "demo")
    leaving = Leaving(ladder, ladder)
    return set_apart(diff(snapshot, world, removal, {}, one.clock(), leaving=leaving), remembered)


def apply(one: College, plan: Plan) -> int:
    """Send a plan, all of it."""
    harness = one.harness
    one.clock.forward(hours=1)
    run = harness.settle(harness.open("apply"))
    try:
        with harness.store.begin() as connection:
            number = plans.save_plan(connection, "demo", run.id, plan, first_contact=False, now=one.clock())
            plans.set_state(connection, number, range(len(plan.changes)), ChangeState.ALLOWED)
        harness.write(run, number)
    finally:
        runs.close_run(harness.store, harness.institution, run, well=True, now=one.clock())
    return number


def free(one: College, plan: Plan) -> tuple[Change, ...]:
    """What of a plan goes on by itself when no limit holds anything."""
    with one.harness.store.begin() as connection:
        world = world_of(connection, one.harness.institution)
    return guard(plan, world, NO_LIMITS, first_contact=False).allowed


def there(one: College, mark: str) -> dict[tuple[str, ...], Any]:
    """All that Canvas has of one college, by what it is; what is deleted is as good as never made."""
    found: dict[tuple[str, ...], Any] = {}
    for key, values in one.canvas().items():
        if key.sis_id.startswith(mark) and values[-1] != "deleted":
            found[key] = values
    people = people_in_canvas(one)
    for row in (*people.enrollments, *people.admins):
        if any(cell.startswith(mark) for cell in row) and row[-1] != "deleted":
            found["person", *row[:-1]] = row[-1]
    for user, *fields in people.logins:
        if user.startswith(f"FS_184_{mark}"):
            found["user", user] = tuple(fields)
    return found


@law
@given(before=pictures, after=pictures, removal=policies, ladder=ladders)
def test_what_is_applied_and_undone_is_as_it_was(
    lab: College, before: Picture, after: Picture, removal: Removal, ladder: Ladder
) -> None:
    mark = next(_marks)
    apply(lab, planned(lab, before.snapshot(mark), removal, ladder))
    found = there(lab, mark)
    number = apply(lab, planned(lab, after.snapshot(mark), removal, ladder))

    asked = lab.harness.undone(number)

    expected = found | {
        key: (*values[:-1], "suspended")
        for key, values in there(lab, mark).items()
        if key[0] == "user" and key not in found
    }
    assert there(lab, mark) == expected
    expected_losses = {Why.USER_SUSPENDED, Why.WORK_INSIDE, Why.GRADED, Why.AS_BEFORE}
    assert [str(loss) for loss in asked.inverse.losses if loss.why not in expected_losses] == []
    states = {change.state for change in lab.harness.changes(asked.plan_id)} if asked.plan_id else set()
    assert states <= {ChangeState.CONFIRMED}
    assert free(lab, planned(lab, after.snapshot(mark), removal, ladder)) == ()
