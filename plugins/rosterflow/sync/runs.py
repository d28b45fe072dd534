"""A run from its first step to its last: what it is about, that nobody else writes meanwhile, and how it ended."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.domain.institution import Institution, Tenant
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.windows import scope_on
from rosterflow.store import institutions, leases, migrate, runs
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run, RunState

LEASE_BEYOND_IMPORT = timedelta(hours=1)

AUTOMATIC = frozenset({"scheduled", "backfill"})
"""Kinds of DAG run in which mode ``auto`` applies; a run that a person started only plans, unless asked to apply."""


def mode_of(asked: str, run_type: str) -> str:
    """What a run does: ``plan`` or ``apply``.

    :param asked: the param ``mode``: ``auto``, ``plan`` or ``apply``.
    :param run_type: Airflow's kind of run: ``scheduled``, ``backfill``, ``manual`` …
    """
    if asked != "auto":
        return asked
    return "apply" if run_type in AUTOMATIC else "plan"


def open_run(
    store: Store, institution: Tenant, *, dag_id: str, dag_run_id: str, mode: str, scope: Scope, now: datetime
) -> Run:
    """Write down that a run begins. Beginning it again, after a cleared task, is the same run.

    :raises FatalError: ``store-outdated`` when the store is not at this version.
    """
    migrate.check(store)
    with store.begin() as connection:
        institutions.standing(connection, institution.key, now)
        return runs.open_run(connection, institution.key, dag_id, dag_run_id, mode, scope, now)


def take_lease(store: Store, institution: Institution, run: Run, now: datetime) -> Run:
    """Become the one writer of the Canvas root account, from planning to confirming.

    :raises RetryableError: ``writer-busy`` while another run writes.
    """
    with store.begin() as connection:
        term = timedelta(hours=institution.canvas.import_hours) + LEASE_BEYOND_IMPORT
        fence = leases.acquire(connection, root_of(institution), run.holder, now, term)
        runs.note(connection, run.id, fence=fence)
        return runs.get_run(connection, run.id)


def keep_lease(store: Store, institution: Institution, run: Run, now: datetime) -> Run:
    """Go on as the one writer, or become it again after the run had ended and a task of it was cleared.

    :raises FatalError: ``plan-stale`` when another run has been the writer since: this one no longer knows Canvas.
    """
    stale = f"Another run has written to the Canvas root account {root_of(institution)} since this one planned."
    try:
        with store.begin() as connection:
            term = timedelta(hours=institution.canvas.import_hours) + LEASE_BEYOND_IMPORT
            fence = leases.acquire(connection, root_of(institution), run.holder, now, term)
            if run.fence is None or fence > run.fence + 1:
                raise FatalError(Code.PLAN_STALE, stale)
            runs.note(connection, run.id, fence=fence)
            return runs.get_run(connection, run.id)
    except RetryableError as error:
        if error.code is Code.WRITER_BUSY:
            raise FatalError(Code.PLAN_STALE, stale) from error
        raise


def verify_lease(connection: Connection, institution: Institution, run: Run) -> None:
    """See, inside a transaction, that the run is still the one writer.

    :raises RetryableError: ``writer-busy`` when another run took over.
    """
    leases.verify(connection, root_of(institution), run.holder, run.fence or 0)


def close_run(store: Store, institution: Institution, run: Run, *, well: bool, now: datetime) -> None:
    """Write down how a run ended and let the next writer in.

    :param well: whether every task went well; only then, and when everything was read and written, was it complete.
    """
    with store.begin() as connection:
        current = runs.get_run(connection, run.id)
        saw_everything = current.counts.get("gaps") == 0 and not current.scope.is_partial
        complete = well and saw_everything and current.mode == "apply"
        state = RunState.DONE if well else RunState.FAILED
        runs.note(connection, run.id, state=state, ended_at=now, complete=complete)
        if complete:
            institutions.mark(connection, institution.key, complete_at=now, silence_mailed_at=None)
        leases.release(connection, root_of(institution), run.holder)


def saw_all(institution: Institution, run: Run) -> bool:
    """Whether a run read, without a gap, all that a daily run of the day on which it began reads."""
    daily = scope_on(run.started_at.astimezone(institution.zone).date(), institution.terms)
    return run.counts.get("gaps") == 0 and not run.scope.is_partial and run.scope.terms >= daily.terms


def root_of(institution: Institution) -> str:
    """Name of the Canvas root account that the institution lives in."""
    return institution.canvas.root or institution.canvas.connection


def went_well(states: Collection[str]) -> bool:
    """Whether the tasks of a run all succeeded or were skipped on purpose."""
    return all(state in ("success", "skipped") for state in states)
