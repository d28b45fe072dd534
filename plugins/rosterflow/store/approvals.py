"""Held changes that wait for a person, and what the person said."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from rosterflow.domain.id_changes import Pair
from rosterflow.domain.model import Key, Kind, key_of
from rosterflow.store.bulk import among, batches
from rosterflow.store.codec import from_text
from rosterflow.store.plans import ChangeState, StoredChange, changes_where
from rosterflow.store.tables import approval, plan_change


class ApprovalState(StrEnum):
    """How far a request for approval is."""

    WAITING = "waiting"
    APPROVED = "approved"
    APPLIED = "applied"
    REJECTED = "rejected"
    TIMED_OUT = "timed-out"
    INVALID = "invalid"
    STALE = "stale"
    WITHDRAWN = "withdrawn"


REFUSED = (ApprovalState.REJECTED, ApprovalState.TIMED_OUT)
ID_CHANGE = "id-change"
"""The guard's rule by which a changed id is held."""
OPEN_ENDED = (ChangeState.ALLOWED, ChangeState.UNKNOWN, ChangeState.REFUSED)
"""What became of an approved change that is not carried out yet: not sent, sent in vain, or refused by Canvas."""


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


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that a person was asked about: by which request, and why it was held."""

    request: int
    rule: str
    reason: str


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
    for some in among(seqs, plan_change.c.seq):
        connection.execute(
            update(plan_change).where(plan_change.c.plan_id == plan_id, some).values(approval_id=approval_id)
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
    asked_for = (plan_change.c.plan_id == one.plan_id) & (plan_change.c.approval_id == one.id)
    return changes_where(connection, asked_for, *states)


def rejected_since(connection: Connection, institution: str, moment: datetime) -> dict[str, Asked]:
    """The changes that were rejected after a moment, by a person or by time-out, by fingerprint."""
    decided = (approval.c.state.in_(REFUSED)) & (approval.c.decided_at > moment)
    return _asked(connection, institution, decided & (plan_change.c.plan_id == approval.c.plan_id))


def rejected_id_changes(connection: Connection, institution: str) -> frozenset[Pair]:
    """The changes of an id to which a person ever said no: the old key and the new one.

    A time-out is nobody's no, and neither is that of a first contact, which is about the whole plan.
    """
    of_person = (approval.c.state == ApprovalState.REJECTED) & (approval.c.institution == institution)
    query = (
        select(plan_change.c.kind, plan_change.c.sis_id, plan_change.c.after)
        .join(approval, plan_change.c.approval_id == approval.c.id)
        .where(of_person, plan_change.c.guard_rule == ID_CHANGE)
    )
    return frozenset(
        (Key(Kind(row.kind), row.sis_id), key_of(from_text(row.kind, row.after))) for row in connection.execute(query)
    )


def approved_since(connection: Connection, institution: str, moment: datetime) -> dict[str, Asked]:
    """The changes that a person approved after a moment and nobody carried out, by fingerprint."""
    approved = approval.c.state.in_((ApprovalState.APPROVED, ApprovalState.APPLIED))
    decided = approved & (approval.c.decided_at > moment)
    return _asked(connection, institution, decided & plan_change.c.state.in_(OPEN_ENDED))


def asked_about(connection: Connection, institution: str) -> dict[str, Asked]:
    """The changes about which a person is being asked, by fingerprint."""
    waiting = (approval.c.state == ApprovalState.WAITING) & (plan_change.c.plan_id == approval.c.plan_id)
    return _asked(connection, institution, waiting & (plan_change.c.state == ChangeState.HELD))


def _asked(connection: Connection, institution: str, which: ColumnElement[bool]) -> dict[str, Asked]:
    query = (
        select(plan_change.c.fingerprint, approval.c.id, plan_change.c.guard_rule, plan_change.c.guard_reason)
        .join(approval, plan_change.c.approval_id == approval.c.id)
        .where(approval.c.institution == institution, which)
    )
    return {row.fingerprint: Asked(row.id, row.guard_rule, row.guard_reason) for row in connection.execute(query)}


def hand_on(connection: Connection, approval_id: int, plan_id: int, seqs: Collection[int]) -> None:
    """Have a newer plan carry out approved changes instead of the plan they were shown with."""
    left = (plan_change.c.approval_id == approval_id) & plan_change.c.state.in_(OPEN_ENDED)
    for some in among(seqs, plan_change.c.seq):
        same = select(plan_change.c.fingerprint).where(plan_change.c.plan_id == plan_id, some)
        connection.execute(
            update(plan_change)
            .where(left, plan_change.c.plan_id != plan_id, plan_change.c.fingerprint.in_(same))
            .values(state=ChangeState.STALE, message=f"carried out with plan {plan_id} instead")
        )
    tie(connection, plan_id, seqs, approval_id)


def not_carried_out(connection: Connection, approval_id: int) -> list[StoredChange]:
    """The changes that were approved by a request and are not carried out yet, in whatever plan they stand."""
    return changes_where(connection, plan_change.c.approval_id == approval_id, *OPEN_ENDED)


def withdraw(connection: Connection, approval_id: int, fingerprints: Iterable[str]) -> None:
    """Say that changes of a request are not asked for any more, in whatever plan they stand."""
    left = (plan_change.c.approval_id == approval_id) & plan_change.c.state.in_((ChangeState.HELD, *OPEN_ENDED))
    for some in batches(fingerprints):
        connection.execute(
            update(plan_change)
            .where(left, plan_change.c.fingerprint.in_(some))
            .values(state=ChangeState.WITHDRAWN, message=None)
        )


def is_carried_out(connection: Connection, approval_id: int) -> bool:
    """Whether nothing that was approved waits to be sent or confirmed any more, in whatever plan."""
    open_ones = plan_change.c.state.in_((ChangeState.ALLOWED, ChangeState.SENT))
    query = select(plan_change.c.seq).where(plan_change.c.approval_id == approval_id, open_ones).limit(1)
    return connection.execute(query).first() is None


def set_approval_state(connection: Connection, approval_id: int, state: ApprovalState, now: datetime) -> None:
    """Say how far a request is."""
    connection.execute(update(approval).where(approval.c.id == approval_id).values(state=state, decided_at=now))


def _approval(row: Row[Any]) -> Approval:
    values = {name: getattr(row, name) for name in Approval.__dataclass_fields__}
    return Approval(**{**values, "state": ApprovalState(row.state)})
