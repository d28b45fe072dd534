"""Comparing Canvas with what it confirmed, telling people, and believing Canvas when somebody wants a repair."""

from __future__ import annotations

from typing import Any

import msgspec
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from rosterflow.domain.differences import Difference
from rosterflow.domain.errors import Code, NeedsPerson, RetryableError
from rosterflow.notifications.mail import send
from rosterflow.operators.fs import page_key, pages_of
from rosterflow.operators.institution import InstitutionOperator, defaults, now
from rosterflow.operators.waiting import WaitsForCanvas
from rosterflow.store.bulk import batches
from rosterflow.store.person_keys import shown_by
from rosterflow.sync.reconcile_letter import MOST_ROWS, letter_of
from rosterflow.sync.reconciling import believe_canvas, compare_with_canvas, summary
from rosterflow.sync.reported import kinds_for_undo, reported_kinds
from rosterflow.sync.runs import take_lease
from rosterflow.sync.settling import settle_imports
from rosterflow.sync.undoing import plan_undo
from rosterflow.triggers.canvas import Awaited

ROWS_ON_A_PAGE = 2000


class CompareOperator(WaitsForCanvas):
    """Orders Canvas's provisioning report and compares it. Returns counts; what was found goes on as encrypted pages.

    It is the one writer meanwhile, so that no sync changes what it compares, and like `settle` in no pool.
    """

    def execute(self, context: Context) -> Any:
        """Order the report.

        :raises NeedsPerson: ``approval-invalid`` when a repair or an undo is asked for without a reason.
        :raises AirflowSkipException: when nothing was ever confirmed that could be compared.
        """
        params = context["params"]
        asked = "an undo" if params.get("undo") else "a repair" if params.get("repair") else ""
        if asked and not str(params.get("reason") or "").strip():
            raise NeedsPerson(Code.APPROVAL_INVALID, f"{self.institution}: {asked} needs a reason.")
        try:
            run = take_lease(self.store, self.settings, self.run_of(context), now())
            needs_base = settle_imports(self.store, self.canvas, self.settings, run, now())
        except RetryableError as error:
            if error.code not in (Code.WRITER_BUSY, Code.IMPORT_SLOW, Code.IMPORT_LOST):
                raise
            self.log.info("%s", error.message)
            return self.come_back(error.retry_after)
        if needs_base:
            raise AirflowSkipException("The next sync takes its base from Canvas; until then nothing can be compared.")
        kinds = kinds_for_undo(self.settings) if params.get("undo") else reported_kinds(self.settings)
        ordered = self.canvas.start_provisioning_report(kinds)
        return self.wait_for(Awaited.REPORT, ordered.id, context)

    def over(self, context: Context, awaited: Awaited, canvas_id: str) -> dict[str, Any]:
        """Compare."""
        report = self.report_file(canvas_id)
        found = compare_with_canvas(self.store, self.settings, self.writing_run(context), report, now())
        self.log.info("Compared with Canvas: %s", summary(found))
        pages = 0
        for pages, some in enumerate(batches(found.differences[:MOST_ROWS], ROWS_ON_A_PAGE), start=1):
            context["ti"].xcom_push(key=page_key(pages), value=msgspec.to_builtins(some))
        counts = {
            str(finding): {str(kind): number for kind, number in kinds.items()}
            for finding, kinds in found.counts.items()
            if kinds
        }
        return {"report": canvas_id, "pages": pages, "counts": counts, "to_repair": len(found.to_believe)}


class MailComparisonOperator(InstitutionOperator):
    """Mails what a comparison found to ``mail.reconcile``.

    :param compared_by: task id of the comparison.
    """

    def __init__(self, *, compared_by: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.compared_by = compared_by

    def execute(self, context: Context) -> None:
        """Send it.

        :raises AirflowSkipException: when nobody wants to be told.
        """
        if not self.settings.mail.reconcile:
            raise AirflowSkipException("Nobody is to be told: mail.reconcile is empty.")
        ti = context["ti"]
        told = ti.xcom_pull(task_ids=self.compared_by)
        pages = pages_of(ti, self.compared_by, told["pages"])
        found = (msgspec.convert(row, Difference) for page in pages for row in page)
        with self.store.begin() as connection:
            shown = shown_by(connection, self.settings.key)
            letter = letter_of(self.settings, found, told["counts"], shown=shown, now=now())
        send(letter)


class BelieveCanvasOperator(WaitsForCanvas):
    """Believes Canvas about what was found, when a person asked for a repair. Sends nothing.

    :param compared_by: task id of the comparison.
    """

    def __init__(self, *, compared_by: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.compared_by = compared_by

    def execute(self, context: Context) -> dict[str, int]:
        """Believe Canvas.

        :raises AirflowSkipException: when nobody asked for it, or there is nothing to repair.
        """
        told = context["ti"].xcom_pull(task_ids=self.compared_by)
        if not context["params"].get("repair"):
            raise AirflowSkipException("This run only compares.")
        if not told["to_repair"]:
            raise AirflowSkipException("There is nothing to repair.")
        believed = believe_canvas(
            self.store,
            self.settings,
            self.writing_run(context),
            self.report_file(told["report"]),
            actor=_actor(context),
            reason=context["params"]["reason"].strip(),
            now=now(),
        )
        return {"believed": believed}

    def over(self, context: Context, awaited: Awaited, canvas_id: str) -> Any:
        """Nothing of Canvas's is waited for here."""
        raise TypeError(f"{awaited} {canvas_id} is not waited for in a repair")


class PlanUndoOperator(WaitsForCanvas):
    """Plans the inverse of a plan, when a person asked for that, and holds all of it. Returns whom to ask about what.

    :param compared_by: task id of the comparison, whose report tells what others have in what the plan made.
    """

    def __init__(self, *, compared_by: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.compared_by = compared_by

    def execute(self, context: Context) -> dict[str, Any]:
        """Plan it, and log what does not come back.

        :raises AirflowSkipException: when nobody asked for it, or there is nothing to undo.
        :raises FatalError: ``plan-unknown``.
        """
        number = context["params"].get("undo")
        if not number:
            raise AirflowSkipException("This run undoes nothing.")
        told = context["ti"].xcom_pull(task_ids=self.compared_by)
        asked = plan_undo(
            self.store,
            self.settings,
            self.writing_run(context),
            number,
            self.report_file(told["report"]),
            actor=_actor(context),
            reason=context["params"]["reason"].strip(),
            now=now(),
        )
        for loss in asked.inverse.losses:
            self.log.info("%s", loss)
        if asked.request is None:
            raise AirflowSkipException("There is nothing to undo.")
        self.log.info("Plan %d undoes plan %d and waits as request %d", asked.plan_id, number, asked.request)
        return {"plan_id": asked.plan_id, "ask": (asked.request,)}

    def over(self, context: Context, awaited: Awaited, canvas_id: str) -> Any:
        """Nothing of Canvas's is waited for here."""
        raise TypeError(f"{awaited} {canvas_id} is not waited for in an undo")


class PlanRepairOperator(TriggerDagRunOperator):
    """Starts a sync that only plans: its plan puts right what Canvas was believed about."""

    def __init__(self, *, institution: str, **kwargs: Any) -> None:
        trigger = {"trigger_dag_id": f"fs_canvas_sync__{institution}", "conf": {"mode": "plan"}}
        super().__init__(**defaults(type(self), {**trigger, **kwargs}))


def _actor(context: Context) -> str:
    """Who started the run."""
    return str(getattr(context["dag_run"], "triggering_user_name", None) or "unknown")
