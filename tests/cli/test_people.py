"""What a person is told about a person: why they are where they are, and what happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sandbox.university.people import EmneStudierett
from tests.cli.conftest import Shell
from tests.scenarios.college import PAGE_KEY, College, college

SETTINGS = {"people": {"sync": True, "account_roles": {"ADMIN": "AccountAdmin", "STUDIEKONS": "AccountAdmin"}}}


@pytest.fixture
def faculty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[College]:
    """A college whose Canvas has the people whom FS has, and an environment in which commands find it."""
    with college(tmp_path, **SETTINGS) as one:
        plain = one.harness.institution.model_dump(mode="json", by_alias=True)
        (tmp_path / "institutions").mkdir()
        (tmp_path / "institutions" / "demo.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
        monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
        monkeypatch.setenv("ROSTERFLOW_STORAGE", f"{tmp_path}/pages")
        monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", PAGE_KEY)
        monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(tmp_path / "institutions"))
        one.harness.first_contact()
        yield one


def student_of(one: College) -> tuple[EmneStudierett, str, str]:
    """A student's right in a course: the right, the personlopenummer and the SIS id of the course."""
    there = {str(login.sis_id) for login in one.sandbox.world.canvas.pseudonyms}
    for emne in one.university.emner:
        for ue in emne.undervisningsenheter:
            for right in ue.studieretter if one.course_of(ue) in one.canvas() else ():
                number = str(right.student.person.lopenummer)
                if f"FS_184_{number}" in there and not right.plasseringer:
                    return right, number, one.course_of(ue).sis_id
    raise AssertionError("nobody studies here")


def test_a_person_is_explained_in_one_course(shell: Shell, faculty: College) -> None:
    _, number, course = student_of(faculty)

    told = shell.json("explain", "--institution", "demo", "--person", number, "--course", course)

    assert (told["person"], told["course"]) == (number, course)
    assert told["in_canvas"][0] == {"where": f"section {course} as StudentEnrollment", "state": "active"}
    assert [(row["rule"], row["allowed"], row["blocks"], row["place"]) for row in told["rules"]] == [
        ("user-sent", True, False, ""),
        ("student-right", True, False, f"section {course}"),
    ]
    assert {"planned", "sent", "added", "seen in FS"} <= {row["what"] for row in told["timeline"]}


def test_the_first_rule_that_stops_somebody_is_marked_with_who_can_fix_it(shell: Shell, faculty: College) -> None:
    right, number, course = student_of(faculty)
    with faculty.changing_fs():
        right.student.person.kan_overfores = False
    faculty.harness.run(days_later=1)

    text = shell("explain", "--institution", "demo", "--person", f"FS_184_{number}", "--course", course)

    assert "Stopped first by user-reserved: The person may not be in the LMS" in text
    assert "Who can fix it: the person, who may reserve themselves" in text
    assert "→ no" in text


def test_a_person_nobody_knows_is_told_so(shell: Shell, faculty: College) -> None:
    text = shell("explain", "--institution", "demo", "--person", "99999999")

    assert shell.code == 0
    assert "FS names no right, membership or role of this person" in text


def test_when_no_pages_are_kept_it_is_one_sentence_with_what_to_do(shell: Shell, faculty: College) -> None:
    faculty.harness.blobs.delete("xcom")

    shell("explain", "--institution", "demo", "--person", "1")

    assert shell.code == 1
    assert "the pages of no run are kept any more (retention.pages_days is 3)" in shell.error
    assert "Start a sync that only plans, and ask again." in shell.error


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("sync: true", "sync: false", "keeps no people in step: people.sync is false."),
        ("dialect: '2026'", "dialect: '2023'", "reads FS's dialect of 2023, which names no people."),
    ],
)
def test_where_no_people_are_read_it_is_said(
    shell: Shell, faculty: College, tmp_path: Path, before: str, after: str, message: str
) -> None:
    file = tmp_path / "institutions" / "demo.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")

    shell("explain", "--institution", "demo", "--person", "1")

    assert (shell.code, shell.error) == (1, f"Demohøgskolen {message}\n")


def test_the_timeline_of_a_person_and_of_an_object(shell: Shell, faculty: College) -> None:
    _, number, course = student_of(faculty)

    of_person = shell.json("timeline", "--institution", "demo", "--person", number)
    of_course = shell.json("timeline", "--institution", "demo", "--sis-id", course)

    assert [row["what"] for row in of_person if row["where"] == "user"] == ["planned", "held", "sent", "added"]
    assert [row["what"] for row in of_course if row["where"] == "course"] == [
        "held",
        "approved",
        "created",
    ]
    assert [row["at"] for row in of_person] == sorted(row["at"] for row in of_person)


@pytest.mark.parametrize(
    "words",
    [
        ("explain",),
        ("explain", "--sis-id", "UE_1", "--person", "1"),
        ("explain", "--sis-id", "UE_1", "--course", "UE_1"),
        ("timeline",),
        ("timeline", "--sis-id", "UE_1", "--person", "1"),
    ],
)
def test_what_is_asked_about_must_be_said_and_be_one_thing(shell: Shell, words: tuple[str, ...]) -> None:
    shell(*words)

    assert shell.code == 2


def test_two_plans_are_compared(shell: Shell, faculty: College) -> None:
    ue = faculty.teaching()
    course = faculty.course_of(ue)
    faculty.rename_emne(ue, "Nytt navn")
    first = faculty.harness.run("plan", days_later=1).plan_id
    faculty.rename_emne(ue, "Et annet navn")
    second = faculty.harness.run("plan", days_later=1).plan_id

    other = shell.json("plan", "diff", "--institution", "demo")
    gone = shell.json("plan", "diff", "--institution", "demo", "--plan", str(second), "--with", "1")

    assert (other["plan"], other["with"], other["same"]) == (second, first, False)
    assert {(row["difference"], row["action"]) for row in other["differences"]} == {("other", "update")}
    assert course.sis_id in {row["sis_id"] for row in other["differences"]}
    assert {row["difference"] for row in gone["differences"]} == {"gone", "new"}


def test_a_plan_shows_of_people_how_many_they_are(shell: Shell, faculty: College) -> None:
    right, _, _ = student_of(faculty)
    with faculty.changing_fs():
        right.student.person.kan_overfores = False
    faculty.harness.run("plan", days_later=1)

    told = shell.json("plan", "show", "--institution", "demo")

    assert ("hide", "1 people") in {(row["action"], row["what"]) for row in told["changes"]}
