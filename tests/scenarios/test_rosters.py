"""A day of people: who comes, moves, leaves and is reserved in FS, and what becomes of it in Canvas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rosterflow.domain.model import Kind
from rosterflow.store import rosters
from rosterflow.store.plans import ChangeState
from sandbox.university.people import EmneStudierett
from tests.scenarios.college import College, college
from tests.scenarios.test_hands_in_canvas import take_base_again

ADMINS = {"ADMIN": "AccountAdmin", "STUDIEKONS": "AccountAdmin"}
SETTINGS: dict[str, Any] = {"people": {"sync": True, "census_days": 100, "account_roles": ADMINS}}


@pytest.fixture
def faculty(tmp_path: Path) -> Iterator[College]:
    """A college whose Canvas has the people whom FS has."""
    with college(tmp_path, **SETTINGS) as one:
        one.harness.first_contact()
        yield one


def enrolled(one: College) -> dict[tuple[str, str, str], str]:
    """The state of every enrollment in Canvas, by section, user and role."""
    canvas = one.sandbox.world.canvas
    sis_ids = {login.user_id: login.sis_id for login in canvas.pseudonyms}
    found = {}
    for row in canvas.enrollments:
        where = str(canvas.sections[row.section_id].sis_id), str(sis_ids.get(row.user_id))
        found[(*where, canvas.roles[row.role_id].name)] = str(row.workflow_state)
    return found


def logins(one: College) -> dict[str, str]:
    return {str(login.sis_id): login.unique_id for login in one.sandbox.world.canvas.pseudonyms if login.sis_id}


def student_of(one: College) -> tuple[EmneStudierett, str, str]:
    """A student's right in a course, with the section's and the user's SIS ids."""
    there = enrolled(one)
    for emne in one.university.emner:
        for ue in emne.undervisningsenheter:
            for right in ue.studieretter:
                user = f"FS_184_{right.student.person.lopenummer}"
                section = one.course_of(ue).sis_id
                if not right.plasseringer and there.get((section, user, "StudentEnrollment")) == "active":
                    return right, section, user
    raise AssertionError("nobody studies here")


def test_on_first_contact_everybody_waits_for_a_person_and_then_is_there(faculty: College) -> None:
    believed = faculty.harness.run(days_later=1)

    assert believed.changes == 0
    assert set(enrolled(faculty).values()) == {"active"}
    assert {row.kind for row in believed.report.rows if row.unchanged} == set(Kind)


def test_an_unchanged_day_posts_nothing(faculty: College) -> None:
    posted = faculty.imports()

    faculty.harness.run(days_later=1)

    assert faculty.imports() == posted


def test_a_student_who_leaves_before_the_census_date_is_removed(faculty: College) -> None:
    right, section, user = student_of(faculty)
    with faculty.changing_fs():
        right.enhet.studieretter.remove(right)

    done = faculty.harness.run(days_later=1)

    assert enrolled(faculty)[section, user, "StudentEnrollment"] == "deleted"
    assert [c.change.rule for c in faculty.harness.changes(done.plan_id)] == ["gone-before-census"]
    assert faculty.harness.run(days_later=1).changes == 0


def test_a_student_who_comes_back_has_the_enrollment_again(faculty: College) -> None:
    right, section, user = student_of(faculty)
    with faculty.changing_fs():
        right.enhet.studieretter.remove(right)
    faculty.harness.run(days_later=1)
    with faculty.changing_fs():
        right.enhet.studieretter.append(right)

    faculty.harness.run(days_later=1)

    assert enrolled(faculty)[section, user, "StudentEnrollment"] == "active"


def test_too_many_who_leave_a_course_wait_for_a_person(faculty: College) -> None:
    right, section, _ = student_of(faculty)
    ue = right.enhet
    gone = [f"FS_184_{one.student.person.lopenummer}" for one in ue.studieretter]
    if len(gone) < 6:
        people = [p.student for p in faculty.university.personer if p.student and p.feide_bruker and p.kan_overfores]
        with faculty.changing_fs():
            there = {one.student for one in ue.studieretter}
            ue.studieretter += [EmneStudierett(s, ue) for s in people if s not in there][: 12 - len(gone)]
        faculty.harness.run(days_later=1)
    with faculty.changing_fs():
        ue.studieretter.clear()

    done = faculty.harness.run(days_later=1)

    held = [one for one in faculty.harness.changes(done.plan_id) if one.state is ChangeState.HELD]
    assert held
    assert {one.change.key.sis_id.partition(" as ")[0] for one in held} >= {f"section {section}"}
    assert "active" in {state for (at, _, _), state in enrolled(faculty).items() if at == section}

    verdict = faculty.harness.approve()
    assert verdict.approved == sum(one.change.weight for one in held) > len(held)
    assert faculty.acts()[-1][:2] == ("kari", "approve")
    assert "active" not in {
        state for (at, _, role), state in enrolled(faculty).items() if at == section and role == "StudentEnrollment"
    }


def test_two_people_who_swap_logins_wait_for_a_person_and_then_have_each_others(faculty: College) -> None:
    before = logins(faculty)
    one, two = [
        person
        for person in faculty.university.personer
        if person.feide_bruker and f"FS_184_{person.lopenummer}" in before and person.student and not person.fagperson
    ][:2]
    with faculty.changing_fs():
        one.feide_bruker, two.feide_bruker = two.feide_bruker, one.feide_bruker
        for person in (one, two):
            assert person.student is not None
            person.student.feide_bruker = person.feide_bruker

    faculty.harness.run(days_later=1)
    assert logins(faculty) == before
    faculty.harness.approve()

    first, second = f"FS_184_{one.lopenummer}", f"FS_184_{two.lopenummer}"
    assert logins(faculty) == {**before, first: before[second], second: before[first]}
    assert faculty.harness.run(days_later=1).changes == 0


def test_a_lost_store_is_built_again_from_canvas_and_changes_nobody(faculty: College) -> None:
    there = enrolled(faculty)
    with faculty.harness.store.begin() as connection:
        known = {one.whole: one.members for one in rosters.load(connection, "demo")}

    take_base_again(faculty)
    done = faculty.harness.run(days_later=1)

    with faculty.harness.store.begin() as connection:
        assert {one.whole: one.members for one in rosters.load(connection, "demo")} == known
    assert (done.changes, enrolled(faculty)) == (0, there)


def test_during_a_freeze_who_comes_comes_and_who_leaves_waits_without_anybody_being_asked(tmp_path: Path) -> None:
    freeze = {"freeze": [{"from": "2026-09-02", "to": "2026-09-02"}]}
    with college(tmp_path, **SETTINGS, guards=freeze) as one:
        one.harness.first_contact()
        right, section, user = student_of(one)
        with one.changing_fs():
            right.enhet.studieretter.remove(right)

        frozen = one.harness.run(days_later=1)
        assert (one.harness.waiting(), enrolled(one)[section, user, "StudentEnrollment"]) == ([], "active")
        assert sum(row.frozen for row in frozen.report.rows) == 1

        one.harness.run(days_later=1)
        assert enrolled(one)[section, user, "StudentEnrollment"] == "deleted"
