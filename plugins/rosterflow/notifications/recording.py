"""Tasks write down why they failed, because the mail about the run is written where nobody knows any more.

A DAG's ``on_failure_callback`` runs in the DAG processor and gets no exception (Airflow findings §6.5); the tasks' own
callbacks run where the error is. Use :data:`RECORDING` in a DAG's ``default_args``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Context
from sqlalchemy import Connection

from rosterflow.domain.errors import Code, RosterflowError
from rosterflow.settings import environment
from rosterflow.store import failures
from rosterflow.store.engine import Store


def record_failure_of_task(context: Context) -> None:
    """Write down the code and message of the error with which a try ended.

    Of an error that is not ours only the class is kept: its text may hold anything. A task without an error was killed;
    then what an earlier try said would mislead, so it is forgotten.
    """
    ti, error = context["ti"], context.get("exception")
    if not isinstance(error, BaseException):
        forget_failure_of_task(context)
        return
    ours = error if isinstance(error, RosterflowError) else _unexpected(error)
    with _store() as connection:
        failures.record_failure(
            connection,
            ti.dag_id,
            ti.run_id,
            task_name(ti),
            ours,
            try_number=ti.try_number,
            now=datetime.now(UTC),
        )


def forget_failure_of_task(context: Context) -> None:
    """Forget the failure of a task that went well after all, or was skipped."""
    ti = context["ti"]
    with _store() as connection:
        failures.clear_failure(connection, ti.dag_id, ti.run_id, task_name(ti))


RECORDING: dict[str, Any] = {
    "on_failure_callback": record_failure_of_task,
    "on_retry_callback": record_failure_of_task,
    "on_success_callback": forget_failure_of_task,
    "on_skipped_callback": forget_failure_of_task,
}
"""The callbacks of every task, for ``default_args``."""


def task_name(ti: Any) -> str:
    """The task's id, with its index when it is mapped: ``read[3]``."""
    index = getattr(ti, "map_index", None)
    return f"{ti.task_id}[{index}]" if index is not None and index >= 0 else str(ti.task_id)


def _unexpected(error: BaseException) -> RosterflowError:
    return RosterflowError(Code.UNEXPECTED, f"The task ended with {type(error).__name__}.")


@contextmanager
def _store() -> Iterator[Connection]:
    store = Store(environment().database_url)
    try:
        with store.begin() as connection:
            yield connection
    finally:
        store.dispose()
