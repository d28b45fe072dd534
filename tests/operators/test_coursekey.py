"""The tasks of a college's outbound queue against the sandbox: collect, guard, drain, tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
import yaml
from airflow.sdk import DAG, BaseOperator

from rosterflow.domain.coursekey.queue import EntryState
from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.hooks.campus_cafe_folder import CampusCafeFolder
from rosterflow.operators import coursekey
from rosterflow.operators.coursekey import (
    CollectCampusOperator,
    DrainOperator,
    GuardRemovalsOperator,
    TellFailuresOperator,
    campus_cafe,
)
from rosterflow.settings import load_college
from rosterflow.sync.letters import Letter
from sandbox.serving import RunningSandbox
from tests.harness import Clock
from tests.installed import installed
from tests.operators.running import context
from tests.scenarios.drain_ground import EMPTY, KEYS, Ground, college_settings, connections, sandbox_of

NOON = datetime(2026, 9, 1, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with sandbox_of(EMPTY, Clock(NOON)) as sandbox:
        yield sandbox


@pytest.fixture
def town(running: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """A class at each of two auth keys that nobody has collected yet."""
    running.world.reset(college=EMPTY)
    settings = college_settings(running.url)
    with installed(tmp_path, monkeypatch, settings, **connections(running.url)) as here:
        made = Ground(running, here.store, here.college, Clock(NOON), here.key)
        for number, site in enumerate(("MAIN", "WEST")):
            section = made.section(f"MTH101/{number}", site)
            made.register(section, made.person(2001 + number))
        with time_machine.travel(NOON, tick=True):
            yield made


def run(operator: type[BaseOperator], **params: Any) -> Any:
    with DAG("coursekey_outbound__college", schedule=None):
        task = operator(task_id="task", institution="college")
    return task.execute(context(**params))


def test_a_run_brings_what_campus_cafe_has_to_coursekey(town: Ground) -> None:
    assert run(CollectCampusOperator) == {"PENDING": 6}
    assert run(GuardRemovalsOperator) == {"allowed": 0, "held": 0, "ask": []}

    assert run(DrainOperator) == {"DONE": 8}

    assert [len(course["enrollments"]) for course in town.there()["courses"]] == [1, 1]


def test_the_form_says_how_much_is_sent(town: Ground) -> None:
    run(CollectCampusOperator)

    run(DrainOperator, batch=1, max_batches=1)

    assert town.counts()[EntryState.PENDING] == 5


def test_an_auth_key_that_is_refused_makes_the_task_red_after_the_others_were_served(town: Ground) -> None:
    town.configure(refused_keys=[KEYS[1]])
    run(CollectCampusOperator)

    with pytest.raises(FatalError) as caught:
        run(DrainOperator)

    assert caught.value.code is Code.UNAUTHORIZED
    assert caught.value.message.startswith("Auth key 1-3: CourseKey does not let the auth key ")
    assert len(town.there()["courses"]) == 1


def test_a_coursekey_that_is_down_makes_the_task_try_again(town: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (2003, 2004, 2005):
        town.person(number)
        town.register(town.section(f"MTH10{number}/1"), str(number))
    run(CollectCampusOperator)
    town.arm("425", count=None)
    monkeypatch.setattr("rosterflow.hooks.coursekey._wait", lambda _: 0)

    with pytest.raises(RetryableError) as caught:
        run(DrainOperator)

    assert caught.value.message.endswith("The entries stay pending.")
    assert town.counts()[EntryState.FAILED] == 0


def test_what_failed_is_mailed_once(town: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Letter] = []
    monkeypatch.setattr(coursekey, "send", sent.append)
    town.person(2001, email="")
    run(CollectCampusOperator)
    run(DrainOperator)

    assert (run(TellFailuresOperator), run(TellFailuresOperator)) == (1, 0)
    assert [letter.to for letter in sent] == [("registrar@college.example", "lms@college.example")]


def test_a_college_may_have_a_folder_instead(town: Ground, tmp_path: Path) -> None:
    raw = college_settings(town.sandbox.url, campus_cafe={"folder": str(tmp_path)})
    (tmp_path / "other.yaml").write_text(yaml.safe_dump({**raw, "key": "other"}), encoding="utf-8")

    with campus_cafe(load_college(tmp_path / "other.yaml")) as source:
        assert isinstance(source, CampusCafeFolder)
