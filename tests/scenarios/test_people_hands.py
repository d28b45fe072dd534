"""What people do to users, sections and courses in Canvas, and what then becomes of who is there (issue 3)."""

from __future__ import annotations

from urllib.parse import quote

from rosterflow.domain.model import Kind
from rosterflow.store.plans import ChangeState
from sandbox.university.model import Undervisningsenhet
from tests.scenarios.college import College
from tests.scenarios.persons import (
    drops,
    follows,
    follows_in_canvas,
    login_of,
    newcomer,
    refused,
    user_of,
)
from tests.scenarios.test_reconcile import compared, repair


def test_whom_somebody_deleted_is_told_and_back_everywhere_once_restored_and_repaired(
    faculty: College, ue: Undervisningsenhet
) -> None:
    person = newcomer(faculty)
    follows(faculty, person, ue)
    faculty.harness.run(days_later=1)
    faculty.by_hand("DELETE", f"/accounts/1/users/sis_user_id:{user_of(person)}")

    follows(faculty, person, faculty.teaching(1))
    faculty.harness.run(days_later=1)
    assert follows_in_canvas(faculty, person, faculty.teaching(1)) != "active"
    assert len(refused(faculty, person)) >= 1

    login = faculty.sandbox.world.canvas.pseudonyms.by_sis_id(user_of(person))
    assert login
    faculty.by_hand("PUT", f"/accounts/1/users/{login.user_id}/restore")
    repair(faculty)
    for _ in range(2):
        faculty.harness.run(days_later=1)
    assert login_of(faculty, person) == (person.feide_bruker, "active")
    found = [follows_in_canvas(faculty, person, one) for one in (ue, faculty.teaching(1))]
    assert (found, refused(faculty, person)) == (["active", "active"], [])


def test_a_section_that_people_cross_listed_keeps_its_people_and_gets_new_ones(
    faculty: College, ue: Undervisningsenhet
) -> None:
    first, second = newcomer(faculty), newcomer(faculty)
    right = follows(faculty, first, ue)
    faculty.harness.run(days_later=1)
    section, into = (quote(faculty.course_of(one).sis_id, safe="") for one in (ue, faculty.teaching(2)))
    faculty.by_hand("POST", f"/sections/sis_section_id:{section}/crosslist/sis_course_id:{into}")

    follows(faculty, second, ue)
    faculty.harness.run(days_later=1)
    assert [follows_in_canvas(faculty, one, ue) for one in (first, second)] == ["active", "active"]

    drops(faculty, right)
    faculty.harness.run(days_later=1)
    assert [follows_in_canvas(faculty, one, ue) for one in (first, second)] == ["deleted", "active"]
    faculty.by_hand("DELETE", f"/sections/sis_section_id:{section}/crosslist")
    assert (refused(faculty, first), refused(faculty, second)) == ([], [])


def test_a_course_that_somebody_deleted_is_there_again_with_its_people_after_a_repair_and_two_syncs(
    faculty: College,
) -> None:
    teaching = faculty.teaching(3)
    person, course = newcomer(faculty), faculty.course_of(teaching)
    follows(faculty, person, teaching)
    faculty.harness.run(days_later=1)
    active = _active_in(faculty, course.sis_id)
    faculty.by_hand("DELETE", f"/courses/sis_course_id:{quote(course.sis_id, safe='')}?event=delete")
    assert (faculty.state_in_canvas(course), _active_in(faculty, course.sis_id)) == ("deleted", set())

    repair(faculty)
    planned = faculty.harness.run("plan")
    kinds = {(one.change.kind, one.state) for one in faculty.harness.changes(planned.plan_id)}
    assert (Kind.COURSE, ChangeState.ALLOWED) in kinds
    for _ in range(2):
        faculty.harness.run(days_later=1)

    assert _active_in(faculty, course.sis_id) == active
    assert follows_in_canvas(faculty, person, teaching) == "active"
    assert [one for one in compared(faculty).differences if one.sis_id == course.sis_id] == []
    assert faculty.harness.run(days_later=1).changes == 0


def _active_in(one: College, sis_id: str) -> set[tuple[int, int, str]]:
    """Who is active in a course, where and in which role."""
    canvas = one.sandbox.world.canvas
    course = canvas.courses.by_sis_id(sis_id)
    assert course
    return {
        (row.user_id, row.section_id, canvas.roles[row.role_id].name)
        for row in canvas.enrollments.where("course_id", course.id)
        if row.workflow_state == "active"
    }
