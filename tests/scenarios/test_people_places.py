"""Who is in which section in which role, from which day to which, and what becomes of it afterwards (issue 3 §3.2)."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from rosterflow.sync.explaining import timeline_of
from sandbox.university.model import Periode, Undervisningsenhet
from sandbox.university.people import Deltaker, EvuKursdeltakelse, Klassemedlemskap, Person, Semesterregistrering
from sandbox.university.studies import admit
from sandbox.university.vocabulary import AKTIV, ASSISTENT
from tests.scenarios.college import College
from tests.scenarios.people_day import people_in_canvas
from tests.scenarios.persons import (
    ASSISTANT,
    STUDENT,
    TEACHER,
    decided,
    drops,
    faculty_of,
    follows,
    follows_in_canvas,
    newcomer,
    standing,
    teaches,
    user_of,
)
from tests.scenarios.test_hands_in_canvas import take_base_again


def today(one: College) -> date:
    return one.clock().astimezone(one.harness.institution.zone).date()


# -- roles and their periods ------------------------------------------------------------------------------------------


def test_a_role_is_open_from_its_first_day_to_its_last(faculty: College, ue: Undervisningsenhet) -> None:
    person, day = newcomer(faculty), timedelta(days=1)
    teaches(faculty, person, ue, Periode(today(faculty) + 2 * day, today(faculty) + 3 * day))

    seen = []
    for _ in range(4):
        faculty.harness.run(days_later=1)
        seen.append(follows_in_canvas(faculty, person, ue, TEACHER))

    assert seen == [None, "active", "active", "inactive"]
    assert "role-ended" in decided(faculty, person)


def test_a_role_that_is_over_makes_nobody_a_teacher(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    teaches(faculty, person, ue, Periode(None, today(faculty) - timedelta(days=3)))

    faculty.harness.run(days_later=1)

    assert follows_in_canvas(faculty, person, ue, TEACHER) is None
    assert decided(faculty, person) >= {"role-ended"}


def test_a_role_that_is_taken_back_is_ended_like_one_that_fs_no_longer_has(
    faculty: College, ue: Undervisningsenhet
) -> None:
    person = newcomer(faculty)
    role = teaches(faculty, person, ue)
    faculty.harness.run(days_later=1)

    with faculty.changing_fs():
        ue.personroller.remove(role)
    faculty.harness.run(days_later=1)

    assert follows_in_canvas(faculty, person, ue, TEACHER) == "deleted"


def test_one_person_may_assist_in_the_teaching_that_they_follow(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    follows(faculty, person, ue)
    teaches(faculty, person, ue, role=ASSISTENT)
    other = faculty.teaching(1)
    teaches(faculty, person, other)

    faculty.harness.run(days_later=1)

    found = [follows_in_canvas(faculty, person, ue, role) for role in (STUDENT, ASSISTANT, TEACHER)]
    assert found == ["active", "active", None]
    assert follows_in_canvas(faculty, person, other, TEACHER) == "active"


def test_who_is_no_longer_fagperson_keeps_the_roles_for_90_days(tmp_path: Path) -> None:
    with faculty_of(tmp_path) as one:
        person, ue = newcomer(one), one.teaching()
        teaches(one, person, ue)
        one.harness.run(days_later=1)
        assert person.fagperson

        with one.changing_fs():
            person.fagperson.er_aktiv = False
        one.harness.run(days_later=1)
        assert (follows_in_canvas(one, person, ue, TEACHER), decided(one, person)) == ("active", {"staff-grace"})
        one.harness.run(days_later=89)
        assert follows_in_canvas(one, person, ue, TEACHER) == "active"
        one.harness.run(days_later=1)
        assert (follows_in_canvas(one, person, ue, TEACHER), decided(one, person)) == ("deleted", {"no-longer-staff"})

        with one.changing_fs():
            person.fagperson.er_aktiv = True
        one.harness.run(days_later=1)
        assert follows_in_canvas(one, person, ue, TEACHER) == "active"


# -- those who follow -------------------------------------------------------------------------------------------------


def test_a_participant_of_further_education_is_in_its_course(faculty: College) -> None:
    course = faculty.university.evukurs[0]
    person = newcomer(faculty)
    with faculty.changing_fs():
        person.deltaker = Deltaker(person, person.lopenummer)
    with faculty.changing_fs():
        course.periode = Periode(date(2026, 8, 20), date(2026, 12, 10))
        course.deltakelser.append(EvuKursdeltakelse(course, person.deltaker))

    faculty.harness.run(days_later=1)
    (place,) = [row[0] for row in people_in_canvas(faculty).enrollments if row[1] == user_of(person)]
    assert (place.startswith("EVU"), standing(faculty, person, place)) == (True, "active")

    with faculty.changing_fs():
        course.deltakelser = [one for one in course.deltakelser if one.deltaker is not person.deltaker]
    faculty.harness.run(days_later=1)
    assert standing(faculty, person, place) == "inactive"


def test_a_member_of_a_klasse_is_in_its_section_and_in_the_course_of_the_kull(faculty: College) -> None:
    before = people_in_canvas(faculty)
    sections = [row[0] for row in before.enrollments if row[0].startswith("KLASSE_")]
    klasse = next(
        klasse
        for program in faculty.university.studieprogram
        for kull in program.kull
        for klasse in kull.klasser
        if any(f"_{program.kode}_{kull.semester.arstall}_" in one for one in sections)
    )
    person = newcomer(faculty)
    assert person.student
    with faculty.changing_fs():
        right = admit(person.student, klasse.kull, AKTIV, Periode(date(2026, 8, 1), None))
        klasse.medlemmer.append(Klassemedlemskap(klasse, right))

    faculty.harness.run(days_later=1)
    theirs = [row for row in people_in_canvas(faculty).enrollments if row[1] == user_of(person)]
    assert sorted(row[0].partition("_")[0] for row in theirs) == ["KLASSE", "KULL"]
    assert {row[-1] for row in theirs} == {"active"}

    with faculty.changing_fs():
        klasse.medlemmer.pop()
    faculty.harness.run(days_later=1)
    theirs = [row for row in people_in_canvas(faculty).enrollments if row[1] == user_of(person)]
    assert {row[0].partition("_")[0]: row[-1] for row in theirs} == {"KLASSE": "deleted", "KULL": "active"}


def test_where_it_is_asked_only_who_is_registered_for_the_term_is_enrolled(tmp_path: Path) -> None:
    with faculty_of(tmp_path, requires_semester_registration=True) as one:
        person, ue = newcomer(one), one.teaching()
        assert person.student
        (registered,) = person.student.semesterregistreringer
        with one.changing_fs():
            person.student.semesterregistreringer = ()
        follows(one, person, ue)

        one.harness.run(days_later=1)
        assert follows_in_canvas(one, person, ue) is None
        assert "not-registered" in decided(one, person)

        with one.changing_fs():
            person.student.semesterregistreringer = (registered,)
        one.harness.run(days_later=1)
        assert follows_in_canvas(one, person, ue) == "active"

        annulled = Semesterregistrering(registered.semester, er_ugyldiggjort=True)
        with one.changing_fs():
            person.student.semesterregistreringer = (annulled,)
        one.harness.run(days_later=1)
        assert follows_in_canvas(one, person, ue) == "inactive"


def test_who_leaves_by_the_census_date_is_deleted_and_who_leaves_later_is_inactive(tmp_path: Path) -> None:
    with faculty_of(tmp_path, census_days=33) as one:  # of a term that begins on 1 August: 3 September
        early, late, ue = newcomer(one), newcomer(one), one.teaching()
        rights = [follows(one, person, ue) for person in (early, late)]
        one.harness.run(days_later=1)

        drops(one, rights[0])
        one.harness.run(days_later=1)
        assert (today(one), follows_in_canvas(one, early, ue)) == (date(2026, 9, 3), "deleted")

        drops(one, rights[1])
        one.harness.run(days_later=1)
        assert (follows_in_canvas(one, early, ue), follows_in_canvas(one, late, ue)) == ("deleted", "inactive")


# -- what people do in Canvas -----------------------------------------------------------------------------------------


def enroll_by_hand(one: College, person: Person, ue: Undervisningsenhet) -> None:
    section = quote(one.course_of(ue).sis_id, safe="")
    given: dict[str, Any] = {"user_id": f"sis_user_id:{user_of(person)}", "type": STUDENT, "enrollment_state": "active"}
    form = {f"enrollment[{name}]": value for name, value in given.items()}
    one.by_hand("POST", f"/sections/sis_section_id:{section}/enrollments", **form)


def is_ours(one: College, person: Person, ue: Undervisningsenhet) -> bool:
    """Whether Canvas holds the enrollment to be an import's."""
    canvas = one.sandbox.world.canvas
    section = canvas.sections.by_sis_id(one.course_of(ue).sis_id)
    login = canvas.pseudonyms.by_sis_id(user_of(person))
    assert section
    assert login
    (row,) = canvas.enrollments.where_all(user_id=login.user_id, section_id=section.id)
    return row.sis_batch_id is not None


def test_an_enrollment_that_people_made_is_left_alone(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    follows(faculty, person, faculty.teaching(1))
    faculty.harness.run(days_later=1)
    enroll_by_hand(faculty, person, ue)

    done = faculty.harness.run(days_later=1)

    assert (done.changes, follows_in_canvas(faculty, person, ue)) == (0, "active")
    assert not is_ours(faculty, person, ue)


@pytest.mark.parametrize(("is_known", "recorded"), [(False, ("added", "new")), (True, ("brought back", "adopted"))])
def test_an_enrollment_that_people_made_is_adopted_when_fs_has_it_too_and_then_ends_with_it(
    faculty: College, ue: Undervisningsenhet, is_known: bool, recorded: tuple[str, str]
) -> None:
    person = newcomer(faculty)
    follows(faculty, person, faculty.teaching(1))
    faculty.harness.run(days_later=1)
    enroll_by_hand(faculty, person, ue)
    if is_known:
        take_base_again(faculty)

    right = follows(faculty, person, ue)
    faculty.harness.run(days_later=1)
    moments = timeline_of(faculty.harness.store, faculty.harness.institution, str(person.lopenummer))
    last = [one for one in moments if one.where.startswith(f"section {faculty.course_of(ue).sis_id} as")][-1]
    assert (last.what, last.detail) == recorded
    assert (follows_in_canvas(faculty, person, ue), is_ours(faculty, person, ue)) == ("active", True)

    drops(faculty, right)
    faculty.harness.run(days_later=1)
    assert follows_in_canvas(faculty, person, ue) == "deleted"
