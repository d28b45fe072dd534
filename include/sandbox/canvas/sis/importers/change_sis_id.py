"""change_sis_id.csv (reference/canvas.md §5.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.sis.importers.run import RowRejected

if TYPE_CHECKING:
    from sandbox.canvas.objects import Account, Course, Pseudonym, Section, SisRecord, Term
    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row
    from sandbox.canvas.state import Canvas
    from sandbox.canvas.table import Table

    SisTable = Table[Account] | Table[Term] | Table[Course] | Table[Section] | Table[Pseudonym]

TYPES = ("user", "course", "section", "term", "account", "group", "group_category")
CLEAR = "<delete>"


def import_change_sis_id(row: Row, run: ImportRun) -> bool:
    """Give an object another SIS id or integration id; a deleted object keeps its ids taken."""
    kind = (row.get("type") or "").lower()
    _check(row, kind)
    new_id, new_integration_id = row.get("new_id"), row.get("new_integration_id")
    table = _table(run.canvas, kind)
    record = _record(row, kind, table)
    changes: dict[str, object] = {}
    if new_id:
        changes["sis_id"] = new_id
    if new_integration_id:
        changes["integration_id"] = None if new_integration_id == CLEAR else new_integration_id
    table.change(record, changes, run.by)  # type: ignore[union-attr,arg-type]
    return True


def _check(row: Row, kind: str) -> None:
    if not kind:
        raise RowRejected("No type given for change_sis_id")
    if not (row.get("old_id") or row.get("old_integration_id")):
        raise RowRejected("No old_id or old_integration_id given for change_sis_id")
    if not (row.get("new_id") or row.get("new_integration_id")):
        raise RowRejected("No new_id or new_integration_id given for change_sis_id")
    if kind not in TYPES:
        raise RowRejected(f"Invalid type '{kind}' for change_sis_id")
    if kind == "group_category" and (row.get("old_integration_id") or row.get("new_integration_id")):
        raise RowRejected("Group categories should not have integration IDs.")


def _table(canvas: Canvas, kind: str) -> SisTable | None:
    """The table of that type; the sandbox has no groups, so nothing of theirs exists."""
    tables: dict[str, SisTable] = {
        "user": canvas.pseudonyms,
        "course": canvas.courses,
        "section": canvas.sections,
        "term": canvas.terms,
        "account": canvas.accounts,
    }
    return tables.get(kind)


def _record(row: Row, kind: str, table: SisTable | None) -> SisRecord:
    old_id, new_id = row.get("old_id"), row.get("new_id")
    old_integration_id, new_integration_id = row.get("old_integration_id"), row.get("new_integration_id")
    if table and table.by_sis_id(new_id):
        column = "sis_user_id" if kind == "user" else "sis_source_id"
        raise RowRejected(
            f"A new_id, '{new_id}', referenced an existing {kind} and the {kind} with {column} "
            f"'{old_id or ''}' was not updated"
        )
    if table and table.by_integration_id(new_integration_id):
        raise RowRejected(
            f"A new_integration_id, '{new_integration_id}', referenced an existing {kind} and the {kind} "
            f"with integration_id '{old_integration_id or ''}' was not updated"
        )
    by_id = table.by_sis_id(old_id) if table else None
    by_integration_id = table.by_integration_id(old_integration_id) if table else None
    if by_id and by_integration_id and by_id is not by_integration_id:
        raise RowRejected(
            f"An old_id, '{old_id}', referenced a different {kind} than the old_integration_id, '{old_integration_id}'"
        )
    if old_id and not by_id:
        raise RowRejected(f"An old_id, '{old_id}', referenced a non-existent {kind} and was not changed.")
    if by_id and (by_integration_id or not old_integration_id):
        return by_id
    if by_integration_id:
        return by_integration_id
    raise RowRejected(
        f"An old_integration_id, '{old_integration_id}', referenced a non-existent {kind} and was not changed."
    )
