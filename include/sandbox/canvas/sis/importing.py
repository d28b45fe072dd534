"""The run of one SIS import: its files in Canvas's order, row by row (reference/canvas.md §2.5 to §2.7, §3.4, §3.5).

The lock of the Canvas is held for one chunk of rows at a time, so that REST goes on during an import.
"""

from __future__ import annotations

import csv
import io
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from sandbox.canvas.objects import Write
from sandbox.canvas.sis.batch import BatchState, SisBatch, SisError, Transition
from sandbox.canvas.sis.importers import IMPORTERS, READ_CHECKS
from sandbox.canvas.sis.importers.role_finder import RoleFinder
from sandbox.canvas.sis.importers.run import ImportRun, RowRejected
from sandbox.canvas.sis.kinds import COUNTED, KINDS
from sandbox.canvas.sis.statistics import Statistics
from sandbox.canvas.sis.upload import UnreadableUpload, Upload, read_rows, read_upload
from sandbox.canvas.table import CanvasRefusal

if TYPE_CHECKING:
    from sandbox.canvas.objects import Record
    from sandbox.canvas.sis.upload import CsvFile, Row
    from sandbox.canvas.state import Canvas

# Canvas runs an import that small without parallel jobs, and says so.
RUNS_IMMEDIATELY = 50

# A lock given back and taken again at once would starve whoever waits for it.
_BREATH_SECONDS = 0.001
_POLL_SECONDS = 0.02


class ImportCrashed(Exception):
    """The import ends here with Canvas's message for a crash; what was applied stays."""


class ImportStopped(Exception):
    """Somebody aborted the import, or closed the Canvas."""


@dataclass(slots=True)
class Import:
    """The run of one batch."""

    canvas: Canvas
    batch: SisBatch
    upload: Upload = field(default_factory=Upload)
    statistics: Statistics = field(default_factory=Statistics)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    rows_total: int = 0
    rows_done: int = 0
    file: str = ""
    row: int = 0
    crash_after: int | None = None
    abort_after: int | None = None

    def run(self) -> None:
        """Import every file and end the batch; raises nothing that a row or a file can cause."""
        try:
            self._open()
            for kind in KINDS:
                files = [file for file in self.upload.files if file.kind is kind]
                for file in files:
                    self._import_file(file)
                if files:
                    self.batch.data["completed_importers"].append(kind.name)
            self._linger()
        except ImportCrashed:
            text = f"Error while importing CSV. Please contact support. (Error report {self.batch.id})"
            self._say("", text, failure=True)
        except ImportStopped:
            with self.canvas.lock:
                self._close_books()
            return
        self._finish()

    def _open(self) -> None:
        batch, canvas = self.batch, self.canvas
        with canvas.lock:
            batch.data |= {"counts": self.counts, "completed_importers": []}
        try:
            self.upload = read_upload(batch.filename, batch.body)
        except UnreadableUpload as error:
            raise ImportCrashed from error
        self.rows_total = sum(file.rows for file in self.upload.files)
        with canvas.lock:
            for message in self.upload.messages:
                self._say(message.file, message.text, failure=message.failure)
            attachments = [
                canvas.add_file(name.rpartition("/")[2], "text/csv", body)
                for name, body in self.upload.csv_bodies.items()
            ]
            batch.data |= {
                "downloadable_attachment_ids": [file.id for file in attachments],
                "supplied_batches": list(dict.fromkeys(file.kind.name for file in self.upload.files)),
                "running_immediately": self.rows_total + 1 <= RUNS_IMMEDIATELY,
            }
        self.upload.csv_bodies.clear()
        self.crash_after, self.abort_after = self._struck("fail_import"), self._struck("abort_import")

    def _struck(self, fault: str) -> int | None:
        """After how many rows that fault strikes: after half of them, so that a part is applied."""
        text = f"{self.batch.id} {self.batch.filename}"
        return (self.rows_total + 1) // 2 if self.canvas.faults.take("canvas", fault, text) else None

    def _import_file(self, file: CsvFile) -> None:
        if file.kind.name not in IMPORTERS:
            plural = file.kind.plural
            self._say(file.name, f"This is a file of {plural}; the sandbox does not import {plural} yet", failure=True)
            self.rows_done += file.rows
            return
        self.file = file.name
        rows = read_rows(file)
        size = min(max(-(-file.rows // 99), 100), 1000)
        while chunk := list(islice(rows, size)):
            with self.canvas.lock:
                self._import_chunk(file, chunk)
                self.batch.progress = min(99, 100 * self.rows_done // self.rows_total)
                self.batch.updated_at = self.canvas.now()
            time.sleep(_BREATH_SECONDS)

    def _import_chunk(self, file: CsvFile, chunk: list[tuple[int, Row]]) -> None:
        importer, plural, batch = IMPORTERS[file.kind.name], file.kind.plural, self.batch
        run = ImportRun(
            self.canvas,
            self._write(),
            batch.skip_deletes,
            self._warn,
            RoleFinder(self.canvas),
            batch.user_id,
            batch.update_sis_id_if_login_claimed,
        )
        readable = self._readable(file, chunk)
        for self.row, row in readable:
            self._go_on()
            self.rows_done += 1
            try:
                self.counts[plural] += importer(row, run)
            except (RowRejected, CanvasRefusal) as rejection:
                self._warn(str(rejection))

    def _readable(self, file: CsvFile, chunk: list[tuple[int, Row]]) -> list[tuple[int, Row]]:
        """The rows of a chunk that pass what is checked at reading, before any row of the chunk is imported."""
        check = READ_CHECKS.get(file.kind.name)
        if check is None:
            return chunk
        readable = []
        for self.row, row in chunk:
            try:
                check(row)
            except RowRejected as rejection:
                self._warn(str(rejection))
                self.rows_done += 1
            else:
                readable.append((self.row, row))
        return readable

    def _warn(self, text: str) -> None:
        self._say(self.file, text, row=self.row)

    def _write(self) -> Write:
        batch = self.batch
        override, add, clear = (
            bool(flag) for flag in (batch.override_sis_stickiness, batch.add_sis_stickiness, batch.clear_sis_stickiness)
        )
        return Write(
            override=override,
            sticks=override and add and not clear,
            clears=override and clear,
            batch_id=batch.id,
            seen=self._note,
        )

    def _note(self, record: Record, before: str | None, after: str) -> None:
        if self.statistics.note(record, before, after):
            self.batch.transitions.append(Transition(record, before, after))

    def _go_on(self) -> None:
        """Let a fault strike, or a person's abort; raises ImportCrashed or ImportStopped."""
        if self.crash_after is not None and self.rows_done >= self.crash_after:
            raise ImportCrashed
        if self.abort_after is not None and self.rows_done >= self.abort_after:
            self.batch.end(BatchState.ABORTED, self.canvas.now())
        if self.batch.is_finished or self.canvas.closed.is_set():
            raise ImportStopped

    def _linger(self) -> None:
        """All rows are in; a slow import takes its time before it says so."""
        text = f"{self.batch.id} {self.batch.filename}"
        fault = self.canvas.faults.take("canvas", "slow_import", text)
        until = time.monotonic() + (fault.seconds if fault else 0)
        self._go_on()
        while time.monotonic() < until:
            self.canvas.closed.wait(_POLL_SECONDS)
            self._go_on()

    def _finish(self) -> None:
        with self.canvas.lock:
            self._close_books()
            if self.batch.is_finished:
                return
            state = BatchState.IMPORTED_WITH_MESSAGES if self.batch.errors else BatchState.IMPORTED
            if self.counts["error_count"]:
                state = BatchState.FAILED_WITH_MESSAGES
            self.batch.end(state, self.canvas.now())

    def _close_books(self) -> None:
        batch = self.batch
        batch.data["statistics"] = self.statistics.payload()
        if batch.errors:
            name = f"sis_errors_attachment_{batch.id}.csv"
            batch.errors_attachment_id = self.canvas.add_file(name, "text/csv", _errors_csv(batch.errors)).id

    def _say(self, file: str, text: str, *, row: int | None = None, failure: bool = False) -> None:
        self.counts["error_count" if failure else "warning_count"] += 1
        error = SisError(next(self.canvas.sis_error_ids), self.batch.id, file, text, row=row, failure=failure)
        self.batch.errors.append(error)


def _errors_csv(errors: list[SisError]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("sis_import_id", "file", "message", "row"))
    writer.writerows((error.sis_import_id, error.file, error.message, error.row) for error in errors)
    return text.getvalue().encode()
