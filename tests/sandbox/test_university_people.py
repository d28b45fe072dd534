"""The people of the synthetic university: who they are, that a seed says all of them, and who is awkward."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sandbox.university.generate import generate
from sandbox.university.model import University
from sandbox.university.people import AktivStatus, Personrolle
from sandbox.university.population import FIRST_AWKWARD, FIRST_PARTICIPANT
from sandbox.university.vocabulary import FAMILY_NAMES, GIVEN_NAMES
from tests.sandbox.test_university import picture


def teaching_of(university: University) -> list[Any]:
    return [ue for emne in university.emner for ue in emne.undervisningsenheter]


def roles_of(university: University) -> list[Personrolle]:
    teaching = teaching_of(university)
    kull = [kull for program in university.studieprogram for kull in program.kull]
    places = [
        *university.enheter,
        *university.emner,
        *teaching,
        *(ua for ue in teaching for ua in ue.aktiviteter),
        *university.studieprogram,
        *kull,
        *(klasse for each in kull for klasse in each.klasser),
        *university.evukurs,
    ]
    return [role for place in places for role in place.personroller]


def people_picture(university: University) -> list[Any]:
    """Everything a university says of people, as plain values."""
    return [
        [
            (each.lopenummer, each.fornavn, each.etternavn, each.feide_bruker, each.epost)
            for each in university.personer
        ],
        [
            (ue.emne.kode, ue.semester, right.student.person.lopenummer, [p.aktivitet.kode for p in right.plasseringer])
            for ue in teaching_of(university)
            for right in ue.studieretter
        ],
        [
            (right.student.person.lopenummer, program.kode, right.status.kode, right.periode)
            for program in university.studieprogram
            for right in program.studieretter
        ],
        [(role.rolle.kode, role.periode, role.fagperson.person.lopenummer) for role in roles_of(university)],
        [(kurs.kode, [row.deltaker.nummer for row in kurs.deltakelser]) for kurs in university.evukurs],
    ]


@pytest.fixture(scope="module")
def demo() -> University:
    return generate(1, "demo", 2026, "HOST")


def test_the_same_seed_gives_the_same_people() -> None:
    assert people_picture(generate(7, "demo", 2026, "HOST")) == people_picture(generate(7, "demo", 2026, "HOST"))


def test_another_seed_gives_other_people() -> None:
    assert people_picture(generate(8, "small", 2026, "HOST")) != people_picture(generate(7, "small", 2026, "HOST"))


def test_what_is_taught_does_not_depend_on_who_studies(demo: University, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.university.generate._add_people", lambda *_arguments: None)

    assert picture(generate(1, "demo", 2026, "HOST")) == picture(demo)


def test_a_university_without_people_can_be_made() -> None:
    counts = generate(1, "studenter=0,ansatte=0,kursdeltakere=0,vanskelig=0", 2026, "HOST").counts()

    people = ("personer", "emneStudieretter", "programStudieretter", "evuKursdeltakelser", "personroller")
    assert [counts[name] for name in people] == [0] * 5


def test_a_size_with_a_name_can_be_changed_in_numbers() -> None:
    small = generate(1, "small", 2026, "HOST")
    larger = generate(1, "small,studenter=100", 2026, "HOST")

    assert (larger.counts()["emner"], larger.counts()["personer"]) == (small.counts()["emner"], 110)


def canvas_enrollments(university: University) -> int:
    """About how many enrollments the current and the next term make in Canvas."""
    terms = (university.semester, university.semester.step(1))
    teaching = [ue for ue in teaching_of(university) if ue.skal_eksporteres and ue.semester in terms]
    ours = [ue for ue in teaching if ue.emne.tjenestenummer != "2"]
    activities = [ua for ue in ours for ua in ue.aktiviteter if ua.skal_eksporteres]
    kull = [kull for program in university.studieprogram for kull in program.kull if kull.skal_eksporteres]
    klasser = [klasse for each in kull for klasse in each.klasser if klasse.skal_eksporteres]
    return (
        sum(len(ue.studieretter) for ue in ours)
        + sum(len(ua.plasseringer) for ua in activities)
        + sum(len(klasse.medlemmer) for klasse in klasser)
        + sum(len(program.studieretter) for program in university.studieprogram if program.skal_eksporteres)
        + sum(len(kurs.deltakelser) for kurs in university.evukurs if kurs.skal_eksporteres)
        + sum(len(place.personroller) for place in (*ours, *activities, *kull, *klasser, *university.evukurs))
    )


def test_the_demo_makes_about_fifteen_hundred_users_and_six_thousand_enrollments(demo: University) -> None:
    assert 1_400 <= len(demo.personer) <= 1_600
    assert 5_500 <= canvas_enrollments(demo) <= 7_000


def test_names_and_logins_are_invented(demo: University) -> None:
    ordinary = [person for person in demo.personer if person.lopenummer < FIRST_AWKWARD]

    assert {person.fornavn for person in ordinary} <= set(GIVEN_NAMES)
    assert {person.etternavn for person in ordinary} <= set(FAMILY_NAMES)
    for person in demo.personer:
        for address in (person.feide_bruker, person.epost):
            assert address is None or address.lower().endswith("rosterflow.example")


def test_only_the_awkward_share_a_login_or_have_none(demo: University) -> None:
    logins = Counter(person.feide_bruker for person in demo.personer)

    assert {login: count for login, count in logins.items() if count > 1 or login is None} == {
        None: 1,
        next(each.feide_bruker for each in demo.personer if each.lopenummer == FIRST_AWKWARD + 1): 2,
    }


def test_a_person_is_there_once_and_is_what_the_number_says(demo: University) -> None:
    numbers = [person.lopenummer for person in demo.personer]

    assert len(set(numbers)) == len(numbers)
    for person in demo.personer:
        if person.lopenummer < FIRST_AWKWARD:
            kinds = (bool(person.student), bool(person.fagperson), bool(person.deltaker))
            assert kinds == (
                person.lopenummer < 800_000,
                800_000 < person.lopenummer < FIRST_PARTICIPANT,
                person.lopenummer >= FIRST_PARTICIPANT,
            )


def test_nobody_has_two_rights_to_the_same_teaching(demo: University) -> None:
    for ue in teaching_of(demo):
        students = [right.student for right in ue.studieretter]
        assert len(set(students)) == len(students)


def test_a_student_is_placed_in_groups_of_teaching_the_student_has_a_right_to(demo: University) -> None:
    for ue in teaching_of(demo):
        from_rights = [(right.student, place.aktivitet) for right in ue.studieretter for place in right.plasseringer]
        from_groups = [(place.student, ua) for ua in ue.aktiviteter for place in ua.plasseringer]

        assert len(from_rights) == len(set(from_rights))
        assert set(from_rights) == set(from_groups)


def test_a_student_is_in_one_of_the_groups_beside_each_other(demo: University) -> None:
    ue = next(ue for ue in teaching_of(demo) if ue.emne.kode == "GRUPPE100")
    ordinary = [right for right in ue.studieretter if right.student.person.lopenummer < FIRST_AWKWARD]

    assert {len(right.plasseringer) for right in ordinary} == {0, 1}
    assert all(ua.plasseringer for ua in ue.aktiviteter)


def test_who_begins_a_course_of_several_terms_goes_on_with_it(demo: University) -> None:
    emne = next(emne for emne in demo.emner if emne.kode == "FLER300")
    rounds = {(ue.semester, ue.terminnummer): ue for ue in emne.undervisningsenheter}
    begun, goes_on = rounds[demo.semester.step(-1), 1], rounds[demo.semester, 2]

    assert begun.studieretter
    assert [row.student for row in goes_on.studieretter] == [row.student for row in begun.studieretter]


def test_a_member_of_a_klasse_has_a_right_to_its_programme(demo: University) -> None:
    for program in demo.studieprogram:
        for kull in program.kull:
            for klasse in kull.klasser:
                for member in klasse.medlemmer:
                    assert member.studierett.kull is kull
                    assert member.studierett in program.studieretter


def test_every_undervisningsenhet_from_last_term_on_has_a_main_teacher(demo: University) -> None:
    for ue in teaching_of(demo):
        main = [role for role in ue.personroller if role.rolle.kode == "HOVEDLÆRER"]
        assert bool(main) is (demo.semester.step(-1) <= ue.semester)


def test_the_awkward_people_of_real_institutions_are_there(demo: University) -> None:
    awkward = [person for person in demo.personer if person.lopenummer >= FIRST_AWKWARD]
    roles = roles_of(demo)
    states = Counter(AktivStatus.of(role.periode, demo.today) for role in roles)
    rights = [right for ue in teaching_of(demo) for right in ue.studieretter]
    programme_rights = [right for program in demo.studieprogram for right in program.studieretter]
    members = [
        (klasse, member.studierett.student)
        for program in demo.studieprogram
        for kull in program.kull
        for klasse in kull.klasser
        for member in klasse.medlemmer
    ]
    on_one_ue = Counter((role.sted, role.fagperson) for role in roles)
    found = {
        "a student without a login": any(right.student.person.feide_bruker is None for right in rights),
        "capital letters in a login": any(
            (each.feide_bruker or "") != (each.feide_bruker or "").lower() for each in awkward
        ),
        "a reserved student": any(not right.student.person.kan_overfores for right in rights),
        "a reserved teacher": any(not role.fagperson.person.kan_overfores for role in roles),
        "a student who died": any(right.student.person.er_dod for right in rights),
        "a hidden student": any(right.student.person.er_skjult for right in rights),
        "a hidden teacher": any(role.fagperson.person.er_skjult for role in roles),
        "a role to come, over and without ends": {AktivStatus.FREMTIDIG, AktivStatus.AVSLUTTET} <= set(states)
        and any(role.periode.fra is role.periode.til is None for role in roles),
        "a role without a mapping": any(role.rolle.ims_rolle is None for role in roles),
        "a custom role": any(role.rolle.ims_rolle == "CUSTOM_ROLE" for role in roles),
        "four roles of one person on one place": max(on_one_ue.values()) == 4,
        "an inactive teacher with a role": any(not role.fagperson.er_aktiv for role in roles),
        "student and teacher of the same teaching": any(
            right.student.person is role.fagperson.person for right in rights for role in right.enhet.personroller
        ),
        "two identities with a login each": any(
            each.student and each.fagperson and each.student.feide_bruker != each.fagperson.feide_bruker
            for each in awkward
        ),
        "twice in a klasse": Counter(members).most_common(1)[0][1] == 2,
        "a right to a programme to come": any(
            AktivStatus.of(right.periode, demo.today) is AktivStatus.FREMTIDIG for right in programme_rights
        ),
        "no given name and no address": any(each.fornavn is each.epost is None for each in awkward),
        "a name that a spreadsheet calculates with": any((each.fornavn or "").startswith("-") for each in awkward),
        "more roles than a nested page": any(len(ue.personroller) > 10 for ue in teaching_of(demo)),
        "more rights than a nested page": Counter(right.student for right in rights).most_common(1)[0][1] > 10,
        "a student on an EVU course": any(each.student and each.deltaker for each in awkward),
    }

    assert [name for name, is_there in found.items() if not is_there] == []


def test_the_small_size_has_nobody_awkward() -> None:
    small = generate(1, "small", 2026, "HOST")

    assert [person for person in small.personer if person.lopenummer >= FIRST_AWKWARD] == []
    assert all(person.kan_overfores and not person.er_dod and not person.er_skjult for person in small.personer)
