"""Plans and their changes: what was shown is what is applied."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import count as numbers
from itertools import repeat
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, bindparam, exists, func, insert, select, update

from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import REMOVALS, Action, Change, Plan, hash_of, some_of
from rosterflow.domain.rosters import Roster, Thing
from rosterflow.store.bulk import among, insert_rows
from rosterflow.store.codec import PEOPLE, outline_from_text, text_of, thing_from_text
from rosterflow.store.history import whole_sis_id
from rosterflow.store.sealing import Seal, seal_of
from rosterflow.store.tables import canvas_object, plan, plan_change, roster, sis_import

STORED = plan_change.c[
    "seq",
    "kind",
    "action",
    "state",
    "sis_id",
    "part",
    "weight",
    "before",
    "after",
    "rule",
    "reason",
    "guard_rule",
    "guard_reason",
    "approval_id",
    "message",
    "fingerprint",
    "refused",
]


class ChangeState(StrEnum):
    """What became of a change."""

    PLANNED = "planned"
    ALLOWED = "allowed"
    HELD = "held"
    SENT = "sent"
    CONFIRMED = "confirmed"
    OWNED = "owned-by-canvas"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    STALE = "stale"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    FROZEN = "frozen"


class StoredChange(msgspec.Struct, frozen=True, dict=True):
    """A change of a plan with what became of it.

    What it makes of what is taken apart when it is first asked for: of tens of thousands of changes most readers want
    keys, counts and digests alone.

    :param seal: opens what is sealed of the texts.
    :param sis_id: as Canvas knows the object now; of people their roster's, with the part.
    :param part: of a roster, why these people; ``""`` of an object.
    :param weight: how many objects, or people in a role, it is about.
    :param before: the text of what Canvas last confirmed; ``after`` that of what it will be.
    :param guard_rule: which guard holds it, ``None`` when none does.
    :param message: Canvas's own words when it was refused.
    :param fingerprint: the change's, as it was stored with the plan.
    :param refused: how many of the people of a roster Canvas refused.
    """

    seal: Seal
    seq: int
    kind: Kind
    action: Action
    state: ChangeState
    sis_id: str
    part: str
    weight: int
    before: str | None
    after: str
    rule: str
    reason: str
    guard_rule: str | None
    guard_reason: str | None
    approval_id: int | None
    message: str | None
    fingerprint: str
    refused: int

    @property
    def key(self) -> Key:
        """The change's key."""
        return Key(self.kind, self.sis_id)

    @property
    def whole(self) -> Key:
        """Of people, the key of their whole roster."""
        return Key(self.kind, self.sis_id.removesuffix(f": {self.part}") if self.part else self.sis_id)

    @property
    def is_of_people(self) -> bool:
        """Whether it is about people, and not about an object."""
        return self.kind in PEOPLE

    @property
    def outline(self) -> Thing:
        """What it is about as Canvas has it, or as it will be: the object, or the roster without its people."""
        if self.is_of_people:
            return outline_from_text(self.kind, self.before or self.after)
        return self.change.before or self.change.after

    @cached_property
    def change(self) -> Change:
        """The change itself.

        :raises FatalError: ``page-key-invalid`` when it is sealed with a key that is none of ours.
        """
        known = thing_from_text(self.kind, self.before, self.seal) if self.before else None
        after = thing_from_text(self.kind, self.after, self.seal, self.part)
        return Change(self.action, known, after, self.rule, self.reason)


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as it was stored."""

    id: int
    institution: str
    run_id: int
    hash: str
    first_contact: bool
    unchanged: Mapping[str, int]
    made_at: datetime


def save_plan(
    connection: Connection, institution: str, run_id: int, made: Plan, *, first_contact: bool, now: datetime
) -> int:
    """Store a plan. Planning again in the same run makes another plan: what was shown or sent stays as it was.

    :returns: its id.
    """
    fingerprints = [change.fingerprint for change in made.changes]
    values = {
        "institution": institution,
        "run_id": run_id,
        "hash": hash_of(fingerprints),
        "first_contact": first_contact,
        "unchanged": {str(kind): n for kind, n in made.unchanged.items()},
        "made_at": now,
    }
    plan_id = connection.execute(insert(plan).values(values).returning(plan.c.id)).scalar_one()
    insert_rows(
        connection,
        plan_change,
        map(_row, repeat(seal_of(connection)), repeat(plan_id), numbers(), made.changes, fingerprints),
    )
    return int(plan_id)


def get_plan(connection: Connection, plan_id: int) -> StoredPlan:
    """One plan by its id."""
    return _plan(connection.execute(select(plan).where(plan.c.id == plan_id)).one())


def plan_of_run(connection: Connection, run_id: int) -> StoredPlan | None:
    """The newest plan of a run, when it has one."""
    row = connection.execute(select(plan).where(plan.c.run_id == run_id).order_by(plan.c.id.desc()).limit(1)).first()
    return _plan(row) if row else None


def changes(connection: Connection, plan_id: int, *states: ChangeState, kind: Kind | None = None) -> list[StoredChange]:
    """The changes of a plan in their order; all of them, or those in some states, of a kind."""
    which = plan_change.c.plan_id == plan_id
    return changes_where(connection, which & (plan_change.c.kind == kind) if kind else which, *states)


def changes_where(connection: Connection, which: ColumnElement[bool], *states: ChangeState) -> list[StoredChange]:
    """Changes in their plan's order; all that a condition picks, or those of them in some states."""
    query = select(*STORED).where(which).order_by(plan_change.c.seq)
    if states:
        query = query.where(plan_change.c.state.in_(states))
    seal = seal_of(connection)
    return [_stored(seal, *row) for row in connection.execute(query).all()]  # in one go, as there are many


def changes_doing(connection: Connection, plan_id: int, action: Action) -> list[StoredChange]:
    """The changes of a plan that do one thing, in their order."""
    return changes_where(connection, (plan_change.c.plan_id == plan_id) & (plan_change.c.action == action))


def sent_since_confirmed(connection: Connection, institution: str, *, of_people: bool = False) -> list[StoredChange]:
    """Changes that were sent after Canvas last confirmed their object, and never confirmed themselves.

    :param of_people: those of people instead, after it last confirmed their roster.
    """
    known, sis_id = (roster, whole_sis_id()) if of_people else (canvas_object, plan_change.c.sis_id)
    sent_later = exists().where(
        sis_import.c.plan_id == plan_change.c.plan_id,
        sis_import.c.institution == institution,
        known.c.institution == institution,
        known.c.kind == plan_change.c.kind,
        known.c.sis_id == sis_id,
        known.c.confirmed_at <= sis_import.c.posting_at,
    )
    return changes_where(connection, sent_later, ChangeState.SENT, ChangeState.UNKNOWN)


def removed_unasked(connection: Connection, institution: str, since: datetime) -> list[Change]:
    """What plans made since a moment removed without a person's approval."""
    of_plan = (plan.c.id == plan_change.c.plan_id) & (plan.c.institution == institution) & (plan.c.made_at > since)
    unasked = plan_change.c.action.in_(REMOVALS) & plan_change.c.approval_id.is_(None)
    return [one.change for one in changes_where(connection, of_plan & unasked, ChangeState.CONFIRMED)]


def changes_of_others(
    connection: Connection, plan_id: int, approval_id: int, *states: ChangeState
) -> list[StoredChange]:
    """The changes of a plan in some states that do not belong to a request for approval."""
    others = plan_change.c.approval_id.is_distinct_from(approval_id)
    return changes_where(connection, (plan_change.c.plan_id == plan_id) & others, *states)


def set_state(
    connection: Connection,
    plan_id: int,
    seqs: Iterable[int],
    state: ChangeState,
    messages: Mapping[int, str] | None = None,
) -> None:
    """Say what became of some changes, with Canvas's words for those that have any."""
    words = messages or {}
    mine = plan_change.c.plan_id == plan_id
    wanted = list(seqs)
    for some in among((seq for seq in wanted if seq not in words), plan_change.c.seq):
        connection.execute(update(plan_change).where(mine, some).values(state=state, message=None))
    told = [{"at_seq": seq, "words": words[seq]} for seq in wanted if seq in words]
    if told:
        statement = update(plan_change).where(mine, plan_change.c.seq == bindparam("at_seq"))
        connection.execute(statement.values(state=state, message=bindparam("words")), told)


def leave_out(
    connection: Connection, plan_id: int, one: StoredChange, users: Collection[str], part: str, why: str
) -> None:
    """Take some people out of a change that is not sent yet; they stay in the plan, in a stale change of their own.

    :param part: tells their change from the one that they were in.
    :param why: one sentence, for whoever looks at the plan.
    """
    left = frozenset(one.change.after.members.keys() - users) if isinstance(one.change.after, Roster) else None
    if not left:
        set_state(connection, plan_id, [one.seq], ChangeState.STALE, {one.seq: why})
        return
    mine = plan_change.c.plan_id == plan_id
    last = connection.execute(select(func.max(plan_change.c.seq)).where(mine)).scalar_one()
    seal = seal_of(connection)
    apart, rest = some_of(one.change, users, f"{one.part}, {part}"), some_of(one.change, left, one.part)
    told = {"guard_rule": one.guard_rule, "guard_reason": one.guard_reason, "approval_id": one.approval_id}
    stale = {**told, "state": str(ChangeState.STALE), "message": why}
    connection.execute(insert(plan_change).values({**_row(seal, plan_id, last + 1, apart, apart.fingerprint), **stale}))
    kept = {**_row(seal, plan_id, one.seq, rest, rest.fingerprint), "state": str(one.state)}
    connection.execute(update(plan_change).where(mine, plan_change.c.seq == one.seq).values(kept))


def note_refused(connection: Connection, plan_id: int, refused: Mapping[int, int]) -> None:
    """Say how many people of some changes Canvas refused, by ``seq``."""
    if refused:
        mine = (plan_change.c.plan_id == plan_id) & (plan_change.c.seq == bindparam("at_seq"))
        told = [{"at_seq": seq, "people": count} for seq, count in refused.items()]
        connection.execute(update(plan_change).where(mine).values(refused=bindparam("people")), told)


def hold(
    connection: Connection,
    plan_id: int,
    held: Mapping[int, tuple[str, str]],
    state: ChangeState = ChangeState.HELD,
) -> None:
    """Mark changes as held, or frozen, each with the guard's rule and reason."""
    alike: dict[tuple[str, str], list[int]] = {}
    for seq, why in held.items():
        alike.setdefault(why, []).append(seq)
    for (rule, reason), seqs in alike.items():
        for some in among(seqs, plan_change.c.seq):
            connection.execute(
                update(plan_change)
                .where(plan_change.c.plan_id == plan_id, some)
                .values(state=state, guard_rule=rule, guard_reason=reason)
            )


def give_up_sent(connection: Connection, institution: str) -> int:
    """Mark changes that were sent by runs that ended before they were confirmed as unknown.

    :returns: how many there were; only Canvas can tell what came of them.
    """
    mine = select(plan.c.id).where(plan.c.institution == institution)
    return connection.execute(
        update(plan_change)
        .where(plan_change.c.plan_id.in_(mine), plan_change.c.state == ChangeState.SENT)
        .values(state=ChangeState.UNKNOWN, message="The run ended before Canvas confirmed it.")
    ).rowcount


def with_sent(connection: Connection, institution: str) -> list[int]:
    """The plans of which changes were sent and nobody knows yet what came of them."""
    query = select(plan.c.id).join(plan_change, plan_change.c.plan_id == plan.c.id)
    mine = (plan.c.institution == institution) & (plan_change.c.state == ChangeState.SENT)
    return list(connection.execute(query.where(mine).distinct().order_by(plan.c.id)).scalars())


def unsettled(connection: Connection, institution: str) -> frozenset[Key]:
    """The objects of which nobody knows yet what came of a change that was sent."""
    query = (
        select(plan_change.c.kind, plan_change.c.sis_id)
        .join(plan, plan.c.id == plan_change.c.plan_id)
        .where(plan.c.institution == institution, plan_change.c.state == ChangeState.SENT)
    )
    return frozenset(Key(Kind(kind), sis_id) for kind, sis_id in connection.execute(query))


def kinds_in(connection: Connection, plan_id: int, state: ChangeState) -> frozenset[Kind]:
    """The kinds of object that changes of a plan in some state are about."""
    query = select(plan_change.c.kind).where(plan_change.c.plan_id == plan_id, plan_change.c.state == state)
    return frozenset(map(Kind, connection.execute(query.distinct()).scalars()))


def count(connection: Connection, plan_id: int, state: ChangeState) -> int:
    """How many things, objects or people in a role, changes of a plan in some state are about."""
    total = func.coalesce(func.sum(plan_change.c.weight), 0)
    query = select(total).where(plan_change.c.plan_id == plan_id, plan_change.c.state == state)
    return int(connection.execute(query).scalar_one())


WEIGHTS = (func.sum(plan_change.c.weight).label("n"), func.sum(plan_change.c.refused).label("refused"))
"""How many objects, or people in a role, and how many of them Canvas refused."""


def tally(connection: Connection, plan_id: int) -> Sequence[Any]:
    """How many things a plan changes, by ``kind``, ``action`` and ``state``, as rows with ``n`` and ``refused``."""
    columns = (plan_change.c.kind, plan_change.c.action, plan_change.c.state)
    query = select(*columns, *WEIGHTS).where(plan_change.c.plan_id == plan_id).group_by(*columns)
    return connection.execute(query).all()


def _stored(seal: Seal, seq: int, kind: str, action: str, state: str, *told: Any) -> StoredChange:
    """A change from its row, the columns of ``STORED``."""
    return StoredChange(seal, seq, _KINDS[kind], _ACTIONS[action], _STATES[state], *told)


_KINDS: dict[str, Kind] = {kind: kind for kind in Kind}
_ACTIONS: dict[str, Action] = {action: action for action in Action}
_STATES: dict[str, ChangeState] = {state: state for state in ChangeState}


def _row(seal: Seal, plan_id: int, seq: int, change: Change, fingerprint: str) -> dict[str, object]:
    return {
        "plan_id": plan_id,
        "seq": seq,
        "kind": str(change.kind),
        "action": str(change.action),
        "sis_id": change.key.sis_id,
        "part": change.after.part if isinstance(change.after, Roster) else "",
        "before": text_of(change.before, seal) if change.before else None,
        "after": text_of(change.after, seal, with_part=False),
        "rule": change.rule,
        "reason": change.reason,
        "fingerprint": fingerprint,
        "weight": change.weight,
        "refused": 0,
        "state": str(ChangeState.PLANNED),
    }


def _plan(row: Row[Any]) -> StoredPlan:
    return StoredPlan(
        row.id, row.institution, row.run_id, row.hash, row.first_contact, dict(row.unchanged), row.made_at
    )
