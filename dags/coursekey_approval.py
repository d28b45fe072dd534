"""`coursekey_approval__<college>`: drops and staff removals that are too many at once wait here for a person.

**What it does.** `coursekey_outbound__<college>` starts it when Campus Cafe would have too many people removed. Open
*Required Actions*, read what is asked, answer with a comment. What is approved goes into the queue and is sent by the
next run of `coursekey_outbound__<college>`; whoever is registered again meanwhile is left alone. No answer in time is a
no. **Audit.** Who decided what, when and why is kept for ever.
"""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param

from rosterflow.domain.coursekey.college import College
from rosterflow.notifications.failures import FailureMail
from rosterflow.notifications.held import HeldMail
from rosterflow.notifications.recording import RECORDING
from rosterflow.operators.approval import AskPersonOperator
from rosterflow.operators.college import DecideRemovalsOperator, DescribeRemovalsOperator
from rosterflow.settings import institutions_folder, load_colleges


def approval_dag(college: College) -> DAG:
    """The DAG of one college."""
    key, policy = college.key, college.approval
    with DAG(
        dag_id=f"coursekey_approval__{key}",
        doc_md=__doc__,
        schedule=None,
        is_paused_upon_creation=False,  # it runs only when a run asks, and nobody would hear of a question that waits
        start_date=pendulum.datetime(2026, 1, 1, tz=college.timezone),
        catchup=False,
        max_active_runs=16,
        params={"approval_id": Param(type="integer", minimum=1, description="Set by the run that asks.")},
        tags=["rosterflow", "approval", "coursekey", key],
        default_args={"owner": "rosterflow", **RECORDING},
        on_failure_callback=FailureMail(institution=key),
    ) as dag:
        describe = DescribeRemovalsOperator(task_id="describe", institution=key)
        mail = HeldMail(institution=key)
        first = AskPersonOperator(task_id="ask_person", policy=policy, notifiers=[mail])
        second = AskPersonOperator(task_id="ask_second_person", policy=policy, notifiers=[mail], first="ask_person")
        decide = DecideRemovalsOperator(
            task_id="decide",
            institution=key,
            asked_by=["ask_person", "ask_second_person"],
            trigger_rule="none_failed",
        )
        describe >> first >> second >> decide
    return dag


for college in load_colleges(institutions_folder())[0]:
    approval_dag(college)
