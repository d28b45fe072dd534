"""Canvas's account tree as one page can show it: what to unfold, what to fold, what to leave to its own page."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Node = Mapping[str, Any]  # of Canvas.tree(): an account, a course or a section

ENTRIES_ON_A_PAGE = 200
ROWS_ON_A_PAGE = 1_000
UNFOLDED_ROWS = 60


@dataclass(slots=True, eq=False)
class Branch:
    """An account with all below it; the totals count that, the account itself left out.

    ``is_filled`` says that a page shows its content in place, not only on the account's own page; ``is_unfolded``,
    that the content is to be seen at once.
    """

    node: Node
    sub_accounts: list[Branch]
    accounts: int
    courses: int
    sections: int
    is_filled: bool = False
    is_unfolded: bool = False

    @property
    def direct_rows(self) -> int:
        """The rows it takes to show its content with every sub-account folded."""
        own_sections = sum(len(course["sections"]) for course in self.node["courses"])
        return len(self.sub_accounts) + len(self.node["courses"]) + own_sections


@dataclass(frozen=True, slots=True)
class TreePage:
    """A page about one account: the entries ``start`` (from 0) up to ``stop`` of ``count``, sub-accounts first."""

    top: Branch
    sub_accounts: list[Branch]
    courses: list[Node]
    start: int
    stop: int
    count: int


@dataclass(frozen=True, slots=True)
class Hit:
    """Something a search found, and the accounts (and for a section the course) it is in, outermost first."""

    kind: str
    node: Node
    path: tuple[Node, ...]


def path_to(root: Node, account_id: int) -> list[Node]:
    """The accounts from the root down to that one; empty when there is none of that id."""
    if root["id"] == account_id:
        return [root]
    for child in root["sub_accounts"]:
        if path := path_to(child, account_id):
            return [root, *path]
    return []


def tree_page(account: Node, start: int = 0) -> TreePage:
    """Lay out the page of an account whose entries are listed from ``start``."""
    top = _branch(account)
    stop = start + ENTRIES_ON_A_PAGE
    before_courses = len(top.sub_accounts)
    sub_accounts = top.sub_accounts[start:stop]
    courses = account["courses"][max(0, start - before_courses) : max(0, stop - before_courses)]
    _fill(sub_accounts, visible=len(sub_accounts) + len(courses))
    count = before_courses + len(account["courses"])
    return TreePage(top, sub_accounts, courses, start, min(stop, count), count)


def search(account: Node, text: str) -> Iterator[Hit]:
    """Whatever below an account has the text in its name, code or SIS id, in whatever case; top down."""
    wanted = text.casefold()
    return (hit for hit in _everything(account, ()) if wanted in _searchable(hit.node))


def _branch(account: Node) -> Branch:
    below = [_branch(child) for child in account["sub_accounts"]]
    return Branch(
        account,
        below,
        accounts=len(below) + sum(branch.accounts for branch in below),
        courses=len(account["courses"]) + sum(branch.courses for branch in below),
        sections=sum(len(course["sections"]) for course in account["courses"])
        + sum(branch.sections for branch in below),
    )


def _fill(branches: list[Branch], visible: int) -> None:
    """Mark what fits on a page as filled, and what fits on a screen as unfolded, those nearest the top first."""
    left = ROWS_ON_A_PAGE - visible
    waiting = deque(branches)
    while waiting:
        branch = waiting.popleft()
        if branch.direct_rows > left:
            continue
        branch.is_filled = True
        left -= branch.direct_rows
        entries = len(branch.sub_accounts) + len(branch.node["courses"])
        if visible + entries <= UNFOLDED_ROWS:
            branch.is_unfolded = True
            visible += entries
        waiting.extend(branch.sub_accounts)


def _everything(account: Node, above: tuple[Node, ...]) -> Iterator[Hit]:
    path = (*above, account)
    for child in account["sub_accounts"]:
        yield Hit("account", child, path)
        yield from _everything(child, path)
    for course in account["courses"]:
        yield Hit("course", course, path)
        for section in course["sections"]:
            yield Hit("section", section, (*path, course))


def _searchable(node: Node) -> str:
    fields = ("name", "course_code", "sis_account_id", "sis_course_id", "sis_section_id")
    return "\n".join(node.get(field) or "" for field in fields).casefold()
