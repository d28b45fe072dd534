"""The Canvas state as a nested picture, for the sandbox's front page and its control interface."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sandbox.canvas import people

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.canvas.objects import Account, Course, Enrollment, Record, Section
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
        "admins": canvas.admins,
    }
    return {kind: sum(not row.is_deleted for row in table) for kind, table in tables.items()}


def enrollment_states(canvas: Canvas) -> dict[str, int]:
    """How many enrollments there are in each state, in alphabetical order."""
    return dict(sorted(Counter(str(enrollment.workflow_state) for enrollment in canvas.enrollments).items()))


def roster(canvas: Canvas, section_id: int) -> dict[str, Any] | None:
    """A section with its course and its people, by role and name; None when there is no such section."""
    section = canvas.sections.get(section_id)
    if section is None or section.is_deleted:
        return None
    enrollments = [row for row in canvas.enrollments.where("section_id", section.id) if not row.is_deleted]
    persons = [_person(canvas, enrollment) for enrollment in enrollments]
    course = canvas.courses[section.course_id]
    return {
        **_section_node(canvas, section),
        "course": {"name": course.name, "account_id": course.account_id},
        "people": sorted(persons, key=lambda person: (person["role"], person["sortable_name"].casefold())),
    }


def _person(canvas: Canvas, enrollment: Enrollment) -> dict[str, Any]:
    user = canvas.users[enrollment.user_id]
    login = next(iter(people.logins_of(canvas, user.id)), None)
    return {
        "name": user.name,
        "sortable_name": user.sortable_name,
        "sis_user_id": login.sis_id if login else None,
        "login": login.unique_id if login else None,
        "login_state": str(login.workflow_state) if login else "deleted",
        "role": role_word(canvas.roles[enrollment.role_id].name),
        "state": str(enrollment.workflow_state),
        "by_sis": enrollment.sis_batch_id is not None,
    }


def role_word(name: str) -> str:
    """A built-in role the way an import's file names it (StudentEnrollment → student); a custom one as it is."""
    return name.removesuffix("Enrollment").lower() if name.endswith("Enrollment") else name


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
    enrollments = [row for row in canvas.enrollments.where("section_id", section.id) if not row.is_deleted]
    roles = Counter(row.role_id for row in enrollments)
    return {
        "id": section.id,
        "name": section.name,
        "sis_section_id": section.sis_id,
        "cross_listed": section.nonxlist_course_id is not None,
        "enrollments": len(enrollments),
        "roles": {role_word(canvas.roles[role].name): number for role, number in sorted(roles.items())},
    }


def _sorted(nodes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(nodes, key=lambda node: (node["name"], node["id"]))
