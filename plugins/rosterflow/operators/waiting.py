"""Waiting for Canvas, or for one's turn: a few seconds in the task, anything longer in a trigger (design §5)."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Container, Mapping
from datetime import timedelta
from typing import Any, NoReturn

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import Context

from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.domain.rosters import Thing
from rosterflow.operators.institution import InstitutionOperator, TenantOperator
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.reported import things_of
from rosterflow.triggers.canvas import Awaited, CanvasTrigger

IN_TASK_SECONDS = 5.0
LOOK_SECONDS = 0.5
COME_BACK_SECONDS = 60.0


class ComesBack(TenantOperator):
    """A task that may have to begin again later, because another run has the turn."""

    def come_back(self, seconds: float | None) -> NoReturn:
        """Begin this task again after a while, without holding a worker slot or using up a try."""
        wait = TimeDeltaTrigger(timedelta(seconds=seconds or COME_BACK_SECONDS))
        self.defer(trigger=wait, method_name="begin_again")

    def begin_again(self, context: Context, event: Any = None) -> Any:
        """What :meth:`come_back` comes back to."""
        return self.execute(context)


class WaitsForCanvas(ComesBack, InstitutionOperator):
    """A task that orders something of Canvas and goes on when it is there."""

    @abstractmethod
    def over(self, context: Context, awaited: Awaited, canvas_id: str) -> Any:
        """Go on, now that Canvas is done with it."""

    def wait_for(self, awaited: Awaited, canvas_id: str, context: Context) -> Any:
        """Go on in :meth:`over` when Canvas is done: at once if that takes seconds, else after deferring."""
        patience = time.monotonic() + IN_TASK_SECONDS
        while time.monotonic() < patience:
            if self._is_over(awaited, canvas_id):
                return self.over(context, awaited, canvas_id)
            time.sleep(LOOK_SECONDS)
        return self._defer(awaited, canvas_id)

    def _defer(self, awaited: Awaited, canvas_id: str) -> NoReturn:
        canvas = self.settings.canvas
        self.log.info("Canvas works on %s; waiting outside the worker", canvas_id)
        self.defer(
            trigger=CanvasTrigger(
                canvas_conn_id=canvas.connection,
                awaited=awaited,
                canvas_id=canvas_id,
                poll_seconds=canvas.poll_seconds,
                deadline=time.time() + canvas.import_hours * 3600,
            ),
            method_name="resume",
            kwargs={"awaited": str(awaited), "canvas_id": canvas_id},
        )

    def resume(self, context: Context, event: Mapping[str, Any], awaited: str, canvas_id: str) -> Any:
        """Go on after the trigger.

        :raises FatalError: ``import-slow`` when Canvas was not done in time; the next run sees to it.
        """
        if event["status"] == "late":
            raise FatalError(Code.IMPORT_SLOW, f"{self.institution}: Canvas is not done with {canvas_id} yet.")
        if event["status"] == "failed":
            raise FatalError(Code(event["code"]), event["message"])
        return self.over(context, Awaited(awaited), canvas_id)

    @undisturbed
    def report_of(self, report_id: str, only: Container[str] | None = None) -> list[Thing]:
        """The objects and rosters that a finished provisioning report lists; raises as :meth:`report_file` does.

        :param only: as for :func:`rosterflow.sync.reported.things_of`.
        """
        return list(things_of(self.settings, self.report_file(report_id), only))

    def report_file(self, report_id: str) -> bytes:
        """A finished provisioning report.

        :raises RetryableError: ``server-error`` when Canvas could not make it.
        """
        report = self.canvas.provisioning_report(report_id)
        if report.state != "complete" or report.url is None:
            raise RetryableError(Code.SERVER_ERROR, f"Canvas ended the provisioning report as {report.state!r}.")
        return self.canvas.download(report.url)

    def _is_over(self, awaited: Awaited, canvas_id: str) -> bool:
        if awaited is Awaited.REPORT:
            return self.canvas.provisioning_report(canvas_id).is_over
        return self.canvas.sis_import(canvas_id).is_over
