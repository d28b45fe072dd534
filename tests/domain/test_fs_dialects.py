from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs import dialect_2023, dialect_2026
from rosterflow.domain.fs.rows import (
    Emne,
    EmneKey,
    EvuKurs,
    Klasse,
    Kull,
    Navn,
    Stedkode,
    Studieprogram,
    Termin,
    UeKey,
    Undervisningsaktivitet,
    Undervisningsenhet,
    Unit,
    UnreadableRow,
    source_of,
)
from rosterflow.domain.model import SourceKind
from rosterflow.domain.windows import Semester
from tests.domain.builders import plan, world
from tests.domain.fs_builders import snapshot

H26, V27 = Semester.of("2026_HØST"), Semester.of("2027_VÅR")
INF = EmneKey("INF-1100", "1")
UE = UeKey(INF, H26, 1)
SOON = {"tilDato": "soon"}


def numbers(fakultet: str, institutt: str | None = None, gruppe: str | None = None) -> dict[str, Any]:
    return {
        "organisasjon": {"organisasjonskode": "0184"},
        "fakultet": {"fakultetsnummer": fakultet},
        "instituttnummer": institutt,
        "gruppenummer": gruppe,
    }


def term(arstall: int, kode: str) -> dict[str, Any]:
    return {"arstall": arstall, "betegnelse": {"kode": kode}}


def emne_2026(**fields: Any) -> dict[str, Any]:
    return {
        "kode": "INF-1100",
        "versjonskode": "1",
        "navnAlleSprak": {"nb": "Hav", "nn": None, "en": "Sea"},
        "tjenestenummerForLms": "2",
        "studieansvarligOrganisasjonsenhet": numbers("12", "1"),
        "administrativtAnsvarligOrganisasjonsenhet": numbers("12"),
        **fields,
    }


def ue_2026(*activities: Any, **fields: Any) -> dict[str, Any]:
    return {
        "termin": term(2026, "HØST"),
        "terminnummer": 1,
        "sisteTermin": {"arstall": 2027, "terminkode": "VÅR"},
        "skalEksporteresTilLms": True,
        "undervisningenFolger": {"kode": "MAT-1", "versjonskode": "1"},
        "undervisningsaktiviteter": {"nodes": list(activities)},
        **fields,
    }


def ua_2026(**fields: Any) -> dict[str, Any]:
    return {
        "kode": "SEM-1",
        "navnAlleSprak": {"nb": "Seminar", "nn": None, "en": None},
        "parent": {"kode": "FOR"},
        "lmsRomkode": "eget-rom",
        "skalEksporteresTilLms": False,
        **fields,
    }


def program_2026(*kull: Any, **fields: Any) -> dict[str, Any]:
    return {
        "kode": "B-INF",
        "navnAlleSprak": {"nb": "Informatikk"},
        "erAktiv": True,
        "skalEksporteresTilLms": True,
        "lmsRomkode": "P",
        "studieansvarligOrganisasjonsenhet": numbers("12"),
        "kullV2": {"nodes": list(kull)},
        **fields,
    }


def kull_2026(*klasser: Any, **fields: Any) -> dict[str, Any]:
    return {
        "navnAlleSprak": {"no": "Kull H26", "en": None},
        "terminV2": term(2026, "HØST"),
        "erAktiv": True,
        "skalEksporteresTilLms": True,
        "tjenestenummerForLms": "2",
        "klasser": {"nodes": list(klasser)},
        **fields,
    }


def klasse_2026(**fields: Any) -> dict[str, Any]:
    return {
        "kode": "A",
        "navnAlleSprak": {"und": "Klasse A"},
        "erAktiv": True,
        "skalEksporteresTilLms": True,
        "lmsRomkode": None,
        **fields,
    }


def evu_2026(**fields: Any) -> dict[str, Any]:
    return {
        "kode": "LED1",
        "tidsangivelseskode": "2026-1",
        "navnAlleSprak": {"nb": "Ledelse"},
        "kursperiode": {"fraDato": "2026-09-01", "tilDato": "2026-11-30T00:00:00"},
        "erAktiv": True,
        "skalEksporteresTilLms": True,
        "tjenestenummerForLms": "2",
        "administrativtAnsvarligOrganisasjonsEnhet": numbers("12"),
        **fields,
    }


def read_2026(operation: str, *nodes: Any) -> list[Any]:
    return list(dialect_2026.rows(operation, nodes))


def read_2023(operation: str, *nodes: Any) -> list[Any]:
    return list(dialect_2023.rows(operation, nodes))


def teaching(*units: Any) -> list[Any]:
    return read_2026("undervisning", emne_2026(undervisningsenheter={"nodes": list(units)}))[1:]


# ----------------------------------------------------------------- every operation, in both dialects
def test_terms_of_2026_have_dates() -> None:
    node = {**term(2026, "HØST"), "studiesemesterPeriode": {"fraDato": "2026-08-17", "tilDato": "2026-12-20"}}

    assert read_2026("terminer", node) == [Termin(H26, date(2026, 8, 17), date(2026, 12, 20))]


def test_a_term_without_a_period_has_no_dates() -> None:
    assert read_2026("terminer", {**term(2026, "HØST"), "studiesemesterPeriode": None}) == [Termin(H26)]


def test_a_unit_of_2026_has_its_parent_and_its_flags() -> None:
    node = {
        **numbers("012", "1", "0"),
        "navnAlleSprak": {"nb": "Institutt for tang"},
        "erAktiv": True,
        "skalEksporteresTilLms": False,
        "parent": numbers("12"),
    }

    sted, above = Stedkode("184", "12", "1"), Stedkode("184", "12")
    assert read_2026("organisasjonsenheter", node) == [
        Unit(sted, Navn(nb="Institutt for tang"), above, skal_eksporteres_til_lms=False)
    ]


def test_a_unit_of_2023_was_filtered_by_the_server_and_has_no_parent() -> None:
    node = {**numbers("12", "1", None), "navnAlleSprak": {"nob": "Tang", "nno": "Tare", "eng": "Kelp"}}

    assert read_2023("organisasjonsenheter", node) == [Unit(Stedkode("184", "12", "1"), Navn("Tang", "Tare", "Kelp"))]


def test_the_institutions_own_unit_has_no_numbers() -> None:
    node = {**numbers("12"), "fakultet": None}

    assert read_2026("organisasjonsenheter", {**node, "parent": None})[0].sted == Stedkode("184")


def test_an_emne_of_2026_has_both_responsible_units() -> None:
    assert read_2026("emner", emne_2026()) == [
        Emne(INF, Navn(nb="Hav", en="Sea"), Stedkode("184", "12", "1"), Stedkode("184", "12"), "2")
    ]


def test_an_emne_of_2023_has_its_unit_inside_another_member() -> None:
    node = {
        "kode": "INF-1100",
        "versjonskode": "1",
        "navnAlleSprak": {"nob": "Hav"},
        "organisasjonsenhet": {"studieAnsvarlig": numbers("12", "1")},
    }

    assert read_2023("emner", node) == [Emne(INF, Navn(nb="Hav"), Stedkode("184", "12", "1"))]


def test_teaching_of_2026_is_read_with_the_emne_it_belongs_to() -> None:
    rows = read_2026("undervisning", emne_2026(undervisningsenheter={"nodes": [ue_2026(ua_2026())]}))

    assert rows == [
        Emne(INF, Navn("Hav", None, "Sea"), Stedkode("184", "12", "1"), Stedkode("184", "12"), "2", True),
        Undervisningsenhet(UE, V27, "MAT-1", True),
        Undervisningsaktivitet(UE, "SEM-1", Navn(nb="Seminar"), "FOR", "eget-rom", False),
    ]


def test_teaching_of_2023_is_in_plain_lists_and_without_the_newer_members() -> None:
    activity = {"kode": "SEM-1", "navnAlleSprak": {"nob": "Seminar"}, "terminnummer": 7, "skalEksporteresTilLms": True}
    enhet = {
        "terminnummer": 1,
        "termin": term(2026, "HØST"),
        "undervisningsaktiviteter": [activity],
        "undervisningenFolger": None,
    }
    node = {"kode": "INF-1100", "versjonskode": "1", "undervisningsenheter": [enhet]}

    assert read_2023("undervisning", node) == [
        Emne(INF, Navn(), fra_undervisning=True),
        Undervisningsenhet(UE),
        Undervisningsaktivitet(UE, "SEM-1", Navn(nb="Seminar")),
    ]


def test_programmes_of_2026_have_kull_and_klasser() -> None:
    assert read_2026("studieprogram", program_2026(kull_2026(klasse_2026()))) == [
        Studieprogram("B-INF", Navn(nb="Informatikk"), Stedkode("184", "12"), "P"),
        Kull("B-INF", H26, Navn(nb="Kull H26"), "2"),
        Klasse("B-INF", H26, "A", Navn(und="Klasse A")),
    ]


def test_programmes_of_2023_have_kull_and_klasser_in_plain_lists() -> None:
    kull = kull_2026(termin=term(2026, "HØST"), klasser=[klasse_2026()])
    node = {
        "kode": "B-INF",
        "navnAlleSprak": {"nob": "Informatikk"},
        "skalEksporteresTilLms": True,
        "lmsRomkode": "P",
        "organisasjonsenhet": {"studieansvarlig": numbers("12")},
        "kull": [kull],
    }

    assert read_2023("studieprogram", node) == read_2026("studieprogram", program_2026(kull_2026(klasse_2026())))


def test_an_evu_course_is_the_same_in_both_dialects() -> None:
    old = evu_2026(kurskode="LED1", administrativtAnsvarligEnhet=numbers("12"), navnAlleSprak={"nob": "Ledelse"})
    del old["kode"], old["administrativtAnsvarligOrganisasjonsEnhet"]
    expected = EvuKurs(
        "LED1", "2026-1", Navn(nb="Ledelse"), date(2026, 9, 1), date(2026, 11, 30), Stedkode("184", "12"), "2"
    )

    assert read_2026("evu_kurs", evu_2026()) == [expected]
    assert read_2023("evu_kurs", old) == [expected]


# ----------------------------------------------------------------- loose scalars and nulls
@pytest.mark.parametrize("nummer", [2, "2", 2.0, " 2 "])
def test_a_term_number_may_come_as_text(nummer: object) -> None:
    assert teaching(ue_2026(terminnummer=nummer))[0].key.terminnummer == 2


@pytest.mark.parametrize(("flag", "read"), [(True, True), ("J", True), (0, False), ("false", False)])
def test_a_flag_may_come_as_text(flag: object, read: bool) -> None:
    assert teaching(ue_2026(skalEksporteresTilLms=flag))[0].skal_eksporteres_til_lms is read


def test_a_term_code_may_come_as_fs_wants_it_in_input() -> None:
    assert teaching(ue_2026(termin=term(2027, "VAR")))[0].key.semester == V27


@pytest.mark.parametrize("last", [None, {"arstall": None, "terminkode": None}])
def test_a_course_may_have_no_last_term(last: object) -> None:
    assert teaching(ue_2026(sisteTermin=last))[0].siste_termin is None


def test_codes_are_trimmed_and_composed() -> None:
    assert read_2026("emner", emne_2026(kode=" A\u030aRS-1 "))[0].key == EmneKey("ÅRS-1", "1")


def test_a_year_of_9999_is_an_open_end() -> None:
    row = read_2026("evu_kurs", evu_2026(kursperiode={"fraDato": "2026-09-01", "tilDato": "9999-12-31"}))[0]

    assert (row.fra_dato, row.til_dato) == (date(2026, 9, 1), None)


@pytest.mark.parametrize("key", ["nb", "nob", "no"])
def test_a_bokmal_name_is_found_under_every_key_fs_has_used(key: str) -> None:
    assert read_2026("emner", emne_2026(navnAlleSprak={key: "Hav"}))[0].navn == Navn(nb="Hav")


@pytest.mark.parametrize("key", ["nn", "nno"])
def test_a_nynorsk_name_is_found_under_every_key_fs_has_used(key: str) -> None:
    assert read_2026("emner", emne_2026(navnAlleSprak={key: "Havet"}))[0].navn == Navn(nn="Havet")


@pytest.mark.parametrize("key", ["en", "eng"])
def test_an_english_name_is_found_under_every_key_fs_has_used(key: str) -> None:
    assert read_2026("emner", emne_2026(navnAlleSprak={key: "Sea"}))[0].navn == Navn(en="Sea")


# ----------------------------------------------------------------- rows that cannot be used
def test_an_emne_without_a_code_is_a_problem_and_a_gap_for_nobody_knows_which_it_is() -> None:
    (problem,) = read_2026("emner", emne_2026(kode=None))

    assert problem == UnreadableRow(
        Code.ROW_INVALID, SourceKind.EMNE, "?", "kode", "emne ?: kode is missing, at emner[0].", ()
    )
    assert source_of([problem]).gaps == (problem.message,)


def test_a_row_of_which_part_of_the_key_is_known_is_a_problem_without_a_gap() -> None:
    (problem,) = read_2026("emner", emne_2026(versjonskode=""))

    assert (problem.subject, problem.field, problem.known) == ("INF-1100 ?", "versjonskode", ("INF-1100",))
    assert source_of([problem]).gaps == ()


def test_a_malformed_activity_is_reported_with_its_path_and_its_siblings_go_on() -> None:
    rows = teaching(ue_2026(ua_2026(kode=None), ua_2026(kode="SEM-2")))

    problem = next(row for row in rows if isinstance(row, RowProblem))
    assert "undervisning[0].undervisningsenheter.nodes[0].undervisningsaktiviteter.nodes[0]" in problem.message
    assert problem == UnreadableRow(
        problem.code, problem.source, "INF-1100 1 2026_HØST 1 ?", "kode", problem.message,
        ("INF-1100", "1", "2026_HØST", "1"),
    )  # fmt: skip
    assert [row.kode for row in rows if isinstance(row, Undervisningsaktivitet)] == ["SEM-2"]


@pytest.mark.parametrize(
    ("operation", "node", "field"),
    [
        ("terminer", {"arstall": 2026, "betegnelse": {"kode": "VIT"}}, "betegnelse.kode"),
        ("terminer", {"arstall": "next", "betegnelse": {"kode": "HØST"}}, "arstall"),
        ("terminer", {"arstall": 26, "betegnelse": {"kode": "HØST"}}, "arstall"),
        ("terminer", {**term(2026, "VÅR"), "studiesemesterPeriode": SOON}, "studiesemesterPeriode.tilDato"),
        ("organisasjonsenheter", {**numbers("12"), "erAktiv": "perhaps"}, "erAktiv"),
        ("emner", emne_2026(kode={"a": 1}), "kode"),
        ("emner", emne_2026(kode="A\u0000B"), "kode"),
        ("emner", emne_2026(kode="A\ud800"), "kode"),
        ("emner", emne_2026(navnAlleSprak="Hav"), "navnAlleSprak"),
        ("emner", emne_2026(navnAlleSprak={"nb": ["Hav"]}), "navnAlleSprak.nb"),
        ("emner", emne_2026(studieansvarligOrganisasjonsenhet="12"), "studieansvarligOrganisasjonsenhet"),
        ("emner", emne_2026(studieansvarligOrganisasjonsenhet={"fakultet": 12}), "fakultet.fakultetsnummer"),
        ("studieprogram", program_2026(kode=""), "kode"),
        ("evu_kurs", evu_2026(tidsangivelseskode=None), "tidsangivelseskode"),
        ("evu_kurs", evu_2026(kursperiode={"fraDato": "0001-01-01"}), "kursperiode.fraDato"),
        ("evu_kurs", evu_2026(skalEksporteresTilLms=None), "skalEksporteresTilLms"),
        ("organisasjonsenheter", {**numbers("12"), "erAktiv": None}, "erAktiv"),
    ],
)  # fmt: skip
def test_a_malformed_row_is_a_problem_that_names_its_field(operation: str, node: object, field: str) -> None:
    (problem,) = read_2026(operation, node)

    assert (problem.code, problem.field) == (Code.ROW_INVALID, field)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"terminnummer": None}, "terminnummer"),
        ({"terminnummer": 0}, "terminnummer"),
        ({"terminnummer": 100}, "terminnummer"),
        ({"terminnummer": "1a"}, "terminnummer"),
        ({"termin": None}, "termin.arstall"),
        ({"termin": term(2026, "")}, "termin.betegnelse.kode"),
        ({"sisteTermin": {"arstall": 2027, "terminkode": "VIT"}}, "sisteTermin.terminkode"),
        ({"sisteTermin": {"arstall": 2027, "terminkode": None}}, "sisteTermin.terminkode"),
        ({"skalEksporteresTilLms": None}, "skalEksporteresTilLms"),
        ({"undervisningenFolger": {"kode": None}}, "undervisningenFolger.kode"),
    ],
)
def test_a_malformed_undervisningsenhet_is_a_problem_that_names_its_field(fields: Any, field: str) -> None:
    (problem,) = teaching(ue_2026(**fields))

    assert (problem.source, problem.field) == (SourceKind.UNDERVISNINGSENHET, field)


@pytest.mark.parametrize(
    "unknown", [{"skalEksporteresTilLms": None}, {"undervisningenFolger": {"kode": None}}], ids=["exported", "followed"]
)
def test_what_a_null_leaves_unknown_stays_as_canvas_has_it(unknown: dict[str, Any]) -> None:
    followed = emne_2026(kode="MAT-1", undervisningsenheter={"nodes": [ue_2026(undervisningenFolger=None)]})

    def rows(**fields: Any) -> list[Any]:
        follower = emne_2026(undervisningsenheter={"nodes": [ue_2026(**fields)]})
        return read_2026("undervisning", followed, follower)

    there = snapshot(*rows())
    shot = snapshot(*rows(**unknown), confirmed=there.objects.values())

    assert (shot.gaps, [problem.code for problem in shot.problems]) == ((), [Code.ROW_INVALID])
    assert plan(shot, world(*there.objects.values())).changes == ()


# ----------------------------------------------------------------- nulls that make a read incomplete
@pytest.mark.parametrize(
    ("operation", "node"),
    [
        ("emner", None),
        ("emner", "INF-1100"),
        ("organisasjonsenheter", {**numbers("12"), "organisasjon": {"organisasjonskode": None}}),
        ("undervisning", emne_2026(undervisningsenheter=None)),
        ("undervisning", emne_2026(undervisningsenheter={"nodes": None})),
        ("undervisning", emne_2026(undervisningsenheter={"nodes": [None]})),
        ("undervisning", emne_2026()),
        ("undervisning", emne_2026(undervisningsenheter={"nodes": [ue_2026(None)]})),
        ("undervisning", emne_2026(undervisningsenheter={"nodes": [ue_2026(undervisningsaktiviteter=None)]})),
        ("studieprogram", program_2026(kullV2=None)),
        ("studieprogram", program_2026(None)),
        ("studieprogram", program_2026(kull_2026(navnAlleSprak=None))),
        ("studieprogram", program_2026(kull_2026(navnAlleSprak={"no": None, "en": "Class"}))),
        ("studieprogram", program_2026(kull_2026(klasser=None))),
        ("studieprogram", program_2026(kull_2026(None))),
    ],
)
def test_a_null_where_there_must_be_something_makes_the_read_incomplete(operation: str, node: object) -> None:
    source = source_of(read_2026(operation, node))

    assert [problem.code for problem in source.problems] == [Code.NULL_NODE]
    assert source.gaps == (source.problems[0].message,)


@pytest.mark.parametrize(
    ("names", "navn"), [({"no": None, "en": "Autumn"}, Navn(en="Autumn")), ({"no": None, "en": None}, Navn())]
)
def test_a_kull_of_2023_need_not_have_a_norwegian_name(names: dict[str, Any], navn: Navn) -> None:
    kull = kull_2026(termin=term(2026, "HØST"), klasser=[], navnAlleSprak=names)
    found = read_2023("studieprogram", {"kode": "B-INF", "navnAlleSprak": {"nob": "Informatikk"}, "kull": [kull]})

    assert found == [Studieprogram("B-INF", Navn(nb="Informatikk")), Kull("B-INF", H26, navn, "2")]
    assert source_of(found).gaps == ()


def test_a_null_list_makes_a_read_of_2023_incomplete() -> None:
    rows = read_2023("undervisning", {"kode": "INF-1100", "versjonskode": "1", "undervisningsenheter": None})

    assert len(source_of(rows).gaps) == 1


def test_a_row_that_came_on_two_pages_with_the_same_content_is_one_row() -> None:
    rows = [*read_2026("emner", emne_2026()), *read_2026("emner", emne_2026())]

    assert len(source_of(rows).emner) == 1


def test_there_is_no_unknown_operation() -> None:
    with pytest.raises(KeyError):
        read_2026("personer", {})


# ----------------------------------------------------------------- whatever a node holds
NODES: Mapping[str, Any] = {
    "terminer": {**term(2026, "HØST"), "studiesemesterPeriode": {"fraDato": "2026-08-17", "tilDato": None}},
    "organisasjonsenheter": {**numbers("12"), "navnAlleSprak": {"nb": "Tang"}, "parent": numbers("0")},
    "emner": emne_2026(),
    "undervisning": emne_2026(undervisningsenheter={"nodes": [ue_2026(ua_2026())]}),
    "studieprogram": program_2026(kull_2026(klasse_2026())),
    "evu_kurs": evu_2026(),
}
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just([]), st.just({}), st.just({"nodes": [3]})
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


@settings(deadline=None)
@given(st.data(), st.sampled_from(sorted(NODES)), JUNK)
def test_no_value_anywhere_in_a_node_is_ever_an_exception(data: st.DataObject, operation: str, junk: object) -> None:
    holder = [copy.deepcopy(NODES[operation])]
    *way, last = data.draw(st.sampled_from(places(holder)[1:]))
    target: Any = holder
    for step in way:
        target = target[step]
    target[last] = junk

    rows = read_2026(operation, *holder)

    assert all(isinstance(row, RowProblem) or row.subject for row in rows)
