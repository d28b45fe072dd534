"""What people changed in Canvas behind the sync's back is found, exactly, and put right when somebody asks for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rosterflow.domain.differences import Comparison, Difference, Finding
from rosterflow.domain.errors import FatalError
from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import Action
from rosterflow.store import history
from rosterflow.store.plans import ChangeState
from rosterflow.store.runs import Run
from rosterflow.sync import runs
from rosterflow.sync.reconciling import believe_canvas, compare_with_canvas, summary
from rosterflow.sync.reported import reported_kinds
from sandbox.canvas.objects import Write
from tests.scenarios.college import College, college

PEOPLE: dict[str, Any] = {
    "people": {"sync": True, "account_roles": {"ADMIN": "AccountAdmin", "STUDIEKONS": "AccountAdmin"}},
}


@pytest.fixture
def faculty(tmp_path: Path) -> Iterator[College]:
    """A college whose Canvas has the people whom FS has."""
    with college(tmp_path, **PEOPLE) as one:
        one.harness.first_contact()
        yield one


def as_writer(one: College, do: Callable[[Run, bytes], Any]) -> Any:
    """A run of the comparison's DAG: what it does with Canvas's report while nobody else writes."""
    harness = one.harness
    run = harness.settle(harness.open("plan", dag="canvas_reconcile"))
    hook = harness.canvas()
    number = hook.start_provisioning_report(reported_kinds(harness.institution)).id
    harness.wait(lambda: hook.provisioning_report(number).is_over)
    try:
        return do(run, hook.download(hook.provisioning_report(number).url or ""))
    finally:
        runs.close_run(harness.store, harness.institution, run, well=True, now=one.clock())


def compared(one: College) -> Comparison:
    harness = one.harness
    found: Comparison = as_writer(
        one, lambda run, report: compare_with_canvas(harness.store, harness.institution, run, report, one.clock())
    )
    return found


def repair(one: College) -> None:
    harness = one.harness
    as_writer(
        one,
        lambda run, report: believe_canvas(
            harness.store, harness.institution, run, report, actor="kari", reason="wrong click", now=one.clock()
        ),
    )


def renamed(one: College, at: int) -> Difference:
    """What is found of a course that somebody renamed by hand."""
    key = one.course_of(one.teaching(at))
    name = one.canvas()[key][1]
    one.edit_course(key, name=f"Mitt kurs {at}")
    values = {"wanted": name, "confirmed": name, "actual": f"Mitt kurs {at}"}
    return Difference(Finding.DRIFTED, *key, field="long_name", **values)


def delete_section(one: College) -> Key:
    """Somebody deletes a section that is not a course's only one."""
    key = next(key for key in one.canvas() if key.kind is Kind.SECTION and key.sis_id.startswith("UA_"))
    one.by_hand("DELETE", f"/sections/sis_section_id:{key.sis_id}")
    return key


def by_id(found: Comparison) -> set[Difference]:
    return set(found.differences)


# -- the structure -----------------------------------------------------------------------------------------------------


def test_after_a_sync_nothing_is_found(synced: College) -> None:
    found = compared(synced)

    assert found.differences == ()
    assert found.followed == Counter()
    assert found.compared.total() == len(synced.believed())


def test_three_renamed_courses_and_a_deleted_section_are_found_and_nothing_else(synced: College) -> None:
    names = {renamed(synced, at) for at in range(3)}
    section = delete_section(synced)

    found = compared(synced)

    missing = Difference(Finding.MISSING, *section, wanted="active", confirmed="active")
    assert by_id(found) == names | {missing}
    assert found.followed == Counter()
    assert summary(found) == "missing: 1 section; drifted: 3 course"


def test_how_much_was_found_is_in_the_history_and_nothing_was_changed(synced: College) -> None:
    before, posted = synced.believed(), synced.imports()
    renamed(synced, 0)

    compared(synced)

    assert synced.events(Key(Kind.ACCOUNT, "FSDEMO")) == ["compared with Canvas"]
    assert (synced.believed(), synced.imports()) == (before, posted)
    with synced.harness.store.begin() as connection:
        (event,) = history.of_object(connection, "demo", "FSDEMO")
    assert event.detail == "drifted: 1 course"


def test_what_people_made_by_hand_in_a_course_of_ours_is_told_and_left_alone(synced: College) -> None:
    course = synced.course_of(synced.teaching())
    synced.by_hand("POST", f"/courses/sis_course_id:{course.sis_id}/sections", **{"course_section[name]": "Kollokvie"})

    (one,) = compared(synced).differences
    repair(synced)

    assert (one.finding, one.kind, one.sis_id.startswith("(Canvas ")) == (Finding.EXTRA_BY_HAND, Kind.SECTION, True)
    assert synced.harness.run(days_later=1).changes == 0


def test_what_an_import_made_that_nobody_remembers_is_told(synced: College) -> None:
    canvas = synced.sandbox.world.canvas
    known = canvas.courses.by_sis_id(synced.course_of(synced.teaching()).sis_id)
    assert known is not None
    place = {"account_id": known.account_id, "term_id": known.term_id}
    with canvas.lock:
        canvas.create_course(Write(batch_id=1), name="S", course_code="S", sis_id="UE_184_SP_1_2026_HØST_1", **place)

    (one,) = compared(synced).differences

    assert (one.finding, one.sis_id) == (Finding.EXTRA_BY_US, "UE_184_SP_1_2026_HØST_1")


def test_a_repair_changes_nothing_until_a_sync_does_and_then_the_section_is_back(synced: College) -> None:
    section = delete_section(synced)
    posted = synced.imports()

    repair(synced)
    planned = synced.harness.run("plan")

    assert synced.imports() == posted
    (change,) = synced.harness.changes(planned.plan_id)
    assert (change.change.action, change.change.key, change.state) == (Action.REOPEN, section, ChangeState.ALLOWED)
    synced.harness.run(days_later=1)
    assert synced.state_in_canvas(section) == "active"
    assert compared(synced).differences == ()
    assert synced.acts()[-1] == ("kari", "repair", "wrong click")


def test_a_name_that_canvas_keeps_after_a_repair_is_its_own_and_found_no_more(synced: College) -> None:
    one = renamed(synced, 0)
    repair(synced)

    done = synced.harness.run(days_later=1)

    (change,) = synced.harness.changes(done.plan_id)
    assert (change.change.action, change.change.key, change.state) == (Action.UPDATE, one.key, ChangeState.OWNED)
    assert compared(synced).differences == ()


def test_without_the_institutions_own_account_nothing_is_compared(synced: College) -> None:
    with synced.sandbox.world.canvas.lock:
        account = next(one for one in synced.sandbox.world.canvas.accounts if one.sis_id == "FSDEMO")
        account.sis_id = "OTHER"

    with pytest.raises(FatalError, match=r"canvas\.account: Canvas has no account with the SIS id 'FSDEMO'"):
        compared(synced)


# -- people ------------------------------------------------------------------------------------------------------------


def delete_enrollments(one: College, count: int) -> set[Difference]:
    """Somebody deletes enrollments, as many as asked, each of another person or place."""
    canvas = one.sandbox.world.canvas
    logins = {login.user_id: str(login.sis_id) for login in canvas.pseudonyms}
    gone = set()
    ours = [row for row in canvas.enrollments if row.workflow_state == "active" and row.sis_batch_id is not None]
    for row in ours[::3][:count]:
        one.by_hand("DELETE", f"/courses/{row.course_id}/enrollments/{row.id}?task=delete")
        section, course = canvas.sections[row.section_id].sis_id, canvas.courses[row.course_id].sis_id
        place = f"section {section}" if section else f"course {course}"
        whole = Key(Kind.ENROLLMENT, f"{place} as {canvas.roles[row.role_id].name}")
        gone.add(Difference(Finding.MISSING, *whole, logins[row.user_id], wanted="active", confirmed="active"))
    assert len(gone) == count
    return gone


def test_after_a_sync_of_people_nothing_is_found(faculty: College) -> None:
    found = compared(faculty)

    assert found.differences == ()
    assert {kind for kind in Kind if found.compared[kind]} == set(Kind)


def test_fifty_deleted_enrollments_and_three_renamed_courses_are_found_and_nothing_else(faculty: College) -> None:
    names = {renamed(faculty, at) for at in range(3)}
    gone = delete_enrollments(faculty, 50)

    found = compared(faculty)

    assert by_id(found) == names | gone
    assert len(found.differences) == 53
    assert found.followed == Counter()
    assert summary(found) == "missing: 50 enrollment; drifted: 3 course"


def test_deleted_enrollments_are_back_after_a_repair_and_the_next_sync(faculty: College) -> None:
    delete_enrollments(faculty, 50)
    faculty.harness.run(days_later=1)
    assert len(compared(faculty).differences) == 50

    repair(faculty)
    done = faculty.harness.run(days_later=1)

    changes = faculty.harness.changes(done.plan_id)
    assert sum(one.change.weight for one in changes) == 50
    assert {(one.change.kind, one.change.is_removal) for one in changes} == {(Kind.ENROLLMENT, False)}
    assert {one.state for one in changes} == {ChangeState.CONFIRMED}
    assert compared(faculty).differences == ()
    assert faculty.harness.run(days_later=1).changes == 0


def test_of_a_course_that_somebody_concluded_the_course_is_told_and_its_people_are_counted(faculty: College) -> None:
    course = faculty.course_of(faculty.teaching())
    people = sum(
        row.workflow_state == "active"
        for row in faculty.sandbox.world.canvas.enrollments
        if faculty.sandbox.world.canvas.courses[row.course_id].sis_id == course.sis_id
    )
    faculty.by_hand("DELETE", f"/courses/sis_course_id:{course.sis_id}?event=conclude")

    found = compared(faculty)

    assert [(one.finding, one.key, one.field) for one in found.differences] == [(Finding.DRIFTED, course, "state")]
    assert found.followed == Counter({Kind.ENROLLMENT: people})
    assert people > 0


def test_a_user_whom_somebody_renamed_is_told_without_the_name(faculty: College) -> None:
    user = next(login for login in faculty.sandbox.world.canvas.pseudonyms if login.sis_id)
    faculty.by_hand("PUT", f"/users/{user.user_id}", **{"user[name]": "Ukjent Navn"})

    found = compared(faculty)

    assert {(one.finding, one.kind, one.user) for one in found.differences} == {
        (Finding.DRIFTED, Kind.USER, user.sis_id)
    }
    assert {(one.wanted, one.confirmed, one.actual) for one in found.differences} == {("", "", "")}


def test_whom_people_enrolled_by_hand_and_in_a_role_of_theirs_are_told_apart(faculty: College) -> None:
    canvas = faculty.sandbox.world.canvas
    section = canvas.sections.by_sis_id(faculty.course_of(faculty.teaching()).sis_id)
    assert section is not None
    there = {row.user_id for row in canvas.enrollments if row.course_id == section.course_id}
    teacher, observer = [login for login in canvas.pseudonyms if login.sis_id and login.user_id not in there][:2]
    for login, role in ((teacher, "TeacherEnrollment"), (observer, "ObserverEnrollment")):
        form = {"user_id": str(login.user_id), "type": role, "enrollment_state": "active"}
        fields = {f"enrollment[{name}]": value for name, value in form.items()}
        faculty.by_hand("POST", f"/sections/{section.id}/enrollments", **fields)

    found = compared(faculty)

    place = f"section {section.sis_id} as"
    assert by_id(found) == {
        Difference(
            Finding.EXTRA_BY_HAND, Kind.ENROLLMENT, f"{place} TeacherEnrollment", str(teacher.sis_id), actual="active"
        ),
        Difference(
            Finding.UNKNOWN_ROLE, Kind.ENROLLMENT, f"{place} ObserverEnrollment", str(observer.sis_id), actual="by-hand"
        ),
    }
    assert found.to_believe == frozenset()
