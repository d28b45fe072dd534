"""Every filter of the 2026 dialect filters, and its defaults are FS's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.fs import keys
from sandbox.university.model import Emne, EvuKurs, Organisasjonsenhet, Semester, Terminkode, Undervisningsenhet
from tests.sandbox.fs_client import FsClient

FS = FsClient("demo")
UNIVERSITY = FS.world.university
HOST_2026 = Semester(2026, Terminkode.HOST)
AUTUMN = keys.TERMIN.node_id(184, HOST_2026)
FACULTY_12 = keys.encode_id(6, (184, 12))
UNIT_12 = keys.encode_id(5, (184, 184, 12, 0, 0))
OWNERS = {emne.studieansvarlig for emne in UNIVERSITY.emner}


def below_12(unit: Organisasjonsenhet | None) -> bool:
    return unit is not None and unit.fakultetsnummer == 12


def rows_of(root: str, members: str, given: str) -> list[dict[str, Any]]:
    query = f'{{ {root}(first: 1000, filter: {{eierOrganisasjonskode: "184" {given}}}) {{ nodes {{ {members} }} }} }}'
    nodes: list[dict[str, Any]] = FS.data(query)[root]["nodes"]
    return nodes


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", lambda unit: unit.er_aktiv),
        ("erAktiv: true", lambda unit: unit.er_aktiv),
        ("erAktiv: [false]", lambda unit: not unit.er_aktiv),
        ("erAktiv: [true, false]", lambda _unit: True),
        ("erAktiv: null", lambda _unit: True),
        ("skalEksporteresTilLms: true", lambda unit: unit.er_aktiv and unit.skal_eksporteres),
        ("skalEksporteresTilLms: false", lambda unit: unit.er_aktiv and not unit.skal_eksporteres),
        ('organisasjonskode: "0184"', lambda unit: unit.er_aktiv),
        ('organisasjonskode: "185"', lambda _unit: False),
        ('instituttkode: ["1"]', lambda unit: unit.er_aktiv and unit.instituttnummer == 1),
        ("organisasjonsnivaer: [FAKULTET]", lambda unit: unit.niva.value == "FAKULTET"),
        (f'fakulteter: ["{FACULTY_12}"]', lambda unit: unit.er_aktiv and unit.fakultetsnummer == 12),
        (f'organisasjoner: ["{keys.encode_id(4, (184,))}"]', lambda unit: unit.er_aktiv),
        (f'organisasjoner: ["{keys.encode_id(4, (185,))}"]', lambda _unit: False),
        (
            'freeText: {freetext: "HUMANISTISKE", sprak: NB}',
            lambda unit: unit.navn.nb == "Det humanistiske fakultet",
        ),
        ('freeText: {freetext: "a", sprak: SE}', lambda _unit: False),
        ("harStudieansvarForEmner: true", lambda unit: unit.er_aktiv and unit in OWNERS),
        ("harStudieansvarForEmner: false", lambda unit: unit.er_aktiv and unit not in OWNERS),
    ],
)
def test_units_are_filtered(given: str, wanted: Callable[[Organisasjonsenhet], bool]) -> None:
    rows = rows_of("organisasjonsenheter", "fakultet { fakultetsnummer } instituttnummer gruppenummer", given)

    assert sorted(
        f"{row['fakultet']['fakultetsnummer']}_{row['instituttnummer']}_{row['gruppenummer']}" for row in rows
    ) == sorted(unit.stedkode for unit in UNIVERSITY.enheter if wanted(unit))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", lambda _emne: True),
        ('emnekoder: ["VERS100", "0-5", "NONE"]', lambda emne: emne.kode in ("VERS100", "0-5")),
        ("emnekoder: []", lambda _emne: False),
        ('emnekodeStartsWith: "RING"', lambda emne: emne.kode.startswith("RING")),
        ('emnenavnContains: "WRITING"', lambda emne: emne.kode == "NAVN-EN"),
        ('tjenestenummerForLms: "2"', lambda emne: emne.tjenestenummer == "2"),
        (
            "ikkeUtloptITermin: {arstall: 2026, terminbetegnelse: HOST}",
            lambda emne: emne.siste_termin is None or emne.siste_termin >= HOST_2026,
        ),
        (
            "ikkeUtloptITermin: {arstall: 2025, terminbetegnelse: HOST}",
            lambda emne: emne.siste_termin is None or emne.siste_termin >= Semester(2025, Terminkode.HOST),
        ),
        ("aktivstatus: AKTIV", lambda emne: emne.siste_termin is None or emne.siste_termin >= HOST_2026),
        ("aktivstatus: IKKE_AKTIV", lambda emne: emne.siste_termin is not None and emne.siste_termin < HOST_2026),
        (f'organisasjonenheterMedStudieansvar: ["{UNIT_12}"]', lambda emne: below_12(emne.studieansvarlig)),
        (
            f'organisasjonenheterMedAdministrativtansvar: ["{UNIT_12}"]',
            lambda emne: below_12(emne.administrativt_ansvarlig),
        ),
        (
            'emnekodeStartsWith: "VERS", emnenavnContains: "versjoner", tjenestenummerForLms: "1"',
            lambda emne: emne.kode == "VERS100",
        ),
    ],
)
def test_emner_are_filtered(given: str, wanted: Callable[[Emne], bool]) -> None:
    rows = rows_of("emnerV2", "kode versjonskode", given)

    assert sorted((row["kode"], row["versjonskode"]) for row in rows) == sorted(
        (emne.kode, emne.versjonskode) for emne in UNIVERSITY.emner if wanted(emne)
    )


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("{}", lambda _ue: True),
        ("{skalEksporteresTilLms: true}", lambda ue: ue.skal_eksporteres),
        ("{skalEksporteresTilLms: false}", lambda ue: not ue.skal_eksporteres),
        ("{termin: {arstall: 2026, betegnelse: HOST}}", lambda ue: ue.semester >= HOST_2026),
        ("{termin: {arstall: 2026, betegnelse: SOM}}", lambda ue: ue.semester >= Semester(2026, Terminkode.SOM)),
        ("{terminkoder: [{arstall: 2026, betegnelse: HOST}]}", lambda ue: ue.semester == HOST_2026),
        (
            "{terminkoder: [{arstall: 2026, betegnelse: HOST}, {arstall: 2026, betegnelse: SOM}]}",
            lambda ue: ue.semester in (HOST_2026, Semester(2026, Terminkode.SOM)),
        ),
        (f'{{terminer: ["{AUTUMN}"]}}', lambda ue: ue.semester == HOST_2026),
        ("{terminnumre: [2, 3]}", lambda ue: ue.terminnummer in (2, 3)),
        (
            "{skalEksporteresTilLms: true, terminnumre: [2], termin: {arstall: 2027, betegnelse: VAR}}",
            lambda ue: ue.skal_eksporteres and ue.terminnummer == 2 and ue.semester > HOST_2026,
        ),
    ],
)
def test_teaching_is_filtered(given: str, wanted: Callable[[Undervisningsenhet], bool]) -> None:
    members = f"undervisningsenheter(first: 100, filter: {given}) {{ nodes {{ id }} }}"
    rows = [ue["id"] for emne in rows_of("emnerV2", members, "") for ue in emne["undervisningsenheter"]["nodes"]]

    assert sorted(rows) == sorted(
        keys.UNDERVISNINGSENHET.node_id(184, ue)
        for emne in UNIVERSITY.emner
        for ue in emne.undervisningsenheter
        if wanted(ue)
    )


@pytest.mark.parametrize("exported", [True, False])
def test_activities_are_filtered(exported: bool) -> None:
    flag = "true" if exported else "false"
    members = (
        "undervisningsenheter(first: 100) { nodes { undervisningsaktiviteter(first: 100, "
        f"filter: {{skalEksporteresTilLms: {flag}}}) {{ nodes {{ kode }} }} }} }}"
    )
    found = [
        ua["kode"]
        for emne in rows_of("emnerV2", members, 'emnekoder: ["TRE300"]')
        for ue in emne["undervisningsenheter"]["nodes"]
        for ua in ue["undervisningsaktiviteter"]["nodes"]
    ]

    assert found == (["SEM", "SEM-1", "SEM-1A"] if exported else ["SEM-2"])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", lambda program: program.er_aktiv),
        ("erAktiv: [false]", lambda program: not program.er_aktiv),
        ("skalEksporteresTilLms: false", lambda program: program.er_aktiv and not program.skal_eksporteres),
        ('studieprogramkodeStartsWith: "ÅR"', lambda program: program.kode.startswith("ÅR")),
        ('studieprogramnavnContains: "LANG HISTORIE"', lambda program: program.kode == "MA-MANGE"),
    ],
)
def test_programmes_are_filtered(given: str, wanted: Callable[[Any], bool]) -> None:
    rows = rows_of("studieprogramV2", "kode", given)

    assert sorted(row["kode"] for row in rows) == sorted(
        program.kode for program in UNIVERSITY.studieprogram if wanted(program)
    )


def kull_years(arguments: str, field: str = "kullV2") -> list[int]:
    members = f"{field}(first: 100{arguments}) {{ nodes {{ terminV2 {{ arstall }} }} }}"
    (program,) = rows_of("studieprogramV2", members, 'studieprogramkodeStartsWith: "MA-MANGE"')
    return [kull["terminV2"]["arstall"] for kull in program[field]["nodes"]]


def test_kull_v2_leaves_inactive_kull_out_unless_asked_and_kull_does_not() -> None:
    everything = list(range(2015, 2027))

    assert kull_years("") == [year for year in everything if year != 2021]
    assert kull_years(", filter: {}") == [year for year in everything if year != 2021]
    assert kull_years(", filter: {erAktiv: [true, false]}") == everything
    assert kull_years(", filter: {erAktiv: false}") == [2021]
    assert kull_years("", "kull") == everything


def test_kull_are_filtered_by_the_term_they_began_in() -> None:
    assert kull_years(f', filter: {{terminer: ["{AUTUMN}"]}}') == [2026]


def test_kull_come_in_descending_order_of_years_when_asked() -> None:
    assert kull_years(", orderBy: {orderByField: ARSTALL, direction: DESC}")[:2] == [2026, 2025]


def test_klasser_are_filtered_by_lists_of_flags() -> None:
    def count(given: str) -> int:
        members = f"kullV2(first: 100) {{ nodes {{ klasser(first: 100, filter: {given}) {{ nodes {{ id }} }} }} }}"
        return sum(
            len(kull["klasser"]["nodes"])
            for program in rows_of("studieprogramV2", members, "")
            for kull in program["kullV2"]["nodes"]
        )

    klasser = [
        klasse
        for program in UNIVERSITY.studieprogram
        if program.er_aktiv
        for kull in program.kull
        if kull.er_aktiv
        for klasse in kull.klasser
    ]
    assert count("{erAktiv: [true, false]}") == len(klasser)
    assert count("{}") == sum(klasse.er_aktiv for klasse in klasser)
    assert count("{skalEksporteresTilLms: [false]}") == sum(
        klasse.er_aktiv and not klasse.skal_eksporteres for klasse in klasser
    )


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", lambda _kurs: True),
        ("erAktiv: true", lambda kurs: kurs.er_aktiv),
        ("erAktiv: false", lambda kurs: not kurs.er_aktiv),
        ("skalEksporteresTilLms: true", lambda kurs: kurs.skal_eksporteres),
        ('tjenestenummerForLms: "1"', lambda kurs: kurs.tjenestenummer == "1"),
        ('tidsangivelse: "2026 høst"', lambda kurs: kurs.tidsangivelse == "2026 høst"),
        ("rapporteringsar: 2026", lambda kurs: kurs.periode.fra.year == 2026),
        (
            'tilbysInnenforPeriode: {fraDato: "2026-12-01"}',
            lambda kurs: kurs.periode.til is None or kurs.periode.til.isoformat() >= "2026-12-01",
        ),
        (
            'tilbysInnenforPeriode: {tilDato: "2026-08-20"}',
            lambda kurs: kurs.periode.fra.isoformat() <= "2026-08-20",
        ),
    ],
)
def test_evu_courses_are_filtered(given: str, wanted: Callable[[EvuKurs], bool]) -> None:
    rows = rows_of("evuKurs", "kode tidsangivelseskode", given)

    assert sorted((row["kode"], row["tidsangivelseskode"]) for row in rows) == sorted(
        (kurs.kode, kurs.tidsangivelse) for kurs in UNIVERSITY.evukurs if wanted(kurs)
    )


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("arstall: [2026]", [(2026, "HØST"), (2026, "SOM"), (2026, "VÅR")]),
        (
            f'arstall: [2026, 2027], terminbetegnelser: ["{keys.encode_id(117, (184, "HØST"))}"]',
            [(2026, "HØST"), (2027, "HØST")],
        ),
    ],
)
def test_terms_are_filtered(given: str, wanted: list[tuple[int, str]]) -> None:
    rows = rows_of("terminer", "arstall betegnelse { kode }", given)

    assert [(row["arstall"], row["betegnelse"]["kode"]) for row in rows] == wanted


def test_a_term_has_its_days_where_fs_knows_them() -> None:
    rows = rows_of("terminer", "betegnelse { kode } studiesemesterPeriode { fraDato tilDato }", "arstall: [2026]")

    assert {row["betegnelse"]["kode"]: row["studiesemesterPeriode"] for row in rows} == {
        "HØST": {"fraDato": "2026-08-10", "tilDato": "2026-12-20"},
        "SOM": None,
        "VÅR": {"fraDato": "2026-01-02", "tilDato": "2026-06-30"},
    }


def test_a_terms_id_is_the_one_of_production() -> None:
    row = rows_of("terminer", "betegnelse { id }", "arstall: [2026]")[0]

    assert row["betegnelse"]["id"] == keys.encode_id(117, (184, "HØST"))
    assert keys.encode_id(117, (1627, "HØST")) == "MTE3OjE2MjcsSMOYU1Q"


@pytest.mark.parametrize(
    ("root", "given", "message"),
    [
        ("emnerV2", 'studienivaer: ["x"]', "The sandbox has no data to filter by studienivaer"),
        ("emnerV2", 'organisasjonenheterMedStudieansvar: ["x"]', "x is not a valid id"),
        ("emnerV2", f'organisasjonenheterMedStudieansvar: ["{AUTUMN}"]', f"{AUTUMN} is not a valid id"),
        ("evuKurs", 'tilbysInnenforPeriode: {fraDato: "soon"}', "soon is not a valid date"),
    ],
)
def test_a_filter_that_cannot_be_used_is_an_error_and_never_ignored(root: str, given: str, message: str) -> None:
    query = f'{{ {root}(filter: {{eierOrganisasjonskode: "184", {given}}}) {{ totalCount }} }}'

    assert FS.message(query) == message
