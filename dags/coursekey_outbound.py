"""`coursekey_outbound__<college>`: every quarter of an hour, what changed in Campus Cafe into CourseKey.

**What it does.** Reads the changes (once a day everything), queues what they mean by the rules of
docs/coursekey-rules.md, and sends the queue: accounts, courses, staff, sessions, enrollments, drops. **Risk.** Drops
and removals of staff that are too many at once are held and ask for approval in `coursekey_approval__<college>`. An
incomplete read removes nobody. **By hand.** Start a run to send what is due now; to queue a semester, a course or a
section, start `coursekey_queue__<college>`. **When it is red.** Campus Cafe could not be read, or an auth key could not
be used: its entries stay pending. Entries that fail do not make it red: they are in the mail. More: docs/runbook.md.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from rosterflow.domain.coursekey.college import College
from rosterflow.notifications.failures import FailureMail
from rosterflow.notifications.recording import RECORDING
from rosterflow.operators.coursekey import (
    CollectCampusOperator,
    DrainOperator,
    GuardRemovalsOperator,
    TellFailuresOperator,
)
from rosterflow.operators.params import OUTBOUND_PARAMS
from rosterflow.operators.planning import AskApprovalOperator
from rosterflow.operators.unusable import unusable_dag
from rosterflow.settings import institutions_folder, load_colleges


def outbound_dag(college: College) -> DAG:
    """The DAG of one college."""
    key = college.key
    with DAG(
        dag_id=f"coursekey_outbound__{key}",
        doc_md=__doc__,
        schedule=CronTriggerTimetable(college.schedule, timezone=college.timezone),
        start_date=pendulum.datetime(2026, 1, 1, tz=college.timezone),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=6),
        params=OUTBOUND_PARAMS,
        tags=["rosterflow", "coursekey", "campus-cafe", key],
        default_args={"owner": "rosterflow", **RECORDING},
        on_failure_callback=FailureMail(institution=key),
    ) as dag:
        collect = CollectCampusOperator(task_id="collect", institution=key)
        guard = GuardRemovalsOperator(task_id="guard", institution=key)
        ask = AskApprovalOperator(
            task_id="ask_approval", institution=key, guarded_by="guard", trigger_dag_id=f"coursekey_approval__{key}"
        )
        # What is queued is sent even when Campus Cafe cannot be read now.
        drain = DrainOperator(task_id="drain", institution=key, trigger_rule="all_done")
        tell = TellFailuresOperator(task_id="tell", institution=key).as_teardown(on_failure_fail_dagrun=True)

        collect >> guard >> drain >> tell
        guard >> ask
    return dag


usable, broken = load_colleges(institutions_folder())
for college in usable:
    outbound_dag(college)
for unusable in broken:
    unusable_dag(f"coursekey_outbound__{unusable.key}", unusable)
