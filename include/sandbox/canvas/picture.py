"""The Canvas state as a nested picture, for the sandbox's front page and its control interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.canvas.objects import Account, Course, Record, Section
    from sandbox.canvas.state import Canvas


def counts(canvas: Canvas) -> dict[str, int]:
    """How many records of each kind are not deleted."""
    tables: dict[str, Iterable[Record]] = {
        "accounts": canvas.accounts,
        "terms": canvas.terms,
        "courses": canvas.courses,
        "sections": canvas.sections,
        "users": canvas.users,
        "enrollments": canvas.enrollments,
    }
    return {kind: sum(not row.is_deleted for row in table) for kind, table in tables.items()}


def account_node(canvas: Canvas, account: Account) -> dict[str, Any]:
    """An account with everything below it that is not deleted, sorted by name."""
    children = canvas.accounts.where("parent_account_id", account.id)
    courses = canvas.courses.where("account_id", account.id)
    return {
        "id": account.id,
        "name": account.name,
        "sis_account_id": account.sis_id,
        "sub_accounts": _sorted(account_node(canvas, child) for child in children if not child.is_deleted),
        "courses": _sorted(_course_node(canvas, course) for course in courses if not course.is_deleted),
    }


def _course_node(canvas: Canvas, course: Course) -> dict[str, Any]:
    sections = canvas.sections.where("course_id", course.id)
    return {
        "id": course.id,
        "name": course.name,
        "course_code": course.course_code,
        "sis_course_id": course.sis_id,
        "workflow_state": str(course.workflow_state),
        "term": canvas.terms[course.term_id].name,
        "sections": _sorted(_section_node(canvas, section) for section in sections if not section.is_deleted),
    }


def _section_node(canvas: Canvas, section: Section) -> dict[str, Any]:
    enrollments = canvas.enrollments.where("section_id", section.id)
    return {
        "id": section.id,
        "name": section.name,
        "sis_section_id": section.sis_id,
        "cross_listed": section.nonxlist_course_id is not None,
        "enrollments": sum(not enrollment.is_deleted for enrollment in enrollments),
    }


def _sorted(nodes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(nodes, key=lambda node: (node["name"], node["id"]))
