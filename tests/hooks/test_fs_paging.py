"""Paging: every way in which a page can be wrong, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.hooks.fs_operations import operation_named
from rosterflow.hooks.fs_paging import Page, Position, pages

UNITS = operation_named("organisasjonsenheter", "2026")
TEACHING = operation_named("undervisning", "2026")
PROGRAMMES = operation_named("studieprogram", "2026")


class Fs:
    """Answers with the given data in turn, and remembers what it was asked."""

    def __init__(self, *answers: Mapping[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def __call__(self, variables: Mapping[str, Any], where: str) -> Mapping[str, Any]:
        self.asked.append(dict(variables))
        return self.answers.pop(0)


def connection(*nodes: Any, then: str | None = None, **more: Any) -> dict[str, Any]:
    """One page of a connection; ``then`` is the cursor of the next."""
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": then is not None, "endCursor": then}, **more}


def units(*nodes: Any, then: str | None = None, **more: Any) -> dict[str, Any]:
    return {"organisasjonsenheter": connection(*nodes, then=then, **more)}


def unit(name: str) -> dict[str, Any]:
    return {"id": name}


def read_units(fs: Fs, page_size: int = 2) -> list[Page]:
    return list(pages(fs, UNITS, {"organisasjonskode": "184"}, Position(page_size)))


def failure_of(fs: Fs) -> tuple[Code, str]:
    with pytest.raises(RetryableError) as caught:
        read_units(fs)
    return caught.value.code, caught.value.message


def test_a_connection_is_paged_until_it_says_that_there_is_no_more() -> None:
    fs = Fs(units(unit("a"), unit("b"), then="B", totalCount=3), units(unit("c")))

    read = read_units(fs)

    assert read == [
        Page(1, [unit("a"), unit("b")], None, "B", 3, "organisasjonsenheter"),
        Page(2, [unit("c")], "B", None, None, "organisasjonsenheter"),
    ]


def test_the_total_is_asked_for_on_the_first_page_only() -> None:
    fs = Fs(units(unit("a"), then="A"), units(unit("b")))

    read_units(fs)

    assert fs.asked == [
        {"organisasjonskode": "184", "first": 2, "withTotal": True},
        {"organisasjonskode": "184", "first": 2, "withTotal": False, "after": "A"},
    ]


def test_a_full_page_is_not_taken_for_the_last_nor_a_short_one_for_the_end() -> None:
    fs = Fs(units(unit("a"), then="A"), units(unit("b"), unit("c")))

    assert [len(page.nodes) for page in read_units(fs)] == [1, 2]


def test_an_empty_first_page_is_a_page() -> None:
    assert read_units(Fs(units())) == [Page(1, [], None, None, None, "organisasjonsenheter")]


def test_a_null_node_is_handed_on_as_null() -> None:
    assert [page.nodes for page in read_units(Fs(units(unit("a"), None)))] == [[unit("a"), None]]


def test_the_reader_may_ask_for_smaller_pages_between_two_pages() -> None:
    fs = Fs(units(unit("a"), unit("b"), then="B"), units(unit("c")))
    position = Position(2)

    for _ in pages(fs, UNITS, {}, position):
        position.page_size = 1

    assert [asked["first"] for asked in fs.asked] == [2, 1]


def test_a_read_goes_on_from_a_kept_position() -> None:
    fs = Fs(units(unit("c")))

    read = list(pages(fs, UNITS, {}, Position(2, number=4, after="B", seen={"A", "B"})))

    assert (read[0].number, read[0].cursor, fs.asked[0]["after"]) == (5, "B", "B")


def test_a_cursor_that_comes_again_fails_the_read() -> None:
    fs = Fs(units(unit("a"), then="A"), units(unit("b"), then="B"), units(unit("a"), then="A"))

    assert failure_of(fs) == (
        Code.CURSOR_REPEATED,
        "organisasjonsenheter, page 3: the cursor of an earlier page came again.",
    )


def test_a_cursor_that_came_before_a_kill_fails_the_read_after_it() -> None:
    fs = Fs(units(unit("a"), then="A"))

    with pytest.raises(RetryableError) as caught:
        list(pages(fs, UNITS, {}, Position(2, number=2, after="B", seen={"A", "B"})))

    assert caught.value.code is Code.CURSOR_REPEATED


@pytest.mark.parametrize("info", [None, {}, {"hasNextPage": None, "endCursor": "A"}])
def test_a_page_without_page_info_fails_the_read(info: object) -> None:
    answer = {"organisasjonsenheter": {"nodes": [unit("a")], "pageInfo": info}}

    assert failure_of(Fs(answer)) == (Code.PAGE_INFO_MISSING, "organisasjonsenheter, page 1: pageInfo is missing.")


@pytest.mark.parametrize("cursor", [None, ""])
def test_a_next_page_without_a_cursor_to_it_fails_the_read(cursor: str | None) -> None:
    answer = {"organisasjonsenheter": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": cursor}}}

    assert failure_of(Fs(answer))[0] is Code.PAGE_INFO_MISSING


def test_a_page_whose_list_is_null_fails_the_read() -> None:
    answer = {"organisasjonsenheter": {"nodes": None, "pageInfo": {"hasNextPage": False, "endCursor": None}}}

    assert failure_of(Fs(answer)) == (Code.PARTIAL_RESPONSE, "organisasjonsenheter, page 1: nodes is null.")


def test_a_connection_that_is_null_fails_the_read() -> None:
    assert failure_of(Fs({"organisasjonsenheter": None}))[0] is Code.PARTIAL_RESPONSE


def test_more_rows_than_were_asked_for_fail_the_read() -> None:
    fs = Fs(units(unit("a"), unit("b"), unit("c")))

    assert failure_of(fs) == (
        Code.PAGE_TOO_LARGE,
        "organisasjonsenheter, page 1: 3 rows, and 2 were asked for.",
    )


# Nested connections


def emne(name: str, enheter: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "kode": f"KODE-{name}", "versjonskode": "1", "undervisningsenheter": enheter, **more}


def enhet(name: str, aktiviteter: Any) -> dict[str, Any]:
    termin = {"id": "t26h"}
    return {"id": name, "termin": termin, "terminnummer": 1, "undervisningsaktiviteter": aktiviteter}


def read_teaching(fs: Fs, page_size: int = 10, nested: int = 2) -> list[Page]:
    return list(pages(fs, TEACHING, {"nested": nested, "emnekoder": ["all"]}, Position(page_size)))


def emner(*nodes: Any, then: str | None = None) -> dict[str, Any]:
    return {"emnerV2": connection(*nodes, then=then)}


def test_a_nested_connection_is_paged_to_its_end_and_merged_into_its_row() -> None:
    empty = connection()
    fs = Fs(
        emner(emne("a", connection(enhet("1", empty), enhet("2", empty), then="c2"))),
        emner(emne("other version", connection(enhet("9", empty))), emne("a", connection(enhet("3", empty)))),
    )

    [page] = read_teaching(fs)

    done: dict[str, list[Any]] = {"nodes": []}
    assert page.nodes == [emne("a", {"nodes": [enhet("1", done), enhet("2", done), enhet("3", done)]})]
    assert page.gaps == ()
    assert fs.asked[1] == {
        "nested": 2,
        "emnekoder": ["KODE-a"],
        "first": 10,
        "withTotal": False,
        "afterUndervisningsenheter": "c2",
    }


def test_a_connection_two_levels_down_is_paged_through_both_rows_above_it() -> None:
    fs = Fs(
        emner(emne("a", connection(enhet("1", connection({"id": "x"}, {"id": "y"}, then="cy"))))),
        emner(emne("a", connection(enhet("1", connection({"id": "z"}))))),
    )

    [page] = read_teaching(fs)

    aktiviteter = {"nodes": [{"id": "x"}, {"id": "y"}, {"id": "z"}]}
    assert page.nodes == [emne("a", {"nodes": [enhet("1", aktiviteter)]})]
    assert fs.asked[1]["afterUndervisningsaktiviteter"] == "cy"
    assert (fs.asked[1]["terminer"], fs.asked[1]["terminnumre"]) == (["t26h"], [1])


def test_rows_that_arrive_by_following_up_have_their_own_rows_followed_up() -> None:
    fs = Fs(
        emner(emne("a", connection(enhet("1", connection()), then="c1"))),
        emner(emne("a", connection(enhet("2", connection({"id": "x"}, then="cx"))))),
        emner(emne("a", connection(enhet("2", connection({"id": "y"}))))),
    )

    [page] = read_teaching(fs)

    second = page.nodes[0]["undervisningsenheter"]["nodes"][1]
    assert second["undervisningsaktiviteter"] == {"nodes": [{"id": "x"}, {"id": "y"}]}


def test_a_row_behind_others_that_begin_alike_is_found_on_a_later_root_page() -> None:
    def program(name: str, kull: Any) -> dict[str, Any]:
        return {"id": name, "kode": "BA", "kullV2": kull}

    def programmes(*nodes: Any, then: str | None = None) -> dict[str, Any]:
        return {"studieprogramV2": connection(*nodes, then=then)}

    fs = Fs(
        programmes(program("BA", connection({"id": "k1", "klasser": connection()}, then="ck"))),
        programmes(program("BA-INF", connection()), then="p1"),
        programmes(program("BA", connection({"id": "k2", "klasser": connection()}))),
    )

    [page] = list(pages(fs, PROGRAMMES, {"nested": 1}, Position(1)))

    assert [kull["id"] for kull in page.nodes[0]["kullV2"]["nodes"]] == ["k1", "k2"]
    assert [asked.get("after") for asked in fs.asked] == [None, None, "p1"]


def test_a_row_that_is_not_found_again_leaves_a_gap_and_keeps_what_came_before() -> None:
    fs = Fs(emner(emne("a", connection(enhet("1", connection()), then="c1"))), emner())

    [page] = read_teaching(fs)

    assert [row["id"] for row in page.nodes[0]["undervisningsenheter"]["nodes"]] == ["1"]
    assert page.gaps == (
        "undervisning, page 1, undervisningsenheter: KODE-a 1 was not found again for the rest of its rows.",
    )


def test_a_row_without_a_code_cannot_be_followed_up_and_leaves_a_gap() -> None:
    fs = Fs(emner({**emne("a", connection(enhet("1", connection()), then="c1")), "kode": None}))

    [page] = read_teaching(fs)

    assert len(page.gaps) == 1
    assert len(fs.asked) == 1


def test_a_nested_connection_that_is_null_stays_null_and_leaves_a_gap() -> None:
    [page] = read_teaching(Fs(emner(emne("a", None))))

    assert page.nodes == [emne("a", None)]
    assert page.gaps == (
        "undervisning, page 1, undervisningsenheter: is null under KODE-a 1; what hangs there is unknown.",
    )


def test_null_rows_are_passed_over_at_every_level() -> None:
    fs = Fs(emner(None, emne("a", connection(None, enhet("1", connection(None))))))

    [page] = read_teaching(fs)

    assert page.nodes == [None, emne("a", {"nodes": [None, enhet("1", {"nodes": [None]})]})]


@pytest.mark.parametrize(
    ("nested", "code"),
    [
        ({"nodes": []}, Code.PAGE_INFO_MISSING),
        ({"nodes": None, "pageInfo": {"hasNextPage": False}}, Code.PARTIAL_RESPONSE),
        (connection({}, {}, {}), Code.PAGE_TOO_LARGE),
    ],
)
def test_a_nested_page_is_held_to_the_same_rules_as_a_root_page(nested: object, code: Code) -> None:
    with pytest.raises(RetryableError) as caught:
        read_teaching(Fs(emner(emne("a", nested))))

    assert caught.value.code is code


def test_a_nested_cursor_that_comes_again_fails_the_read() -> None:
    again = emner(emne("a", connection(enhet("1", connection()), then="c1")))

    with pytest.raises(RetryableError) as caught:
        read_teaching(Fs(again, again))

    assert caught.value.code is Code.CURSOR_REPEATED
