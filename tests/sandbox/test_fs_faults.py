"""What FS does wrong on demand."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.sandbox.fs_client import FsClient

EMNER = """query Emner($first: Int = 10, $after: String) {
  emnerV2(filter: {eierOrganisasjonskode: "184"}, first: $first, after: $after) {
    nodes {
      id kode versjonskode studieansvarligOrganisasjonsenhet { instituttnummer }
      undervisningsenheter(first: 5) { nodes { id } pageInfo { endCursor hasNextPage } totalCount } }
    pageInfo { endCursor hasNextPage } totalCount
  }
}"""
TERMS = """query Terms { terminer(filter: {eierOrganisasjonskode: "184"}) { nodes { id } totalCount } }"""
LOGGED = re.compile(r"An exception occurred\. The error has been logged with id [0-9a-f-]{36}\.")


@pytest.fixture
def fs() -> FsClient:
    return FsClient("demo")


def ids(pages: list[list[Any]]) -> list[str]:
    return [node["id"] for page in pages for node in page]


def test_a_partial_error_empties_one_member_of_one_row_and_says_where(fs: FsClient) -> None:
    fs.break_("partial_error")

    answer = fs.ask(EMNER)

    (error,) = answer["errors"]
    assert LOGGED.fullmatch(error["message"])
    assert error["path"] == ["emnerV2", "nodes", 5, "undervisningsenheter"]
    assert error["extensions"] == {"classification": "DataFetchingException"}
    broken = [node for node in answer["data"]["emnerV2"]["nodes"] if node["undervisningsenheter"] is None]
    assert broken == [answer["data"]["emnerV2"]["nodes"][5]]


def test_a_request_can_fail_whole_with_errors_only(fs: FsClient) -> None:
    fs.break_("errors_only")

    answer = fs.ask(EMNER)

    assert answer["data"] is None
    assert LOGGED.fullmatch(answer["errors"][0]["message"])


def test_a_repeated_cursor_sends_the_reader_in_a_circle(fs: FsClient) -> None:
    fs.break_("repeated_cursor")
    first = fs.data(EMNER)["emnerV2"]
    after = first["pageInfo"]["endCursor"]

    second = fs.data(EMNER, after=after)["emnerV2"]

    assert second["pageInfo"] == {"endCursor": after, "hasNextPage": True}
    assert second["nodes"] != first["nodes"]


def test_a_dropped_page_is_missing_though_the_walk_ends_well(fs: FsClient) -> None:
    whole = ids(fs.walk(EMNER, "emnerV2"))
    fs.break_("drop_page", after=1)

    assert ids(fs.walk(EMNER, "emnerV2")) == whole[:10] + whole[20:]


def test_a_dropped_last_page_leaves_an_empty_one(fs: FsClient) -> None:
    fs.break_("drop_page")

    page = fs.data(EMNER, first=100)["emnerV2"]

    assert (page["nodes"], page["pageInfo"]["hasNextPage"], page["totalCount"]) == ([], False, 60)


def test_a_node_can_be_null_even_where_the_schema_forbids_it(fs: FsClient) -> None:
    fs.break_("null_node")

    answer = fs.ask(EMNER)

    assert "errors" not in answer
    assert [place for place, node in enumerate(answer["data"]["emnerV2"]["nodes"]) if node is None] == [5]


def test_the_list_of_nodes_can_be_null(fs: FsClient) -> None:
    fs.break_("null_list")

    assert fs.data(EMNER)["emnerV2"]["nodes"] is None


def test_page_info_can_be_missing(fs: FsClient) -> None:
    fs.break_("no_page_info")

    assert fs.data(EMNER)["emnerV2"]["pageInfo"] is None


@pytest.mark.parametrize(("kind", "claimed"), [("total_count_high", 68), ("total_count_null", None)])
def test_the_total_can_be_wrong_or_missing(fs: FsClient, kind: str, claimed: int | None) -> None:
    fs.break_(kind)

    assert fs.data(EMNER)["emnerV2"]["totalCount"] == claimed
    assert fs.data(EMNER)["emnerV2"]["totalCount"] == 60


def test_a_page_can_hold_more_than_was_asked(fs: FsClient) -> None:
    fs.break_("bigger_page")

    assert len(fs.data(EMNER)["emnerV2"]["nodes"]) == 20


@pytest.mark.parametrize("match", ["Terms", "terminer", "Terms terminer"])
def test_a_fault_strikes_the_operation_or_the_field_it_names(fs: FsClient, match: str) -> None:
    fs.break_("null_list", match=match)

    assert fs.data(EMNER)["emnerV2"]["nodes"]
    assert fs.data(TERMS)["terminer"]["nodes"] is None
    assert fs.data(TERMS)["terminer"]["nodes"]


@pytest.mark.parametrize("dialect", ["2026", "2023"])
def test_both_dialects_can_be_broken(dialect: str) -> None:
    fs = FsClient("small", dialect)
    root, owner = {"2026": ("emnerV2", "eierOrganisasjonskode"), "2023": ("emner", "eierInstitusjonsnummer")}[dialect]
    fs.break_("drop_page")

    query = f'{{ {root}(first: 3, filter: {{{owner}: "184"}}) {{ nodes {{ kode }} totalCount }} }}'

    assert fs.data(query)[root] != fs.data(query)[root]


def test_nested_pages_are_left_alone_unless_a_fault_names_them(fs: FsClient) -> None:
    fs.break_("total_count_null", count=None)

    nodes = fs.data(EMNER)["emnerV2"]["nodes"]

    assert all(node["undervisningsenheter"]["totalCount"] is not None for node in nodes)


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("no_page_info", {"pageInfo": None}),
        ("total_count_null", {"totalCount": None}),
        ("drop_page", {"nodes": []}),
    ],
)
def test_a_nested_page_is_broken_by_the_name_of_its_member(fs: FsClient, kind: str, seen: dict[str, Any]) -> None:
    fs.break_(kind, match="Emne.undervisningsenheter")

    taught = fs.data(EMNER)["emnerV2"]["nodes"]

    assert seen.items() <= taught[0]["undervisningsenheter"].items()
    assert not seen.items() <= taught[1]["undervisningsenheter"].items() or kind == "drop_page"


def test_after_counts_root_pages(fs: FsClient) -> None:
    fs.break_("total_count_null", after=2)

    totals = [fs.data(EMNER)["emnerV2"]["totalCount"] for _ in range(4)]

    assert totals == [60, 60, None, 60]
