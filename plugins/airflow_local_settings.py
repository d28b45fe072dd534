"""Loads the package once in those processes of Airflow that fork one for each task, or for each look at a DAG file.

What a process has loaded, its forks need not load again, which takes 0.7 s of CPU each time. Airflow imports this
module first of all, in every process and command; only in those that fork is it worth it. They have to be restarted
when another version of the package is installed. Source: Airflow 3.3 documentation, "Configuring local settings".
"""

from __future__ import annotations

import logging
import sys

__all__: list[str] = []  # Airflow would take over any other name as one of its settings

FORKING = {"celery", "dag-processor", "scheduler"}

if FORKING.intersection(sys.argv[1:2]):
    try:
        import airflow.dag_processing.dagbag  # noqa: F401 - importing is all

        import rosterflow.hooks.fs
        import rosterflow.notifications.failures
        import rosterflow.notifications.held
        import rosterflow.operators.approval
        import rosterflow.operators.attendance
        import rosterflow.operators.canvas
        import rosterflow.operators.college
        import rosterflow.operators.coursekey
        import rosterflow.operators.fs
        import rosterflow.operators.housekeeping
        import rosterflow.operators.planning
        import rosterflow.operators.reconcile
        import rosterflow.operators.run
        import rosterflow.operators.unusable
        import rosterflow.xcom  # noqa: F401
    except Exception:  # it only saves time: all other DAGs go on without it, and the UI tells what is wrong with ours
        logging.getLogger(__name__).exception("Rosterflow could not be loaded ahead of its tasks.")
