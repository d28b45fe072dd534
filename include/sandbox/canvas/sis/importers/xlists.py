"""xlists.csv (reference/canvas.md §5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.objects import CourseState
from sandbox.canvas.sis.importers.run import RowRejected
from sandbox.canvas.table import CanvasRefusal

if TYPE_CHECKING:
    from sandbox.canvas.objects import Course, Section
    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row


def import_xlist(row: Row, run: ImportRun) -> bool:
    """Cross-list a section into a course or bring it home; it pays no heed to skip_deletes."""
    xlist_course_id, section_id = row.get("xlist_course_id"), row.get("section_id")
    if not xlist_course_id:
        raise RowRejected("No xlist_course_id given for a cross-listing")
    if not section_id:
        raise RowRejected("No section_id given for a cross-listing")
    status = row.get("status") or ""
    if status.lower() not in ("active", "deleted"):
        raise RowRejected(f'Improper status "{status}" for a cross-listing')
    section = run.canvas.sections.by_sis_id(section_id)
    if section is None:
        raise RowRejected(f"A cross-listing referenced a non-existent section {section_id}")
    course = run.canvas.courses.by_sis_id(xlist_course_id)
    if not run.canvas.may_move(section, run.by):
        return False
    try:
        if status.lower() == "active":
            _crosslist(section, course or _copy(section, xlist_course_id, run), run)
        elif course is None or section.course_id == course.id:
            run.canvas.uncrosslist(section, run.by)
    except CanvasRefusal as refusal:
        article = "An active" if status.lower() == "active" else "A deleted"
        raise RowRejected(f"{article} cross-listing failed: {refusal}") from refusal
    return True


def _crosslist(section: Section, course: Course, run: ImportRun) -> None:
    if course.is_deleted:
        run.canvas.update_course(course, {"workflow_state": CourseState.CLAIMED}, run.by)
    run.canvas.crosslist(section, course, run.by)


def _copy(section: Section, xlist_course_id: str, run: ImportRun) -> Course:
    """A target that does not exist is made like the section's own course, and follows it from then on."""
    home = run.canvas.courses[section.nonxlist_course_id or section.course_id]
    return run.canvas.create_course(
        run.by,
        name=home.name,
        course_code=home.course_code,
        account_id=home.account_id,
        term_id=home.term_id,
        sis_id=xlist_course_id,
        start_at=home.start_at,
        end_at=home.end_at,
        restrict_enrollments_to_course_dates=home.restrict_enrollments_to_course_dates,
        templated_by=home.id,
    )
