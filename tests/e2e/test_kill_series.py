"""Kills at every step of a sync, and of Airflow's own components; whatever dies, the end is the same."""

from __future__ import annotations

import itertools

import pytest

from tests.e2e.chapters import SYNC, Posted, evu_names, kill_worker, posted
from tests.e2e.ground import Ground

pytestmark = pytest.mark.soak

STEPS = ["open_run", "read.undervisning", "settle", "plan", "guard", "apply", "confirm", "report", "close_run"]
_turn = itertools.count()


def renamed(ground: Ground) -> str:
    """Have every EVU course renamed by the next sync; gives how the names will end."""
    ending = f" ({next(_turn)})"
    names = ground.settings["demo"].get("names", {})
    ground.change("demo", names={**names, "evu_course": f"{{navn}}{ending}"})
    return ending


def check_the_end(ground: Ground, ending: str) -> None:
    again = posted(ground, mode="apply")

    assert (again.run.state, again.run.counts, again.imports) == ("success", {}, 0)
    assert {name.endswith(ending) for name in evu_names(ground)} == {True}


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_is_killed_at_any_step_changes_nothing_in_the_end(
    ground: Ground, unchanged: Posted, step: str
) -> None:
    ending = renamed(ground)
    before = ground.imports()
    run_id = ground.start("demo", mode="apply")
    ground.wait_for_state(SYNC, run_id, step, "running")
    kill_worker(ground, run_id, step)

    ended = ground.ended(SYNC, run_id)

    assert ended.state == "success"
    assert ground.imports() == before + 1
    check_the_end(ground, ending)


@pytest.mark.parametrize("component", ["scheduler", "triggerer", "dag-processor", "api-server"])
def test_a_component_that_is_restarted_during_an_import_changes_nothing_in_the_end(
    ground: Ground, unchanged: Posted, component: str
) -> None:
    ending = renamed(ground)
    ground.fault(target="canvas", kind="slow_import", seconds=30)
    run_id = ground.start("demo", mode="apply")
    ground.wait_for_state(SYNC, run_id, "apply", "deferred")
    ground.stack.airflow.stop_component(component)
    ground.stack.airflow.start_component(component)
    ground.wait(lambda: ground.client.health().get("scheduler") == "healthy" or None, "Airflow to be back")

    assert ground.ended(SYNC, run_id).state == "success"
    check_the_end(ground, ending)
