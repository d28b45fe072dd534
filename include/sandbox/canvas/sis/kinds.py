"""The types of SIS files: how a header tells them apart, in which order they are imported and how they are counted.

Source: reference/canvas.md §2.5, §3.3 and §3.4. Institutional tags are left out: a root account knows them only with
a feature that this one does not have, and then their headers are not recognised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Headers = frozenset[str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of file: `name` as in supplied_batches, `plural` as in counts, and the rule for its header."""

    name: str
    plural: str
    recognises: Callable[[Headers], bool]


def _all(*columns: str) -> Callable[[Headers], bool]:
    return frozenset(columns).issubset


def _any(*columns: str) -> Callable[[Headers], bool]:
    return lambda headers: not headers.isdisjoint(columns)


_EXISTING_USER = ("existing_user_id", "existing_integration_id", "existing_canvas_user_id")


def _is_abstract_course(headers: Headers) -> bool:
    return {"abstract_course_id", "short_name"} <= headers and "course_id" not in headers


def _is_user(headers: Headers) -> bool:
    return {"user_id", "login_id"} <= headers and headers.isdisjoint(_EXISTING_USER)


def _is_enrollment(headers: Headers) -> bool:
    return not (
        headers.isdisjoint(("section_id", "course_id")) or headers.isdisjoint(("user_id", "user_integration_id"))
    )


KINDS = (
    Kind("change_sis_id", "change_sis_ids", _any("old_id", "old_integration_id")),
    Kind("account", "accounts", _all("account_id", "parent_account_id")),
    Kind("term", "terms", _all("term_id", "name")),
    Kind("abstract_course", "abstract_courses", _is_abstract_course),
    Kind("course", "courses", _all("course_id", "short_name")),
    Kind("section", "sections", _all("section_id", "name")),
    Kind("xlist", "xlists", _all("xlist_course_id", "section_id")),
    Kind("user", "users", _is_user),
    Kind("login", "logins", _any(*_EXISTING_USER)),
    Kind("enrollment", "enrollments", _is_enrollment),
    Kind("admin", "admins", _all("account_id", "user_id")),
    Kind("group_category", "group_categories", _all("group_category_id", "category_name")),
    Kind("differentiation_tag_set", "differentiation_tag_sets", _all("tag_set_id", "set_name")),
    Kind("group", "groups", _all("group_id", "name")),
    Kind("differentiation_tag", "differentiation_tags", _all("tag_id", "name")),
    Kind("group_membership", "group_memberships", _all("group_id", "user_id")),
    Kind("differentiation_tag_membership", "differentiation_tag_memberships", _all("tag_id", "user_id")),
    Kind(
        "grade_publishing_results",
        "grade_publishing_results",
        _all("enrollment_id", "grade_publishing_status"),
    ),
    Kind("user_observer", "user_observers", _all("observer_id", "student_id")),
)
"""In the order in which headers are tried, which is also the order in which types are imported."""

COUNTED = (
    "change_sis_ids",
    "accounts",
    "terms",
    "abstract_courses",
    "courses",
    "sections",
    "xlists",
    "users",
    "logins",
    "enrollments",
    "admins",
    "group_categories",
    "differentiation_tag_sets",
    "groups",
    "differentiation_tags",
    "group_memberships",
    "differentiation_tag_memberships",
    "institutional_tag_categories",
    "institutional_tags",
    "institutional_tag_associations",
    "grade_publishing_results",
    "user_observers",
    "error_count",
    "warning_count",
)
"""The keys of `data.counts`."""


def kind_of(header: Iterable[str]) -> Kind | None:
    """The type of a file with that header row, or None; padding and case do not matter here."""
    headers = frozenset(cell.strip().lower() for cell in header)
    return next((kind for kind in KINDS if kind.recognises(headers)), None)
