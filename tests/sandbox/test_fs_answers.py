"""Answers beyond the rows: feature flags, invalid documents, variables, what FS says of its members."""

from __future__ import annotations

import pytest

from sandbox.fs.service import BadRequestError
from tests.sandbox.fs_client import FsClient


@pytest.fixture(scope="module")
def fs() -> FsClient:
    return FsClient("demo")


def emner(members: str, given: str = "") -> str:
    return f'{{ emnerV2(first: 1, filter: {{eierOrganisasjonskode: "184" {given}}}) {{ nodes {{ kode {members} }} }} }}'


@pytest.mark.parametrize(
    ("flags", "visible"),
    [
        ("", {"stable"}),
        ("beta", {"stable", "beta"}),
        ("experimental", {"stable", "experimental"}),
        ("beta,experimental", {"stable", "beta", "experimental"}),
        ("beta, experimental", {"stable", "beta", "experimental"}),
        ("gamma", {"stable"}),
    ],
)
def test_a_member_exists_only_for_who_names_its_tier(fs: FsClient, flags: str, visible: set[str]) -> None:
    documents = {
        "stable": emner("versjonskode"),
        "beta": emner("tjenestenummerForLms"),
        "experimental": '{ terminer(first: 1, filter: {eierOrganisasjonskode: "184"}) { nodes { '
        "studiesemesterPeriode { fraDato } } } }",
    }

    assert {tier for tier, query in documents.items() if "data" in fs.ask(query, flags)} == visible


@pytest.mark.parametrize(
    ("flags", "valid"), [("", False), ("beta", False), ("experimental", True), ("beta,experimental", True)]
)
def test_a_filter_member_is_gated_too(fs: FsClient, flags: str, valid: bool) -> None:
    assert ("data" in fs.ask(emner("", ', tjenestenummerForLms: "1"'), flags)) is valid


def test_a_hidden_member_is_a_validation_error_and_not_a_null(fs: FsClient) -> None:
    answer = fs.ask(emner("tjenestenummerForLms"), flags="")

    assert list(answer) == ["errors"]
    assert answer["errors"][0]["extensions"] == {"classification": "ValidationError"}
    assert answer["errors"][0]["message"].startswith("Cannot query field 'tjenestenummerForLms' on type 'Emne'.")


def test_introspection_shows_what_the_flags_show(fs: FsClient) -> None:
    query = '{ __type(name: "Undervisningsenhet") { fields { name } } }'

    stable = [field["name"] for field in fs.data(query, flags="")["__type"]["fields"]]

    assert stable == ["emne", "id", "termin", "terminnummer", "undervisningenFolger"]
    assert "sisteTermin" in [field["name"] for field in fs.data(query)["__type"]["fields"]]


@pytest.mark.parametrize(
    "query",
    [
        emner("nosuchmember"),
        '{ emnerV2(filter: {eierOrganisasjonskode: "184"}, last: 3) { totalCount } }',
        "{ emnerV2 { totalCount } }",
        '{ emnerV2(filter: {eierInstitusjonsnummer: "184"}) { totalCount } }',
        "query($n: Int!) { emnerV2(first: $m) { totalCount } }",
    ],
)
def test_an_invalid_document_gets_errors_and_no_data(fs: FsClient, query: str) -> None:
    answer = fs.ask(query)

    assert "data" not in answer
    assert {error["extensions"]["classification"] for error in answer["errors"]} == {"ValidationError"}


def test_a_text_that_is_no_document_gets_a_syntax_error(fs: FsClient) -> None:
    (error,) = fs.ask("{ emnerV2(")["errors"]

    assert error["extensions"] == {"classification": "InvalidSyntax"}


def test_a_variable_of_the_wrong_type_is_an_error_of_the_request(fs: FsClient) -> None:
    query = 'query($n: Int) { emnerV2(first: $n, filter: {eierOrganisasjonskode: "184"}) { totalCount } }'

    answer = fs.ask(query, n="many")

    assert answer["data"] is None
    assert answer["errors"][0]["extensions"] == {"classification": "ValidationError"}


def test_the_operation_is_chosen_by_its_name(fs: FsClient) -> None:
    query = """query One { emnerV2(filter: {eierOrganisasjonskode: "184", emnekoder: ["0-5"]}) { totalCount } }
      query Two { terminer(filter: {eierOrganisasjonskode: "184", arstall: [2026]}) { totalCount } }"""

    assert fs.ask(query, operation="Two")["data"] == {"terminer": {"totalCount": 3}}
    assert "errors" in fs.ask(query)


def test_members_can_be_renamed_and_taken_from_fragments(fs: FsClient) -> None:
    query = """query { found: emnerV2(filter: {eierOrganisasjonskode: "184", emnekoder: ["VERS100"]}) { ...Rows } }
      fragment Rows on QueryEmneConnection { rows: nodes { __typename version: versjonskode } }"""

    assert fs.data(query) == {
        "found": {"rows": [{"__typename": "Emne", "version": "1"}, {"__typename": "Emne", "version": "2"}]}
    }


@pytest.mark.parametrize(
    "body", [[], "text", {}, {"query": 1}, {"query": "{}", "variables": []}, {"query": "{}", "operationName": 1}]
)
def test_a_body_that_is_no_request_is_refused(fs: FsClient, body: object) -> None:
    with pytest.raises(BadRequestError):
        fs._service.answer(body, "2026", "")


def test_one_undervisningsenhet_says_all_the_mapping_needs(fs: FsClient) -> None:
    query = """{ emnerV2(filter: {eierOrganisasjonskode: "184", emnekoder: ["FLER300"]}) { nodes {
      kode versjonskode navnAlleSprak { nb nn en nob } tjenestenummerForLms
      studieansvarligOrganisasjonsenhet { instituttnummer parent { instituttnummer fakultet { fakultetsnummer } } }
      undervisningsenheter(filter: {terminnumre: [3], termin: {arstall: 2027, betegnelse: VAR}}) { nodes {
        lmsRomkode terminnummer skalEksporteresTilLms termin { arstall betegnelse { kode } }
        sisteTermin { arstall terminkode } undervisningenFolger { kode }
      } } } } }"""

    assert fs.data(query)["emnerV2"]["nodes"] == [
        {
            "kode": "FLER300",
            "versjonskode": "1",
            "navnAlleSprak": {
                "nb": "Emne over flere terminer",
                "nn": None,
                "en": None,
                "nob": "Emne over flere terminer",
            },
            "tjenestenummerForLms": "1",
            "studieansvarligOrganisasjonsenhet": {
                "instituttnummer": "1",
                "parent": {"instituttnummer": "0", "fakultet": {"fakultetsnummer": "11"}},
            },
            "undervisningsenheter": {
                "nodes": [
                    {
                        "lmsRomkode": None,
                        "terminnummer": 3,
                        "skalEksporteresTilLms": True,
                        "termin": {"arstall": year, "betegnelse": {"kode": code}},
                        "sisteTermin": {"arstall": year, "terminkode": code},
                        "undervisningenFolger": None,
                    }
                    for year, code in ((2027, "HØST"), (2027, "VÅR"))
                ]
            },
        }
    ]


def test_an_activity_tells_its_place_in_the_tree(fs: FsClient) -> None:
    query = """{ emnerV2(filter: {eierOrganisasjonskode: "184", emnekoder: ["TRE300"]}) { nodes {
      undervisningsenheter { nodes { undervisningsaktiviteter { nodes {
        kode partinummer undervisningsform { kode } parent { kode parent { kode } } } } } } } } }"""
    (emne,) = fs.data(query)["emnerV2"]["nodes"]
    (ue,) = emne["undervisningsenheter"]["nodes"]

    assert [(ua["kode"], ua["partinummer"], ua["parent"]) for ua in ue["undervisningsaktiviteter"]["nodes"]] == [
        ("SEM", None, None),
        ("SEM-1", "1", {"kode": "SEM", "parent": None}),
        ("SEM-1A", "1", {"kode": "SEM-1", "parent": {"kode": "SEM"}}),
        ("SEM-2", "2", {"kode": "SEM", "parent": None}),
    ]
