"""Running account reports in the background and keeping their files (reference/canvas.md §10.10)."""

from __future__ import annotations

import io
import time
import zipfile
from typing import TYPE_CHECKING

from sandbox.canvas import background
from sandbox.canvas.objects import Report
from sandbox.canvas.provisioning import Tables
from sandbox.canvas.sis_export import ExportTables

if TYPE_CHECKING:
    from sandbox.canvas.provisioning import Selection
    from sandbox.canvas.state import Canvas

REPORTS: dict[str, type[Tables]] = {"provisioning_csv": Tables, "sis_export_csv": ExportTables}
"""The reports there are, with what writes their tables."""

TITLES = {"provisioning_csv": "Provisioning", "sis_export_csv": "SIS Export"}
CHECK_SECONDS = 0.02


def start(
    canvas: Canvas, name: str, account_id: int, kinds: list[str], parameters: dict[str, str], selection: Selection
) -> Report:
    """A new run of the report, with those tables, which goes on its own until its status is complete."""
    report = Report(
        id=len(canvas.reports) + 1,
        account_id=account_id,
        name=name,
        parameters=parameters,
        created_at=canvas.now(),
    )
    canvas.reports[report.id] = report
    background.start(lambda: _run(canvas, report, kinds, selection))
    return report


def abort(canvas: Canvas, report: Report) -> None:
    """Stop a report that has not ended; its file is never made."""
    report.status, report.ended_at = "aborted", canvas.now()


def is_ended(report: Report) -> bool:
    """Whether nothing more happens to it."""
    return report.status not in ("created", "running")


def _run(canvas: Canvas, report: Report, kinds: list[str], selection: Selection) -> None:
    with canvas.lock:
        if is_ended(report):
            return
        report.status, report.started_at = "running", canvas.now()
    slow = canvas.faults.take("canvas", "slow_import", f"report {report.name}")
    deadline = time.monotonic() + (slow.seconds if slow else 0)
    while time.monotonic() < deadline and not is_ended(report):
        time.sleep(CHECK_SECONDS)
    tables, contents = REPORTS[report.name](canvas, selection), {}
    for done, kind in enumerate(kinds, start=1):
        if is_ended(report):
            return
        contents[kind] = tables.csv(kind)
        report.progress = 99 * done // len(kinds)
    with canvas.lock:
        if not is_ended(report):
            _finish(canvas, report, contents)


def _finish(canvas: Canvas, report: Report, contents: dict[str, bytes]) -> None:
    stem = f"{report.name}_{report.id}"
    if len(contents) == 1:
        (body,) = contents.values()
        file = canvas.add_file(f"{stem}.csv", "text/csv", body)
    else:
        file = canvas.add_file(f"{stem}.zip", "application/zip", _zipped(contents))
    report.file_id, report.progress = file.id, 100
    report.message = f"{', '.join(contents)} report complete"
    report.ended_at, report.status = canvas.now(), "complete"


def _zipped(contents: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for kind, body in contents.items():
            archive.writestr(f"{kind}.csv", body)
    return out.getvalue()
