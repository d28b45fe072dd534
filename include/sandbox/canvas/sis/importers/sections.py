"""sections.csv (reference/canvas.md §5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.objects import State
from sandbox.canvas.sis.importers.run import RowRejected, status_of
from sandbox.canvas.table import CanvasRefusal

if TYPE_CHECKING:
    from sandbox.canvas.objects import Course, Section
    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row


def import_section(row: Row, run: ImportRun) -> bool:
    """Create, change, move or delete a section; blank dates clear, a move takes the enrollments along."""
    section_id, course_id = row.get("section_id"), row.get("course_id")
    start_at, end_at = run.dates(row, f"Bad date format for section {section_id or ''}")
    if not section_id:
        raise RowRejected(f"No section_id given for a section in course {course_id or ''}")
    if not course_id:
        raise RowRejected(f"No course_id given for a section {section_id}")
    section = run.canvas.sections.by_sis_id(section_id)
    status = _checked_status(row, section)
    if status == State.DELETED and run.skip_deletes:
        return False
    course = run.canvas.courses.by_sis_id(course_id)
    if course is None:
        raise RowRejected(f"Section {section_id} references course {course_id} which doesn't exist")
    fields: dict[str, object] = {
        "name": row.get("name") or (section.name if section else section_id),
        "integration_id": row.get("integration_id"),
        "start_at": start_at,
        "end_at": end_at,
        "restrict_enrollments_to_section_dates": bool(start_at or end_at),
    }
    try:
        if section is None:
            fields |= {"sis_id": section_id, "course_id": course.id, "workflow_state": status}
            run.canvas.create_section(run.by, **fields)  # type: ignore[arg-type]
        else:
            _update(section, course, status, fields, run)
    except CanvasRefusal as refusal:
        raise RowRejected(
            f"A section did not pass validation (section: {section_id} / {fields['name']}, "
            f"course: {course_id}, error: {refusal})"
        ) from refusal
    return True


def _checked_status(row: Row, section: Section | None) -> str:
    status = status_of(row, State.ACTIVE, State.DELETED)
    section_id, course_id = row["section_id"], row["course_id"]
    if not row.get("name") and (section is None or status == State.ACTIVE):
        raise RowRejected(f"No name given for section {section_id} in course {course_id}")
    if status is None:
        raise RowRejected(f'Improper status "{row.get("status") or ""}" for section {section_id} in course {course_id}')
    return status


def _update(section: Section, course: Course, status: str, fields: dict[str, object], run: ImportRun) -> None:
    if "dates" in section.stuck and not run.by.override:
        del fields["restrict_enrollments_to_section_dates"]
    run.canvas.update_section(section, fields, run.by)
    _move(section, course, status, run)
    if status == State.DELETED:
        run.canvas.delete_section(section, run.by)
    else:
        run.canvas.update_section(section, {"workflow_state": State.ACTIVE}, run.by)


def _move(section: Section, course: Course, status: str, run: ImportRun) -> None:
    """Follow the row's course, except out of a living cross-listing whose home the row names."""
    canvas = run.canvas
    if section.course_id == course.id:
        return
    if section.nonxlist_course_id is None:
        canvas.update_section(section, {"course_id": course.id}, run.by)
        return
    target_is_gone = canvas.courses[section.course_id].is_deleted and status == State.ACTIVE
    if section.nonxlist_course_id != course.id or target_is_gone:
        canvas.uncrosslist(section, run.by)
        canvas.update_section(section, {"course_id": course.id}, run.by)
