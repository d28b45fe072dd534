"""`canvas_reconcile__<institution>`: what differs between Canvas and what it confirmed, and who changed it.

**What it does.** Orders Canvas's provisioning report, compares it with what the source wants and Canvas last
confirmed, and mails the list: what is missing, drifted, extra, orphaned or in an unknown role. **Risk.** None: it
changes nothing in Canvas. No sync of the same Canvas writes meanwhile. **Repair.** Start it with `repair` and a reason:
Canvas is believed about what was found, and a sync is started that only plans. Its plan puts things right; the next
sync that applies carries it out, with the usual guards and approval. **When it runs.** By hand, or by `reconcile` in
the settings. **Undo.** Start it with the number of a plan and a reason: the inverse is planned, and `canvas_approval`
asks a person about all of it.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from rosterflow.domain.institution import Institution
from rosterflow.notifications.failures import FailureMail
from rosterflow.notifications.recording import RECORDING
from rosterflow.operators.params import RECONCILE_PARAMS
from rosterflow.operators.planning import AskApprovalOperator
from rosterflow.operators.reconcile import (
    BelieveCanvasOperator,
    CompareOperator,
    MailComparisonOperator,
    PlanRepairOperator,
    PlanUndoOperator,
)
from rosterflow.operators.run import CloseRunOperator, OpenRunOperator
from rosterflow.settings import institutions_folder, load_institutions


def reconcile_dag(institution: Institution) -> DAG:
    """The DAG of one institution."""
    key, when = institution.key, institution.reconcile
    with DAG(
        dag_id=f"canvas_reconcile__{key}",
        doc_md=__doc__,
        schedule=CronTriggerTimetable(when, timezone=institution.timezone) if when else None,
        start_date=pendulum.datetime(2026, 1, 1, tz=institution.timezone),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=institution.canvas.import_hours + 6),
        params=RECONCILE_PARAMS,
        tags=["rosterflow", "reconcile", "canvas", key],
        default_args={"owner": "rosterflow", **RECORDING},
        on_failure_callback=FailureMail(institution=key),
    ) as dag:
        opened = OpenRunOperator(task_id="open_run", institution=key, mode="plan")
        compare = CompareOperator(task_id="compare", institution=key)
        mail = MailComparisonOperator(task_id="mail", institution=key, compared_by="compare")
        believe = BelieveCanvasOperator(task_id="believe_canvas", institution=key, compared_by="compare")
        plan = PlanRepairOperator(task_id="plan_repair", institution=key)
        undo = PlanUndoOperator(task_id="plan_undo", institution=key, compared_by="compare")
        ask = AskApprovalOperator(task_id="ask_approval", institution=key, guarded_by="plan_undo")
        close = CloseRunOperator(task_id="close_run", institution=key).as_teardown()

        opened >> compare >> [mail, believe, undo]
        believe >> plan
        undo >> ask
        [mail, plan, ask] >> close
    return dag


for institution in load_institutions(institutions_folder())[0]:
    reconcile_dag(institution)
