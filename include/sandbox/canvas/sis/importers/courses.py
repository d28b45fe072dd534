"""courses.csv (reference/canvas.md §5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.objects import CourseState
from sandbox.canvas.sis.importers.run import RowRejected, parse_date, status_of
from sandbox.canvas.state import DEFAULT_TERM_ID, ROOT_ACCOUNT_ID
from sandbox.canvas.table import CanvasRefusal

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.canvas.objects import Account, Course, Term
    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row

STATUSES = ("active", "unpublished", "published", "completed", "deleted")
FORMATS = ("on_campus", "online", "blended", "not_set")
PASSBACK_SETTINGS = ("nightly_sync", "disabled", "not_set")
CLEAR = "<delete>"
DISSOCIATE = "dissociate"


def import_course(row: Row, run: ImportRun) -> bool:
    """Create, change, publish, conclude or delete a course; courses templated by it follow."""
    course_id = row.get("course_id")
    dates = _date_fields(row, run)
    if not course_id:
        raise RowRejected("No course_id given for a course")
    _check(row, course_id)
    course = run.canvas.courses.by_sis_id(course_id)
    account = _account(row, course_id, course, run)
    if (row["status"] or "").lower() == CourseState.DELETED and run.skip_deletes:
        return False
    if row.get("abstract_course_id"):
        run.warn(f"unknown abstract course id {row['abstract_course_id']}, ignoring abstract course reference")
    fields: dict[str, object] = {
        "name": row["long_name"],
        "course_code": row["short_name"],
        "account_id": account.id,
        "term_id": _term(row, course, run).id,
        "workflow_state": _state(row, course),
        "integration_id": row.get("integration_id"),
        **dates,
        **_choices(row),
        **_blueprint(row, course_id, course, run),
    }
    try:
        _write(course_id, course, fields, run)
    except CanvasRefusal as refusal:
        raise RowRejected(
            f"A course did not pass validation (course: {course_id} / {row['short_name']}, error: {refusal})"
        ) from refusal
    return True


def _write(course_id: str, course: Course | None, fields: dict[str, object], run: ImportRun) -> None:
    if course is None:
        run.canvas.create_course(run.by, sis_id=course_id, **fields)  # type: ignore[arg-type]
        return
    if course.stuck & {"dates"} and not run.by.override:
        fields.pop("restrict_enrollments_to_course_dates", None)
    run.canvas.update_course(course, fields, run.by)
    for copy in run.canvas.courses.where("templated_by", course.id):
        followed = ("name", "course_code", "account_id", "term_id", "start_at", "end_at")
        run.canvas.update_course(copy, {name: getattr(course, name) for name in followed}, run.by)


def _check(row: Row, course_id: str) -> None:
    for column in ("short_name", "long_name"):
        if not row.get(column):
            raise RowRejected(f"No {column} given for course {course_id}")
    if status_of(row, *STATUSES) is None:
        raise RowRejected(f'Improper status "{row.get("status") or ""}" for course {course_id}')
    for column, allowed in (("course_format", FORMATS), ("grade_passback_setting", PASSBACK_SETTINGS)):
        given = row.get(column)
        if given and given.lower() not in allowed:
            raise RowRejected(f'Invalid {column} "{given}" for course {course_id}')


def _account(row: Row, course_id: str, course: Course | None, run: ImportRun) -> Account:
    """The account the course is to lie in: the one named, its fallback, the one it has, the root account."""
    accounts = run.canvas.accounts
    given = row.get("account_id")
    account = accounts.by_sis_id(given) or accounts.by_sis_id(row.get("fallback_account_id"))
    if account is None and given:
        raise RowRejected(f'Account not found "{given}" for course {course_id}')
    if course and (account is None or ("account_id" in course.stuck and not run.by.override)):
        account = accounts[course.account_id]
    account = account or accounts[ROOT_ACCOUNT_ID]
    if account.is_deleted and status_of(row, *STATUSES) != CourseState.DELETED:
        raise RowRejected(
            f"Cannot restore course {course_id} because the associated account {account.sis_id or ''} is deleted"
        )
    return account


def _term(row: Row, course: Course | None, run: ImportRun) -> Term:
    term = run.canvas.terms.by_sis_id(row.get("term_id"))
    if term and not term.is_deleted:
        return term
    return run.canvas.terms[course.term_id if course else DEFAULT_TERM_ID]


def _state(row: Row, course: Course | None) -> CourseState:
    """The table of transitions; a status that only begins like a known one changes nothing."""
    current = CourseState(course.workflow_state) if course else CourseState.CREATED
    status = (row["status"] or "").lower()
    if status == "published":
        return CourseState.AVAILABLE
    if status in (CourseState.COMPLETED, CourseState.DELETED):
        return CourseState(status)
    if status not in ("active", "unpublished"):
        return current
    # CSV never un-publishes, and takes a concluded course back to where its people can work.
    published = (CourseState.AVAILABLE, CourseState.COMPLETED)
    return CourseState.AVAILABLE if current in published else CourseState.CLAIMED


def _date_fields(row: Row, run: ImportRun) -> dict[str, object]:
    """Blank keeps, `<delete>` clears, any date restricts enrollments to the course's dates."""
    given = {"start_at": row.get("start_date"), "end_at": row.get("end_date")}
    try:
        dates: dict[str, datetime | None] = {
            name: None if text == CLEAR else parse_date(text) for name, text in given.items() if text
        }
    except ValueError:
        run.warn(f"Bad date format for course {row.get('course_id') or ''}")
        return {}
    if any(dates.values()):
        return {**dates, "restrict_enrollments_to_course_dates": True}
    if len(dates) == len(given):
        return {**dates, "restrict_enrollments_to_course_dates": False}
    return dict(dates)


def _blueprint(row: Row, course_id: str, course: Course | None, run: ImportRun) -> dict[str, object]:
    """The blueprint to follow from now on; a name that is no blueprint's changes nothing."""
    given = row.get("blueprint_course_id")
    if given == DISSOCIATE:
        return {"blueprint_course_id": None}
    blueprint = run.canvas.courses.by_sis_id(given)
    if blueprint is None or not blueprint.blueprint:
        return {}
    if course and course.blueprint:
        run.warn(f'Cannot associate course "{course_id}" - is a blueprint course')
        return {}
    if course and course.blueprint_course_id not in (None, blueprint.id):
        run.warn(f'Cannot associate course "{course_id}" - is associated to another blueprint course')
        return {}
    return {"blueprint_course_id": blueprint.id}


def _choices(row: Row) -> dict[str, object]:
    chosen: dict[str, object] = {}
    if "course_format" in row:
        chosen["course_format"] = _unless_not_set(row["course_format"])
    if row.get("grade_passback_setting"):
        chosen["grade_passback_setting"] = _unless_not_set(row["grade_passback_setting"])
    return chosen


def _unless_not_set(text: str | None) -> str | None:
    return text.lower() if text and text.lower() != "not_set" else None
