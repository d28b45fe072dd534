"""Pages of the 2026 dialect: sizes, cursors, order, and what happens when rows change between two pages."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sandbox.fs import keys
from sandbox.fs.keys import Key
from sandbox.university.day_of_change import play
from sandbox.university.generate import generate
from sandbox.university.model import Emne, Navn
from tests.sandbox.fs_client import FsClient

EMNER = """query Emner($first: Int, $after: String, $order: QueryEmnerOrderByInput) {
  emnerV2(filter: {eierOrganisasjonskode: "184"}, first: $first, after: $after, orderBy: $order) {
    nodes { kode versjonskode }
    edges { cursor node { kode } }
    pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
    totalCount
  }
}"""


@pytest.fixture(scope="module")
def fs() -> FsClient:
    return FsClient("demo")


def decoded(cursor: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


def encoded(columns: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(columns).encode()).decode().rstrip("=")


def codes(connection: dict[str, Any]) -> list[str]:
    return [node["kode"] for node in connection["nodes"]]


def with_emner(*rows: tuple[str, str]) -> FsClient:
    client = FsClient("emner=0,undervises=0,vanskelig=0")
    client.world.university.emner += [Emne(kode, version, Navn(kode), None) for kode, version in rows]
    return client


def test_a_root_page_holds_a_hundred_rows_unless_told() -> None:
    many = FsClient("emner=150,undervises=0")

    connection = many.data('{ emnerV2(filter: {eierOrganisasjonskode: "184"}) { nodes { id } totalCount } }')["emnerV2"]

    assert len(connection["nodes"]) == 100
    assert connection["totalCount"] > 150


def test_a_null_page_size_is_the_default() -> None:
    many = FsClient("emner=150,undervises=0")

    assert len(many.data(EMNER, first=None)["emnerV2"]["nodes"]) == 100


def test_a_page_is_silently_cut_at_a_thousand_rows() -> None:
    many = FsClient("emner=1100,undervises=0")

    connection = many.data(EMNER, first=5000)["emnerV2"]

    assert len(connection["nodes"]) == 1000
    assert connection["pageInfo"]["hasNextPage"] is True


def test_nested_pages_hold_ten_rows_unless_told(fs: FsClient) -> None:
    query = """{ emnerV2(filter: {eierOrganisasjonskode: "184", emnekoder: ["MANGE100", "GRUPPE100"]}) { nodes {
        kode undervisningsenheter { totalCount nodes { undervisningsaktiviteter { nodes { kode } totalCount
          pageInfo { hasNextPage } } } pageInfo { hasNextPage } } } } }"""

    groups, many = fs.data(query)["emnerV2"]["nodes"]

    (activities,) = [ue["undervisningsaktiviteter"] for ue in groups["undervisningsenheter"]["nodes"]]
    assert (len(activities["nodes"]), activities["totalCount"], activities["pageInfo"]) == (
        10,
        14,
        {"hasNextPage": True},
    )
    assert (len(many["undervisningsenheter"]["nodes"]), many["undervisningsenheter"]["totalCount"]) == (10, 13)


def test_nested_rows_are_paged_to_the_end_by_their_own_cursor(fs: FsClient) -> None:
    query = """query($after: String) {
      emnerV2(filter: {eierOrganisasjonskode: "184", emnekoder: ["MANGE100"]}) { nodes {
        undervisningsenheter(after: $after) { nodes { termin { arstall betegnelse { kode } } }
          pageInfo { endCursor hasNextPage } } } } }"""
    (first,) = fs.data(query)["emnerV2"]["nodes"]
    (second,) = fs.data(query, after=first["undervisningsenheter"]["pageInfo"]["endCursor"])["emnerV2"]["nodes"]
    terms = [
        (ue["termin"]["betegnelse"]["kode"], ue["termin"]["arstall"])
        for page in (first, second)
        for ue in page["undervisningsenheter"]["nodes"]
    ]

    assert terms == [("HØST", year) for year in range(2020, 2027)] + [("VÅR", year) for year in range(2021, 2027)]
    assert second["undervisningsenheter"]["pageInfo"]["hasNextPage"] is False


def test_the_cursor_is_base64url_of_the_sort_columns(fs: FsClient) -> None:
    connection = fs.data(EMNER, first=3)["emnerV2"]
    last = connection["nodes"][-1]

    assert decoded(connection["pageInfo"]["endCursor"]) == [184, 184, last["kode"], last["versjonskode"]]
    assert "=" not in connection["pageInfo"]["endCursor"]
    assert [edge["node"]["kode"] for edge in connection["edges"]] == codes(connection)
    assert connection["edges"][-1]["cursor"] == connection["pageInfo"]["endCursor"]
    assert connection["edges"][0]["cursor"] == connection["pageInfo"]["startCursor"]


def test_a_klasse_cursor_has_the_columns_seen_in_production(fs: FsClient) -> None:
    query = """{ studieprogramV2(filter: {eierOrganisasjonskode: "184", studieprogramkodeStartsWith: "BA-TVILLING"}) {
        nodes { kullV2 { nodes { klasser(first: 1) { pageInfo { endCursor } } } } } } }"""
    (program,) = fs.data(query)["studieprogramV2"]["nodes"]
    (kull,) = program["kullV2"]["nodes"]

    assert decoded(kull["klasser"]["pageInfo"]["endCursor"]) == [184, "BA-TVILLING", "HØST", 2026, "A"]


@pytest.mark.parametrize("size", [1, 7, 59, 60, 1000])
def test_walking_gives_every_row_once_in_order_whatever_the_page(fs: FsClient, size: int) -> None:
    rows = [(node["kode"], node["versjonskode"]) for page in fs.walk(EMNER, "emnerV2", first=size) for node in page]

    assert rows == [(node["kode"], node["versjonskode"]) for node in fs.data(EMNER, first=1000)["emnerV2"]["nodes"]]
    assert len(set(rows)) == len(fs.world.university.emner)


def test_the_last_page_says_so_and_paging_backwards_is_never_offered(fs: FsClient) -> None:
    total = len(fs.world.university.emner)
    info = fs.data(EMNER, first=total)["emnerV2"]["pageInfo"]

    assert (info["hasNextPage"], info["hasPreviousPage"]) == (False, False)
    after = fs.data(EMNER, first=10, after=info["endCursor"])["emnerV2"]
    assert after["nodes"] == []
    assert after["pageInfo"] == {
        "startCursor": None,
        "endCursor": None,
        "hasNextPage": False,
        "hasPreviousPage": False,
    }


def test_norwegian_letters_come_after_z_in_their_own_order() -> None:
    client = with_emner(("ÅR", "1"), ("ZOO", "1"), ("ØRE", "1"), ("ÆRE", "1"), ("ALF", "1"), ("alf", "1"))

    assert codes(client.data(EMNER)["emnerV2"]) == ["ALF", "alf", "ZOO", "ÆRE", "ØRE", "ÅR"]


def test_version_codes_sort_as_texts_and_unit_numbers_as_numbers(fs: FsClient) -> None:
    client = with_emner(("X", "10"), ("X", "9"), ("X", "1"))
    units = fs.data("""{ organisasjonsenheter(filter: {eierOrganisasjonskode: "184", erAktiv: [true, false]}) {
        nodes { instituttnummer fakultet { fakultetsnummer } } } }""")["organisasjonsenheter"]["nodes"]
    numbers = [(int(unit["fakultet"]["fakultetsnummer"]), int(unit["instituttnummer"])) for unit in units]

    assert [node["versjonskode"] for node in client.data(EMNER)["emnerV2"]["nodes"]] == ["1", "10", "9"]
    assert numbers == sorted(numbers)


def test_a_cursor_stands_where_its_row_stood_although_the_row_is_gone() -> None:
    client = with_emner(("A", "1"), ("B", "1"), ("C", "1"), ("D", "1"))
    after = client.data(EMNER, first=2)["emnerV2"]["pageInfo"]["endCursor"]
    university = client.world.university
    university.emner[:] = [emne for emne in university.emner if emne.kode != "B"]
    university.revision += 1

    assert codes(client.data(EMNER, first=2, after=after)["emnerV2"]) == ["C", "D"]


def test_a_row_inserted_before_the_cursor_during_a_walk_is_missed() -> None:
    client = with_emner(("A", "1"), ("C", "1"), ("D", "1"))
    after = client.data(EMNER, first=2)["emnerV2"]["pageInfo"]["endCursor"]
    client.world.university.emner.append(Emne("B", "1", Navn("B"), None))
    client.world.university.revision += 1

    assert codes(client.data(EMNER, first=2, after=after)["emnerV2"]) == ["D"]


@pytest.mark.parametrize(
    "cursor",
    ["garbage", "æ", "", encoded("text"), encoded([184, "A", "1"]), encoded([184, "184", "A", "1"]), encoded({"a": 1})],
)
def test_a_cursor_that_does_not_fit_is_an_error_in_fs_words(fs: FsClient, cursor: str) -> None:
    answer = fs.ask(EMNER, after=cursor)

    assert answer == {
        "errors": [
            {
                "message": f"Ugyldig verdi/format på token brukt til paginering (after): '{cursor}'",
                "locations": [{"line": 2, "column": 3}],
                "path": ["emnerV2"],
                "extensions": {"classification": "DataFetchingException"},
            }
        ],
        "data": {"emnerV2": None},
    }


def test_another_order_puts_its_column_first_in_the_cursor(fs: FsClient) -> None:
    order = {"orderByField": "STEDKODE", "direction": "ASC"}
    connection = fs.data(EMNER, first=1, order=order)["emnerV2"]
    pages = fs.walk(EMNER, "emnerV2", first=13, order=order)

    assert decoded(connection["pageInfo"]["endCursor"])[:3] == [0, 0, 0]
    assert sum(map(len, pages)) == len(fs.world.university.emner)


def test_the_descending_order_is_the_ascending_one_reversed(fs: FsClient) -> None:
    ascending, descending = (
        [node for page in fs.walk(EMNER, "emnerV2", first=9, order=order) for node in page]
        for order in (
            {"orderByField": "EMNEKODE", "direction": "ASC"},
            {"orderByField": "EMNEKODE", "direction": "DESC"},
        )
    )

    assert descending == ascending[::-1]
    assert len(ascending) == len(fs.world.university.emner)


def test_an_order_without_data_is_an_error(fs: FsClient) -> None:
    order = {"orderByField": "EMNETYPEKODE", "direction": "ASC"}

    assert fs.message(EMNER, order=order) == "The sandbox has no data to order by EMNETYPEKODE"


def test_no_rows_are_asked_for_with_zero_and_less_is_an_error(fs: FsClient) -> None:
    none = fs.data(EMNER, first=0)["emnerV2"]

    assert (none["nodes"], none["pageInfo"]["hasNextPage"]) == ([], True)
    assert fs.message(EMNER, first=-1) == "first must not be negative, was -1"


def test_another_institution_has_no_rows_in_any_order(fs: FsClient) -> None:
    foreign = EMNER.replace('"184"', '"185"')
    order = {"orderByField": "EMNEKODE", "direction": "ASC"}

    assert fs.data(foreign, order=order)["emnerV2"]["nodes"] == []
    assert len(fs.data(EMNER, first=1000, order=order)["emnerV2"]["nodes"]) == len(fs.world.university.emner)


@pytest.mark.parametrize("number", ["184", "0184", "00184"])
def test_the_institution_number_may_be_padded(fs: FsClient, number: str) -> None:
    assert fs.data(EMNER.replace('"184"', f'"{number}"'), first=1)["emnerV2"]["nodes"]


def test_rows_changed_by_a_day_are_seen_by_the_next_request() -> None:
    client = FsClient("demo")
    before = {node["kode"] for node in client.data(EMNER, first=1000)["emnerV2"]["nodes"]}
    play(client.world.university)
    after = {node["kode"] for node in client.data(EMNER, first=1000)["emnerV2"]["nodes"]}

    assert len(before - after) == 1


@pytest.mark.parametrize("size", ["small", "demo", "full"])
def test_no_two_rows_have_the_same_key_so_that_no_page_can_lose_one(size: str) -> None:
    university = generate(1, size, 2026, "HOST")
    teaching = [ue for emne in university.emner for ue in emne.undervisningsenheter]
    kull = [kull for program in university.studieprogram for kull in program.kull]
    rows: list[tuple[Key[Any], list[Any]]] = [
        (keys.ORGANISASJONSENHET, university.enheter),
        (keys.EMNE, university.emner),
        (keys.UNDERVISNINGSENHET, teaching),
        (keys.UNDERVISNINGSAKTIVITET, [ua for ue in teaching for ua in ue.aktiviteter]),
        (keys.STUDIEPROGRAM, university.studieprogram),
        (keys.KULL, kull),
        (keys.KLASSE, [klasse for each in kull for klasse in each.klasser]),
        (keys.EVU_KURS, university.evukurs),
    ]

    assert [len({key.columns(184, row) for row in each}) for key, each in rows] == [len(each) for _, each in rows]
