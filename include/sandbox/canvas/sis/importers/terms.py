"""terms.csv (reference/canvas.md §5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.objects import State
from sandbox.canvas.sis.importers.run import RowRejected, status_of
from sandbox.canvas.table import CanvasRefusal

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.canvas.objects import Term
    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row

Dates = tuple["datetime | None", "datetime | None"]

OVERRIDABLE = ("StudentEnrollment", "TeacherEnrollment", "TaEnrollment", "DesignerEnrollment")


def import_term(row: Row, run: ImportRun) -> bool:
    """Create, change or delete a term, or set its dates for one enrollment type; blank dates clear."""
    term_id = row.get("term_id")
    dates = run.dates(row, f"Bad date format for term {term_id or ''}")
    if not term_id:
        raise RowRejected("No term_id given for a term")
    status = status_of(row, State.ACTIVE, State.DELETED)
    if status is None:
        raise RowRejected(f'Improper status "{row.get("status") or ""}" for term {term_id}')
    term = run.canvas.terms.by_sis_id(term_id)
    override_type = row.get("date_override_enrollment_type")
    if override_type:
        return _import_override(term, override_type, status, dates, run)
    name = row.get("name")
    if not name:
        raise RowRejected(f"No name given for term {term_id}")
    if status == State.DELETED and run.skip_deletes:
        return False
    fields = {
        "name": name,
        "integration_id": row.get("integration_id"),
        "start_at": dates[0],
        "end_at": dates[1],
        "workflow_state": status,
    }
    try:
        if term is None:
            run.canvas.create_term(run.by, sis_id=term_id, **fields)  # type: ignore[arg-type]
        else:
            run.canvas.update_term(term, fields, run.by)
    except CanvasRefusal as refusal:
        raise RowRejected(f"A term did not pass validation (term: {term_id} / {name}, error: {refusal})") from refusal
    return True


def _import_override(term: Term | None, override_type: str, status: str, dates: Dates, run: ImportRun) -> bool:
    if term is None:
        raise RowRejected("Cannot set date override on non-existent term")
    if override_type not in OVERRIDABLE:
        raise RowRejected("Invalid date_override_enrollment_type")
    if status == State.DELETED and run.skip_deletes:
        return False
    overrides = {kind: span for kind, span in term.overrides.items() if kind != override_type}
    if status == State.ACTIVE:
        overrides[override_type] = dates
    run.canvas.update_term(term, {"overrides": overrides}, run.by)
    return True
