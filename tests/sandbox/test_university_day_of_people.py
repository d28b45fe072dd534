"""The day of change for people: each of the seven things happens, the same every time, and nobody is named."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.university.day_of_change import play
from sandbox.university.generate import generate
from sandbox.university.model import University
from sandbox.university.people import Person, Personrolle


def teaching_of(university: University) -> list[Any]:
    return [ue for emne in university.emner for ue in emne.undervisningsenheter]


def rights(university: University) -> dict[tuple[Any, Person], set[Any]]:
    """The groups of each person in each undervisningsenhet that the person has a right to."""
    return {
        (ue, right.student.person): {place.aktivitet for place in right.plasseringer}
        for ue in teaching_of(university)
        for right in ue.studieretter
    }


class Before:
    """A university with what its people were before the day, but for the emne that the day takes away."""

    def __init__(self, seed: int) -> None:
        self.university = generate(seed, "demo", 2026, "HOST")
        self.persons = {person: (person.feide_bruker, person.kan_overfores) for person in self.university.personer}
        self.rights = rights(self.university)
        self.roles = {role: role.periode for ue in teaching_of(self.university) for role in ue.personroller}
        self.counts = self.university.counts()
        self.sentences = play(self.university)
        kept = set(teaching_of(self.university))
        self.rights = {key: groups for key, groups in self.rights.items() if key[0] in kept}

    def newcomer(self) -> Person:
        (person,) = [each for each in self.university.personer if each not in self.persons]
        return person

    def told(self, text: str) -> str:
        (sentence,) = [each for each in self.sentences if text in each]
        return sentence


@pytest.fixture(scope="module", params=[1, 2, 3])
def before(request: pytest.FixtureRequest) -> Before:
    return Before(request.param)


def test_one_student_drops_an_emne_and_its_groups(before: Before) -> None:
    gone = set(before.rights) - set(rights(before.university))

    ((ue, person),) = gone
    assert person not in {place.student.person for ua in ue.aktiviteter for place in ua.plasseringer}
    term = f"{ue.semester.arstall} {ue.semester.kode.value}"
    assert before.told("dropped") == (
        f"Person {person.lopenummer} dropped {ue.emne.kode} version {ue.emne.versjonskode} in {term}."
    )


def test_one_student_moves_from_a_group_to_one_beside_it(before: Before) -> None:
    now = rights(before.university)
    moved = [(key, groups, now[key]) for key, groups in before.rights.items() if now.get(key, groups) != groups]

    (((_ue, person), former, present),) = moved
    (left,), (joined,) = former - present, present - former
    assert left.parent is joined.parent
    assert left.skal_eksporteres
    assert joined.skal_eksporteres
    assert person not in {place.student.person for place in left.plasseringer}
    assert person in {place.student.person for place in joined.plasseringer}
    assert f"Person {person.lopenummer} moved from {left.kode} to {joined.kode} of" in before.told(
        f"moved from {left.kode}"
    )


def ended(before: Before) -> Personrolle:
    roles: list[Personrolle] = [role for role, periode in before.roles.items() if role.periode != periode]
    (role,) = roles
    return role


def test_one_teachers_role_ended_with_the_month_before(before: Before) -> None:
    role = ended(before)

    assert str(role.periode.til) == "2026-08-31"
    assert role.rolle.ims_rolle == "INSTRUCTOR"
    person = role.fagperson.person.lopenummer
    assert before.told("ended").startswith(f"The role {role.rolle.kode} of person {person} on ")


def test_one_person_is_reserved(before: Before) -> None:
    reserved = [person for person, (_, could) in before.persons.items() if could and not person.kan_overfores]

    assert before.told("reserved") == f"Person {reserved[0].lopenummer} is now reserved from the LMS."
    assert len(reserved) == 1


def test_one_login_changes_and_two_people_swap_theirs(before: Before) -> None:
    changed = {person: login for person, (login, _) in before.persons.items() if person.feide_bruker != login}
    swapped = [person for person in changed if person.feide_bruker in changed.values()]
    (renamed,) = set(changed) - set(swapped)

    assert [person.feide_bruker for person in swapped] == [changed[person] for person in reversed(swapped)]
    assert before.told("another feideBruker") == f"Person {renamed.lopenummer} has another feideBruker."
    assert {str(person.lopenummer) for person in swapped} <= set(before.told("swapped").split())
    assert all(person.student and person.student.feide_bruker == person.feide_bruker for person in changed)


def test_one_student_is_new_on_a_programme_and_in_its_teaching(before: Before) -> None:
    person = before.newcomer()
    followed = [ue for ue, each in rights(before.university) if each is person]
    programmes = [
        right
        for program in before.university.studieprogram
        for right in program.studieretter
        if right.student is person.student
    ]

    assert person.lopenummer == 990_001
    assert len(followed) == 3
    assert all(ue.skal_eksporteres and ue.semester == before.university.semester for ue in followed)
    assert before.told("new student").startswith(f"Person 990001 is a new student of {programmes[0].program.kode} and ")
    assert len(programmes) == 1


def test_nobody_is_named(before: Before) -> None:
    told = " ".join(before.sentences[10:])

    for person in before.university.personer:
        for name in (person.fornavn, person.etternavn, person.feide_bruker, person.epost):
            assert name is None or name not in told


def test_the_same_people_have_the_same_day() -> None:
    assert play(generate(5, "demo", 2026, "HOST"))[10:] == play(generate(5, "demo", 2026, "HOST"))[10:]


def test_many_days_leave_the_people_consistent() -> None:
    university = generate(1, "small", 2026, "HOST")
    for _ in range(30):
        play(university)

    numbers = [person.lopenummer for person in university.personer]
    assert len(set(numbers)) == len(numbers)
    for ue in teaching_of(university):
        from_rights = {(right.student, place.aktivitet) for right in ue.studieretter for place in right.plasseringer}
        assert from_rights == {(place.student, ua) for ua in ue.aktiviteter for place in ua.plasseringer}


def test_a_university_without_people_has_a_day_too() -> None:
    university = generate(1, "studenter=0,ansatte=0,kursdeltakere=0,vanskelig=0", 2026, "HOST")

    told = play(university)

    assert [sentence for sentence in told if sentence.startswith("Person")] == [told[-1]]
