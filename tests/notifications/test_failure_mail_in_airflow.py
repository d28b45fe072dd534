"""The failure mail as Airflow's DAG processor calls it, for a DAG of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from airflow.callbacks.callback_requests import DagCallbackRequest

from rosterflow.domain.errors import Code, FatalError
from rosterflow.notifications.recording import record_failure_of_task
from rosterflow.store.engine import Store
from sandbox.mail import Message
from tests.conftest import REPOSITORY
from tests.notifications.running import RUN_ID, Task, task_context

pytestmark = pytest.mark.airflow


def test_the_dag_processor_mails_a_failed_run_of_the_sync(
    store: Store, installation: Path, mails: Callable[[], list[Message]]
) -> None:
    from airflow.dag_processing.dagbag import DagBag  # reads Airflow's settings when imported
    from airflow.dag_processing.processor import _execute_dag_callbacks

    record_failure_of_task(task_context(Task("settle"), FatalError(Code.UNAUTHORIZED, "fjordvik: no.")))
    bag = DagBag(REPOSITORY / "dags" / "fs_canvas_sync.py")
    request = DagCallbackRequest(
        filepath="fs_canvas_sync.py",
        bundle_name="dags",
        bundle_version=None,
        dag_id="fs_canvas_sync__fjordvik",
        run_id=RUN_ID,
        is_failure_callback=True,
        context_from_server=None,
        msg="task_failure",
    )

    _execute_dag_callbacks(bag, request, structlog.get_logger())

    assert [(mail.recipients, mail.subject) for mail in mails()] == [
        (
            ("drift@fjordvik.example",),
            "[Rosterflow] Høgskolen i Fjordvik: fs_canvas_sync__fjordvik failed (unauthorized)",
        )
    ]
