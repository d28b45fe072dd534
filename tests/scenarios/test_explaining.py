"""Why somebody is, or is not, in a course: told from what the last run read, with what happened to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rosterflow.domain.errors import Code, FatalError
from rosterflow.sync.explaining import PersonExplained, explain_somebody, timeline_of
from sandbox.university.people import EmneStudierett
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


def student_of(one: College) -> tuple[EmneStudierett, str]:
    """The right of a student who has a place in no party, and the SIS id of the course and its section."""
    for emne in one.university.emner:
        for ue in emne.undervisningsenheter:
            key = one.course_of(ue)
            for right in ue.studieretter if key in one.canvas() else ():
                told = explained(one, right.student.person.lopenummer, key.sis_id)
                if not right.plasseringer and told.blocked_by is None and len(told.steps) == 2:
                    return right, key.sis_id
    raise AssertionError("nobody studies here")


def explained(one: College, person: int | str, course: str = "") -> PersonExplained:
    harness = one.harness
    return explain_somebody(harness.store, harness.blobs, harness.institution, str(person), course)


def rules(found: PersonExplained) -> list[tuple[str, bool]]:
    return [(told.step.rule, told.step.allowed) for told in found.steps]


def test_a_student_is_told_the_rules_the_place_and_what_happened(faculty: College) -> None:
    right, course = student_of(faculty)

    found = explained(faculty, right.student.person.lopenummer, course)

    assert rules(found) == [("user-sent", True), ("student-right", True)]
    assert found.blocked_by is None
    assert found.standings == ((f"section {course} as StudentEnrollment", "active"), ("user", "active"))
    assert [one.what for one in found.timeline if one.where.startswith("section")] == [
        "planned",
        "held",
        "sent",
        "added",
    ]
    assert found.timeline[0].what == "seen in FS"
    assert list(found.timeline) == sorted(found.timeline, key=lambda one: one.at)


def test_who_is_reserved_is_told_so_first_and_who_can_change_it(faculty: College) -> None:
    right, course = student_of(faculty)
    with faculty.changing_fs():
        right.student.person.kan_overfores = False
    faculty.harness.run(days_later=1)

    found = explained(faculty, right.student.person.lopenummer, course)

    assert found.blocked_by == 0
    (told,) = (one for one in found.steps[:1])
    assert (told.step.rule, told.step.allowed) == ("user-reserved", False)
    assert told.fixer == "the person, who may reserve themselves, or the study administration, in FS"
    assert told.meaning.startswith("The person may not be in the LMS")


def test_only_what_is_asked_about_is_told(faculty: College) -> None:
    right, course = student_of(faculty)
    person = right.student.person.lopenummer

    everything, of_course = explained(faculty, person), explained(faculty, person, course)

    assert set(of_course.steps) <= set(everything.steps)
    assert {str(told.step.place) for told in of_course.steps if told.step.place} == {f"section {course}"}
    assert explained(faculty, person, f"{course}_X").steps == of_course.steps[:1]


def test_somebody_whom_fs_does_not_name_has_no_rules_and_no_history(faculty: College) -> None:
    found = explained(faculty, "99999999")

    assert (found.steps, found.standings, found.timeline) == ((), (), ())


def test_when_the_pages_are_gone_it_is_said_and_the_timeline_is_there_all_the_same(faculty: College) -> None:
    right, _ = student_of(faculty)
    faculty.harness.blobs.delete("checkpoints")

    with pytest.raises(FatalError, match="the pages of no run are kept any more") as caught:
        explained(faculty, right.student.person.lopenummer)

    assert caught.value.code is Code.ROWS_MISSING
    person = str(right.student.person.lopenummer)
    told = {
        (one.what, one.where)
        for one in timeline_of(faculty.harness.store, faculty.harness.institution, person)
        if one.where == "user"
    }
    assert told == {("planned", "user"), ("held", "user"), ("sent", "user"), ("added", "user")}


def test_nothing_that_is_told_names_a_person(faculty: College) -> None:
    right, course = student_of(faculty)
    person = right.student.person

    told = repr(explained(faculty, person.lopenummer, course))

    canvas = faculty.sandbox.world.canvas
    login = next(one for one in canvas.pseudonyms if one.sis_id == f"FS_184_{person.lopenummer}")
    user = canvas.users[login.user_id]
    assert [word for word in (login.unique_id, user.name, user.sortable_name) if word in told] == []
