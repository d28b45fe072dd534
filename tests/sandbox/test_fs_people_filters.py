"""Every filter of people in the 2026 dialect filters, and its defaults are FS's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.fs import keys, people_keys
from sandbox.university.model import Periode
from sandbox.university.people import Personrolle
from tests.sandbox.fs_people import (
    AUTUMN,
    COURSE,
    FS,
    HOST_2026,
    KLASSE,
    KLASSER,
    KULL,
    MEMBERS,
    PARTICIPATIONS,
    PLACEMENTS,
    PLACES,
    PROGRAM,
    PROGRAMME_RIGHTS,
    RIGHTS,
    SEM_1,
    STUDENT,
    TEACHER,
    TODAY,
    TRE,
    UNIVERSITY,
    found,
    ids,
    owned,
    quoted,
    roles,
)

Test = Callable[[Any], bool]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (f'terminer: ["{AUTUMN}"]', lambda row: row.enhet.semester == HOST_2026),
        (f"emner: {quoted(keys.EMNE, TRE.emne)}", lambda row: row.enhet.emne is TRE.emne),
        (f"undervisningsenheter: {quoted(keys.UNDERVISNINGSENHET, TRE)}", lambda row: row.enhet is TRE),
        (f"studenter: {quoted(people_keys.STUDENT, STUDENT)}", lambda row: row.student is STUDENT),
        (
            f'terminer: ["{AUTUMN}"], studenter: {quoted(people_keys.STUDENT, STUDENT)}',
            lambda row: row.student is STUDENT and row.enhet.semester == HOST_2026,
        ),
        ("terminer: []", lambda _row: False),
        ("terminer: null", lambda _row: True),
    ],
)
def test_rights_to_follow_teaching_are_filtered(given: str, wanted: Test) -> None:
    assert sorted(owned("emneStudieretter", given)) == ids(people_keys.EMNE_STUDIERETT, filter(wanted, RIGHTS))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("undervisningsaktivitetSkalEksporteresTilLms: true", lambda row: row.aktivitet.skal_eksporteres),
        ("undervisningsaktivitetSkalEksporteresTilLms: false", lambda row: not row.aktivitet.skal_eksporteres),
        (
            "emneSkalEksporteresTilLms: false",
            lambda row: not any(ue.skal_eksporteres for ue in row.aktivitet.enhet.emne.undervisningsenheter),
        ),
        ('tjenestenummerForLms: "2"', lambda row: row.aktivitet.enhet.emne.tjenestenummer == "2"),
        (f'terminer: ["{AUTUMN}"]', lambda row: row.aktivitet.enhet.semester == HOST_2026),
        (
            "terminkoder: [{arstall: 2026, betegnelse: HOST}, {arstall: 2026, betegnelse: SOMMER}]",
            lambda row: row.aktivitet.enhet.semester == HOST_2026,
        ),
        (f"undervisningsaktiviteter: {quoted(keys.UNDERVISNINGSAKTIVITET, SEM_1)}", lambda row: row.aktivitet is SEM_1),
        (f"studenterVedLarested: {quoted(people_keys.STUDENT, STUDENT)}", lambda row: row.student is STUDENT),
        (f"personProfiler: {quoted(people_keys.PERSON, STUDENT.person)}", lambda row: row.student is STUDENT),
    ],
)
def test_places_in_groups_are_filtered(given: str, wanted: Test) -> None:
    assert sorted(owned("undervisningspartiplasseringer", given)) == ids(
        people_keys.PLASSERING, filter(wanted, PLACEMENTS)
    )


def test_places_in_groups_need_no_filter_at_all() -> None:
    answer = FS.data("{ undervisningspartiplasseringer { totalCount } }")

    assert answer["undervisningspartiplasseringer"] == {"totalCount": len(PLACEMENTS)}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", lambda row: row.er_aktiv),
        ("erAktiv: [false]", lambda row: not row.er_aktiv),
        ("erAktiv: [true, false]", lambda _row: True),
        ("klasseErAktiv: false", lambda row: row.er_aktiv and not row.klasse.er_aktiv),
        ("klasseSkalEksporteresTilLms: false", lambda row: row.er_aktiv and not row.klasse.skal_eksporteres),
        ("kullSkalEksporteresTilLms: false", lambda row: row.er_aktiv and not row.klasse.kull.skal_eksporteres),
        (
            "studieprogramSkalEksporteresTilLms: false",
            lambda row: row.er_aktiv and not row.klasse.kull.studieprogram.skal_eksporteres,
        ),
        ('tjenestenummerForLms: "1"', lambda row: row.er_aktiv and row.klasse.kull.tjenestenummer == "1"),
        (f"klasser: {quoted(keys.KLASSE, KLASSER[0])}", lambda row: row.er_aktiv and row.klasse is KLASSER[0]),
        (f"kull: {quoted(keys.KULL, KULL[0])}", lambda row: row.er_aktiv and row.klasse.kull is KULL[0]),
        (
            f"studieprogrammer: {quoted(keys.STUDIEPROGRAM, PROGRAM)}, studieprogramErAktiv: true",
            lambda row: row.er_aktiv and row.klasse.kull.studieprogram is PROGRAM,
        ),
        (
            f'klassebetegnelser: ["{keys.KLASSEBETEGNELSE.node_id(184, "A ")}"]',
            lambda row: row.er_aktiv and row.klasse.kode == "A ",
        ),
        (
            f"studenter: {quoted(people_keys.STUDENT, MEMBERS[0].studierett.student)}",
            lambda row: row.er_aktiv and row.studierett.student is MEMBERS[0].studierett.student,
        ),
        (
            f"programStudieretter: {quoted(people_keys.PROGRAM_STUDIERETT, MEMBERS[0].studierett)}",
            lambda row: row.er_aktiv and row.studierett is MEMBERS[0].studierett,
        ),
    ],
)
def test_places_in_klasser_are_filtered(given: str, wanted: Test) -> None:
    assert sorted(found("klassemedlemskap", given)) == ids(people_keys.KLASSEMEDLEMSKAP, filter(wanted, MEMBERS))


def is_over(periode: Periode) -> bool:
    return periode.til is not None and periode.til < TODAY


def is_to_come(periode: Periode) -> bool:
    return periode.fra is not None and periode.fra > TODAY


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", lambda row: not is_over(row.periode) and not is_to_come(row.periode)),
        ("aktivStatus: [AVSLUTTET]", lambda row: is_over(row.periode)),
        ("aktivStatus: [FREMTIDIG]", lambda row: is_to_come(row.periode)),
        ("aktivStatus: null", lambda _row: True),
        ("aktivStatus: null, erAktiv: false", lambda row: is_over(row.periode) or is_to_come(row.periode)),
        (
            'aktivStatus: null, erAktivInnenforPeriode: {fraDato: "2027-08-01", tilDato: "2027-12-31"}',
            lambda row: row.periode.til is None or row.periode.til.isoformat() >= "2027-08-01",
        ),
        ('aktivStatus: null, studieprogramkoder: ["BA-MAT"]', lambda row: row.program.kode == "BA-MAT"),
        (
            f"aktivStatus: null, studieprogrammer: {quoted(keys.STUDIEPROGRAM, PROGRAM)}",
            lambda row: row.program is PROGRAM,
        ),
        (
            "aktivStatus: null, studieprogramSkalEksporteresTilLms: false",
            lambda row: not row.program.skal_eksporteres,
        ),
        ('aktivStatus: null, kullTjenestenummerForLms: "1"', lambda row: row.kull.tjenestenummer == "1"),
        (f'aktivStatus: null, kullterminer: ["{AUTUMN}"]', lambda row: row.kull.semester == HOST_2026),
        (
            "aktivStatus: null, kullterminkoder: [{arstall: 2026, termin: HOST}]",
            lambda row: row.kull.semester == HOST_2026,
        ),
        ('aktivStatus: null, studentstatuskoder: ["PERM"]', lambda row: row.status.kode == "PERM"),
        (
            f'aktivStatus: null, studentstatuser: ["{keys.encode_id(75, (184, "FULLFØRT"))}"]',
            lambda row: row.status.kode == "FULLFØRT",
        ),
        (
            f"aktivStatus: null, personProfiler: {quoted(people_keys.PERSON, STUDENT.person)}",
            lambda row: row.student is STUDENT,
        ),
    ],
)
def test_rights_to_programmes_are_filtered(given: str, wanted: Test) -> None:
    assert sorted(owned("programStudieretter", given)) == ids(
        people_keys.PROGRAM_STUDIERETT, filter(wanted, PROGRAMME_RIGHTS)
    )


def test_rights_to_programmes_come_in_the_order_they_began_when_asked() -> None:
    query = """{ programStudieretter(first: 1000, filter: {eierOrganisasjonskode: "184", aktivStatus: null},
        orderBy: {orderByField: FRA_DATO, direction: DESC}) { nodes { kull { terminV2 { arstall } } } } }"""
    years = [row["kull"]["terminV2"]["arstall"] for row in FS.data(query)["programStudieretter"]["nodes"]]

    assert len(set(years[1:])) > 2
    assert years[1:] == sorted(years[1:], reverse=True)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (f"evuKurs: {quoted(keys.EVU_KURS, COURSE)}", lambda row: row.kurs is COURSE),
        (
            f"deltakere: {quoted(people_keys.DELTAKER, PARTICIPATIONS[0].deltaker)}",
            lambda row: row.deltaker is PARTICIPATIONS[0].deltaker,
        ),
        (
            f"personProfiler: {quoted(people_keys.PERSON, PARTICIPATIONS[0].deltaker.person)}",
            lambda row: row.deltaker is PARTICIPATIONS[0].deltaker,
        ),
    ],
)
def test_places_on_evu_courses_are_filtered(given: str, wanted: Test) -> None:
    assert sorted(owned("evuKursdeltakelser", given)) == ids(
        people_keys.EVU_KURSDELTAKELSE, filter(wanted, PARTICIPATIONS)
    )


def overlaps(periode: Periode, first: str, last: str) -> bool:
    begins_late = periode.fra is not None and periode.fra.isoformat() > last
    ends_early = periode.til is not None and periode.til.isoformat() < first
    return not begins_late and not ends_early


@pytest.mark.parametrize(
    ("root", "given", "wanted"),
    [
        ("emneroller", f"emner: {quoted(keys.EMNE, TRE.emne)}", lambda role: role.sted is TRE.emne),
        ("emneroller", 'tjenestenummerForLms: "2"', lambda role: role.sted.tjenestenummer == "2"),
        ("undervisningsenhetsroller", f'terminer: ["{AUTUMN}"]', lambda role: role.sted.semester == HOST_2026),
        ("undervisningsenhetsroller", f"emner: {quoted(keys.EMNE, TRE.emne)}", lambda role: role.sted is TRE),
        (
            "undervisningsenhetsroller",
            "undervisningsenhetSkalEksporteresTilLms: false",
            lambda role: not role.sted.skal_eksporteres,
        ),
        (
            "undervisningsenhetsroller",
            "imsRoller: [TEACHING_ASSISTANT, null]",
            lambda role: role.rolle.ims_rolle in ("TEACHING_ASSISTANT", None),
        ),
        (
            "undervisningsenhetsroller",
            f'fsRoller: ["{keys.encode_id(74, (184, "HOVEDLÆRER"))}"]',
            lambda role: role.rolle.kode == "HOVEDLÆRER",
        ),
        (
            "undervisningsenhetsroller",
            f"personProfiler: {quoted(people_keys.PERSON, TEACHER.person)}",
            lambda role: role.fagperson is TEACHER,
        ),
        (
            "undervisningsenhetsroller",
            'aktivInnenforPeriode: {fraDato: "2027-01-01", tilDato: "2027-06-30"}',
            lambda role: overlaps(role.periode, "2027-01-01", "2027-06-30"),
        ),
        (
            "undervisningsaktivitetsroller",
            "undervisningsaktivitetSkalEksporteresTilLms: true, undervisningsenhetSkalEksporteresTilLms: true",
            lambda role: role.sted.skal_eksporteres and role.sted.enhet.skal_eksporteres,
        ),
        (
            "undervisningsaktivitetsroller",
            f'terminer: ["{AUTUMN}"], tjenestenummerForLms: "1"',
            lambda role: role.sted.enhet.semester == HOST_2026 and role.sted.enhet.emne.tjenestenummer == "1",
        ),
        (
            "studieprogramroller",
            "studieprogramSkalEksporteresTilLms: false",
            lambda role: not role.sted.skal_eksporteres,
        ),
        (
            "studieprogramroller",
            f"studieprogramSkalEksporteresTilLms: true, studieprogram: {quoted(keys.STUDIEPROGRAM, PROGRAM)}",
            lambda role: role.sted is PROGRAM,
        ),
        ("kullroller", "", lambda role: role.sted.er_aktiv),
        ("kullroller", "kullErAktiv: null", lambda _role: True),
        ("kullroller", f"kull: {quoted(keys.KULL, KULL[0])}", lambda role: role.sted is KULL[0]),
        (
            "kullroller",
            "kullSkalEksporteresTilLms: true, studieprogramSkalEksporteresTilLms: false",
            lambda role: role.sted.skal_eksporteres and not role.sted.studieprogram.skal_eksporteres,
        ),
        ("klasseroller", "", lambda role: role.sted.er_aktiv),
        ("klasseroller", f"klasser: {quoted(keys.KLASSE, KLASSE)}", lambda role: role.sted is KLASSE),
        (
            "klasseroller",
            'klasseSkalEksporteresTilLms: true, tjenestenummerForLms: "1"',
            lambda role: role.sted.er_aktiv and role.sted.skal_eksporteres and role.sted.kull.tjenestenummer == "1",
        ),
        ("evuKursroller", "evuKursSkalEksporteresTilLms: true", lambda role: role.sted.skal_eksporteres),
        (
            "evuKursroller",
            'evuKursErAktivInnenforPeriode: {fraDato: "2026-09-01", tilDato: "2026-12-31"}',
            lambda role: overlaps(role.sted.periode, "2026-09-01", "2026-12-31"),
        ),
        ("evuKursroller", f"evuKurs: {quoted(keys.EVU_KURS, COURSE)}", lambda role: role.sted is COURSE),
    ],
)
def test_roles_are_filtered(root: str, given: str, wanted: Callable[[Personrolle], bool]) -> None:
    assert sorted(owned(root, given)) == ids(PLACES[root][0], filter(wanted, roles(root)))


def test_the_roles_below_a_place_are_the_active_ones_unless_a_filter_says_otherwise() -> None:
    def programme_roles(given: str) -> int:
        query = f"""{{ studieprogramV2(filter: {{eierOrganisasjonskode: "184"}}) {{ nodes {{
            personroller{given} {{ id }} }} }} }}"""
        return sum(len(program["personroller"]) for program in FS.data(query)["studieprogramV2"]["nodes"])

    held = [role for program in UNIVERSITY.studieprogram if program.er_aktiv for role in program.personroller]
    active = [role for role in held if not is_over(role.periode)]
    assert programme_roles("(filter: {})") == len(active) < len(held)
    assert programme_roles("(filter: {erAktiv: [true, false]})") == len(held)
    assert programme_roles('(filter: {rollekoder: ["TILSYN"]})') == sum(role.rolle.kode == "TILSYN" for role in active)


@pytest.mark.parametrize(
    ("root", "given", "message"),
    [
        ("emneStudieretter", "opptakKanPubliseres: true", "The sandbox has no data to filter by opptakKanPubliseres"),
        ("emneStudieretter", 'emner: ["x"]', "x is not a valid id"),
        ("emneStudieretter", f'studenter: ["{AUTUMN}"]', f"{AUTUMN} is not a valid id"),
        (
            "brukere",
            "brukergrupper: [{programStudierettfilter: {erPrivatist: true}}]",
            "The sandbox has no data to filter by erPrivatist",
        ),
        (
            "emneroller",
            'aktivInnenforPeriode: {fraDato: "now", tilDato: "then"}',
            "now is not a valid date",
        ),
    ],
)
def test_a_filter_that_cannot_be_used_is_an_error_and_never_ignored(root: str, given: str, message: str) -> None:
    query = f'{{ {root}(filter: {{eierOrganisasjonskode: "184", {given}}}) {{ totalCount }} }}'

    assert FS.message(query) == message
