"""Applying a plan to Canvas, and confirming what became of it."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from rosterflow.domain.model import key_of
from rosterflow.operators.institution import approval_of, now
from rosterflow.operators.waiting import WaitsForCanvas
from rosterflow.store import imports, runs
from rosterflow.store.imports import ImportState
from rosterflow.sync.confirming import confirm_import, ids_to_read_back, read_back, waits_for_reading_back
from rosterflow.sync.hiding import hide_courses
from rosterflow.sync.sending import post_import, prepare_import
from rosterflow.triggers.canvas import Awaited


class WritesPlan(WaitsForCanvas):
    """A task that carries out the run's plan, or the changes that a person approved."""

    def skip_in_plan_mode(self, context: Context) -> None:
        """A run that only plans touches nothing."""
        if self.run_of(context).mode == "plan":
            raise AirflowSkipException("This run only plans.")


class CanvasSisImportOperator(WritesPlan):
    """Sends a plan as one SIS import, waits outside the worker, and joins Canvas's messages to our rows.

    A retry finds the import that was begun and goes on with it. Returns counts.

    :param part: 1 for all that CSV can do; 2 for deleted accounts and terms, which must come after the courses'.
    """

    def __init__(self, *, part: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.part = part

    def execute(self, context: Context) -> Any:
        """Post the import, once.

        :raises AirflowSkipException: when there is nothing to send.
        """
        self.skip_in_plan_mode(context)
        run = self.writing_run(context)
        one = prepare_import(
            self.store,
            self.blobs,
            self.canvas,
            self.settings,
            run,
            self.plan_of(context),
            approval_id=approval_of(context),
            part=self.part,
            now=now(),
        )
        if one is None:
            raise AirflowSkipException("There is nothing to send.")
        if one.state is ImportState.CONFIRMED:
            return {"import": one.canvas_id}
        one = post_import(self.store, self.blobs, self.canvas, self.settings, run, one.id, now())
        self.log.info("Canvas import %s: %s", one.canvas_id, {name: len(rows) for name, rows in one.rows.items()})
        return self.wait_for(Awaited.SIS_IMPORT, str(one.canvas_id), context)

    def over(self, context: Context, awaited: Awaited, canvas_id: str) -> dict[str, Any]:
        """Confirm the import row by row."""
        ended = self.canvas.sis_import(canvas_id)
        with self.store.begin() as connection:
            one = imports.import_of(connection, self.plan_of(context), approval_of(context), self.part)
            if one is None or one.state is ImportState.CONFIRMED:
                return {"import": canvas_id}
        outcome = confirm_import(self.store, self.canvas, self.settings, one, ended, now())
        if not ended.is_trustworthy:
            with self.store.begin() as connection:
                runs.add_counts(connection, self.run_of(context).id, import_ended=ended.state)
        self.log.info(
            "Canvas ended import %s as %s: %d confirmed, %d refused, %d to be read back",
            canvas_id,
            ended.state,
            outcome.confirmed,
            outcome.refused,
            outcome.to_read_back,
        )
        return {"import": canvas_id, "confirmed": outcome.confirmed, "refused": outcome.refused}


class ConfirmOperator(WritesPlan):
    """Reads back what Canvas may have accepted without doing it, and does by REST what CSV cannot."""

    def execute(self, context: Context) -> Any:
        """Unpublish what is to be hidden; order a report when something must be read back.

        :raises AirflowSkipException: when nothing was sent whose effect is uncertain.
        """
        self.skip_in_plan_mode(context)
        run, plan_id = self.writing_run(context), self.plan_of(context)
        hidden = hide_courses(
            self.store, self.canvas, self.settings, plan_id, approval_of(context), run_id=run.id, now=now()
        )
        kinds = waits_for_reading_back(self.store, plan_id)
        if not kinds and not hidden.confirmed and not hidden.refused:
            raise AirflowSkipException("Everything that was sent is confirmed.")
        if not kinds:
            return {"read_back": 0}
        ordered = self.canvas.start_provisioning_report(tuple(sorted(f"{kind}s" for kind in kinds)))
        return self.wait_for(Awaited.REPORT, ordered.id, context)

    def over(self, context: Context, awaited: Awaited, canvas_id: str) -> dict[str, Any]:
        """Compare what was sent with what Canvas has."""
        run, plan_id = self.run_of(context), self.plan_of(context)
        asked = ids_to_read_back(self.store, plan_id)
        found = {key_of(thing): thing for thing in self.report_of(canvas_id, asked)}
        read_back(self.store, self.canvas, self.settings, plan_id, found, run_id=run.id, now=now())
        return {"read_back": len(asked)}
