"""A college in a real Airflow: what is sent, what is not, who is asked; and that no key and no password is kept."""

from __future__ import annotations

import pytest

from demo.story import college_of_today, university_of_today
from sandbox.world import Settings, World
from tests.e2e.attendance_chapter import Attendance
from tests.e2e.chapters import COMMENT
from tests.e2e.college_chapter import POISON, WHY, CollegeYear
from tests.e2e.ground import SEED, Ground
from tests.scenarios.drain_ground import KEYS, TOKEN

TASKS = {"collect", "guard", "drain", "tell"}
ASK = "ask_approval"


def test_a_first_run_sends_what_is_due_and_asks_nobody(college: CollegeYear) -> None:
    run, there = college.first.run, college.first.there

    assert (run.state, run.states("success"), run.states("skipped")) == ("success", TASKS, {ASK})
    assert college.sent["enrollment"] > 500
    assert college.sent["enrollment"] == sum(row["isActive"] for one in there["courses"] for row in one["enrollments"])
    assert college.sent["course"] == len(there["courses"])


def test_nobody_is_welcomed_twice_and_accounts_begin_with_the_passwords_of_campus_cafe(
    college: CollegeYear, passwords: dict[str, str]
) -> None:
    made = [user for user in college.first.there["users"] if not user["byHand"]]

    assert {user["welcomeMails"] for user in made} == {1}
    assert {user["issuedID"] for user in made if user["passwordWasSet"]} == {
        user["issuedID"] for user in made if user["issuedID"] in passwords
    }


def test_a_second_run_calls_coursekey_not_once(college: CollegeYear) -> None:
    assert (college.quiet.run.state, college.quiet.calls) == ("success", [])


def test_a_student_who_cannot_be_sent_is_in_the_mail_and_the_run_is_green(college: CollegeYear) -> None:
    assert college.poisoned.run.states("success") == TASKS
    assert f"enrollment {college.dropped} {POISON}" in college.mail["plain"]
    assert "docs/runbook.md#email-missing" in college.mail["plain"]
    assert set(college.mail["recipients"]) == {"registrar@college.example", "lms@college.example"}


def test_the_form_of_the_queue_needs_a_reason(college: CollegeYear) -> None:
    assert " 400 " in college.refused
    assert "reason" in college.refused


def test_the_form_sends_a_class_whose_window_is_not_open(college: CollegeYear) -> None:
    assert (college.form.state, college.by_form.run.state) == ("success", "success")
    assert college.poisoned.enrolled(college.early) == set()
    assert college.by_form.enrolled(college.early) >= college.early_students
    assert ("registrar", "queue enrollments", WHY) in college.audit


def test_a_class_that_drops_as_a_whole_waits_for_a_person(college: CollegeYear) -> None:
    assert college.held.run.states("success") == {*TASKS, ASK}
    assert college.held.enrolled(college.dropped) == college.dropped_students
    assert f"{len(college.dropped_students)} change(s)" in college.question["subject"]
    assert " 403 " in college.refusal


def test_drops_that_were_approved_are_sent_by_the_next_run(college: CollegeYear) -> None:
    assert (college.approval.state, college.after.run.state) == ("success", "success")
    assert college.after.enrolled(college.dropped) == set()
    assert college.after.calls.count("drop") == len(college.dropped_students)
    assert college.audit[-1] == ("registrar", "approve", COMMENT)


# -- secrets (issue 4, 4.5.5) ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    """Every initial password in the sandbox's Campus Cafe, by person."""
    world = World(Settings(seed=SEED, **university_of_today(), **college_of_today()))
    found = dict(world.college.passwords)
    world.close()
    return found


@pytest.fixture(scope="module")
def secrets(passwords: dict[str, str]) -> frozenset[str]:
    """What must be nowhere: auth keys, Campus Cafe's token, and the passwords."""
    return frozenset([*KEYS, TOKEN, *passwords.values()])


def leaked(text: str, secrets: frozenset[str]) -> set[str]:
    """The secrets in a text, as they are or as the bytes that PostgreSQL writes in hexadecimal digits."""
    return {secret for secret in secrets if secret in text or secret.encode().hex() in text}


def test_the_scan_knows_passwords_that_were_really_set(college: CollegeYear, passwords: dict[str, str]) -> None:
    given = {user["issuedID"] for user in college.after.there["users"] if user["passwordWasSet"]}

    assert len(given) > 200
    assert given <= passwords.keys()
    assert leaked(f"the password {passwords[min(given)]}", frozenset(passwords.values()))


def test_no_log_holds_a_key_or_a_password(ground: Ground, attendance: Attendance, secrets: frozenset[str]) -> None:
    logs = [path for path in ground.stack.airflow.home.rglob("*.log") if path.stat().st_size]

    assert len([path for path in logs if "coursekey_outbound__college" in str(path)]) >= 4 * len(TASKS)
    assert len([path for path in logs if "coursekey_attendance__college" in str(path)]) >= 8 * 6
    assert {path.name: found for path in logs if (found := leaked(path.read_text("utf-8", "replace"), secrets))} == {}


def test_no_mail_holds_a_key_or_a_password(ground: Ground, attendance: Attendance, secrets: frozenset[str]) -> None:
    mails = ground.get("/mail.json")

    assert [mail["subject"] for mail in mails if "registrar@college.example" in mail["recipients"]]
    assert {mail["subject"]: found for mail in mails if (found := leaked(str(mail), secrets))} == {}


@pytest.mark.parametrize("database", ["airflow", "rosterflow"])
def test_no_row_of_a_database_holds_a_key_or_a_password(
    ground: Ground, attendance: Attendance, secrets: frozenset[str], database: str
) -> None:
    """XCom and what Airflow logs of people's acts are in its own, the queue and its history in ours."""
    texts = dict(ground.texts(database))

    assert {"xcom", "connection", "log"} <= texts.keys() or {"queue_entry", "queue_history"} <= texts.keys()
    assert {table: found for table, text in texts.items() if (found := leaked(text, secrets))} == {}


def test_no_stored_file_holds_a_key_or_a_password(
    ground: Ground, attendance: Attendance, secrets: frozenset[str]
) -> None:
    files = [path for path in (ground.stack.home / "storage").rglob("*") if path.is_file()]

    assert {path.name: found for path in files if (found := leaked(path.read_text("utf-8", "replace"), secrets))} == {}
