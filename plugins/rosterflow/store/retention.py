"""Forgetting what has been kept for long enough. What waits for somebody, or is not over, stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, or_, select

from rosterflow.store.approvals import ID_CHANGE, OPEN, ApprovalState
from rosterflow.store.imports import UNFINISHED
from rosterflow.store.plans import ChangeState
from rosterflow.store.tables import (
    approval,
    digest,
    ended_roster,
    institution,
    notice,
    plan,
    plan_change,
    run,
    sis_import,
    task_failure,
)


def purge_plans(connection: Connection, key: str, before: datetime, rejected_before: datetime) -> int:
    """Remove an institution's plans made before a moment, with their changes, requests and imports.

    A plan stays while one of its changes waits for a person or for Canvas, while its zip is kept, and while a person's
    no to one of its changes still counts; a no to a changed id, which keeps two objects apart, counts for ever. The
    newest plan always stays, to be looked at.

    :param rejected_before: a no that was said before this moment counts no more.
    :returns: how many plans were removed.
    """
    old = [number for (number,) in connection.execute(_old_plans(key, before, rejected_before))]
    connection.execute(delete(plan_change).where(plan_change.c.plan_id.in_(old)))
    # A newer plan's change may wait for a request that this plan made: the request, and so the plan, stays for it.
    asked_by = select(approval.c.plan_id).join(plan_change, plan_change.c.approval_id == approval.c.id)
    free = [n for (n,) in connection.execute(select(plan.c.id).where(plan.c.id.in_(old), plan.c.id.not_in(asked_by)))]
    connection.execute(delete(sis_import).where(sis_import.c.plan_id.in_(free)))
    connection.execute(delete(approval).where(approval.c.plan_id.in_(free)))
    connection.execute(delete(ended_roster).where(ended_roster.c.institution == key, ended_roster.c.plan_id.in_(free)))
    return connection.execute(delete(plan).where(plan.c.id.in_(free))).rowcount


def _old_plans(key: str, before: datetime, rejected_before: datetime) -> Select[int]:
    newest = select(func.max(plan.c.id)).where(plan.c.institution == key).scalar_subquery()
    open_import = exists().where(
        sis_import.c.plan_id == plan.c.id, or_(sis_import.c.state.in_(UNFINISHED), sis_import.c.blob.is_not(None))
    )
    sent = exists().where(plan_change.c.plan_id == plan.c.id, plan_change.c.state == ChangeState.SENT)
    counts = _still_counts(rejected_before)
    own_request = exists().where(approval.c.plan_id == plan.c.id, counts)
    tied = exists().where(plan_change.c.plan_id == plan.c.id, plan_change.c.approval_id == approval.c.id, counts)
    apart = exists().where(
        approval.c.plan_id == plan.c.id,
        approval.c.state == ApprovalState.REJECTED,
        plan_change.c.plan_id == plan.c.id,
        plan_change.c.approval_id == approval.c.id,
        plan_change.c.guard_rule == ID_CHANGE,
    )
    return select(plan.c.id).where(
        plan.c.institution == key,
        plan.c.made_at < before,
        plan.c.id != newest,
        ~open_import,
        ~sent,
        ~own_request,
        ~tied,
        ~apart,
    )


def _still_counts(rejected_before: datetime) -> ColumnElement[bool]:
    return or_(
        approval.c.state.in_((*OPEN, ApprovalState.APPROVED)),
        and_(approval.c.state == ApprovalState.REJECTED, approval.c.decided_at >= rejected_before),
    )


def purge_runs(connection: Connection, key: str, before: datetime) -> int:
    """Remove an institution's runs that began before a moment and have neither plan nor import any more."""
    used = or_(exists().where(plan.c.run_id == run.c.id), exists().where(sis_import.c.run_id == run.c.id))
    return connection.execute(delete(run).where(run.c.institution == key, run.c.started_at < before, ~used)).rowcount


def purge_digests(connection: Connection, key: str, before: datetime) -> int:
    """Remove the record of an institution's digests before a moment."""
    return connection.execute(delete(digest).where(digest.c.institution == key, digest.c.at < before)).rowcount


def purge_failures(connection: Connection, before: datetime) -> int:
    """Remove the record of tasks that failed, and of notices, before a moment."""
    failed = connection.execute(delete(task_failure).where(task_failure.c.at < before)).rowcount
    return failed + connection.execute(delete(notice).where(notice.c.at < before)).rowcount


def known_institutions(connection: Connection) -> list[str]:
    """Keys of every institution the store has ever seen, in order."""
    return list(connection.execute(select(institution.c.key).order_by(institution.c.key)).scalars())
