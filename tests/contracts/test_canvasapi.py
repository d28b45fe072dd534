"""The public Python client, canvasapi, works the sandbox's Canvas as it works a real one."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from canvasapi import Canvas  # type: ignore[import-untyped]
from canvasapi.exceptions import Forbidden, InvalidAccessToken, ResourceDoesNotExist  # type: ignore[import-untyped]

from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The sandbox has no TLS; the client says so each time.
pytestmark = pytest.mark.filterwarnings("ignore:Canvas may respond unexpectedly:UserWarning")

ACCOUNTS = "account_id,parent_account_id,name,status\n184_1_0_0,FSDEMO,Fakultet for prøver,active\n"
TERMS = "term_id,name,status,start_date,end_date\n2026_HØST,Høst 2026,active,2026-08-01,2026-12-31\n"
COURSES = (
    "course_id,short_name,long_name,account_id,term_id,status\n"
    "UE_1,PRØVE101,Prøvelære,184_1_0_0,2026_HØST,unpublished\n"
    "UE_2,PRØVE102,Mer prøvelære,184_1_0_0,2026_HØST,active\n"
)
SECTIONS = "section_id,course_id,name,status\nS_1,UE_1,Gruppe 1,active\nS_2,UE_1,Gruppe 2,active\n"
STRUCTURE = {"accounts": ACCOUNTS, "terms": TERMS, "courses": COURSES, "sections": SECTIONS}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small"))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.world.reset()
    return running


@pytest.fixture
def root(sandbox: RunningSandbox) -> Any:
    return Canvas(f"{sandbox.url}/canvas", "sandbox-canvas-token").get_account(1)


def structure_zip(folder: Path) -> str:
    path = folder / "structure.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in STRUCTURE.items():
            archive.writestr(f"{name}.csv", content)
    return str(path)


def ended(root: Any, kind: str, number: int) -> Any:
    """Poll an import or a report until it has ended."""
    deadline = time.monotonic() + 20
    while True:
        if kind == "import":
            found, state = (job := root.get_sis_import(number)), job.workflow_state
        else:
            found, state = (job := root.get_report("provisioning_csv", number)), job.status
        if state not in ("created", "importing", "running"):
            return found
        assert time.monotonic() < deadline, state


def imported(root: Any, folder: Path) -> Any:
    return ended(root, "import", root.create_sis_import(structure_zip(folder)).id)


def test_a_zip_is_imported_and_followed_to_its_end(root: Any, tmp_path: Path) -> None:
    created = root.create_sis_import(structure_zip(tmp_path))
    done = ended(root, "import", created.id)

    assert (created.workflow_state, created.progress) == ("created", 0)
    assert (done.workflow_state, done.progress) == ("imported", 100)
    counts = {kind: done.data["counts"][kind] for kind in STRUCTURE}
    assert counts == {"accounts": 1, "terms": 1, "courses": 2, "sections": 2}


def test_a_csv_is_imported_and_its_refused_row_is_told(root: Any, tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text(f"{ACCOUNTS}184_2_0_0,NOWHERE,Fakultet uten hjem,active\n")

    done = ended(root, "import", root.create_sis_import(str(path)).id)

    assert (done.workflow_state, done.data["counts"]["accounts"]) == ("imported_with_messages", 1)
    assert done.processing_warnings == [["accounts.csv", "Parent account didn't exist for 184_2_0_0"]]


def test_imports_are_listed_newest_first(root: Any, tmp_path: Path) -> None:
    numbers = [imported(root, tmp_path).id for _ in range(3)]

    assert [entry.id for entry in root.get_sis_imports()] == numbers[::-1]
    assert list(root.get_sis_imports_running()) == []


def test_imports_run_one_at_a_time_and_are_aborted_alone_or_together(
    sandbox: RunningSandbox, root: Any, tmp_path: Path
) -> None:
    sandbox.world.faults.add(Fault("canvas", "slow_import", seconds=60))
    first, second, third = (root.create_sis_import(structure_zip(tmp_path)) for _ in range(3))
    deadline = time.monotonic() + 20
    while not (running := list(root.get_sis_imports_running())):
        assert time.monotonic() < deadline

    alone = second.abort()
    together = root.abort_sis_imports_pending()
    states = {entry.id: entry.workflow_state for entry in root.get_sis_imports()}
    first.abort()

    assert [entry.id for entry in running] == [first.id]
    assert (alone.workflow_state, together) == ("aborted", True)
    assert states == {first.id: "importing", second.id: "aborted", third.id: "aborted"}
    assert ended(root, "import", first.id).workflow_state == "aborted"


def test_an_import_that_has_ended_is_not_aborted(root: Any, tmp_path: Path) -> None:
    done = imported(root, tmp_path)

    with pytest.raises(ResourceDoesNotExist):
        done.abort()


def test_accounts_courses_sections_and_terms_are_listed_page_by_page(root: Any, tmp_path: Path) -> None:
    imported(root, tmp_path)

    accounts = root.get_subaccounts(recursive=True, per_page=2)
    courses = root.get_courses(per_page=1)
    terms = root.get_enrollment_terms()
    (course,) = root.get_courses(
        search_term="Prøvelære", sort="course_name", order="desc", state=["claimed"], per_page=1
    )[:1]

    assert [account.sis_account_id for account in accounts] == ["FSDEMO", None, "184_1_0_0"]
    assert [entry.sis_course_id for entry in courses] == [None, "UE_1", "UE_2"]
    assert [term.sis_term_id for term in terms] == [None, "2026_HØST"]
    assert [section.sis_section_id for section in course.get_sections(per_page=1)] == ["S_1", "S_2"]


def test_sis_ids_lead_to_their_objects(sandbox: RunningSandbox, root: Any, tmp_path: Path) -> None:
    imported(root, tmp_path)
    canvas = Canvas(f"{sandbox.url}/canvas", "sandbox-canvas-token")

    assert canvas.get_account("184_1_0_0", use_sis_id=True).name == "Fakultet for prøver"
    assert canvas.get_course("UE_1", use_sis_id=True).workflow_state == "unpublished"
    assert canvas.get_section("S_1", use_sis_id=True).sis_course_id == "UE_1"
    with pytest.raises(ResourceDoesNotExist):
        canvas.get_course("UE_9", use_sis_id=True)


def test_a_hand_made_course_gets_a_roster(root: Any) -> None:
    course = root.create_course(course={"name": "Laget med klienten", "course_code": "KLIENT"}, offer=True)
    section = course.create_course_section(course_section={"name": "Gruppe"})
    user = root.create_user({"unique_id": "per@sandbox.example"}, user={"name": "Per Oppfinnsom"})

    wanted = {"type": "StudentEnrollment", "enrollment_state": "active", "course_section_id": section.id}
    course.enroll_user(user, enrollment=wanted)
    (enrolled,) = section.get_enrollments()
    enrolled.deactivate("delete")

    assert (course.workflow_state, enrolled.user["name"], enrolled.enrollment_state) == (
        "available",
        "Per Oppfinnsom",
        "active",
    )
    assert list(course.get_enrollments()) == []


def test_users_and_their_logins_are_made_listed_changed_and_removed(root: Any) -> None:
    user = root.create_user(
        {"unique_id": "kari", "sis_user_id": "U1"},
        user={"name": "Kari Konstruert"},
        communication_channel={"address": "kari@post.example"},
    )
    other = root.create_user_login({"id": user.id}, {"unique_id": "kari2", "sis_user_id": "U1B"})
    user.edit(user={"short_name": "Kari", "event": "suspend"})
    other.edit(login={"unique_id": "kari3", "workflow_state": "active"})
    logins = [(login.unique_id, login.workflow_state) for login in user.get_user_logins()]
    listed = [found.name for found in root.get_users(search_term="kari", per_page=1)]
    other.delete()
    left = [login.unique_id for login in root.get_user_logins(user_id=user.id)]
    root.delete_user(user)

    assert (user.email, user.short_name, listed) == ("kari@post.example", "Kari", ["Kari Konstruert"])
    assert logins == [("kari", "suspended"), ("kari3", "active")]
    assert left == ["kari"]
    assert list(root.get_users(search_term="Konstruert")) == []


def test_people_are_enrolled_and_leave_and_come_back(root: Any) -> None:
    course = root.create_course(course={"name": "Laget med klienten", "course_code": "KLIENT"}, offer=True)
    people = [root.create_user({"unique_id": name}, user={"name": name.capitalize()}) for name in ("en", "to", "tre")]
    wanted = {"type": "StudentEnrollment", "enrollment_state": "active"}
    made = [course.enroll_user(person, enrollment=wanted) for person in people]

    made[0].deactivate("conclude")
    made[1].deactivate("deactivate")
    made[2].deactivate("delete")
    states = {
        state: [row.user_id for row in course.get_enrollments(state=[state], type=["StudentEnrollment"])]
        for state in ("completed", "inactive", "deleted")
    }
    made[1].reactivate()
    course.enroll_user(people[0], enrollment=wanted)

    assert states == {"completed": [people[0].id], "inactive": [people[1].id], "deleted": [people[2].id]}
    assert [row.user_id for row in course.get_enrollments(state=["active"], per_page=1)] == [people[0].id, people[1].id]
    assert [row.enrollment_state for row in people[0].get_enrollments()] == ["active"]
    assert root.get_enrollment(made[2].id).enrollment_state == "deleted"


def test_administrators_are_made_listed_and_removed(root: Any) -> None:
    user = root.create_user({"unique_id": "leder"}, user={"name": "Leif Leder"})
    account = root.get_subaccounts()[0]

    made = account.create_admin(user, send_confirmation=False)
    listed = [admin.user["id"] for admin in account.get_admins()]
    account.delete_admin(user, role_id=made.role_id)

    assert (made.role, listed, list(account.get_admins())) == ("AccountAdmin", [user.id], [])


def test_people_are_imported_and_the_import_s_states_taken_back(root: Any, tmp_path: Path) -> None:
    imported(root, tmp_path)
    files = {
        "users": "user_id,login_id,full_name,status\nU1,kari,Kari Konstruert,active\n",
        "enrollments": "section_id,user_id,role,status\nS_1,U1,student,active\nS_1,U9,student,active\n",
    }
    path = tmp_path / "people.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.csv", content)

    done = ended(root, "import", root.create_sis_import(str(path)).id)
    section = next(iter(root.get_courses(search_term="PRØVE101"))).get_sections()[0]
    enrolled = [row.sis_user_id for row in section.get_enrollments()]
    progress = done.restore_states()
    deadline = time.monotonic() + 20
    while progress.workflow_state != "completed":
        assert time.monotonic() < deadline
        progress = progress.query()

    assert (done.data["counts"]["users"], done.data["counts"]["enrollments"], enrolled) == (1, 1, ["U1"])
    assert done.processing_warnings == [
        ["enrollments.csv", "User not found for enrollment (User ID: U9, Course ID: , Section ID: S_1)"]
    ]
    assert root.get_sis_import(done.id).workflow_state == "restored"
    assert list(section.get_enrollments()) == []


def test_a_provisioning_report_runs_and_is_downloaded(root: Any, tmp_path: Path) -> None:
    imported(root, tmp_path)

    started = root.create_report("provisioning_csv", parameters={"accounts": True, "courses": True})
    done = ended(root, "report", started.id)
    # The file's own address is enough: no token goes with it.
    body = httpx.get(done.attachment["url"]).content

    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        tables = {name: list(csv.DictReader(io.StringIO(archive.read(name).decode()))) for name in archive.namelist()}
    assert [(row["account_id"], row["created_by_sis"]) for row in tables["accounts.csv"]] == [
        ("FSDEMO", "false"),
        ("", "false"),
        ("184_1_0_0", "true"),
    ]
    assert [(row["course_id"], row["term_id"], row["status"]) for row in tables["courses.csv"]] == [
        ("", "", "active"),
        ("UE_1", "2026_HØST", "unpublished"),
        ("UE_2", "2026_HØST", "unpublished"),
    ]
    assert [report.id for report in root.get_index_of_reports("provisioning_csv")] == [started.id]


def test_a_wrong_token_and_a_missing_right_are_told_apart(sandbox: RunningSandbox, tmp_path: Path) -> None:
    url = f"{sandbox.url}/canvas"

    with pytest.raises(InvalidAccessToken):
        Canvas(url, "nobody's").get_account(1)
    reader = Canvas(url, "sandbox-canvas-readonly").get_account(1)
    with pytest.raises(Forbidden):
        reader.create_sis_import(structure_zip(tmp_path))
