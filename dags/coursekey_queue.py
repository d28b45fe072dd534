"""`coursekey_queue__<college>`: a person adds to the queue, or has failed entries tried again.

**What it does.** *Add enrollments* or *Add courses* for a semester, a course or a section: they are sent whether or not
their window is open yet; cutover, exclude flag, wait-list and the end of the window hold all the same. *Requeue failed*
tries failed entries again, all of them or those of a cause, a place or a number. **Then.** The next run of
`coursekey_outbound__<college>` sends them; trigger it to send at once. **Audit.** Who asked for what, and why, is kept
for ever.
"""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG

from rosterflow.domain.coursekey.college import College
from rosterflow.notifications.failures import FailureMail
from rosterflow.notifications.recording import RECORDING
from rosterflow.operators.college import QueueByHandOperator
from rosterflow.operators.params import QUEUE_PARAMS
from rosterflow.settings import institutions_folder, load_colleges


def queue_dag(college: College) -> DAG:
    """The DAG of one college."""
    with DAG(
        dag_id=f"coursekey_queue__{college.key}",
        doc_md=__doc__,
        schedule=None,
        is_paused_upon_creation=False,  # it runs only when a person fills in its form
        start_date=pendulum.datetime(2026, 1, 1, tz=college.timezone),
        catchup=False,
        max_active_runs=1,
        params=QUEUE_PARAMS,
        tags=["rosterflow", "queue", "coursekey", college.key],
        default_args={"owner": "rosterflow", **RECORDING},
        on_failure_callback=FailureMail(institution=college.key),
    ) as dag:
        QueueByHandOperator(task_id="queue", institution=college.key)
    return dag


for college in load_colleges(institutions_folder())[0]:
    queue_dag(college)
