"""Runs: one row for each DAG run that reads, plans or writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select, update

from rosterflow.domain.model import SourceKind
from rosterflow.domain.snapshot import Scope
from rosterflow.store.tables import plan, run

UNDO = "undo"
"""The mode of a run whose plan undoes another one: the source wants none of it."""


class RunState(StrEnum):
    """How far a run is."""

    OPEN = "open"
    PLANNED = "planned"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a DAG for an institution.

    :param mode: ``plan``, ``apply`` or ``undo``; ``auto`` was decided when it was opened.
    :param fence: number of the writer lease it holds or held.
    """

    id: int
    institution: str
    dag_id: str
    dag_run_id: str
    mode: str
    scope: Scope
    state: RunState
    fence: int | None
    started_at: datetime
    counts: Mapping[str, Any]

    @property
    def holder(self) -> str:
        """The name under which it holds the writer lease."""
        return f"run:{self.id}"


def open_run(
    connection: Connection, institution: str, dag_id: str, dag_run_id: str, mode: str, scope: Scope, now: datetime
) -> Run:
    """The run of this DAG run, opened anew; opening it again (a cleared task) starts it over under the same id."""
    mine = (run.c.dag_id == dag_id) & (run.c.dag_run_id == dag_run_id)
    fresh = {
        "mode": mode,
        "scope": _scope_json(scope),
        "state": RunState.OPEN,
        "started_at": now,
        "ended_at": None,
        "complete": None,
        "counts": {},
    }
    known = connection.execute(select(run.c.id).where(mine)).scalar()
    if known is None:
        values = {"institution": institution, "dag_id": dag_id, "dag_run_id": dag_run_id, **fresh}
        connection.execute(run.insert().values(values))
    else:
        connection.execute(run.update().where(run.c.id == known).values(fresh))
    return _run(connection.execute(select(run).where(mine)).one())


def get_run(connection: Connection, run_id: int) -> Run:
    """One run by its id."""
    return _run(connection.execute(select(run).where(run.c.id == run_id)).one())


def find_run(connection: Connection, dag_id: str, dag_run_id: str) -> Run | None:
    """The run of a DAG run, when it was opened."""
    row = connection.execute(select(run).where(run.c.dag_id == dag_id, run.c.dag_run_id == dag_run_id)).first()
    return _run(row) if row else None


def latest_runs(connection: Connection, institution: str, limit: int = 20) -> list[Run]:
    """The newest runs of an institution."""
    query = select(run).where(run.c.institution == institution).order_by(run.c.id.desc()).limit(limit)
    return [_run(row) for row in connection.execute(query)]


def planned_since(connection: Connection, begun: Run) -> int | None:
    """A run that applies, began after this one and has planned, and so knows its institution's source better."""
    later = (run.c.institution == begun.institution) & (run.c.mode == "apply") & (run.c.started_at > begun.started_at)
    return connection.execute(select(run.c.id).join(plan, plan.c.run_id == run.c.id).where(later).limit(1)).scalar()


def unplanned_runs(connection: Connection, started_before: datetime) -> list[Run]:
    """Runs that were opened before a moment and have neither a plan nor an end."""
    query = select(run).where(run.c.state == RunState.OPEN, run.c.ended_at.is_(None), run.c.started_at < started_before)
    return [_run(row) for row in connection.execute(query)]


def note(connection: Connection, run_id: int, **values: Any) -> None:
    """Set columns of a run (``state``, ``fence``, ``ended_at``, ``complete``)."""
    connection.execute(update(run).where(run.c.id == run_id).values(**values))


def add_counts(connection: Connection, run_id: int, **counts: Any) -> None:
    """Add to the counts of a run; they are what its report shows."""
    known = connection.execute(select(run.c.counts).where(run.c.id == run_id)).scalar_one()
    connection.execute(update(run).where(run.c.id == run_id).values(counts={**known, **counts}))


def _scope_json(scope: Scope) -> dict[str, Any]:
    return {
        "terms": sorted(scope.terms),
        "sources": sorted(scope.sources),
        "emnekoder": sorted(scope.emnekoder) if scope.emnekoder is not None else None,
    }


def _run(row: Row[Any]) -> Run:
    scope = row.scope
    return Run(
        id=row.id,
        institution=row.institution,
        dag_id=row.dag_id,
        dag_run_id=row.dag_run_id,
        mode=row.mode,
        scope=Scope(
            frozenset(scope["terms"]),
            frozenset(SourceKind(kind) for kind in scope["sources"]),
            frozenset(scope["emnekoder"]) if scope["emnekoder"] is not None else None,
        ),
        state=RunState(row.state),
        fence=row.fence,
        started_at=row.started_at,
        counts=row.counts,
    )
