"""The people of the 2026 dialect: what the roots answer, page by page, to whom, and who stays unseen."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

import pytest

from sandbox.fs import keys, people_keys
from sandbox.fs.keys import Key
from sandbox.university.model import Undervisningsenhet, University
from tests.sandbox.fs_client import FsClient

OWN = 'eierOrganisasjonskode: "184"'
EVERYTHING = {
    "emneStudieretter": OWN,
    "undervisningspartiplasseringer": OWN,
    "klassemedlemskap": "erAktiv: [true, false]",
    "programStudieretter": f"{OWN}, aktivStatus: [AKTIV, FREMTIDIG, AVSLUTTET]",
    "evuKursdeltakelser": OWN,
    "emneroller": OWN,
    "undervisningsenhetsroller": OWN,
    "undervisningsaktivitetsroller": OWN,
    "kullroller": f"{OWN}, kullErAktiv: [true, false]",
    "klasseroller": f"{OWN}, klasseErAktiv: [true, false]",
    "evuKursroller": OWN,
}
"""The filter that lets every row of a root through."""


@pytest.fixture(scope="module")
def fs() -> FsClient:
    return FsClient("demo")


def rows_of(university: University) -> dict[str, tuple[Key[Any], Iterable[Any]]]:
    """Every row that the roots are to answer, with its key."""
    emner = university.emner
    teaching = [ue for emne in emner for ue in emne.undervisningsenheter]
    activities = [ua for ue in teaching for ua in ue.aktiviteter]
    kull = [kull for program in university.studieprogram for kull in program.kull]
    klasser = [klasse for each in kull for klasse in each.klasser]
    return {
        "emneStudieretter": (people_keys.EMNE_STUDIERETT, (row for ue in teaching for row in ue.studieretter)),
        "undervisningspartiplasseringer": (
            people_keys.PLASSERING,
            (row for ua in activities for row in ua.plasseringer),
        ),
        "klassemedlemskap": (people_keys.KLASSEMEDLEMSKAP, (row for klasse in klasser for row in klasse.medlemmer)),
        "programStudieretter": (
            people_keys.PROGRAM_STUDIERETT,
            (row for program in university.studieprogram for row in program.studieretter),
        ),
        "evuKursdeltakelser": (
            people_keys.EVU_KURSDELTAKELSE,
            (row for kurs in university.evukurs for row in kurs.deltakelser),
        ),
        "emneroller": (people_keys.EMNEROLLE, (role for emne in emner for role in emne.personroller)),
        "undervisningsenhetsroller": (
            people_keys.UNDERVISNINGSENHETSROLLE,
            (role for ue in teaching for role in ue.personroller),
        ),
        "undervisningsaktivitetsroller": (
            people_keys.UNDERVISNINGSAKTIVITETSROLLE,
            (role for ua in activities for role in ua.personroller),
        ),
        "kullroller": (people_keys.KULLROLLE, (role for each in kull for role in each.personroller)),
        "klasseroller": (people_keys.KLASSEROLLE, (role for klasse in klasser for role in klasse.personroller)),
        "evuKursroller": (
            people_keys.EVU_KURSROLLE,
            (role for kurs in university.evukurs for role in kurs.personroller),
        ),
    }


def walk(root: str, given: str) -> str:
    return f"""query Walk($first: Int, $after: String) {{
      {root}(filter: {{{given}}}, first: $first, after: $after) {{
        nodes {{ id }} pageInfo {{ endCursor hasNextPage }} totalCount }} }}"""


@pytest.mark.parametrize("root", EVERYTHING)
@pytest.mark.parametrize("size", [7, 100])
def test_walking_a_root_gives_every_row_once_in_the_order_of_one_page_walk(fs: FsClient, root: str, size: int) -> None:
    query = walk(root, EVERYTHING[root])
    key, rows = rows_of(fs.world.university)[root]

    ids = [node["id"] for page in fs.walk(query, root, first=size) for node in page]

    assert sorted(ids) == sorted(key.node_id(184, row) for row in rows)
    assert ids == [node["id"] for page in fs.walk(query, root, first=1000) for node in page]
    assert fs.data(query, first=1)[root]["totalCount"] == len(ids)


def test_everybody_who_lives_and_is_shown_is_a_user(fs: FsClient) -> None:
    people = [person for person in fs.world.university.personer if not person.er_skjult]
    asked = f"{OWN}, inkluderAvdode: "

    alive = [node["id"] for page in fs.walk(walk("brukere", OWN), "brukere", first=1000) for node in page]
    with_dead = [
        node["id"] for page in fs.walk(walk("brukere", asked + "true"), "brukere", first=1000) for node in page
    ]

    assert alive == [people_keys.PERSON.node_id(184, person) for person in people if not person.er_dod]
    assert with_dead == [people_keys.PERSON.node_id(184, person) for person in people]


@pytest.mark.parametrize("root", [*EVERYTHING, "brukere"])
def test_a_page_holds_a_hundred_rows_unless_told(fs: FsClient, root: str) -> None:
    connection = fs.data(walk(root, EVERYTHING.get(root, OWN)))[root]

    assert len(connection["nodes"]) == min(100, connection["totalCount"])


def test_a_page_is_silently_cut_at_a_thousand_rows(fs: FsClient) -> None:
    connection = fs.data(walk("emneStudieretter", OWN), first=5000)["emneStudieretter"]

    assert len(connection["nodes"]) == 1000
    assert connection["pageInfo"]["hasNextPage"] is True


def test_a_cursor_holds_the_old_key_of_a_right(fs: FsClient) -> None:
    cursor = fs.data(walk("emneStudieretter", OWN), first=1)["emneStudieretter"]["pageInfo"]["endCursor"]
    emner = sorted(emne.kode for emne in fs.world.university.emner if emne.undervisningsenheter)

    columns = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))

    assert [type(column) for column in columns] == [int, int, str, str, str, int, int, int]
    assert columns[:3] == [184, 184, emner[0]]
    assert columns[-1] == min(row.student.person.lopenummer for row in the_ue(fs, emner[0]).studieretter)


def test_a_walk_goes_on_when_the_row_it_stood_at_and_rows_around_it_are_gone() -> None:
    fs = FsClient("small")
    query = walk("emneStudieretter", OWN)
    ids = [node["id"] for page in fs.walk(query, "emneStudieretter", first=1000) for node in page]
    after = fs.data(query, first=10)["emneStudieretter"]["pageInfo"]["endCursor"]
    rows = {
        people_keys.EMNE_STUDIERETT.node_id(184, row): row
        for emne in fs.world.university.emner
        for ue in emne.undervisningsenheter
        for row in ue.studieretter
    }
    for gone in ids[8:11]:
        rows[gone].enhet.studieretter.remove(rows[gone])
    fs.world.university.revision += 1

    rest = fs.data(query, first=1000, after=after)["emneStudieretter"]["nodes"]

    assert [node["id"] for node in rest] == ids[11:]


@pytest.mark.parametrize("root", ["brukere", *(root for root, given in EVERYTHING.items() if OWN in given)])
def test_another_institutions_number_finds_nobody(fs: FsClient, root: str) -> None:
    given = EVERYTHING.get(root, OWN)

    assert fs.data(walk(root, given.replace("184", "185")))[root]["nodes"] == []
    assert fs.data(walk(root, given.replace("184", "0184")), first=1)[root]["nodes"] != []


def test_a_bad_cursor_is_refused_in_fs_own_words(fs: FsClient) -> None:
    message = fs.message(walk("emneStudieretter", OWN), after="x")

    assert message == "Ugyldig verdi/format på token brukt til paginering (after): 'x'"


BETA = {"brukere", "emneroller", "undervisningsenhetsroller", "undervisningsaktivitetsroller", "kullroller"}
BETA |= {"klasseroller", "evuKursroller"}
EXPERIMENTAL = {"emneStudieretter", "undervisningspartiplasseringer", "klassemedlemskap", "evuKursdeltakelser"}


@pytest.mark.parametrize("root", [*EVERYTHING, "brukere"])
@pytest.mark.parametrize("flags", ["", "beta", "beta,experimental"])
def test_a_root_is_unknown_without_the_flag_of_its_tier(fs: FsClient, root: str, flags: str) -> None:
    answer = fs.ask(walk(root, EVERYTHING.get(root, OWN)), flags)

    known = (root not in BETA or "beta" in flags) and (root not in EXPERIMENTAL or "experimental" in flags)
    assert ("data" in answer) is known
    if not known:
        assert answer["errors"][0]["message"].startswith(f"Cannot query field '{root}' on type 'Query'.")


def test_members_of_a_tier_are_unknown_without_its_flag(fs: FsClient) -> None:
    def error(members: str, flags: str) -> str:
        query = f"{{ programStudieretter(filter: {{{OWN}}}) {{ nodes {{ {members} }} }} }}"
        return str(fs.ask(query, flags)["errors"][0]["message"])

    assert "'kanOverforesTilLms' on type 'PersonProfil'" in error("personProfil { kanOverforesTilLms }", "")
    assert "'kanOverforesTilLms' on type 'StudentVedLarested'" in error("student { kanOverforesTilLms }", "beta")


def the_ue(fs: FsClient, kode: str) -> Undervisningsenhet:
    university = fs.world.university
    return next(
        ue
        for emne in university.emner
        if emne.kode == kode
        for ue in emne.undervisningsenheter
        if ue.semester == university.semester
    )


RIGHTS = """query($ue: [ID!]) { emneStudieretter(first: 1000, filter: {eierOrganisasjonskode: "184",
  undervisningsenheter: $ue}) { nodes {
    emne { kode versjonskode } termin { arstall betegnelse { kode } } terminnummer
    student { feideBruker kanOverforesTilLms
      personProfil { personlopenummer feideBruker navn { fornavn etternavn } erDod kanOverforesTilLms } }
    undervisningspartiPlasseringer { undervisningsaktivitet { kode } personProfil { personlopenummer } } } } }"""


def rights_on(fs: FsClient, kode: str) -> list[dict[str, Any]]:
    ids = [keys.UNDERVISNINGSENHET.node_id(184, the_ue(fs, kode))]
    nodes: list[dict[str, Any]] = fs.data(RIGHTS, ue=ids)["emneStudieretter"]["nodes"]
    return nodes


def test_a_right_says_what_teaching_it_is_to_who_has_it_and_in_which_groups(fs: FsClient) -> None:
    nodes = rights_on(fs, "TRE300")
    (nobody,) = [node for node in nodes if node["student"]["personProfil"]["feideBruker"] is None]
    person = next(each for each in fs.world.university.personer if each.lopenummer == 900_001)

    assert nobody == {
        "emne": {"kode": "TRE300", "versjonskode": "1"},
        "termin": {"arstall": 2026, "betegnelse": {"kode": "HØST"}},
        "terminnummer": 1,
        "student": {
            "feideBruker": None,
            "kanOverforesTilLms": True,
            "personProfil": {
                "personlopenummer": "900001",
                "feideBruker": None,
                "navn": {"fornavn": person.fornavn, "etternavn": person.etternavn},
                "erDod": False,
                "kanOverforesTilLms": True,
            },
        },
        "undervisningspartiPlasseringer": [
            {"undervisningsaktivitet": {"kode": "SEM-1"}, "personProfil": {"personlopenummer": "900001"}}
        ],
    }


def test_reserved_and_dead_students_keep_their_rights_and_say_so(fs: FsClient) -> None:
    students = [node["student"] for node in rights_on(fs, "TRE300")]

    reserved = [student for student in students if not student["kanOverforesTilLms"]]
    assert [student["personProfil"]["kanOverforesTilLms"] for student in reserved] == [False]
    assert sum(student["personProfil"]["erDod"] for student in students) == 1


def test_a_person_fs_does_not_show_is_null_without_an_error(fs: FsClient) -> None:
    assert [node["student"] for node in rights_on(fs, "ROM100")].count(None) == 1
    query = f"""{{ undervisningsenhetsroller(first: 1000, filter: {{{OWN}}}) {{ nodes {{
        personProfil {{ id }} fagperson {{ id }} undervisningsenhet {{ emne {{ kode }} }} }} }} }}"""
    hidden = [row for row in fs.data(query)["undervisningsenhetsroller"]["nodes"] if row["personProfil"] is None]
    assert hidden == [
        {"personProfil": None, "fagperson": None, "undervisningsenhet": {"emne": {"kode": "VERS100"}}},
    ]


def test_staff_who_study_have_two_identities_with_a_login_each(fs: FsClient) -> None:
    query = f"""{{ brukere(first: 1000, filter: {{{OWN}, brukergrupper: [{{
        undervisningsenhetsrolleFilter: {{}}, emneSoknadFilter: {{}} }}]}}) {{ nodes {{
        feideBruker student {{ feideBruker }} fagperson {{ feideBruker erAktiv navn {{ etternavn }} }} }} }} }}"""

    (person,) = fs.data(query)["brukere"]["nodes"]

    assert person["student"]["feideBruker"].endswith("@stud.rosterflow.example")
    assert person["fagperson"]["feideBruker"] == person["feideBruker"] != person["student"]["feideBruker"]
    assert person["fagperson"]["erAktiv"] is True


def test_nested_rows_of_people_come_ten_at_a_time(fs: FsClient) -> None:
    members = "nodes { id } totalCount pageInfo { hasNextPage }"
    ue = f"""{{ emnerV2(filter: {{{OWN}, emnekoder: ["GRUPPE100"]}}) {{ nodes {{ undervisningsenheter {{ nodes {{
        personroller {{ {members} }} }} }} }} }} }}"""
    (emne,) = fs.data(ue)["emnerV2"]["nodes"]
    (roles,) = [each["personroller"] for each in emne["undervisningsenheter"]["nodes"]]
    person = people_keys.STUDENT.node_id(
        184, max((row.student for row in the_ue(fs, "SKJULT100").studieretter), key=lambda row: row.person.lopenummer)
    )
    one = f"""{{ emneStudieretter(first: 1, filter: {{{OWN}, studenter: ["{person}"]}}) {{ nodes {{ student {{
        emneStudieretter {{ {members} }} }} }} }} }}"""
    rights = fs.data(one)["emneStudieretter"]["nodes"][0]["student"]["emneStudieretter"]

    assert (len(roles["nodes"]), roles["totalCount"] > 12, roles["pageInfo"]) == (10, True, {"hasNextPage": True})
    assert (len(rights["nodes"]), rights["totalCount"], rights["pageInfo"]) == (10, 12, {"hasNextPage": True})


def test_a_role_says_who_holds_it_where_and_when(fs: FsClient) -> None:
    query = f"""{{ undervisningsenhetsroller(first: 1000, filter: {{{OWN}}}) {{ nodes {{
        aktivStatus erAktiv gyldighetsperiode {{ fraDato tilDato }}
        fsRolle {{ kode imsRolle lmsNavnAlleSprak {{ und }} navnAlleSprak {{ nb nn en }} }}
        personProfil {{ personlopenummer }} undervisningsenhet {{ emne {{ kode }} }} }} }} }}"""
    roles = [
        (
            role["undervisningsenhet"]["emne"]["kode"],
            role["gyldighetsperiode"]["fraDato"],
            role["gyldighetsperiode"]["tilDato"],
            role["erAktiv"],
            role["aktivStatus"],
            role["fsRolle"]["kode"],
        )
        for role in fs.data(query)["undervisningsenhetsroller"]["nodes"]
        if role["personProfil"] and role["personProfil"]["personlopenummer"] == "900011"
    ]

    assert sorted(roles) == [
        ("DATA_101", "2026-09-01", "2026-09-01", True, "AKTIV", "LÆRER"),
        ("GRUPPE100", None, None, True, "AKTIV", "LÆRER"),
        ("ROM100", "2026-02-13", "2026-08-31", False, "AVSLUTTET", "LÆRER"),
        ("TRE300", "2026-10-01", None, False, "FREMTIDIG", "LÆRER"),
        ("VERS100", "2026-02-13", "2026-09-01", True, "AKTIV", "LÆRER"),
    ]


def test_a_local_role_may_have_no_ims_role(fs: FsClient) -> None:
    query = f"""{{ undervisningsenhetsroller(first: 1000, filter: {{{OWN}}}) {{ nodes {{
        fsRolle {{ kode imsRolle lmsNavnAlleSprak {{ und }} }} }} }} }}"""
    roles = {
        (role["fsRolle"]["kode"], role["fsRolle"]["imsRolle"])
        for role in fs.data(query)["undervisningsenhetsroller"]["nodes"]
    }

    assert {("TOLK", None), ("TILSYN", "CUSTOM_ROLE"), ("HOVEDLÆRER", "INSTRUCTOR")} <= roles


def test_the_roles_of_units_are_below_the_units(fs: FsClient) -> None:
    query = f"""{{ organisasjonsenheter(filter: {{{OWN}, organisasjonsnivaer: [FAKULTET]}}) {{ nodes {{
        personroller {{ nodes {{ aktiv aktivStatus fsRolle {{ kode imsRolle }} personProfil {{ id }} fagperson {{ id }}
        organisasjonsenhet {{ fakultet {{ fakultetsnummer }} }} organisasjon {{ organisasjonskode }} }} }} }} }} }}"""
    faculties = fs.data(query)["organisasjonsenheter"]["nodes"]

    assert [[role["fsRolle"]["kode"] for role in unit["personroller"]["nodes"]] for unit in faculties] == [
        ["ADMIN", "STUDIEKONS"]
    ] * 3
    assert faculties[0]["personroller"]["nodes"][0]["organisasjonsenhet"] == {"fakultet": {"fakultetsnummer": "11"}}


def test_programme_roles_need_to_be_told_whether_the_programme_is_exported(fs: FsClient) -> None:
    query = '{ studieprogramroller(filter: {eierOrganisasjonskode: "184"}) { nodes { id } } }'

    message = fs.message(query)

    assert "'studieprogramSkalEksporteresTilLms'" in message


def test_people_can_be_withheld_from_a_page_with_an_error_each(fs: FsClient) -> None:
    fs = FsClient("small")
    query = f"{{ emneroller(filter: {{{OWN}}}) {{ nodes {{ id personProfil {{ id }} fagperson {{ id }} }} }} }}"
    whole = fs.data(query)["emneroller"]["nodes"]
    fs.break_("no_person_access")

    answer = fs.ask(query)

    assert answer["data"]["emneroller"]["nodes"] == [
        {"id": row["id"], "personProfil": None, "fagperson": None} for row in whole
    ]
    assert [error["path"] for error in answer["errors"]][:2] == [
        ["emneroller", "nodes", 0, "fagperson"],
        ["emneroller", "nodes", 0, "personProfil"],
    ]
    assert len(answer["errors"]) == 2 * len(whole)


def test_a_row_that_must_have_its_person_is_null_when_the_person_is_withheld() -> None:
    fs = FsClient("small")
    query = f"{{ programStudieretter(filter: {{{OWN}}}) {{ nodes {{ id personProfil {{ id }} }} }} }}"
    count = len(fs.data(query)["programStudieretter"]["nodes"])
    fs.break_("no_person_access")

    answer = fs.ask(query)

    assert answer["data"]["programStudieretter"]["nodes"] == [None] * count
    assert len(answer["errors"]) == count


def test_a_member_that_must_not_be_null_takes_its_row_along_and_the_error_says_where() -> None:
    fs = FsClient("small")
    program = min(fs.world.university.studieprogram, key=lambda row: row.kode)
    first = min((row for row in program.studieretter), key=lambda row: row.student.person.lopenummer)
    first.student.person.er_skjult = True

    answer = fs.ask(
        f"{{ programStudieretter(filter: {{{OWN}, aktivStatus: null}}) {{ nodes {{ personProfil {{ id }} }} }} }}"
    )

    nodes = answer["data"]["programStudieretter"]["nodes"]
    assert (nodes[0], nodes.count(None)) == (None, 1)
    assert [error["path"] for error in answer["errors"]] == [["programStudieretter", "nodes", 0, "personProfil"]]
