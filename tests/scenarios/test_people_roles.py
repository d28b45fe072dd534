"""What the roles of FS are in Canvas: by the institution's tables, in sections, and as administrators (issue 3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from rosterflow.store.tables import decision
from sandbox.university.model import Klasse, Undervisningsenhet
from sandbox.university.people import Fagperson, Person, Personrolle, Rolle, give_role
from sandbox.university.vocabulary import ADMIN, ASSISTENT, EMNEANSVAR, LARER, STUDIEKONS, TILSYN, TOLK, VEILEDER
from tests.scenarios.college import College
from tests.scenarios.people_day import people_in_canvas
from tests.scenarios.persons import (
    ASSISTANT,
    OPEN,
    TEACHER,
    faculty_of,
    follows_in_canvas,
    newcomer,
    refused,
    teaches,
    user_of,
)

ACCOUNT_ADMIN = "AccountAdmin"


@pytest.fixture(scope="module")
def faculty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[College]:
    """A college with a table of its own: FS's codes first, then the IMS roles, one role left out."""
    with faculty_of(tmp_path_factory.mktemp("faculty"), ims_roles={"INSTRUCTOR": TEACHER}) as one:
        table = {"EMNEANSVAR": "DesignerEnrollment", "VEILEDER": "Veileder ved høgskolen", "ASSISTENT": ""}
        reset(one, roles=table)
        for name, base in (("Veileder ved høgskolen", "TaEnrollment"), ("Superbruker", "AccountMembership")):
            make_role(one, name, base)
        yield one


@pytest.fixture(scope="module")
def ue(faculty: College) -> Undervisningsenhet:
    return faculty.teaching()


def reset(one: College, **settings: Any) -> None:
    """Other settings from now on."""
    known = one.harness.institution.model_dump(by_alias=True)
    for name, value in settings.items():
        known[name] = {**known[name], **value} if isinstance(known[name], dict) else value
    one.harness.institution = type(one.harness.institution).model_validate(known)


def make_role(one: College, name: str, base: str) -> None:
    one.by_hand("POST", "/accounts/sis_account_id:FSDEMO/roles", label=name, base_role_type=base)


def holds(one: College, person: Person, place: Any, role: Rolle) -> Personrolle:
    """Give somebody, who becomes fagperson, a role at a unit, an emne, a programme …"""
    with one.changing_fs():
        person.fagperson = person.fagperson or Fagperson(person, person.feide_bruker)
        return give_role(place, role, OPEN, person.fagperson)


def administers(one: College, person: Person) -> set[tuple[str, str, str]]:
    """The accounts that somebody administers or did, with role and state."""
    canvas = one.sandbox.world.canvas
    login = canvas.pseudonyms.by_sis_id(user_of(person))
    return {
        (str(canvas.accounts[row.account_id].sis_id), canvas.roles[row.role_id].name, str(row.workflow_state))
        for row in (canvas.admins.where("user_id", login.user_id) if login else ())
    }


def rules_on(one: College, subject: str) -> set[str]:
    """The rules by which something was decided about a role."""
    with one.harness.store.begin() as connection:
        return set(connection.execute(select(decision.c.rule).where(decision.c.subject == subject)).scalars())


# -- in sections ------------------------------------------------------------------------------------------------------


def test_a_role_is_what_the_table_says_of_its_code_and_else_what_its_ims_role_is(
    faculty: College, ue: Undervisningsenhet
) -> None:
    by_code, by_ims, custom = newcomer(faculty), newcomer(faculty), newcomer(faculty)
    for person, role in ((by_code, EMNEANSVAR), (by_ims, LARER), (custom, VEILEDER)):
        teaches(faculty, person, ue, role=role)

    faculty.harness.run(days_later=1)

    wanted = {by_code: "DesignerEnrollment", by_ims: TEACHER, custom: "Veileder ved høgskolen"}
    for person, name in wanted.items():
        found = {one: follows_in_canvas(faculty, person, ue, one) for one in wanted.values()}
        assert found == dict.fromkeys(wanted.values()) | {name: "active"}


def test_a_role_that_no_table_names_or_that_is_left_out_is_a_decision(faculty: College, ue: Undervisningsenhet) -> None:
    people = [newcomer(faculty) for _ in range(3)]
    for person, role in zip(people, (TOLK, TILSYN, ASSISTENT), strict=True):
        teaches(faculty, person, ue, role=role)

    faculty.harness.run(days_later=1)

    assert [follows_in_canvas(faculty, person, ue, ASSISTANT) for person in people] == [None, None, None]
    found = [rules_on(faculty, role.kode) for role in (TOLK, TILSYN, ASSISTENT)]
    assert found == [{"role-without-mapping"}, {"role-without-mapping"}, {"role-left-out"}]


def test_a_custom_role_that_somebody_deactivated_refuses_its_people_alone_until_it_is_there_again(
    faculty: College, ue: Undervisningsenhet
) -> None:
    canvas = faculty.sandbox.world.canvas
    (role,) = canvas.roles.where("name", "Veileder ved høgskolen")
    path = f"/accounts/{role.account_id}/roles/{role.id}"
    faculty.by_hand("DELETE", path)
    tutor, teacher = newcomer(faculty), newcomer(faculty)
    teaches(faculty, tutor, ue, role=VEILEDER)
    teaches(faculty, teacher, ue)

    faculty.harness.run(days_later=1)
    assert (follows_in_canvas(faculty, tutor, ue, role.name), follows_in_canvas(faculty, teacher, ue, TEACHER)) == (
        None,
        "active",
    )
    assert len(refused(faculty, tutor)) == 1

    faculty.by_hand("POST", f"{path}/activate")
    faculty.harness.run(days_later=1)
    assert (follows_in_canvas(faculty, tutor, ue, role.name), refused(faculty, tutor)) == ("active", [])


def test_a_role_on_an_emne_is_one_in_the_sections_of_its_teaching(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    role = holds(faculty, person, ue.emne, LARER)

    faculty.harness.run(days_later=1)
    assert (follows_in_canvas(faculty, person, ue, TEACHER), administers(faculty, person)) == ("active", set())

    with faculty.changing_fs():
        ue.emne.personroller.remove(role)
    faculty.harness.run(days_later=1)
    assert follows_in_canvas(faculty, person, ue, TEACHER) == "deleted"


def test_a_role_on_an_emne_may_administer_its_account_instead(tmp_path: Path) -> None:
    with faculty_of(tmp_path, emne_roles="account", account_roles={"LÆRER": ACCOUNT_ADMIN}) as one:
        person, ue = newcomer(one), one.teaching()
        holds(one, person, ue.emne, LARER)

        one.harness.run(days_later=1)

        account = f"EMNE_184_{ue.emne.kode}_{ue.emne.versjonskode}"
        assert administers(one, person) == {(account, ACCOUNT_ADMIN, "active")}
        assert follows_in_canvas(one, person, ue, TEACHER) is None


def test_a_role_on_a_kull_a_klasse_or_an_evu_course_is_one_in_its_course(faculty: College) -> None:
    there = {key.sis_id for key in faculty.canvas()}
    klasse = next(
        klasse
        for program in faculty.university.studieprogram
        for kull in program.kull
        for klasse in kull.klasser
        if klasse_of(klasse) in there
    )
    course = next(one for one in faculty.university.evukurs if one.er_aktiv and one.skal_eksporteres)
    people = [newcomer(faculty) for _ in range(3)]
    for person, at in zip(people, (klasse.kull, klasse, course), strict=True):
        holds(faculty, person, at, LARER)

    faculty.harness.run(days_later=1)

    found = [
        [row[0].split("_")[0] for row in people_in_canvas(faculty).enrollments if row[1] == user_of(person)]
        for person in people
    ]
    assert found == [["KULL"], ["KLASSE"], ["EVU"]]


def klasse_of(klasse: Klasse) -> str:
    """The SIS id of a klasse's section."""
    kull = klasse.kull
    term = f"{kull.semester.arstall}_{kull.semester.kode.value}"
    return f"KLASSE_184_{kull.studieprogram.kode}_{term}_{klasse.kode}"


# -- administrators ---------------------------------------------------------------------------------------------------


def test_a_role_on_a_unit_or_a_programme_administers_its_account_until_it_ends(faculty: College) -> None:
    reset(faculty, people={"account_roles": {"ADMIN": ACCOUNT_ADMIN, "STUDIEKONS": "Superbruker"}})
    person = newcomer(faculty)
    unit = next(one for one in faculty.university.enheter if one.skal_eksporteres and one.er_aktiv)
    accounts = {key.sis_id for key in faculty.canvas()}
    program = next(p for p in faculty.university.studieprogram if f"STUDIEPROGRAM_184_{p.kode}" in accounts)
    roles = [holds(faculty, person, unit, ADMIN), holds(faculty, person, program, STUDIEKONS)]

    faculty.harness.run(days_later=1)
    found = administers(faculty, person)
    assert {(role, state) for _, role, state in found} == {(ACCOUNT_ADMIN, "active"), ("Superbruker", "active")}
    assert (f"STUDIEPROGRAM_184_{program.kode}", "Superbruker", "active") in found

    with faculty.changing_fs():
        unit.personroller.remove(roles[0])
    faculty.harness.run(days_later=1)
    states = {role: state for _, role, state in administers(faculty, person)}
    assert states == {ACCOUNT_ADMIN: "deleted", "Superbruker": "active"}
