"""Builders for the tests of SIS imports: a Canvas, CSVs, and an import run to its end without a server."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.canvas.objects import EnrollmentState, Write
from sandbox.canvas.sis.batch import BatchState, SisBatch
from sandbox.canvas.sis.importing import Import
from sandbox.canvas.state import Canvas
from sandbox.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.canvas.objects import Course, Enrollment, Section

START = datetime(2026, 8, 3, 2, 0, tzinfo=UTC)

ACCOUNTS = "account_id,parent_account_id,name,status"
TERMS = "term_id,name,status,start_date,end_date"
COURSES = "course_id,short_name,long_name,account_id,term_id,status"
SECTIONS = "section_id,course_id,name,status"
XLISTS = "xlist_course_id,section_id,status"


class Clock:
    """A clock that moves one second at each look."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def new_canvas() -> Canvas:
    """A Canvas with a clock of its own and no faults."""
    return Canvas(faults=Faults(), now=Clock())


def csv_of(header: str, *rows: str) -> str:
    """A CSV with that header and those rows, as they stand."""
    return "\n".join((header, *rows)) + "\n"


def zip_of(files: Mapping[str, str | bytes]) -> bytes:
    """A zip with those members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def queued(canvas: Canvas, filename: str, body: bytes, **flags: Any) -> SisBatch:
    """A batch as the create route queues it."""
    now = canvas.now()
    number = len(canvas.sis_batches) + 1
    batch = SisBatch(
        id=number, account_id=1, user_id=1, created_at=now, updated_at=now, filename=filename, body=body, **flags
    )
    canvas.sis_batches[number] = batch
    return batch


def run_zip(canvas: Canvas, files: Mapping[str, str | bytes], **flags: Any) -> SisBatch:
    """Import a zip of those files to its end, in this thread."""
    batch = queued(canvas, "import.zip", zip_of(files), **flags)
    batch.workflow_state = BatchState.IMPORTING
    Import(canvas, batch).run()
    return batch


def run_csv(canvas: Canvas, header: str, *rows: str, **flags: Any) -> SisBatch:
    """Import one CSV to its end, in this thread."""
    return run_zip(canvas, {"file.csv": csv_of(header, *rows)}, **flags)


def messages(batch: SisBatch) -> list[tuple[int | None, str]]:
    """Row number and text of every message, in order."""
    return [(error.row, error.message) for error in batch.errors]


def warnings(batch: SisBatch) -> list[str]:
    """The texts of the warnings, in order."""
    return [error.message for error in batch.errors if not error.failure]


def counts(batch: SisBatch) -> dict[str, int]:
    """What is not zero in data.counts."""
    return {name: number for name, number in batch.data["counts"].items() if number}


def course(canvas: Canvas, sis_id: str) -> Course:
    """The course with that SIS id."""
    found = canvas.courses.by_sis_id(sis_id)
    assert found is not None
    return found


def section(canvas: Canvas, sis_id: str) -> Section:
    """The section with that SIS id."""
    found = canvas.sections.by_sis_id(sis_id)
    assert found is not None
    return found


def enrolled(canvas: Canvas, into: Section, state: EnrollmentState = EnrollmentState.ACTIVE) -> Enrollment:
    """An invented student in that section."""
    by = run_write()
    user = canvas.create_user(by, name="Kari Konstruert", unique_id=f"kari{len(canvas.users)}@sandbox.example")
    (role,) = canvas.roles.where("name", "StudentEnrollment")
    return canvas.create_enrollment(by, user=user, section=into, role=role, state=state)


def run_write() -> Write:
    """A write that leaves no trace in stickiness."""
    return Write(override=True)


def with_course(canvas: Canvas, *sections: str, status: str = "active") -> None:
    """Courses K1 and K2 in the root account; K1 gets sections of those ids."""
    run_zip(
        canvas,
        {
            "courses.csv": csv_of(COURSES, f"K1,K1,Kurs en,,,{status}", f"K2,K2,Kurs to,,,{status}"),
            "sections.csv": csv_of(SECTIONS, *(f"{name},K1,Gruppe {name},active" for name in sections)),
        },
    )
