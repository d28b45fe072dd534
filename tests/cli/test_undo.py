"""The command that asks for the undo of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from rosterflow.cli import undoing
from tests.cli.conftest import Shell
from tests.scenarios.college import PAGE_KEY, College, college


@dataclass
class Wrong:
    """A college whose last plan renamed a course by mistake."""

    college: College
    plan_id: int
    course: str


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wrong]:
    with college(tmp_path) as one:
        folder = tmp_path / "institutions"
        folder.mkdir()
        plain = one.harness.institution.model_dump(mode="json", by_alias=True)
        (folder / "demo.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
        monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
        monkeypatch.setenv("ROSTERFLOW_STORAGE", f"file://{tmp_path}/pages")
        monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", PAGE_KEY)
        monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(folder))
        monkeypatch.setattr(undoing, "LOOK_SECONDS", 0.02)
        one.harness.first_contact()
        course = one.course_of(one.teaching())
        one.rename_emne(one.teaching(), "Feil navn")
        yield Wrong(one, one.harness.run(days_later=1).plan_id, course.sis_id)


def test_a_dry_run_shows_the_inverse_and_asks_nobody(shell: Shell, wrong: Wrong) -> None:
    told = shell("plan", "undo", str(wrong.plan_id), "--reason", "wrong file", "--dry-run")

    assert shell.code == 0
    assert f"What undoes plan {wrong.plan_id}" in told
    assert wrong.course in told
    assert "What does not come back, or not as it was: none." in told
    assert "Nobody was asked." in told
    assert wrong.college.harness.waiting() == []


def test_an_undo_waits_for_a_person_and_says_how_to_ask(shell: Shell, wrong: Wrong) -> None:
    told = shell("plan", "undo", str(wrong.plan_id), "--institution", "demo", "--reason", " wrong file ")

    (request,) = wrong.college.harness.waiting()
    assert f"Plan {wrong.plan_id + 1} waits for a person as request {request}." in told
    assert f"airflow dags trigger canvas_approval__demo --run-id approval__{request}" in told
    actor, act, reason = wrong.college.acts()[-1]
    assert (actor.endswith("(command line)"), act, reason) == (True, "undo", "wrong file")
    wrong.college.harness.approve(request)
    assert "Feil navn" not in str(wrong.college.canvas())


def test_programs_get_changes_and_losses_as_json(shell: Shell, wrong: Wrong) -> None:
    wrong.college.edit_course(wrong.college.course_of(wrong.college.teaching()), name="Mitt kurs")

    told = shell.json("plan", "undo", str(wrong.plan_id), "--reason", "wrong file", "--dry-run")

    assert (told["undoes"], told["plan"], told["request"]) == (wrong.plan_id, None, None)
    assert {one["why"] for one in told["does_not_come_back"]} == {"changed-by-hand"}
    assert {change["action"] for change in told["changes"]} == {"update"}


def test_an_unknown_plan_is_told_in_one_sentence(shell: Shell, wrong: Wrong) -> None:
    shell("plan", "undo", "99", "--reason", "wrong file", "--dry-run")

    assert shell.code == 1
    assert "demo has no plan 99. [plan-unknown]" in shell.error


def test_an_undo_needs_a_reason(shell: Shell, wrong: Wrong) -> None:
    shell("plan", "undo", str(wrong.plan_id), "--reason", " ")

    assert shell.code == 2
    assert "a reason is needed" in shell.error
