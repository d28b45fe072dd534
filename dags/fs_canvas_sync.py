"""`fs_canvas_sync__<institution>`: daily, the study structure and the people of FS into Canvas.

**What it does.** Reads FS over GraphQL, compares it with what Canvas last confirmed, and sends the difference as one
SIS import. **Risk.** It creates, renames, moves and concludes; what is too much at once is held and asks for approval
in `canvas_approval__<institution>`. An incomplete read removes nothing. **By hand.** A run that you start only plans;
set `mode` to `apply` to let it write. The plan: task `plan`, or `python -m rosterflow plan show`. **When it fails:**
docs/runbook.md; clear the failed task, everything before it is kept.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, TaskGroup

from rosterflow.domain.institution import Institution
from rosterflow.hooks.fs_operations import STRUCTURE
from rosterflow.notifications.failures import FailureMail
from rosterflow.notifications.recording import RECORDING
from rosterflow.operators.canvas import CanvasSisImportOperator, ConfirmOperator
from rosterflow.operators.fs import FSGraphQLOperator, SplitPeopleOperator, mapped_reads
from rosterflow.operators.params import SYNC_PARAMS
from rosterflow.operators.planning import AskApprovalOperator, GuardOperator, PlanOperator, SettleOperator
from rosterflow.operators.run import CloseRunOperator, OpenRunOperator, ReportOperator
from rosterflow.operators.unusable import unusable_dag
from rosterflow.settings import institutions_folder, load_institutions


def sync_dag(institution: Institution) -> DAG:
    """The DAG of one institution; its graph is the picture in the README."""
    key, pool = institution.key, institution.canvas.pool
    with DAG(
        dag_id=f"fs_canvas_sync__{key}",
        doc_md=__doc__,
        schedule=CronTriggerTimetable(institution.schedule, timezone=institution.timezone),
        start_date=pendulum.datetime(2026, 1, 1, tz=institution.timezone),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=institution.canvas.import_hours + 6),
        params=SYNC_PARAMS,
        tags=["rosterflow", "fs", "canvas", key],
        default_args={"owner": "rosterflow", **RECORDING},
        on_failure_callback=FailureMail(institution=key),
    ) as dag:
        opened = OpenRunOperator(task_id="open_run", institution=key)
        with TaskGroup("read") as read:
            reads = [
                FSGraphQLOperator(task_id=name, operation=name, institution=key, scope=opened.output)
                for name in STRUCTURE[institution.fs.dialect]
            ]
        tasks = {task.operation: task.task_id for task in reads}
        settle = SettleOperator(task_id="settle", institution=key, trigger_rule="none_failed")
        if institution.people.sync:
            split = SplitPeopleOperator(task_id="split_people", institution=key, scope=opened.output, reads=tasks)
            read >> split >> mapped_reads("read_people", key, split.output, max_active_tis_per_dagrun=4) >> settle
        read_by: dict[str, Any] = {"reads": tasks, "people": ("split_people", "read_people")}
        plan = PlanOperator(task_id="plan", institution=key, pool=pool, **read_by)
        guard = GuardOperator(task_id="guard", institution=key, pool=pool)
        ask = AskApprovalOperator(task_id="ask_approval", institution=key, guarded_by="guard")
        write: dict[str, Any] = {"institution": key, "pool": pool, "trigger_rule": "none_failed"}
        apply = CanvasSisImportOperator(task_id="apply", **write)
        confirm = ConfirmOperator(task_id="confirm", **write)
        close_accounts = CanvasSisImportOperator(task_id="close_accounts", part=2, **write)
        confirm_closed = ConfirmOperator(task_id="confirm_closed", **write)
        report = ReportOperator(task_id="report", institution=key, trigger_rule="none_failed")
        close = CloseRunOperator(task_id="close_run", institution=key).as_teardown()

        opened >> read >> settle >> plan >> guard >> apply >> confirm >> close_accounts >> confirm_closed >> report
        guard >> ask
        [report, ask] >> close
    return dag


usable, broken = load_institutions(institutions_folder())
for institution in usable:
    sync_dag(institution)
for unusable in broken:
    unusable_dag(f"fs_canvas_sync__{unusable.key}", unusable)
