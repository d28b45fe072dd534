"""`coursekey_attendance__<college>`: every night, time attended from CourseKey into Campus Cafe's attendance module.

**What it does.** Reads the export of every auth key and School ID, keeps its pages as evidence, joins them to a ledger
(a fact is booked once, an older read never overwrites a newer one), and writes what changed, then last dates attended.
**Risk.** What is gone from the export is taken back only when the read was whole, and a person is asked in
`coursekey_approval__<college>` when it is too much at once. Rows that people made are never touched. **By hand.** Start
it with *From* and *To*, or backfill any days: order, overlap and repetition change nothing. A backfill's own *To* is a
moment: give it as the end of the last day, or that day is left out. **When it is red.** The mail of the run says which
school was not imported, or what was not written, and why. More: docs/runbook.md.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronDataIntervalTimetable

from rosterflow.domain.coursekey.college import College
from rosterflow.notifications.failures import FailureMail
from rosterflow.notifications.recording import RECORDING
from rosterflow.operators.attendance import (
    ImportAttendanceOperator,
    MailAttendanceOperator,
    OpenAttendanceOperator,
    WriteAttendanceOperator,
)
from rosterflow.operators.attendance_read import mapped_attendance_reads
from rosterflow.operators.params import ATTENDANCE_PARAMS
from rosterflow.operators.planning import AskApprovalOperator
from rosterflow.operators.unusable import unusable_dag
from rosterflow.settings import institutions_folder, load_colleges


def attendance_dag(college: College) -> DAG:
    """The DAG of one college."""
    key = college.key
    with DAG(
        dag_id=f"coursekey_attendance__{key}",
        doc_md=__doc__,
        schedule=CronDataIntervalTimetable(college.attendance.schedule, timezone=college.timezone),
        start_date=pendulum.datetime(2026, 1, 1, tz=college.timezone),
        catchup=False,
        max_active_runs=4,
        dagrun_timeout=timedelta(hours=12),
        params=ATTENDANCE_PARAMS,
        tags=["rosterflow", "coursekey", "campus-cafe", "attendance", key],
        default_args={"owner": "rosterflow", **RECORDING},
        on_failure_callback=FailureMail(institution=key),
    ) as dag:
        opened = OpenAttendanceOperator(task_id="open_run", institution=key)
        read = mapped_attendance_reads("read", college, opened.output)
        # What came is imported also when a key could not be read; what is due is written also when nothing came.
        join = ImportAttendanceOperator(task_id="import", institution=key, reads="read", trigger_rule="all_done")
        ask = AskApprovalOperator(
            task_id="ask_approval", institution=key, guarded_by="import", trigger_dag_id=f"coursekey_approval__{key}"
        )
        write = WriteAttendanceOperator(task_id="write", institution=key, opened="open_run", trigger_rule="all_done")
        mail = MailAttendanceOperator(
            task_id="mail", institution=key, told_by=["import", "write"], trigger_rule="all_done"
        )
        read >> join >> write >> mail
        join >> ask
    return dag


usable, broken = load_colleges(institutions_folder())
for college in usable:
    if college.coursekey.export_base_url:
        attendance_dag(college)
for unusable in broken:
    unusable_dag(f"coursekey_attendance__{unusable.key}", unusable)
