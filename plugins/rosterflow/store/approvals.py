"""Held changes that wait for a person, and what the person said."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.id_changes import Pair
from rosterflow.domain.model import Key, Kind, key_of
from rosterflow.domain.rosters import Roster, Thing
from rosterflow.store.bulk import among, batches
from rosterflow.store.codec import thing_from_text
from rosterflow.store.plans import ChangeState, StoredChange, changes_where
from rosterflow.store.runs import UNDO
from rosterflow.store.sealing import seal_of
from rosterflow.store.tables import approval, plan, plan_change, run


class ApprovalState(StrEnum):
    """How far a request for approval is, who moves it there, and what becomes of its changes.

    ============ ======================================================== ===================================
    state        who moves it there                                       its changes
    ============ ======================================================== ===================================
    waiting      the guard                                                held
    invalid      a person, by an answer that does not count               held
    approved     a person                                                 allowed; too late: stale
    applied      confirming, when nothing is left to send or to confirm   confirmed, refused, unknown …
    rejected     a person                                                 rejected
    timed-out    nobody answered                                          rejected
    stale        a person, by a yes that came too late for everything     stale
    withdrawn    a newer plan that does not want it, or asks anew         withdrawn
    ============ ======================================================== ===================================

    The first two are open: they can be answered.
    """

    WAITING = "waiting"
    APPROVED = "approved"
    APPLIED = "applied"
    REJECTED = "rejected"
    TIMED_OUT = "timed-out"
    INVALID = "invalid"
    STALE = "stale"
    WITHDRAWN = "withdrawn"


OPEN = (ApprovalState.WAITING, ApprovalState.INVALID)
REFUSED = (ApprovalState.REJECTED, ApprovalState.TIMED_OUT)
GIVEN = (ApprovalState.APPROVED, ApprovalState.APPLIED)
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


def get_approval(connection: Connection, institution: str, approval_id: int) -> Approval:
    """One request of an institution by its id.

    :raises FatalError: ``request-unknown`` when the institution has no such request, whoever else may have it.
    """
    query = select(approval).where(approval.c.id == approval_id, approval.c.institution == institution)
    row = connection.execute(query).first()
    if row is None:
        raise FatalError(Code.REQUEST_UNKNOWN, f"{institution} has no request for approval {approval_id}.")
    return _approval(row)


def undo_requests(connection: Connection, institution: str) -> frozenset[int]:
    """Ids of an institution's requests about plans that undo other ones."""
    query = select(approval.c.id).join(plan, plan.c.id == approval.c.plan_id).join(run, run.c.id == plan.c.run_id)
    mine = (approval.c.institution == institution) & (run.c.mode == UNDO)
    return frozenset(connection.execute(query.where(mine)).scalars())


def requests_of(connection: Connection, plan_id: int) -> frozenset[int]:
    """Ids of the requests that were made about a plan."""
    return frozenset(connection.execute(select(approval.c.id).where(approval.c.plan_id == plan_id)).scalars())


def in_state(connection: Connection, institution: str, *states: ApprovalState) -> list[Approval]:
    """The requests of an institution in some states, oldest first."""
    query = select(approval).where(approval.c.institution == institution, approval.c.state.in_(states))
    return [_approval(row) for row in connection.execute(query.order_by(approval.c.id))]


def changes_of(connection: Connection, one: Approval, *states: ChangeState) -> list[StoredChange]:
    """The changes that a request asked for, as they were shown; all of them, or those in some states."""
    asked_for = (plan_change.c.plan_id == one.plan_id) & (plan_change.c.approval_id == one.id)
    return changes_where(connection, asked_for, *states)


def asked_about(connection: Connection, institution: str) -> list[StoredChange]:
    """The changes about which a person is being asked, as they were shown."""
    return _changes(connection, institution, approval.c.state.in_(OPEN) & _AS_SHOWN, ChangeState.HELD)


def rejected_since(connection: Connection, institution: str, moment: datetime) -> list[StoredChange]:
    """The changes that were rejected after a moment, by a person or by time-out, as they were shown."""
    decided = approval.c.state.in_(REFUSED) & (approval.c.decided_at > moment)
    return _changes(connection, institution, decided & _AS_SHOWN)


def approved_since(connection: Connection, institution: str, moment: datetime) -> list[StoredChange]:
    """The changes that a person approved after a moment and nobody carried out, in whatever plan they stand."""
    decided = approval.c.state.in_(GIVEN) & (approval.c.decided_at > moment)
    return _changes(connection, institution, decided, *OPEN_ENDED)


_AS_SHOWN = plan_change.c.plan_id == approval.c.plan_id


def _changes(
    connection: Connection, institution: str, which: ColumnElement[bool], *states: ChangeState
) -> list[StoredChange]:
    of_request = (plan_change.c.approval_id == approval.c.id) & (approval.c.institution == institution)
    return changes_where(connection, of_request & which, *states)


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
    seal = seal_of(connection)
    return frozenset(
        pair
        for row in connection.execute(query)
        for pair in _pairs(Key(Kind(row.kind), row.sis_id), thing_from_text(row.kind, row.after, seal))
    )


def _pairs(old: Key, after: Thing) -> list[Pair]:
    if not isinstance(after, Roster):
        return [(old, key_of(after))]
    return [(Key(Kind.USER, user), Key(Kind.USER, new)) for user, new in after.ids.items()]


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
