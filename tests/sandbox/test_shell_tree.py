from __future__ import annotations

from typing import Any

from sandbox.tree import ENTRIES_ON_A_PAGE, ROWS_ON_A_PAGE, UNFOLDED_ROWS, path_to, search, tree_page

Node = dict[str, Any]


def course(number: int, sections: int = 1) -> Node:
    return {
        "id": number,
        "name": f"Course {number}",
        "course_code": f"C{number}",
        "sis_course_id": f"UE_{number}",
        "sections": [
            {"id": number * 10 + each, "name": f"Section {each}", "sis_section_id": f"UA_{number}_{each}"}
            for each in range(sections)
        ],
    }


def account(number: int, sub_accounts: list[Node] | None = None, courses: list[Node] | None = None) -> Node:
    return {
        "id": number,
        "name": f"Account {number}",
        "sis_account_id": f"A_{number}",
        "sub_accounts": sub_accounts or [],
        "courses": courses or [],
    }


def test_totals_count_everything_below() -> None:
    root = account(1, [account(2, [account(3, courses=[course(1, 2)])], [course(2)])], [course(3, 0)])
    top = tree_page(root).top
    assert (top.accounts, top.courses, top.sections) == (2, 3, 3)
    assert (top.sub_accounts[0].accounts, top.sub_accounts[0].courses, top.sub_accounts[0].sections) == (1, 2, 3)


def test_a_small_tree_is_shown_whole_and_unfolded() -> None:
    page = tree_page(account(1, [account(2, [account(3, courses=[course(1)])])]))
    (second,) = page.sub_accounts
    (third,) = second.sub_accounts
    assert [(each.is_filled, each.is_unfolded) for each in (second, third)] == [(True, True), (True, True)]
    assert (page.start, page.stop, page.count) == (0, 1, 1)


def test_what_is_more_than_a_screen_is_folded() -> None:
    crowded = account(2, courses=[course(number) for number in range(UNFOLDED_ROWS)])
    (branch,) = tree_page(account(1, [crowded])).sub_accounts
    assert (branch.is_filled, branch.is_unfolded) == (True, False)


def test_what_is_more_than_a_page_is_left_to_its_own_page_and_the_rest_is_shown() -> None:
    crowded = account(2, courses=[course(number, 0) for number in range(ROWS_ON_A_PAGE)])
    page = tree_page(account(1, [crowded, account(3, courses=[course(1)])]))
    assert [branch.is_filled for branch in page.sub_accounts] == [False, True]
    assert page.sub_accounts[0].courses == ROWS_ON_A_PAGE


def test_the_rows_of_a_page_stay_below_the_limit_in_a_big_canvas() -> None:
    faculties = [
        account(100 * f, [account(100 * f + i, courses=[course(i, 3) for _ in range(40)]) for i in range(1, 60)])
        for f in range(1, 5)
    ]
    page = tree_page(account(1, faculties))
    waiting, shown = list(page.sub_accounts), len(page.sub_accounts)
    while waiting:
        branch = waiting.pop()
        if branch.is_filled:
            shown += branch.direct_rows
            waiting += branch.sub_accounts
    assert 0.8 * ROWS_ON_A_PAGE < shown <= ROWS_ON_A_PAGE


def test_a_long_list_is_cut_into_pages_with_the_sub_accounts_first() -> None:
    wide = account(
        1,
        [account(number) for number in range(2, ENTRIES_ON_A_PAGE + 52)],
        [course(number) for number in range(300)],
    )
    pages = [tree_page(wide, start) for start in (0, ENTRIES_ON_A_PAGE, 2 * ENTRIES_ON_A_PAGE)]
    assert [(len(page.sub_accounts), len(page.courses)) for page in pages] == [(200, 0), (50, 150), (0, 150)]
    assert [(page.start, page.stop, page.count) for page in pages] == [
        (0, 200, 550),
        (200, 400, 550),
        (400, 550, 550),
    ]
    listed = [each["id"] for page in pages for each in page.courses]
    assert listed == list(range(300))


def test_the_path_leads_from_the_root_to_the_account() -> None:
    root = account(1, [account(2), account(3, [account(4)])])
    assert [each["id"] for each in path_to(root, 4)] == [1, 3, 4]
    assert path_to(root, 5) == []


def test_a_search_finds_names_codes_and_sis_ids_in_any_case_with_where_they_are() -> None:
    root = account(1, [account(2, courses=[{**course(7), "name": "Åpen Økonomi"}])])
    found = [(hit.kind, hit.node["id"], [each["id"] for each in hit.path]) for hit in search(root, "åpen ø")]
    assert found == [("course", 7, [1, 2])]
    assert [hit.kind for hit in search(root, "c7")] == ["course"]
    assert [(hit.kind, [each["id"] for each in hit.path]) for hit in search(root, "ua_7_0")] == [("section", [1, 2, 7])]
    assert [hit.node["id"] for hit in search(root, "a_2")] == [2]
    assert list(search(root, "nothing")) == []
