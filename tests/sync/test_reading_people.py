"""Reading people: what each read asks for, and how the large ones are split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.fs.people import EmneRett, Person
from rosterflow.domain.fs.rows import EmneKey, UeKey
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import SourceKind
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.windows import Semester
from rosterflow.hooks.fs_operations import PEOPLE, operation_named
from rosterflow.sync.reading_people import (
    MOST_PARTS,
    Part,
    Structure,
    batches,
    page_size_of,
    people_parts,
    people_source,
    structure_of,
)
from tests.household import college

TERMS = {"2026_HØST": "t26", "2027_VÅR": "t27"}
SCOPE = Scope(frozenset(TERMS))
SMALL = Structure(TERMS, {"e2": 1, "e1": 2}, ("p1", "p2"), ("k1",))
LATELY = {"aktivInnenforPeriode": {"fraDato": "2025-06-27", "tilDato": "2027-06-30"}}
PERIOD = {"fraDato": "2026-08-01", "tilDato": "2027-06-30"}
OWNER = {"organisasjonskode": "999"}
STAFF = {name for name in PEOPLE["2026"] if name.endswith("roller")}


def institution(people: dict[str, Any] | None = None, **fs: Any) -> Institution:
    return college(fs={"connection": "fs_test", **fs}, people=people or {})


def parts(
    structure: Structure = SMALL, scope: Scope = SCOPE, there: Institution | None = None
) -> dict[str, list[dict[str, Any]]]:
    """The variables of every part, by operation."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in people_parts(there or institution(), scope, structure):
        found.setdefault(part.operation, []).append(part.variables)
    return found


def test_the_structure_says_which_terms_emner_programmes_and_courses_there_are() -> None:
    def term(arstall: int, kode: str, **fields: Any) -> dict[str, Any]:
        return {"arstall": arstall, "betegnelse": {"kode": kode}, **fields}

    h26, h27 = {"termin": term(2026, "HØST")}, {"termin": term(2027, "HØST")}
    pages: dict[str, list[list[Any]]] = {
        "terminer": [[term(2026, "HØST", id="t26"), None], [term(2026, "VÅR", id="old"), term(2027, "VÅR", id="t27")]],
        "undervisning": [
            [
                {"id": "e1", "undervisningsenheter": {"nodes": [h26, h26, h27, None, {"termin": None}]}},
                {"id": "e2", "undervisningsenheter": {"nodes": [h27]}},
                {"id": "e3", "undervisningsenheter": None},
                None,
            ]
        ],
        "studieprogram": [[{"id": "p2"}], [{"id": "p1"}, None]],
        "evu_kurs": [[{"id": "k1"}]],
    }

    assert structure_of(SCOPE, pages) == Structure(TERMS, {"e1": 2}, ("p1", "p2"), ("k1",))


def test_a_small_structure_is_read_in_one_part_for_each_question() -> None:
    found = parts()
    users = found.pop("brukere")

    assert found == {
        "emne_studieretter": [{**OWNER, "terminer": ["t26", "t27"]}],
        "program_studieretter": [{**OWNER, "studieprogrammer": ["p1", "p2"]}],
        "klassemedlemskap": [{"studieprogrammer": ["p1", "p2"]}],
        "evu_kursdeltakelser": [{**OWNER, "evuKurs": ["k1"]}],
        "enhetsroller": [{**OWNER, "nested": 100}],
        "emneroller": [{**OWNER, **LATELY}],
        "undervisningsenhetsroller": [{**OWNER, "terminer": ["t26", "t27"]}],
        "undervisningsaktivitetsroller": [{**OWNER, "terminer": ["t26", "t27"]}],
        "studieprogramroller": [{**OWNER, "skalEksporteresTilLms": exported, **LATELY} for exported in (True, False)],
        "kullroller": [{**OWNER, **LATELY}],
        "klasseroller": [{**OWNER, **LATELY}],
        "evu_kursroller": [{**OWNER, **LATELY}],
    }
    assert users == [
        {
            **OWNER,
            "brukergrupper": [
                {"emneSoknadFilter": {"terminer": ["t26", "t27"]}},
                {"programStudierettfilter": {"erAktivInnenforPeriode": PERIOD}},
                {"kursSoknadfilter": {"evuKursErAktivInnenforPeriode": PERIOD}},
            ],
        },
        {
            **OWNER,
            "brukergrupper": [
                {"fagpersonfilter": {"erAktiv": [True]}},
                *(
                    {f"undervisnings{on}rolleFilter": {"terminer": [autumn(), spring()]}}
                    for on in ("enhets", "aktivitets")
                ),
                *(
                    {f"{on}rolleFilter": {"aktivInnenforPeriode": PERIOD}}
                    for on in ("emne", "studieprogram", "kull", "klasse", "evuKurs")
                ),
            ],
        },
    ]


def autumn() -> dict[str, Any]:
    return {"arstall": 2026, "betegnelse": "HOST"}


def spring() -> dict[str, Any]:
    return {"arstall": 2027, "betegnelse": "VAR"}


def test_who_is_registered_is_asked_term_by_term_and_only_where_it_matters() -> None:
    gated = institution({"requires_semester_registration": True})

    assert "semesterregistrerte" not in parts()
    assert [part for part in people_parts(gated, SCOPE, SMALL) if part.operation == "semesterregistrerte"] == [
        Part("semesterregistrerte", {**OWNER, "terminer": ["t26"]}, "2026_HØST", rows=30),
        Part("semesterregistrerte", {**OWNER, "terminer": ["t27"]}, "2027_VÅR", rows=30),
    ]


def test_the_parts_are_in_the_order_in_which_the_operations_are_wanted() -> None:
    gated = institution({"requires_semester_registration": True})

    assert list(parts(there=gated)) == list(PEOPLE["2026"])


def test_a_part_says_which_of_several_it_is() -> None:
    found = [
        part for part in people_parts(institution(), SCOPE, SMALL) if part.operation in ("brukere", "enhetsroller")
    ]

    assert [(part.operation, part.about) for part in found] == [
        ("brukere", "1 of 2"),
        ("brukere", "2 of 2"),
        ("enhetsroller", ""),
    ]


def test_a_part_says_how_many_rows_to_expect_of_it() -> None:
    structure = Structure(TERMS, {"a": 300, "b": 300}, ("p1", "p2", "p3"), ("k1",))

    found = people_parts(institution(rows_per_task=15_000), SCOPE, structure)

    assert {(part.operation, part.about): part.rows for part in found if part.operation not in STAFF} == {
        ("brukere", "1 of 2"): 6_000,
        ("brukere", "2 of 2"): 6_000,
        ("emne_studieretter", "1 of 2"): 15_000,
        ("emne_studieretter", "2 of 2"): 15_000,
        ("program_studieretter", ""): 750,
        ("klassemedlemskap", ""): 450,
        ("evu_kursdeltakelser", ""): 30,
    }


def test_small_parts_share_a_task_and_a_large_one_has_its_own() -> None:
    there = institution(rows_per_task=1_000)
    parts = [Part("a", {}, rows=rows) for rows in (400, 600, 1, 5_000, 999, 1, 1)]

    assert [[part.rows for part in batch] for batch in batches(there, parts)] == [
        [400, 600],
        [1],
        [5_000],
        [999, 1],
        [1],
    ]
    assert batches(there, []) == []


def test_a_small_university_reads_its_people_in_one_task() -> None:
    there = institution()
    parts = people_parts(there, SCOPE, university(150))

    assert batches(there, parts) == [parts]


def test_a_large_university_reads_its_rights_in_as_many_tasks_as_parts() -> None:
    there = institution()
    made = batches(there, people_parts(there, SCOPE, university(10_000)))

    assert sum(batch[0].operation == "emne_studieretter" and len(batch) == 1 for batch in made) == 25
    assert all(sum(part.rows for part in batch) <= 20_000 for batch in made if len(batch) > 1)


def university(emner: int, each: int = 1) -> Structure:
    return Structure(TERMS, {f"e{number:05}": each for number in range(emner)}, ("p1",), ())


def test_a_large_read_is_split_by_emner_and_every_emne_is_in_one_part() -> None:
    structure = university(1000)

    rights = parts(structure, there=institution(rows_per_task=10_000))["emne_studieretter"]

    assert [len(part["emner"]) for part in rights] == [200] * 5
    assert sorted(emne for part in rights for emne in part["emner"]) == sorted(structure.emner)
    assert all(part["terminer"] == ["t26", "t27"] for part in rights)


def test_the_same_structure_gives_the_same_parts_in_whatever_order_it_was_read() -> None:
    structure = university(1000)
    turned = Structure(TERMS, dict(reversed(list(structure.emner.items()))), ("p1",), ())
    there = institution(rows_per_task=1_000)

    assert people_parts(there, SCOPE, turned) == people_parts(there, SCOPE, structure)


def test_emner_with_more_teaching_make_smaller_parts() -> None:
    structure = Structure(TERMS, {"a": 300, "b": 100, "c": 100, "d": 100}, (), ())

    rights = parts(structure, there=institution(rows_per_task=15_000))["emne_studieretter"]

    assert [part["emner"] for part in rights] == [["a"], ["b", "c", "d"]]


@pytest.mark.parametrize("emner", [10_000, 34_000])
def test_no_read_has_more_parts_than_airflow_maps_gladly(emner: int) -> None:
    found = parts(university(emner), there=institution(rows_per_task=1_000))

    assert {name: len(asked) for name, asked in found.items() if len(asked) > 2} == {
        "emne_studieretter": MOST_PARTS,
        "undervisningsenhetsroller": min(MOST_PARTS, emner * 4 // 1000),
        "undervisningsaktivitetsroller": MOST_PARTS,
    }


def test_three_hundred_thousand_rights_are_a_few_dozen_tasks_by_default() -> None:
    assert len(parts(university(10_000))["emne_studieretter"]) == 25


def test_where_the_structure_has_nothing_nothing_is_asked() -> None:
    found = parts(Structure())

    lacking = {"emne_studieretter", "undervisningsenhetsroller", "undervisningsaktivitetsroller"}
    lacking |= {"program_studieretter", "klassemedlemskap", "evu_kursdeltakelser", "semesterregistrerte"}
    assert set(found) == set(PEOPLE["2026"]) - lacking
    assert [next(iter(group)) for group in found["brukere"][0]["brukergrupper"]] == [
        "programStudierettfilter",
        "kursSoknadfilter",
    ]


def test_a_run_for_single_emner_reads_the_people_of_these_alone() -> None:
    single = Scope(SCOPE.terms, emnekoder=frozenset({"INF-1100"}))

    found = parts(scope=single)
    del found["brukere"]

    assert found == {
        "emne_studieretter": [{**OWNER, "terminer": ["t26", "t27"], "emner": ["e1", "e2"]}],
        "emneroller": [{**OWNER, **LATELY, "emner": ["e1", "e2"]}],
        "undervisningsenhetsroller": [{**OWNER, "terminer": ["t26", "t27"], "emner": ["e1", "e2"]}],
        "undervisningsaktivitetsroller": [{**OWNER, "terminer": ["t26", "t27"], "emner": ["e1", "e2"]}],
    }


def test_a_run_for_single_kinds_reads_these_alone() -> None:
    found = parts(scope=Scope(SCOPE.terms, frozenset({SourceKind.EMNE, SourceKind.KLASSEMEDLEMSKAP})))

    assert list(found) == ["klassemedlemskap"]


def test_an_institution_that_does_not_sync_people_reads_none() -> None:
    assert parts(there=institution({"sync": False})) == {}


def test_the_older_dialect_has_one_read_that_needs_no_structure() -> None:
    assert parts(Structure(), there=institution(dialect="2023")) == {"studieprogramroller": [{"inst": "999"}]}


@pytest.mark.parametrize(
    ("operation", "dialect", "size"),
    [
        ("emne_studieretter", "2026", 1000),
        ("enhetsroller", "2026", 200),
        ("undervisning", "2026", 200),
        ("studieprogramroller", "2023", 200),
    ],
)
def test_rows_of_people_come_on_larger_pages_unless_more_hang_in_them(operation: str, dialect: str, size: int) -> None:
    assert page_size_of(institution(), operation_named(operation, dialect)) == size


RIGHT = {
    "emne": {"kode": "INF-1100", "versjonskode": "1"},
    "termin": {"arstall": 2026, "betegnelse": {"kode": "HØST"}},
    "terminnummer": 1,
    "student": {"personProfil": {"personlopenummer": "9"}, "kanOverforesTilLms": True},
    "undervisningspartiPlasseringer": [],
}
H26, V27 = Semester.of("2026_HØST"), Semester.of("2027_VÅR")


class Shelf:
    """Pages that are taken when they are asked for."""

    def __init__(self, *pages: list[Any]) -> None:
        self.pages = pages
        self.taken = 0

    def __call__(self) -> Iterator[list[Any]]:
        for page in self.pages:
            self.taken += 1
            yield page


def test_people_are_streams_that_begin_anew_and_take_no_page_before_it_is_needed() -> None:
    users = Shelf([{"personlopenummer": "1"}], [{"personlopenummer": "2"}])
    more = Shelf([{"personlopenummer": "3"}])
    rights = Shelf([RIGHT], [None])

    people = people_source(
        "2026",
        [
            (Part("brukere", {}, "1 of 2"), users),
            (Part("brukere", {}, "2 of 2"), more),
            (Part("emne_studieretter", {}, "1 of 1"), rights),
        ],
        ["a row is missing"],
    )

    assert users.taken == rights.taken == 0
    assert people.users is not None
    first = next(iter(people.users()))
    assert (isinstance(first, Person) and first.person, users.taken) == ("1", 1)
    for _ in range(2):
        assert [row.person for row in people.users() if isinstance(row, Person)] == ["1", "2", "3"]
        right, problem = people.rows()
        assert right == EmneRett("9", UeKey(EmneKey("INF-1100", "1"), H26, 1), (), True)
        assert isinstance(problem, RowProblem)
    assert (people.registered, people.gaps) == (None, ("a row is missing",))


def test_who_is_registered_is_known_for_each_term_and_a_row_of_it_that_is_null_is_a_gap() -> None:
    people = people_source(
        "2026",
        [
            (Part("semesterregistrerte", {}, "2026_HØST"), Shelf([{"personlopenummer": "1"}], [None])),
            (Part("semesterregistrerte", {}, "2027_VÅR"), Shelf([])),
        ],
    )

    assert (people.users, list(people.rows())) == (None, [])
    assert people.registered == {H26: {"1"}, V27: set()}
    assert people.gaps == ("A row of kind bruker is null, at semesterregistrerte[1].",)
