"""The tasks of the attendance import beside the reading ones: which days, joining, writing, mailing, closing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from airflow.sdk import Context

from rosterflow.domain.attendance.report import AttendanceReport, Outcome
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.notifications.mail import send
from rosterflow.operators.attendance_read import attendance_module, attendance_reads
from rosterflow.operators.college import CollegeOperator
from rosterflow.operators.institution import now
from rosterflow.operators.waiting import ComesBack
from rosterflow.store import approvals, attendance_raw, failures
from rosterflow.store.approvals import ApprovalState
from rosterflow.sync.attendance_importing import import_read
from rosterflow.sync.attendance_letter import letter_of
from rosterflow.sync.attendance_runs import (
    Asked,
    close_attendance,
    lines_from,
    note_failed,
    note_window,
    plain_lines,
    report_of,
    window_for,
)
from rosterflow.sync.attendance_writing import write_attendance

LINES = "page_lines"
"""The XCom of what a task listed, by keys; as a page it is kept encrypted."""
UNSEEN = "page_unseen"


class OpenAttendanceOperator(CollegeOperator):
    """Writes down which days the run is about. Returns them, for the reads."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Decide the days from the form, or from the run's data interval.

        :raises FatalError: ``settings-invalid`` for days that are none, or not over everywhere; ``store-outdated``.
        """
        run, dag_run, form = self.open_run(context), context["dag_run"], context["params"]
        asked = Asked(
            dag_run.run_type.value,
            dag_run.data_interval_start,
            dag_run.data_interval_end,
            _day(form.get("from_date")),
            _day(form.get("to_date")),
        )
        window = window_for(self.store, self.settings, asked, now())
        note_window(self.store, run, window)
        for note in window.notes:
            self.log.warning("%s", note)
        self.log.info("Run %d of %s: %s to %s", run.id, self.institution, window.first, window.last)
        return {"first": window.first.isoformat(), "last": window.last.isoformat()}


class ImportAttendanceOperator(CollegeOperator):
    """Joins what was read to the ledger, school by school, each in one transaction. Returns the effects by school.

    :param reads: task id of the mapped tasks that read.
    """

    def __init__(self, *, reads: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reads = reads

    def execute(self, context: Context) -> dict[str, Any]:
        """Import; a school that cannot be imported does not stop the next.

        :raises RosterflowError: what one of them could not be imported for, in the end.
        """
        run, ti = self.run_of(context), context["ti"]
        opened, silent = attendance_reads(ti, self.reads, self.settings)
        failed = {school: f"auth key {aliases} could not be read" for aliases in silent for school in self._of(aliases)}
        errors: list[RosterflowError] = []
        lines: list[Any] = []
        effects: dict[str, Any] = {}
        for one in opened:
            with self.store.begin() as connection:
                if attendance_raw.is_joined(connection, one.read.number):
                    continue  # by an earlier try, and its counts are written down
            try:
                imported = import_read(self.store, self.settings, run.id, one, now())
            except RosterflowError as error:
                errors.append(error)
                failed[one.read.school] = error.message
                continue
            lines += plain_lines(imported.lines)
            effects[one.read.school] = {str(effect): n for effect, n in imported.effects.items()}
            self.log.info("School %s: %d records, %s", one.read.school, imported.records, effects[one.read.school])
        note_failed(self.store, run, failed)
        ti.xcom_push(key=LINES, value=lines)
        if errors:
            raise errors[0]
        with self.store.begin() as connection:
            waiting = approvals.in_state(connection, self.institution, ApprovalState.WAITING)
        return {"effects": effects, "ask": [request.id for request in waiting]}

    def _of(self, aliases: str) -> list[str]:
        names = set(aliases.split(", "))
        return [pair.school for pair in self.settings.crskeyauth if pair.alias in names]


class WriteAttendanceOperator(ComesBack, CollegeOperator):
    """Brings Campus Cafe to what the ledger says of the run's days, and of all that are due. Returns counts.

    :param opened: task id of what decided the days.
    """

    def __init__(self, *, opened: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.opened = opened

    def execute(self, context: Context) -> dict[str, int]:
        """Write; while another run of the college writes, come back later.

        :raises RosterflowError: when Campus Cafe cannot be read or written; what was written is confirmed.
        """
        ti = context["ti"]
        days = ti.xcom_pull(task_ids=self.opened)
        window = date.fromisoformat(days["first"]), date.fromisoformat(days["last"])
        try:
            with attendance_module(self.settings) as module:
                written = write_attendance(self.store, self.settings, self.run_of(context), module, window, now)
        except RetryableError as error:
            if error.code is not Code.WRITER_BUSY:
                raise
            self.log.info("%s", error.message)
            self.come_back(error.retry_after)
        ti.xcom_push(key=LINES, value=plain_lines(written.lines))
        ti.xcom_push(key=UNSEEN, value=msgspec.to_builtins(written.unseen))
        counts = {str(status): n for status, n in written.rows.items()}
        self.log.info("Rows: %s; last dates: %s", counts, {str(status): n for status, n in written.dates.items()})
        return counts


class MailAttendanceOperator(CollegeOperator):
    """Mails what the import came to, every run, and closes it. Returns the outcome.

    :param told_by: task ids of what lists records: import and write.
    """

    def __init__(self, *, told_by: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.told_by = tuple(told_by)

    def execute(self, context: Context) -> str:
        """Mail and close.

        :raises RosterflowError: ``mail-failed``.
        :raises FatalError: ``attendance-incomplete`` when something was not imported or not written; it was mailed.
        """
        run, report = self.run_of(context), self._report(context)
        send(letter_of(self.settings, report))
        close_attendance(self.store, run, report, now())
        if report.outcome is Outcome.FAILURE:
            raise FatalError(
                Code.ATTENDANCE_INCOMPLETE, f"{self.institution}: not all was imported; the mail says what."
            )
        return report.outcome

    def _report(self, context: Context) -> AttendanceReport:
        ti = context["ti"]
        lines = [line for task in self.told_by for line in lines_from(_handed_on(ti, task, LINES))]
        unseen = msgspec.convert(_handed_on(ti, self.told_by[-1], UNSEEN), list[tuple[SectionKey, str]])
        failed = self._failed(context)
        run = self.run_of(context)
        return report_of(self.store, self.settings, run, now(), lines=lines, unseen=unseen, failed=failed)

    def _failed(self, context: Context) -> list[str]:
        """What failed as a whole, by task, in the words that its failure was written down with."""
        dag_run = context["dag_run"]
        with self.store.begin() as connection:
            rows = failures.failures_of(connection, dag_run.dag_id, dag_run.run_id)
        return [f"{row.task_id}: {row.message}" for row in rows if row.task_id != context["ti"].task_id]


def _handed_on(ti: Any, task_id: str, key: str) -> list[Any]:
    """What a task handed on in a page of its own; nothing when it failed before."""
    return list(ti.xcom_pull(task_ids=task_id, key=key) or ())


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
