"""`rosterflow_housekeeping`: hourly, for the whole installation.

**What it does.** Forgets pages, checkpoints, zips, plans and history after their retention; mails the daily digests;
mails when an institution is silent, when a settings file cannot be used, and when a run waits for a pool that may not
exist. **When it is red.** Somebody could not be told, most often because the mail server is dead: then no mail says so
either. Watch this DAG from outside: set `ROSTERFLOW_HEARTBEAT_CONNECTION` to an HTTP connection, which is called each
hour when all is well, and have the other side raise the alarm when the call does not come. More: docs/runbook.md.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from rosterflow.notifications.failures import FailureMail
from rosterflow.notifications.recording import RECORDING
from rosterflow.operators.housekeeping import DUTIES, HousekeepingOperator

HEARTBEAT_SECONDS = 10

with DAG(
    dag_id="rosterflow_housekeeping",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("17 * * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=55),
    tags=["rosterflow", "housekeeping"],
    default_args={"owner": "rosterflow", **RECORDING},
    on_failure_callback=FailureMail(),
):
    duties = [HousekeepingOperator(task_id=duty) for duty in DUTIES]
    if connection := os.environ.get("ROSTERFLOW_HEARTBEAT_CONNECTION"):
        # Only here: the HTTP provider takes a third of a second to load, and every task process would load it.
        from airflow.providers.http.operators.http import HttpOperator

        heartbeat = HttpOperator(
            task_id="heartbeat",
            doc_md="Tells a watch outside that all duties went well.",
            http_conn_id=connection,
            method="GET",
            extra_options={"timeout": HEARTBEAT_SECONDS},
            do_xcom_push=False,
            retries=2,
            retry_delay=timedelta(seconds=30),
        )
        duties >> heartbeat
