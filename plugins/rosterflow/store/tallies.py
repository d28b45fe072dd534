"""Counting what became of approved changes, for the reports of runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from rosterflow.store.plans import WEIGHTS
from rosterflow.store.runs import Run, get_run
from rosterflow.store.tables import approval, plan_change, run, sis_import


def request_applied_by(connection: Connection, run_id: int) -> int | None:
    """The request for approval whose changes a run sent, when it sent any."""
    query = select(sis_import.c.approval_id).where(sis_import.c.run_id == run_id)
    return connection.execute(query.order_by(sis_import.c.id.desc()).limit(1)).scalar()


def tally_of_request(connection: Connection, approval_id: int) -> Sequence[Any]:
    """How many changes a request asked for, by ``kind``, ``action`` and ``state``, as rows with ``n``.

    Newer plans tie the same changes to the request again; those it was made for count.
    """
    columns = (plan_change.c.kind, plan_change.c.action, plan_change.c.state)
    query = (
        select(*columns, *WEIGHTS)
        .join(approval, (approval.c.id == plan_change.c.approval_id) & (approval.c.plan_id == plan_change.c.plan_id))
        .where(approval.c.id == approval_id)
        .group_by(*columns)
    )
    return connection.execute(query).all()


def incomplete_runs(connection: Connection, institution: str, since: datetime) -> list[Run]:
    """Runs of an institution that began after a moment, planned, and had not seen everything; oldest first."""
    query = select(run.c.id).where(run.c.institution == institution, run.c.started_at > since).order_by(run.c.id)
    found = [get_run(connection, number) for (number,) in connection.execute(query).all()]
    return [one for one in found if one.counts.get("gaps")]
