"""Held changes that wait for a person, and what the person said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from rosterflow.store.plans import ChangeState, StoredChange, stored_change
from rosterflow.store.tables import approval, plan_change


class ApprovalState(StrEnum):
    """How far a request for approval is."""

    WAITING = "waiting"
    APPROVED = "approved"
    APPLIED = "applied"
    REJECTED = "rejected"
    TIMED_OUT = "timed-out"
    INVALID = "invalid"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Approval:
    """A request to approve some held changes of one plan.

    :param hash: digest of exactly these changes.
    :param two_person: whether a second, different person must approve too.
    """

    id: int
    institution: str
    plan_id: int
    hash: str
    state: ApprovalState
    two_person: bool
    first_contact: bool
    asked_at: datetime
    decided_at: datetime | None


def ask(
    connection: Connection,
    institution: str,
    plan_id: int,
    seqs: Iterable[int],
    changes_hash: str,
    *,
    two_person: bool,
    first_contact: bool,
    now: datetime,
) -> int:
    """Write a request down and tie the changes to it.

    :returns: its id.
    """
    values = {
        "institution": institution,
        "plan_id": plan_id,
        "hash": changes_hash,
        "state": ApprovalState.WAITING,
        "two_person": two_person,
        "first_contact": first_contact,
        "asked_at": now,
    }
    made = connection.execute(insert(approval).values(values).returning(approval.c.id)).scalar_one()
    tie(connection, plan_id, seqs, made)
    return int(made)


def tie(connection: Connection, plan_id: int, seqs: Iterable[int], approval_id: int) -> None:
    """Say which request some held changes of a plan wait for."""
    wanted = set(seqs)
    if wanted:
        connection.execute(
            update(plan_change)
            .where(plan_change.c.plan_id == plan_id, plan_change.c.seq.in_(wanted))
            .values(approval_id=approval_id)
        )


def get_approval(connection: Connection, approval_id: int) -> Approval:
    """One request by its id."""
    return _approval(connection.execute(select(approval).where(approval.c.id == approval_id)).one())


def in_state(connection: Connection, institution: str, *states: ApprovalState) -> list[Approval]:
    """The requests of an institution in some states, oldest first."""
    query = select(approval).where(approval.c.institution == institution, approval.c.state.in_(states))
    return [_approval(row) for row in connection.execute(query.order_by(approval.c.id))]


def changes_of(connection: Connection, one: Approval, *states: ChangeState) -> list[StoredChange]:
    """The changes that a request asked for, as they were shown; all of them, or those in some states."""
    query = select(plan_change).where(plan_change.c.plan_id == one.plan_id, plan_change.c.approval_id == one.id)
    if states:
        query = query.where(plan_change.c.state.in_(states))
    return [stored_change(row) for row in connection.execute(query.order_by(plan_change.c.seq))]


def rejected_since(connection: Connection, institution: str, moment: datetime) -> dict[str, int]:
    """Fingerprints of changes that a person rejected after a moment, with the request's id."""
    query = (
        select(plan_change.c.fingerprint, approval.c.id)
        .join(approval, (plan_change.c.approval_id == approval.c.id) & (plan_change.c.plan_id == approval.c.plan_id))
        .where(
            approval.c.institution == institution,
            approval.c.state == ApprovalState.REJECTED,
            approval.c.decided_at > moment,
        )
    )
    return {row.fingerprint: row.id for row in connection.execute(query)}


def set_approval_state(connection: Connection, approval_id: int, state: ApprovalState, now: datetime) -> None:
    """Say how far a request is."""
    connection.execute(update(approval).where(approval.c.id == approval_id).values(state=state, decided_at=now))


def _approval(row: Row[Any]) -> Approval:
    values = {name: getattr(row, name) for name in Approval.__dataclass_fields__}
    return Approval(**{**values, "state": ApprovalState(row.state)})
