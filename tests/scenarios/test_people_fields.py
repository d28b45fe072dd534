"""What of a user is whose: the id, the name, the address; and one person under several names (issue 3 §3.1, §3.2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.university.model import Undervisningsenhet
from sandbox.university.people import Fagperson, Person
from sandbox.university.studies import displace, place
from tests.scenarios.college import College
from tests.scenarios.people_day import people_in_canvas
from tests.scenarios.persons import (
    TEACHER,
    faculty_of,
    follows,
    follows_in_canvas,
    login_of,
    newcomer,
    standing,
    teaches,
    user_of,
)


def called(one: College, person: Person) -> tuple[str, str]:
    """The name and the addresses that Canvas has."""
    canvas = one.sandbox.world.canvas
    login = canvas.pseudonyms.by_sis_id(user_of(person))
    assert login
    addresses = [row.path for row in canvas.channels.where("user_id", login.user_id) if row.path]
    return canvas.users[login.user_id].name, " ".join(sorted(addresses))


def renames(one: College, person: Person) -> None:
    with one.changing_fs():
        person.etternavn, person.epost = "Myråsen", f"gift{person.lopenummer}@rosterflow.example"


def test_a_new_name_in_fs_is_one_in_canvas(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    follows(faculty, person, ue)
    faculty.harness.run(days_later=1)

    renames(faculty, person)
    faculty.harness.run(days_later=1)

    name, addresses = called(faculty, person)
    assert name == f"{person.fornavn} Myråsen"
    assert str(person.epost) in addresses
    assert faculty.harness.run(days_later=1).changes == 0


def test_a_name_that_somebody_changed_in_canvas_stays_and_is_not_sent_again(
    faculty: College, ue: Undervisningsenhet
) -> None:
    person = newcomer(faculty)
    follows(faculty, person, ue)
    faculty.harness.run(days_later=1)
    faculty.by_hand("PUT", f"/users/sis_user_id:{user_of(person)}", **{"user[name]": "Kalles Noe Annet"})

    renames(faculty, person)
    faculty.harness.run(days_later=1)
    assert called(faculty, person)[0] == "Kalles Noe Annet"
    posted = faculty.imports()
    assert (faculty.harness.run(days_later=1).changes, faculty.imports()) == (0, posted)


@pytest.mark.parametrize(("owns", "kept"), [([], (True, True)), (["name"], (False, True)), (["email"], (True, False))])
def test_what_the_source_does_not_own_is_given_once(tmp_path: Path, owns: list[str], kept: tuple[bool, bool]) -> None:
    with faculty_of(tmp_path, users={"owns": owns}) as one:
        person = newcomer(one)
        follows(one, person, one.teaching())
        one.harness.run(days_later=1)
        name, address = called(one, person)

        renames(one, person)
        one.harness.run(days_later=1)

        after = called(one, person)
        assert (after[0] == name, str(person.epost) not in after[1]) == kept


def test_users_may_go_by_their_login(tmp_path: Path) -> None:
    with faculty_of(tmp_path, users={"sis_id": "feide_bruker"}) as one:
        person = newcomer(one, login="Ny.Student@Rosterflow.Example")
        follows(one, person, one.teaching())

        one.harness.run(days_later=1)

        course = one.course_of(one.teaching()).sis_id
        rows = [row for row in people_in_canvas(one).enrollments if row[1] == "ny.student@rosterflow.example"]
        assert rows == [(course, "ny.student@rosterflow.example", "StudentEnrollment", "active")]
        assert (one.harness.run(days_later=1).changes, one.open_errors()) == (0, [])


def test_one_person_with_a_login_as_student_and_another_as_staff_is_one_user(
    faculty: College, ue: Undervisningsenhet
) -> None:
    person = newcomer(faculty)
    with faculty.changing_fs():
        person.fagperson = Fagperson(person, f"ansatt{person.lopenummer}@rosterflow.example")
    follows(faculty, person, ue)
    teaches(faculty, person, faculty.teaching(1))

    faculty.harness.run(days_later=1)

    assert login_of(faculty, person) == (person.feide_bruker, "active")
    assert follows_in_canvas(faculty, person, ue) == "active"
    assert follows_in_canvas(faculty, person, faculty.teaching(1), TEACHER) == "active"


def test_who_is_placed_on_a_party_is_in_its_section_and_goes_with_it_to_another(faculty: College) -> None:
    group = next(
        activity
        for emne in faculty.university.emner
        for ue in emne.undervisningsenheter
        for activity in ue.aktiviteter
        if activity.plasseringer and section_of(faculty, ue, activity.kode) in {k.sis_id for k in faculty.canvas()}
    )
    ue = group.enhet
    other = next(
        one
        for one in ue.aktiviteter
        if one is not group and section_of(faculty, ue, one.kode) in {k.sis_id for k in faculty.canvas()}
    )
    person = newcomer(faculty)
    right = follows(faculty, person, ue)
    with faculty.changing_fs():
        place(right, group)
    faculty.harness.run(days_later=1)
    sections = [section_of(faculty, ue, one.kode) for one in (group, other)]
    assert [standing(faculty, person, one) for one in sections] == ["active", None]

    with faculty.changing_fs():
        displace(right, right.plasseringer[0])
        place(right, other)
    faculty.harness.run(days_later=1)
    assert [standing(faculty, person, one) for one in sections] == ["deleted", "active"]
    assert follows_in_canvas(faculty, person, ue) == "active"


def section_of(one: College, ue: Undervisningsenhet, kode: str) -> str:
    return f"{one.course_of(ue).sis_id.replace('UE_', 'UA_', 1)}_{kode}"
