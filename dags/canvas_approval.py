"""`canvas_approval__<institution>`: held changes wait here for a person's decision.

**What it does.** A sync that wants to remove too much at once, to change ids or to write for the first time starts
this DAG. Open *Required Actions*, read what is asked, answer with a comment. Approved changes are sent as the sync
would have sent them, unless Canvas has changed meanwhile: such a change is refused, and the next sync plans again. No
answer in time is a no. **Audit.** Who decided what, when and why is kept for ever.
"""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import DAG, Param

from rosterflow.domain.institution import Institution
from rosterflow.notifications.failures import FailureMail
from rosterflow.notifications.held import HeldMail
from rosterflow.notifications.recording import RECORDING
from rosterflow.operators.approval import (
    AskPersonOperator,
    ConcludeApprovalOperator,
    DecideOperator,
    DescribeApprovalOperator,
)
from rosterflow.operators.canvas import CanvasSisImportOperator, ConfirmOperator
from rosterflow.operators.run import CloseRunOperator, OpenRunOperator, ReportOperator
from rosterflow.settings import institutions_folder, load_institutions


def approval_dag(institution: Institution) -> DAG:
    """The DAG of one institution."""
    key, pool = institution.key, institution.canvas.pool
    with DAG(
        dag_id=f"canvas_approval__{key}",
        doc_md=__doc__,
        schedule=None,
        is_paused_upon_creation=False,  # it runs only when a sync asks, and nobody would hear of a question that waits
        start_date=pendulum.datetime(2026, 1, 1, tz=institution.timezone),
        catchup=False,
        max_active_runs=16,
        params={"approval_id": Param(type="integer", minimum=1, description="Set by the sync that asks.")},
        tags=["rosterflow", "approval", "canvas", key],
        default_args={"owner": "rosterflow", **RECORDING},
        on_failure_callback=FailureMail(institution=key),
    ) as dag:
        opened = OpenRunOperator(task_id="open_run", institution=key)
        describe = DescribeApprovalOperator(task_id="describe", institution=key)
        mail = HeldMail(institution=key)
        first = AskPersonOperator(task_id="ask_person", policy=institution.approval, notifiers=[mail])
        second = AskPersonOperator(
            task_id="ask_second_person", policy=institution.approval, notifiers=[mail], first="ask_person"
        )
        decide = DecideOperator(
            task_id="decide",
            institution=key,
            asked_by=["ask_person", "ask_second_person"],
            trigger_rule="none_failed",
        )
        write: dict[str, Any] = {"institution": key, "pool": pool, "trigger_rule": "none_failed"}
        apply = CanvasSisImportOperator(task_id="apply", **write)
        confirm = ConfirmOperator(task_id="confirm", **write)
        close_accounts = CanvasSisImportOperator(task_id="close_accounts", part=2, **write)
        confirm_closed = ConfirmOperator(task_id="confirm_closed", **write)
        conclude = ConcludeApprovalOperator(task_id="conclude", institution=key, trigger_rule="none_failed")
        report = ReportOperator(task_id="report", institution=key, trigger_rule="none_failed")
        close = CloseRunOperator(task_id="close_run", institution=key).as_teardown()

        opened >> describe >> first >> second >> decide >> apply >> confirm >> close_accounts >> confirm_closed
        confirm_closed >> conclude >> report >> close
    return dag


for institution in load_institutions(institutions_folder())[0]:
    approval_dag(institution)
