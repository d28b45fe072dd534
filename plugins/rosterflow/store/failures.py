"""Failed tasks with their code and remedy, for the mail of the failed run; and which digests were sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from rosterflow.domain.errors import RosterflowError
from rosterflow.store.bulk import upsert
from rosterflow.store.tables import digest, task_failure


def record_failure(
    connection: Connection,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    error: RosterflowError,
    *,
    try_number: int,
    now: datetime,
) -> None:
    """Write down why a task failed; the newest try counts."""
    row = {
        "dag_id": dag_id,
        "dag_run_id": dag_run_id,
        "task_id": task_id,
        "code": str(error.code),
        "message": error.message,
        "try_number": try_number,
        "at": now,
    }
    upsert(connection, task_failure, [row])


def clear_failure(connection: Connection, dag_id: str, dag_run_id: str, task_id: str) -> None:
    """Forget the failure of a task that went well after all."""
    connection.execute(
        delete(task_failure).where(
            task_failure.c.dag_id == dag_id,
            task_failure.c.dag_run_id == dag_run_id,
            task_failure.c.task_id == task_id,
        )
    )


def failures_of(connection: Connection, dag_id: str, dag_run_id: str) -> Sequence[Any]:
    """The failed tasks of a run, by time."""
    query = select(task_failure).where(task_failure.c.dag_id == dag_id, task_failure.c.dag_run_id == dag_run_id)
    return connection.execute(query.order_by(task_failure.c.at)).all()


def last_digest(connection: Connection, institution: str) -> Any | None:
    """The newest digest of an institution."""
    query = select(digest).where(digest.c.institution == institution).order_by(digest.c.day.desc()).limit(1)
    return connection.execute(query).first()


def record_digest(connection: Connection, institution: str, day: str, now: datetime, *, sent: bool) -> None:
    """Write down that a day's digest is done."""
    upsert(connection, digest, [{"institution": institution, "day": day, "at": now, "sent": sent}])
