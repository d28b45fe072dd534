"""The list of an account's courses: its filters, its order and what `include[]` adds (reference/canvas.md §10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.canvas.http import ApiError
from sandbox.canvas.objects import CourseState, EnrollmentState
from sandbox.canvas.rest.accounts import descendants
from sandbox.canvas.rest.addressing import find_account, find_term
from sandbox.canvas.rest.fields import includes, text, texts, truth
from sandbox.canvas.rest.shapes import (
    UNPUBLISHED,
    account_json,
    course_json,
    section_json,
    term_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from sandbox.canvas.objects import Account, Course
    from sandbox.canvas.state import Canvas

SHORTEST_SEARCH = 3
STUDENT = "StudentEnrollment"

_BY_DEFAULT = [state for state in CourseState if state != CourseState.DELETED]


def listed_courses(request: Request, canvas: Canvas, account: Account) -> list[Course]:
    """The courses in the account and below that the request's filters let through, in its order.

    Filters: enrollment_term_id, state[], search_term, published, completed, with_enrollments,
    by_subaccounts[]. Raises ApiError 400 for a search term of fewer than three characters.
    """
    tops = [find_account(canvas, text_id) for text_id in texts(request, "by_subaccounts")] or [account]
    accounts = {row.id for top in tops for row in (top, *descendants(canvas, top))}
    conditions = _conditions(request, canvas)
    found = [
        course
        for account_id in accounts
        for course in canvas.courses.where("account_id", account_id)
        if all(condition(course) for condition in conditions)
    ]
    return sorted(found, key=_order(request, canvas), reverse=text(request, "order") == "desc")


def course_with_includes(request: Request, canvas: Canvas, course: Course, *, sis: bool) -> dict[str, Any]:
    """A course with what `include[]` asks for: term, account, sections, total_students, concluded."""
    shown = course_json(course, sis=sis)
    if includes(request, "term"):
        shown["term"] = term_json(canvas.terms[course.term_id], sis=sis)
    if includes(request, "account"):
        shown["account"] = account_json(canvas.accounts[course.account_id], sis=sis)
    if includes(request, "sections"):
        sections = canvas.sections.where("course_id", course.id)
        shown["sections"] = [section_json(canvas, row, sis=sis) for row in sections if not row.is_deleted]
    if includes(request, "total_students"):
        shown["total_students"] = len(_present(canvas, course, STUDENT))
    if includes(request, "concluded"):
        shown["concluded"] = is_concluded(canvas, course)
    return shown


def is_concluded(canvas: Canvas, course: Course) -> bool:
    """Whether it is over: completed, or past its own end or, without one of its own, its term's end (§11)."""
    if course.workflow_state == CourseState.COMPLETED:
        return True
    own_dates = course.restrict_enrollments_to_course_dates and course.end_at
    end = course.end_at if own_dates else canvas.terms[course.term_id].end_at
    return end is not None and end < canvas.now()


def _conditions(request: Request, canvas: Canvas) -> list[Callable[[Course], bool]]:
    states = texts(request, "state")
    wanted = list(CourseState) if "all" in states else states or _BY_DEFAULT
    conditions: list[Callable[[Course], bool]] = [lambda course: course.workflow_state in wanted]
    if term_id := text(request, "enrollment_term_id"):
        term = find_term(canvas, term_id)
        conditions.append(lambda course: course.term_id == term.id)
    if search := text(request, "search_term").casefold():
        if len(search) < SHORTEST_SEARCH:
            message = f"{SHORTEST_SEARCH} or more characters is required"
            raise ApiError(400, {"errors": [{"field": "search_term", "code": "invalid", "message": message}]})
        conditions.append(
            lambda course: any(
                search in part.casefold() for part in (course.name, course.course_code, course.sis_id or "")
            )
        )
    for name, holds in _flags(canvas).items():
        if value := text(request, name):
            conditions.append(_like(holds, truth(value)))
    return conditions


def _flags(canvas: Canvas) -> dict[str, Callable[[Course], bool]]:
    return {
        "published": lambda course: course.workflow_state not in UNPUBLISHED,
        "completed": lambda course: is_concluded(canvas, course),
        "with_enrollments": lambda course: bool(_present(canvas, course)),
    }


def _like(holds: Callable[[Course], bool], wanted: bool) -> Callable[[Course], bool]:
    return lambda course: holds(course) is wanted


def _present(canvas: Canvas, course: Course, kind: str | None = None) -> set[int]:
    present = (EnrollmentState.ACTIVE, EnrollmentState.INVITED)
    return {
        row.user_id
        for row in canvas.enrollments.where("course_id", course.id)
        if row.workflow_state in present and kind in (None, row.type)
    }


def _order(request: Request, canvas: Canvas) -> Callable[[Course], tuple[Any, ...]]:
    match text(request, "sort"):
        case "course_name":
            return lambda course: (course.name.casefold(), course.id)
        case "sis_course_id":
            return lambda course: (course.sis_id or "", course.id)
        case "account_name":
            return lambda course: (canvas.accounts[course.account_id].name.casefold(), course.id)
        case "term":
            return lambda course: (canvas.terms[course.term_id].name.casefold(), course.id)
        case _:
            return lambda course: (course.id,)
