"""An institution whose settings cannot be used still has its DAG, which says why; the others go on."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import DAG, BaseOperator, Context

from rosterflow.domain.errors import Code, NeedsPerson
from rosterflow.notifications.failures import FailureMail
from rosterflow.notifications.recording import RECORDING
from rosterflow.operators.retry import ByErrorClass
from rosterflow.settings import Broken


class UnusableSettingsOperator(BaseOperator):
    """Fails with every problem of the settings file.

    :param message: the problems, one a line, with file and path.
    """

    def __init__(self, *, message: str, **kwargs: Any) -> None:
        super().__init__(retry_policy=ByErrorClass(), **kwargs)
        self.message = message

    def execute(self, context: Context) -> None:
        """Say what is wrong.

        :raises NeedsPerson: always.
        """
        raise NeedsPerson(Code.SETTINGS_INVALID, self.message)


def unusable_dag(dag_id: str, broken: Broken) -> DAG:
    """A DAG with the usual id whose one task fails with the clear message; housekeeping mails it too."""
    with DAG(
        dag_id=dag_id,
        doc_md=f"**The settings of this institution cannot be used.**\n\n```\n{broken.message}\n```",
        schedule="@daily",
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        tags=["rosterflow", "settings-invalid", broken.key],
        default_args={"owner": "rosterflow", **RECORDING},
        on_failure_callback=FailureMail(institution=broken.key),
    ) as dag:
        UnusableSettingsOperator(task_id="check_settings", message=broken.message)
    return dag
