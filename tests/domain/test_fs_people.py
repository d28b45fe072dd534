"""FS's people: from JSON nodes to typed rows, and what becomes of nodes that are not as they should be."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.people import (
    LACKING_2023,
    EmneRett,
    EvuDeltaker,
    EvuKey,
    KlasseKey,
    KlasseMedlem,
    KullKey,
    Person,
    Place,
    ProgramKey,
    ProgramRett,
    Rolle,
    UaKey,
    UnknownPerson,
    kind_of,
    subject_of,
)
from rosterflow.domain.fs.people_nodes import people_rows, rows_of_pages
from rosterflow.domain.fs.rows import EmneKey, Stedkode, UeKey, UnreadableRow
from rosterflow.domain.model import SourceKind
from rosterflow.domain.windows import Semester
from rosterflow.hooks.fs_operations import PEOPLE

H26 = Semester.of("2026_HØST")
INF = EmneKey("INF-1100", "1")
UE = UeKey(INF, H26, 1)
KULL = KullKey("B-INF", H26)
KARI = "1234567"

PROFIL = {"id": "MTox", "personlopenummer": KARI}
STUDENT = {"kanOverforesTilLms": True, "personProfil": PROFIL}
TERMIN = {"arstall": 2026, "betegnelse": {"kode": "HØST"}}
AT_UE = {"emne": {"kode": "INF-1100", "versjonskode": "1"}, "termin": TERMIN, "terminnummer": 1}
AT_KULL = {"studieprogram": {"kode": "B-INF"}, "terminV2": TERMIN}
AT_KURS = {"kode": "94035B", "tidsangivelseskode": "2026-1"}
UNIT = {
    "organisasjon": {"organisasjonskode": "0184"},
    "fakultet": {"fakultetsnummer": "12"},
    "instituttnummer": "01",
    "gruppenummer": "00",
}
ROLLE = {
    "erAktiv": True,
    "gyldighetsperiode": {"fraDato": "2026-08-01", "tilDato": "9999-12-31"},
    "fsRolle": {"kode": "LÆRER", "imsRolle": "INSTRUCTOR"},
    "personProfil": PROFIL,
    "fagperson": {"erAktiv": True, "kanOverforesTilLms": True},
}
BRUKER = {
    **PROFIL,
    "feideBruker": "kari@fjordvik.example",
    "navn": {"fornavn": "Kari", "etternavn": "Tangvik"},
    "institusjonsEpost": "kari@fjordvik.example",
    "erDod": False,
    "kanOverforesTilLms": True,
}
RETT = {
    **AT_UE,
    "student": STUDENT,
    "undervisningspartiPlasseringer": [{"undervisningsaktivitet": {"kode": "SEM-1"}}],
}
PROGRAM_RETT = {
    "studieprogram": {"kode": "B-INF"},
    "kull": AT_KULL,
    "studentstatus": {"kode": "AKTIV", "girAktivStudierett": True},
    "personProfil": PROFIL,
    "student": {"kanOverforesTilLms": True},
}
MEDLEM = {"klasse": {"kode": "A", "kull": AT_KULL}, "studentVedLarested": STUDENT}
DELTAKER = {"kurs": AT_KURS, "personProfil": {**PROFIL, "kanOverforesTilLms": True}}

NODES: dict[str, dict[str, Any]] = {
    "brukere": BRUKER,
    "semesterregistrerte": PROFIL,
    "emne_studieretter": RETT,
    "program_studieretter": PROGRAM_RETT,
    "klassemedlemskap": MEDLEM,
    "evu_kursdeltakelser": DELTAKER,
    "enhetsroller": {**UNIT, "personroller": {"nodes": [ROLLE]}},
    "emneroller": {**ROLLE, "emne": AT_UE["emne"]},
    "undervisningsenhetsroller": {**ROLLE, "undervisningsenhet": AT_UE},
    "undervisningsaktivitetsroller": {
        **ROLLE,
        "undervisningsaktivitet": {"kode": "SEM-1", "undervisningsenhet": AT_UE},
    },
    "studieprogramroller": {**ROLLE, "studieprogram": {"kode": "B-INF"}},
    "kullroller": {**{name: value for name, value in ROLLE.items() if name != "erAktiv"}, "kull": AT_KULL},
    "klasseroller": {**ROLLE, "klasse": {"kode": "A", "kull": AT_KULL}},
    "evu_kursroller": {**ROLLE, "kurs": AT_KURS},
}
PLACES: dict[str, Place] = {
    "emne_studieretter": UE,
    "program_studieretter": KULL,
    "klassemedlemskap": KlasseKey(KULL, "A"),
    "evu_kursdeltakelser": EvuKey("94035B", "2026-1"),
    "enhetsroller": Stedkode("184", "12", "1", "0"),
    "emneroller": INF,
    "undervisningsenhetsroller": UE,
    "undervisningsaktivitetsroller": UaKey(UE, "SEM-1"),
    "studieprogramroller": ProgramKey("B-INF"),
    "kullroller": KULL,
    "klasseroller": KlasseKey(KULL, "A"),
    "evu_kursroller": EvuKey("94035B", "2026-1"),
}
ROLES = [operation for operation in PLACES if operation.endswith("roller")]
SOURCES = {
    "emne_studieretter": SourceKind.EMNESTUDIERETT,
    "program_studieretter": SourceKind.PROGRAMSTUDIERETT,
    "klassemedlemskap": SourceKind.KLASSEMEDLEMSKAP,
    "evu_kursdeltakelser": SourceKind.EVU_DELTAKELSE,
    **dict.fromkeys(ROLES, SourceKind.PERSONROLLE),
}


def rows(operation: str, *nodes: object, dialect: str = "2026") -> list[Any]:
    """The rows of some nodes, which must be the same when they come as pages of JSON."""
    pages = [msgspec.json.encode(nodes[:1]), msgspec.json.encode(nodes[1:])]
    again = [node for page in pages for node in msgspec.json.decode(page)]  # JSON has no infinity
    assert list(rows_of_pages(operation, dialect, pages)) == list(people_rows(operation, dialect, again))
    return list(people_rows(operation, dialect, nodes))


def without_person(node: Any) -> Any:
    """A node in which every person is null."""
    if isinstance(node, dict):
        return {name: None if name == "personProfil" else without_person(value) for name, value in node.items()}
    return [without_person(value) for value in node] if isinstance(node, list) else node


def test_every_operation_of_people_can_be_read() -> None:
    assert set(NODES) == set(PEOPLE["2026"])


def test_a_user_has_login_name_and_whether_they_may_be_in_the_lms() -> None:
    assert rows("brukere", BRUKER) == [
        Person(KARI, "kari@fjordvik.example", "Kari", "Tangvik", "kari@fjordvik.example", False, True)
    ]


def test_what_fs_does_not_say_of_a_user_is_none_and_nobody_is_dead_unless_it_says_so() -> None:
    assert rows("brukere", {**PROFIL, "feideBruker": " ", "navn": None, "erDod": None}) == [
        Person(KARI, None, None, None, None, False, None)
    ]


def test_a_user_without_personlopenummer_is_known_by_the_node_and_without_either_unreadable() -> None:
    assert rows("brukere", {**PROFIL, "personlopenummer": ""})[0].person == "MTox"
    assert rows("brukere", {**BRUKER, "id": None, "personlopenummer": None}) == [
        UnreadableRow(
            Code.ROW_INVALID,
            SourceKind.BRUKER,
            "?",
            "personlopenummer",
            "bruker ?: personlopenummer is missing, at brukere[0].",
        )
    ]


def test_an_unreadable_user_is_known_by_number_and_its_problem_says_nothing_else_of_the_person() -> None:
    [problem] = rows("brukere", {**BRUKER, "feideBruker": ["kari@fjordvik.example"]})

    assert problem == UnreadableRow(
        Code.ROW_INVALID,
        SourceKind.BRUKER,
        KARI,
        "feideBruker",
        "bruker 1234567: feideBruker is array, not str, at brukere[0].",
        (KARI,),
    )


def test_a_right_names_its_ue_and_the_parties_the_student_is_on() -> None:
    assert rows("emne_studieretter", RETT) == [EmneRett(KARI, UE, ("SEM-1",), True)]


def test_a_right_without_placings_is_on_no_party() -> None:
    assert rows("emne_studieretter", {**RETT, "undervisningspartiPlasseringer": []})[0].partier == ()


@pytest.mark.parametrize("placings", [None, [None], [{"undervisningsaktivitet": None}]])
def test_when_fs_does_not_say_every_party_nobody_knows_on_which_ones_the_student_is(placings: object) -> None:
    assert rows("emne_studieretter", {**RETT, "undervisningspartiPlasseringer": placings}) == [
        EmneRett(KARI, UE, None, True)
    ]


def test_a_student_of_a_programme_is_in_its_kull_or_in_none() -> None:
    assert rows("program_studieretter", PROGRAM_RETT, {**PROGRAM_RETT, "kull": None, "studentstatus": None}) == [
        ProgramRett(KARI, "B-INF", KULL, "AKTIV", True, True),
        ProgramRett(KARI, "B-INF", None, None, None, True),
    ]


def test_a_member_of_a_klasse_and_a_participant_of_further_education_are_rows() -> None:
    assert rows("klassemedlemskap", MEDLEM) == [KlasseMedlem(KARI, KlasseKey(KULL, "A"), True)]
    assert rows("evu_kursdeltakelser", DELTAKER) == [EvuDeltaker(KARI, EvuKey("94035B", "2026-1"), True)]


@pytest.mark.parametrize("operation", ROLES)
def test_a_role_is_at_its_place_with_its_period(operation: str) -> None:
    er_aktiv = None if operation == "kullroller" else True
    assert rows(operation, NODES[operation]) == [
        Rolle(KARI, PLACES[operation], "LÆRER", "INSTRUCTOR", date(2026, 8, 1), None, er_aktiv, True, True)
    ]


def test_a_role_without_fagperson_or_period_says_so() -> None:
    [role] = rows("emneroller", {**NODES["emneroller"], "fagperson": None, "gyldighetsperiode": None})

    assert (role.er_fagperson, role.kan_overfores, role.fra, role.til) == (None, None, None, None)


def test_a_unit_has_as_many_roles_as_it_lists() -> None:
    second = {**ROLLE, "fsRolle": {"kode": "ADMIN", "imsRolle": None}}
    found = rows("enhetsroller", {**UNIT, "personroller": {"nodes": [ROLLE, second]}})

    assert [(role.fs_rolle, role.ims_rolle) for role in found] == [("LÆRER", "INSTRUCTOR"), ("ADMIN", None)]


def test_the_registered_are_people_of_whom_nothing_more_is_known() -> None:
    assert rows("semesterregistrerte", PROFIL) == [Person(KARI, None, None, None, None, False, None)]


@pytest.mark.parametrize("operation", PLACES)
def test_a_row_whose_person_is_null_is_somebody_unknown_at_its_place(operation: str) -> None:
    fs_rolle = "LÆRER" if operation in ROLES else None

    assert rows(operation, without_person(NODES[operation])) == [
        UnknownPerson(SOURCES[operation], PLACES[operation], fs_rolle)
    ]


@pytest.mark.parametrize("name", ["student", "studentVedLarested"])
def test_a_student_that_is_null_is_somebody_unknown(name: str) -> None:
    operation = "emne_studieretter" if name == "student" else "klassemedlemskap"

    assert rows(operation, {**NODES[operation], name: None}) == [UnknownPerson(SOURCES[operation], PLACES[operation])]


@pytest.mark.parametrize("operation", NODES)
def test_a_null_row_is_a_problem_that_makes_the_read_incomplete(operation: str) -> None:
    [problem] = rows(operation, None)

    assert (problem.code, problem.field) == (Code.NULL_NODE, f"{operation}[0]")


def test_roles_of_a_unit_that_are_null_are_unknown_roles() -> None:
    problems = rows("enhetsroller", {**UNIT, "personroller": None}, {**UNIT, "personroller": {"nodes": [None]}})

    assert [(problem.code, problem.field) for problem in problems] == [
        (Code.NULL_NODE, "enhetsroller[0].personroller"),
        (Code.NULL_NODE, "enhetsroller[1].personroller.nodes[0]"),
    ]


def test_a_row_with_a_malformed_field_is_a_problem_and_somebody_unknown_at_its_place() -> None:
    node = {**NODES["emneroller"], "gyldighetsperiode": {"fraDato": "soon"}}

    assert rows("emneroller", node) == [
        UnreadableRow(
            Code.ROW_INVALID,
            SourceKind.PERSONROLLE,
            "INF-1100 1",
            "fraDato",
            "personrolle INF-1100 1: fraDato is no date, at emneroller[0].",
            ("INF-1100 1",),
        ),
        UnknownPerson(SourceKind.PERSONROLLE, INF),
    ]


def test_a_role_without_a_code_is_somebody_unknown_at_its_place() -> None:
    problem, unknown = rows("kullroller", {**NODES["kullroller"], "fsRolle": None})

    assert (problem.field, unknown) == ("fsRolle.kode", UnknownPerson(SourceKind.PERSONROLLE, KULL))


@pytest.mark.parametrize(
    ("operation", "change", "field"),
    [
        ("emne_studieretter", {"emne": None}, "emne"),
        ("emne_studieretter", {"termin": {"arstall": 2026, "betegnelse": {"kode": "VIT"}}}, "termin.betegnelse.kode"),
        ("emne_studieretter", {"terminnummer": 0}, "terminnummer"),
        ("emne_studieretter", {"terminnummer": None}, "terminnummer"),
        ("klassemedlemskap", {"klasse": {"kode": "A", "kull": None}}, "klasse.kull"),
        ("evu_kursdeltakelser", {"kurs": {"kode": "94035B"}}, "kurs.tidsangivelseskode"),
        ("undervisningsenhetsroller", {"undervisningsenhet": None}, "undervisningsenhet"),
    ],
)
def test_a_row_whose_place_is_unknown_may_be_about_anybody_anywhere(
    operation: str, change: dict[str, Any], field: str
) -> None:
    [problem] = rows(operation, {**NODES[operation], **change})

    assert isinstance(problem, UnreadableRow)
    assert (problem.field, problem.known) == (field, ())


def test_scalars_may_vary_in_their_type() -> None:
    loose = {
        **RETT,
        "emne": {"kode": 1100, "versjonskode": 1},
        "termin": {"arstall": "2026", "betegnelse": {"kode": "HOST"}},
        "terminnummer": "1",
        "student": {"kanOverforesTilLms": "false", "personProfil": {"personlopenummer": 1234567}},
    }

    assert rows("emne_studieretter", loose) == [EmneRett(KARI, UeKey(EmneKey("1100", "1"), H26, 1), ("SEM-1",), False)]


def test_codes_are_cleaned_as_those_of_the_structure_are() -> None:
    decomposed = {**RETT, "emne": {"kode": " A\u030aR-1 ", "versjonskode": "1"}}

    assert rows("emne_studieretter", decomposed)[0].ue.emne == EmneKey("ÅR-1", "1")


def test_equal_keys_are_one_object_so_that_a_million_rows_are_small() -> None:
    first, second = rows("emne_studieretter", copy.deepcopy(RETT), copy.deepcopy(RETT))

    assert first.ue is second.ue
    assert first.person is second.person
    assert first.partier is second.partier


def test_the_older_dialect_knows_that_somebody_has_a_role_and_not_who() -> None:
    node = {"kode": "B-INF", "personroller": [{name: ROLLE[name] for name in ("fsRolle", "gyldighetsperiode")}]}

    assert rows("studieprogramroller", node, dialect="2023") == [
        UnknownPerson(SourceKind.PERSONROLLE, ProgramKey("B-INF"), "LÆRER")
    ]


@pytest.mark.parametrize(
    ("place", "kind", "subject"),
    [
        (Stedkode("184", "12", "1", "0"), SourceKind.ORGANISASJONSENHET, "184 12 1 0"),
        (INF, SourceKind.EMNE, "INF-1100 1"),
        (UE, SourceKind.UNDERVISNINGSENHET, "INF-1100 1 2026 HØST 1"),
        (UaKey(UE, "SEM-1"), SourceKind.UNDERVISNINGSAKTIVITET, "INF-1100 1 2026 HØST 1 SEM-1"),
        (ProgramKey("B-INF"), SourceKind.STUDIEPROGRAM, "B-INF"),
        (KULL, SourceKind.KULL, "B-INF 2026 HØST"),
        (KlasseKey(KULL, "A"), SourceKind.KLASSE, "B-INF 2026 HØST A"),
        (EvuKey("94035B", "2026-1"), SourceKind.EVU_KURS, "94035B 2026-1"),
    ],
)
def test_a_place_is_named_as_the_structure_names_its_row(place: Place, kind: SourceKind, subject: str) -> None:
    assert (kind_of(place), subject_of(place)) == (kind, subject)


@pytest.mark.parametrize(
    ("operation", "subject"),
    [
        ("brukere", "1234567"),
        ("emne_studieretter", "1234567 INF-1100 1 2026 HØST 1"),
        ("program_studieretter", "1234567 B-INF 2026 HØST"),
        ("klassemedlemskap", "1234567 B-INF 2026 HØST A"),
        ("evu_kursdeltakelser", "1234567 94035B 2026-1"),
        ("emneroller", "1234567 LÆRER INF-1100 1"),
    ],
)
def test_a_row_names_itself_by_number_and_place(operation: str, subject: str) -> None:
    assert rows(operation, NODES[operation])[0].subject == subject


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a node."""
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in inside:
        yield (*path, name)
        yield from paths(value, (*path, name))


SPOTS = [(operation, path) for operation, node in NODES.items() for path in paths(node)]
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.none(), max_size=2), st.just({"a": 1})
)


@settings(max_examples=400)
@given(spot=st.sampled_from(SPOTS), junk=JUNK)
def test_nothing_in_a_node_raises_and_no_row_is_lost(spot: tuple[str, tuple[Any, ...]], junk: Any) -> None:
    operation, path = spot
    node = copy.deepcopy(NODES[operation])
    inside: Any = node
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = junk

    found = rows(operation, node)

    assert found or junk in ([], {"nodes": []})
    assert all(
        "Tangvik" not in row.message and "kari@" not in row.message for row in found if isinstance(row, RowProblem)
    )


def test_the_page_on_dialects_says_what_of_people_the_older_one_lacks() -> None:
    page = (Path(__file__).parents[2] / "docs/fs-dialects.md").read_text(encoding="utf-8").split("## People")[1]

    assert tuple(re.findall(r"^\| `([\w.]+)` \| (no .+?|roles .+?) \|$", page, flags=re.MULTILINE)) == LACKING_2023


def test_the_page_on_dialects_names_every_operation_of_people() -> None:
    page = (Path(__file__).parents[2] / "docs/fs-dialects.md").read_text(encoding="utf-8").split("## People")[1]

    assert [name for name in PEOPLE["2026"] if f"`{name}`" not in page] == []


def test_an_odd_row_keeps_its_number_behind_pages_that_were_read_in_one_go() -> None:
    good = NODES["klassemedlemskap"]
    pages = [msgspec.json.encode([good, good]), [good], msgspec.json.encode([good, None])]

    made = list(rows_of_pages("klassemedlemskap", "2026", pages))

    assert [type(row).__name__ for row in made] == ["KlasseMedlem"] * 4 + ["RowProblem"]
    assert [row.field for row in made if isinstance(row, RowProblem)] == ["klassemedlemskap[4]"]
