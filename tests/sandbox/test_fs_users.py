"""Who `brukere` answers: everybody, or those who are in a group, and who may not be among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sandbox.fs import people_keys
from sandbox.university.people import Person, Personrolle
from tests.sandbox.fs_people import (
    AUTUMN,
    HOST_2026,
    PARTICIPATIONS,
    PROGRAMME_RIGHTS,
    RIGHTS,
    UNIVERSITY,
    ids,
    owned,
    roles,
)


def people_with(test: Callable[[Person], bool]) -> list[str]:
    shown = (person for person in UNIVERSITY.personer if not person.er_skjult and test(person))
    return ids(people_keys.PERSON, shown)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", lambda person: not person.er_dod),
        ("inkluderAvdode: true", lambda _person: True),
        ("kanOverforesTilLms: false", lambda person: not person.kan_overfores),
        ("kanOverforesTilLms: true", lambda person: person.kan_overfores and not person.er_dod),
        ("brukergrupper: []", lambda _person: False),
        ("brukergrupper: null", lambda person: not person.er_dod),
        ("brukergrupper: [{timeplanrolleFilter: {}}, {evuKursaktivitetsrolleFilter: {}}]", lambda _person: False),
    ],
)
def test_users_are_filtered(given: str, wanted: Callable[[Person], bool]) -> None:
    assert sorted(owned("brukere", given)) == people_with(wanted)


def behind(rows: Iterable[Any], person_of: Callable[[Any], Person]) -> set[Person]:
    return {person for person in map(person_of, rows) if not person.er_dod}


def holder(role: Personrolle) -> Person:
    return role.fagperson.person


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        (
            f'emneSoknadFilter: {{terminer: ["{AUTUMN}"], undervisningsenhetSkalEksporteresTilLms: true}}',
            behind(
                (row for row in RIGHTS if row.enhet.semester == HOST_2026 and row.enhet.skal_eksporteres),
                lambda row: row.student.person,
            ),
        ),
        ("emneSoknadFilter: {takketNei: true}", set()),
        (
            "emnerolleFilter: {emneSkalEksporteresTilLms: true}",
            behind(
                (
                    role
                    for role in roles("emneroller")
                    if any(ue.skal_eksporteres for ue in role.sted.undervisningsenheter)
                ),
                holder,
            ),
        ),
        ("evuKursrolleFilter: {}", behind(roles("evuKursroller"), holder)),
        (
            "fagpersonfilter: {}",
            {each for each in UNIVERSITY.personer if each.fagperson and each.fagperson.er_aktiv},
        ),
        (
            "fagpersonfilter: {erAktiv: [false]}",
            {each for each in UNIVERSITY.personer if each.fagperson and not each.fagperson.er_aktiv},
        ),
        ("klasserolleFilter: {}", behind((role for role in roles("klasseroller") if role.sted.er_aktiv), holder)),
        ("kullrolleFilter: {}", behind((role for role in roles("kullroller") if role.sted.er_aktiv), holder)),
        ("kursSoknadfilter: {soknadsstatuser: [INNVILGET]}", behind(PARTICIPATIONS, lambda row: row.deltaker.person)),
        ("kursSoknadfilter: {soknadsstatuser: [AVSLATT]}", set()),
        (
            "programStudierettfilter: {studieprogramSkalEksporteresTilLms: false}",
            behind(
                (row for row in PROGRAMME_RIGHTS if not row.program.skal_eksporteres), lambda row: row.student.person
            ),
        ),
        (
            f'semesterregistreringFilter: {{terminer: ["{AUTUMN}"], erRegistrert: true}}',
            {
                each
                for each in UNIVERSITY.personer
                if each.student and each.student.semesterregistreringer and not each.er_dod
            },
        ),
        ("studieprogramrolleFilter: {}", behind(roles("studieprogramroller"), holder)),
        (
            "undervisningsaktivitetsrolleFilter: {terminer: [{arstall: 2026, betegnelse: HOST}]}",
            behind(
                (role for role in roles("undervisningsaktivitetsroller") if role.sted.enhet.semester == HOST_2026),
                holder,
            ),
        ),
        (
            "undervisningsenhetsrolleFilter: {terminer: [{arstall: 2026, betegnelse: HOST}], imsRoller: [INSTRUCTOR]}",
            behind(
                (
                    role
                    for role in roles("undervisningsenhetsroller")
                    if role.sted.semester == HOST_2026 and role.rolle.ims_rolle == "INSTRUCTOR"
                ),
                holder,
            ),
        ),
    ],
)
def test_a_group_of_users_holds_those_who_pass_its_filter(group: str, wanted: set[Person]) -> None:
    assert sorted(owned("brukere", f"brukergrupper: [{{{group}}}]")) == people_with(wanted.__contains__)


def test_users_are_in_any_of_the_groups_and_in_all_filters_of_one() -> None:
    staff = {each for each in UNIVERSITY.personer if each.fagperson and each.fagperson.er_aktiv}
    course_staff = behind(roles("evuKursroller"), holder)
    participants = behind(PARTICIPATIONS, lambda row: row.deltaker.person)

    both = owned("brukere", "brukergrupper: [{fagpersonfilter: {}, evuKursrolleFilter: {}}]")
    either = owned("brukere", "brukergrupper: [{kursSoknadfilter: {}}, null, {evuKursrolleFilter: {}}]")

    assert sorted(both) == people_with((staff & course_staff).__contains__)
    assert sorted(either) == people_with((participants | course_staff).__contains__)
