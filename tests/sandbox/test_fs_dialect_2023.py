"""The source document's queries, their defects mended, against the 2023 dialect."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.sandbox.fs_client import FsClient

UNITS = """
query organisasjonsenheter($inst: String!, $after: String) {
  organisasjonsenheter(
    first: 1000, after: $after
    filter: {eierInstitusjonsnummer: $inst, institusjonsnummer: $inst, skalEksporteresTilLms: true, erAktiv: true}
  ) {
    nodes {
      instituttnummer fakultet { navn { nob eng nno } fakultetsnummer } lmsRomkode
      navnAlleSprak { nob nno eng } gruppenummer organisasjon { organisasjonskode navn { nob eng nno } }
    }
    pageInfo { endCursor hasNextPage }
  }
}"""

EMNER = """
query emneHierarki($inst: String!, $aar: Int!, $termin: EmneIkkeUtloptITerminTerminbetegnelse!, $after: String) {
  emner(
    filter: {eierInstitusjonsnummer: $inst, ikkeUtloptITermin: {arstall: $aar, terminbetegnelse: $termin}}
    first: 1000 after: $after
  ) { ...QueryEmneConnectionFragment }
}
fragment QueryEmneConnectionFragment on QueryEmneConnection {
  nodes {
    id kode versjonskode navnAlleSprak { nob eng nno }
    sprakvalg { tilbysSomUndervisningssprak sprak { iso6392Kode } }
    organisasjonsenhet { studieAnsvarlig {
      navnAlleSprak { nob } fakultet { navn { nob } fakultetsnummer }
      organisasjon { organisasjonskode navn { nob eng nno } } gruppenummer instituttnummer
    } }
  }
  pageInfo { endCursor hasNextPage }
}"""

PROGRAMMES = """
query studieprogramKullKlassHierarki($inst: String!, $after: String) {
  studieprogram(
    filter: {eierInstitusjonsnummer: $inst, skalEksporteresTilLms: true, erAktiv: true} first: 1000 after: $after
  ) {
    nodes {
      kode lmsRomkode
      personroller {
        gyldighetsperiode { fraDato tilDato }
        fsRolle { imsRolle kode navn { eng lmsNavn nno nob } erAktiv }
        aktiv
      }
      organisasjonsenhet { studieansvarlig {
        lmsRomkode instituttnummer organisasjon { organisasjonskode navn { nob eng nno } } gruppenummer
        fakultet { fakultetsnummer navn { eng nno nob } } navnAlleSprak { eng nno nob } skalEksporteresTilLms erAktiv
      } }
      navnAlleSprak { eng nno nob }
      kull(aktiv: true) {
        lmsRomkode navnAlleSprak { en no } skalEksporteresTilLms
        termin { arstall betegnelse { kode navnAlleSprak { en nb nn } } } tjenestenummerForLms erAktiv
        klasser(erAktiv: true, skalEksporteresTilLms: true) {
          kode lmsRomkode skalEksporteresTilLms erAktiv navnAlleSprak { und }
        }
      }
      skalEksporteresTilLms skalPubliseres
    }
    pageInfo { endCursor hasNextPage startCursor }
    totalCount
  }
}"""

EVU = """
query EtterutdanningsKursAktivitet($inst: String!, $after: String) {
  evuKurs(
    filter: {eierInstitusjonsnummer: $inst, skalEksporteresTilLms: true, erAktiv: true} first: 1000 after: $after
  ) {
    nodes {
      kurskode skalEksporteresTilLms tidsangivelseskode erAktiv navnAlleSprak { eng nno nob }
      kursperiode { fraDato tilDato } tjenestenummerForLms lmsRomkode
      administrativtAnsvarligEnhet {
        erAktiv skalEksporteresTilLms navnAlleSprak { eng nno nob } lmsRomkode instituttnummer gruppenummer
        fakultet { navn { eng nno nob } fakultetsnummer } organisasjon { organisasjonskode navn { nob eng nno } }
      }
    }
    pageInfo { endCursor hasNextPage }
  }
}"""

TEACHING = """
query undervisning($inst: String!, $aar: Int!, $termin: EmneIkkeUtloptITerminTerminbetegnelse!, $after: String) {
  emner(
    filter: {eierInstitusjonsnummer: $inst, ikkeUtloptITermin: {arstall: $aar, terminbetegnelse: $termin}}
    first: 1000 after: $after
  ) { ...Undervisning }
}
fragment Undervisning on QueryEmneConnection {
  nodes {
    id kode versjonskode navnAlleSprak { nob eng nno }
    sprakvalg { tilbysSomUndervisningssprak sprak { iso6392Kode } }
    tjenestenummerForLms
    undervisningsenheter(filter: {skalEksporteresTilLms: true}) {
      lmsRomkode terminnummer termin { arstall betegnelse { kode } }
      undervisningsaktiviteter {
        kode navnAlleSprak { nob nno eng } terminnummer skalEksporteresTilLms lmsRomkode
      }
      undervisningenFolgesAv { kode navnAlleSprak { nob nno eng } }
      undervisningenFolger { kode navnAlleSprak { nob eng nno } }
    }
    organisasjonsenhet { studieAnsvarlig {
      gruppenummer instituttnummer fakultet { fakultetsnummer navn { eng nno nob } }
      organisasjon { organisasjonskode } skalEksporteresTilLms navnAlleSprak { eng nno nob }
    } }
  }
  pageInfo { endCursor hasNextPage }
}"""

SINGLE = """
query singleEmne($inst: String!, $emneKode: [String!], $after: String) {
  emner(filter: {eierInstitusjonsnummer: $inst, emnekoder: $emneKode} first: 1000 after: $after) {
    nodes {
      kode versjonskode tjenestenummerForLms
      undervisningsenheter { terminnummer termin { arstall betegnelse { kode navnAlleSprak { en nb } } } }
    }
    pageInfo { endCursor hasNextPage }
  }
}"""

TERM: dict[str, Any] = {"aar": 2026, "termin": "HOST"}
TEST_EMNE_CURSOR = "MjA6MTIzNCwxMjM0LExNUyBURVNURU1ORSwx"


@pytest.fixture(scope="module")
def fs() -> FsClient:
    return FsClient("demo", "2023")


def plain(node_id: str) -> str:
    return base64.urlsafe_b64decode(node_id + "=" * (-len(node_id) % 4)).decode()


def the_one(rows: list[dict[str, Any]], **wanted: str) -> dict[str, Any]:
    (row,) = [row for row in rows if wanted.items() <= row.items()]
    return row


def test_units_come_with_their_numbers_and_names(fs: FsClient) -> None:
    rows = fs.data(UNITS, inst="184")["organisasjonsenheter"]["nodes"]

    assert rows[0] == {
        "instituttnummer": "0",
        "fakultet": {
            "navn": {
                "nob": "Universitetet i Havnsund",
                "eng": "University of Havnsund",
                "nno": "Universitetet i Havnsund",
            },
            "fakultetsnummer": "0",
        },
        "lmsRomkode": None,
        "navnAlleSprak": {
            "nob": "Universitetet i Havnsund",
            "nno": "Universitetet i Havnsund",
            "eng": "University of Havnsund",
        },
        "gruppenummer": "0",
        "organisasjon": {
            "organisasjonskode": "184",
            "navn": {
                "nob": "Universitetet i Havnsund",
                "eng": "University of Havnsund",
                "nno": "Universitetet i Havnsund",
            },
        },
    }


def test_closed_and_hidden_units_are_filtered_away(fs: FsClient) -> None:
    rows = fs.data(UNITS, inst="184")["organisasjonsenheter"]["nodes"]
    wanted = [unit for unit in fs.world.university.enheter if unit.er_aktiv and unit.skal_eksporteres]

    assert len(rows) == len(wanted) < len(fs.world.university.enheter)


def test_emner_come_with_their_study_responsible_unit(fs: FsClient) -> None:
    emne = the_one(fs.data(EMNER, inst="184", **TERM)["emner"]["nodes"], kode="ÅPN100")

    assert emne["navnAlleSprak"] == {"nob": "Emnet ÅPN100", "nno": "Emnet ÅPN100", "eng": "Course ÅPN100"}
    assert emne["sprakvalg"] == [{"tilbysSomUndervisningssprak": True, "sprak": {"iso6392Kode": "nob"}}]
    unit = emne["organisasjonsenhet"]["studieAnsvarlig"]
    assert (unit["fakultet"]["fakultetsnummer"], unit["instituttnummer"], unit["gruppenummer"]) == ("11", "1", "0")


def test_an_expired_emne_is_left_out(fs: FsClient) -> None:
    codes = [emne["kode"] for emne in fs.data(EMNER, inst="184", **TERM)["emner"]["nodes"]]

    assert "GAMMEL100" not in codes
    assert "GAMMEL100" in [
        emne["kode"] for emne in fs.data(EMNER, inst="184", aar=2025, termin="HOST")["emner"]["nodes"]
    ]


def test_programmes_nest_kull_and_klasser_without_pages(fs: FsClient) -> None:
    program = the_one(fs.data(PROGRAMMES, inst="184")["studieprogram"]["nodes"], kode="MA-MANGE")

    assert len(program["kull"]) == 11  # twelve, one inactive
    assert [len(kull["klasser"]) for kull in program["kull"]].count(12) == 1
    kull = program["kull"][0]
    assert kull["termin"] == {
        "arstall": 2015,
        "betegnelse": {"kode": "HØST", "navnAlleSprak": {"en": "Autumn", "nb": "Høst", "nn": "Haust"}},
    }
    assert kull["klasser"] == [
        {
            "kode": "A",
            "lmsRomkode": None,
            "skalEksporteresTilLms": True,
            "erAktiv": True,
            "navnAlleSprak": {"und": "Klasse A"},
        }
    ]


def test_a_programmes_roles_name_no_person(fs: FsClient) -> None:
    program = the_one(fs.data(PROGRAMMES, inst="184")["studieprogram"]["nodes"], kode="BA-MAT")

    assert program["personroller"][-1] == {
        "gyldighetsperiode": {"fraDato": "2025-08-01", "tilDato": None},
        "fsRolle": {
            "imsRolle": "ADMINISTRATOR",
            "kode": "STUDIEKONS",
            "navn": {"eng": "Adviser", "lmsNavn": "Studieadm.", "nno": "Studiekonsulent", "nob": "Studiekonsulent"},
            "erAktiv": True,
        },
        "aktiv": True,
    }


def test_a_role_that_is_over_is_not_active(fs: FsClient) -> None:
    programmes = fs.data(PROGRAMMES, inst="184")["studieprogram"]["nodes"]
    roles = [role for program in programmes for role in program["personroller"]]

    assert {(role["gyldighetsperiode"]["tilDato"], role["aktiv"]) for role in roles} == {
        ("2025-07-31", False),
        (None, True),
    }


def test_an_evu_course_may_have_no_unit(fs: FsClient) -> None:
    kurs = the_one(fs.data(EVU, inst="184")["evuKurs"]["nodes"], kurskode="EVU/FELLES")

    assert kurs["administrativtAnsvarligEnhet"] is None
    assert kurs["kursperiode"] == {"fraDato": "2026-09-01", "tilDato": "2026-11-30"}


def test_teaching_nests_activities_without_pages(fs: FsClient) -> None:
    rows = fs.data(TEACHING, inst="184", **TERM)["emner"]["nodes"]

    assert len(the_one(rows, kode="MANGE100")["undervisningsenheter"]) == 13
    (ue,) = the_one(rows, kode="GRUPPE100")["undervisningsenheter"]
    assert len(ue["undervisningsaktiviteter"]) == 14
    assert ue["undervisningsaktiviteter"][0] == {
        "kode": "GR-1",
        "navnAlleSprak": {"nob": "Gruppe GR-1", "nno": None, "eng": "Group GR-1"},
        "terminnummer": 1,
        "skalEksporteresTilLms": True,
        "lmsRomkode": None,
    }


def test_teaching_tells_whom_it_follows_and_who_follows_it(fs: FsClient) -> None:
    rows = fs.data(TEACHING, inst="184", **TERM)["emner"]["nodes"]
    (ue,) = the_one(rows, kode="FØLG-B")["undervisningsenheter"]

    assert ue["undervisningenFolger"]["kode"] == "FØLG-C"
    assert [emne["kode"] for emne in ue["undervisningenFolgesAv"]] == ["FØLG-A"]


def test_one_emne_comes_with_all_its_versions(fs: FsClient) -> None:
    rows = fs.data(SINGLE, inst="184", emneKode=["VERS100"])["emner"]["nodes"]

    assert [(emne["kode"], emne["versjonskode"]) for emne in rows] == [("VERS100", "1"), ("VERS100", "2")]


def test_the_cursor_is_the_id_of_the_last_node(fs: FsClient) -> None:
    query = """{ emner(filter: {eierInstitusjonsnummer: "184"}, first: 3) {
        nodes { id kode versjonskode } pageInfo { endCursor } } }"""
    page = fs.data(query)["emner"]
    last = page["nodes"][-1]

    assert page["pageInfo"]["endCursor"] == last["id"]
    assert plain(last["id"]) == f"20:184,184,{last['kode']},{last['versjonskode']}"


def test_the_test_emne_has_the_id_the_source_document_knows(fs: FsClient) -> None:
    emne = the_one(fs.data(EMNER, inst="184", **TERM)["emner"]["nodes"], kode="LMS TESTEMNE")

    assert plain(emne["id"]) == "20:184,184,LMS TESTEMNE,1"
    assert plain(TEST_EMNE_CURSOR) == "20:1234,1234,LMS TESTEMNE,1"


def test_the_source_documents_fixed_cursor_skips_every_row_of_a_three_digit_institution(fs: FsClient) -> None:
    page = fs.data(EMNER, inst="184", after=TEST_EMNE_CURSOR, **TERM)["emner"]

    assert page == {"nodes": [], "pageInfo": {"endCursor": None, "hasNextPage": False}}


def test_the_misspelt_member_of_the_source_document_is_no_member(fs: FsClient) -> None:
    answer = fs.ask(UNITS.replace("institusjonsnummer:", "institusjonummer:"), inst="184")

    assert "data" not in answer
    assert "institusjonummer" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    "member", ["parent { instituttnummer }", "organisasjonsnivaa { kode }", "navnAlleSprak { nb }"]
)
def test_members_of_later_years_do_not_exist(fs: FsClient, member: str) -> None:
    query = f'{{ organisasjonsenheter(filter: {{eierInstitusjonsnummer: "184"}}) {{ nodes {{ {member} }} }} }}'

    assert "data" not in fs.ask(query)


def test_a_cursor_of_another_type_is_no_valid_id(fs: FsClient) -> None:
    unit = '{ organisasjonsenheter(filter: {eierInstitusjonsnummer: "184"}, after: "%s") { totalCount } }'

    assert fs.message(unit % TEST_EMNE_CURSOR) == f"{TEST_EMNE_CURSOR} is not a valid id"


def test_the_whole_walk_in_small_pages_gives_every_row_once(fs: FsClient) -> None:
    query = """query($after: String) { emner(filter: {eierInstitusjonsnummer: "184"}, first: 7, after: $after) {
        nodes { kode versjonskode } pageInfo { endCursor hasNextPage } } }"""
    pages = fs.walk(query, "emner")
    rows = [(emne["kode"], emne["versjonskode"]) for page in pages for emne in page]

    assert [len(page) for page in pages[:-1]] == [7] * (len(pages) - 1)
    assert len(rows) == len(set(rows)) == len(fs.world.university.emner)
