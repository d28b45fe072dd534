"""Administrators whom people made since Canvas was read last: they stay theirs, though the source has them, too.

Canvas accepts a row about an administrator who is there already without a word, and takes them for an import's from
then on (Canvas contract §5.10): we would believe that we made them, and take them away with the role. So just before
new administrators are sent, those of their accounts are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from rosterflow.domain.errors import RetryableError, RosterflowError
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import Action
from rosterflow.domain.roster_changes import ADMIN_BY_HAND
from rosterflow.domain.rosters import BY_HAND, MEMBER_FIELDS, STANDINGS, shelf_of
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.hooks.canvas_records import Administrator
from rosterflow.store import history, imports, objects, plans, rosters, row_errors
from rosterflow.store.engine import Store
from rosterflow.store.history import FOUND, Event
from rosterflow.store.imports import ImportState
from rosterflow.store.person_keys import shown_by
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.store.row_errors import RowErrorNote
from rosterflow.store.runs import Run
from rosterflow.sync.confirming_people import part_of
from rosterflow.sync.place import verify_place
from rosterflow.sync.runs import verify_lease

MADE_BY_HAND = "People have made them administrators by hand meanwhile."
_LOGIN = MEMBER_FIELDS[Kind.USER].index("login")


@dataclass(frozen=True, slots=True)
class _Listed:
    """What Canvas tells of accounts, by their SIS ids.

    :param there: who administers them.
    :param untold: why it does not tell.
    """

    there: dict[str, list[Administrator]] = field(default_factory=dict)
    untold: dict[str, RosterflowError] = field(default_factory=dict)


def spare_admins(
    store: Store,
    hook: CanvasHook,
    institution: Institution,
    run: Run,
    plan_id: int,
    coming: Sequence[StoredChange],
    *,
    approval_id: int | None,
    now: datetime,
) -> None:
    """Leave out of a plan whom people have made administrators meanwhile, and remember them as made by hand.

    One request for each account. Nobody is sent blindly: where Canvas does not tell who administers an account, its new
    administrators wait for another plan, and the rest goes on. An import that was prepared with any of those who are
    left out, and never posted, is dropped.

    :param coming: the changes that are about to be sent and make administrators.
    :raises RosterflowError: as :func:`~rosterflow.sync.place.verify_place`.
    """
    with store.begin() as connection:
        asked = _in_canvas(connection, institution, coming)
    if not asked:
        return
    verify_place(store, hook, institution, now)
    listed = _listed(hook, map(_account_of, asked))
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        book = _Book(connection, institution, plan_id, run.id, now)
        told = [one for one in asked if _account_of(one) in listed.there]
        by_hand = _by_hand(connection, plan_id, told, listed.there)
        book.spare(told, by_hand)
        book.wait([(one, listed.untold[_account_of(one)]) for one in asked if one not in told])
        begun = imports.import_of(connection, plan_id, approval_id, part=1)
        if (by_hand or listed.untold) and begun and begun.state is ImportState.PREPARED:
            imports.note(connection, begun.id, state=ImportState.DROPPED, ended_at=now)


def _in_canvas(connection: Connection, institution: Institution, coming: Sequence[StoredChange]) -> list[StoredChange]:
    """Those whose account is in Canvas; nobody administers one that the same import makes."""
    keys = {Key(Kind.ACCOUNT, _account_of(one)) for one in coming}
    known = {one.thing.sis_id for one in objects.load(connection, institution.key, keys)} if keys else set()
    return [one for one in coming if _account_of(one) in {*known, institution.canvas.account}]


def _account_of(one: StoredChange) -> str:
    place = part_of(one).place
    return place.sis_id if place else ""


def _listed(hook: CanvasHook, accounts: Iterable[str]) -> _Listed:
    found = _Listed()
    trouble: RetryableError | None = None
    for account in sorted(set(accounts)):
        try:
            if trouble:
                raise trouble  # it was asked often enough: the others would only take as long
            found.there[account] = hook.administrators(account)
        except RetryableError as error:
            found.untold[account] = trouble = error
        except RosterflowError as error:
            found.untold[account] = error
    return found


def _by_hand(
    connection: Connection, plan_id: int, told: Sequence[StoredChange], there: Mapping[str, Sequence[Administrator]]
) -> dict[int, frozenset[str]]:
    """Who of the people of some changes is there in the same role already, by ``seq``.

    A user without a SIS id is somebody of ours, too, when the same import gives them one: Canvas knows them by the
    login.
    """
    has_nameless = any(not admin.user for admins in there.values() for admin in admins)
    logins = _new_logins(connection, plan_id, told) if has_nameless else {}
    found: dict[int, frozenset[str]] = {}
    for one in told:
        part = part_of(one)
        alike = [admin for admin in there[_account_of(one)] if admin.role == part.role]
        users = {admin.user or logins.get(admin.login.lower(), "") for admin in alike}
        if by_hand := users & part.members.keys():
            found[one.seq] = frozenset(by_hand)
    return found


def _new_logins(connection: Connection, plan_id: int, told: Iterable[StoredChange]) -> dict[str, str]:
    """The SIS ids of the users whom a plan makes, by login, as far as they may be among the people of some changes."""
    shelves = {f"shelf {shelf_of(user)}" for one in told for user in part_of(one).members}
    made = plans.changes(connection, plan_id, ChangeState.ALLOWED, kind=Kind.USER)
    parts = [part_of(one) for one in made if one.action is Action.CREATE and one.whole.sis_id in shelves]
    return {member[_LOGIN].lower(): user for part in parts for user, member in part.members.items()}


@dataclass(frozen=True, slots=True)
class _Book:
    """One transaction's bookkeeping of who is left out of a plan."""

    connection: Connection
    institution: Institution
    plan_id: int
    run_id: int
    now: datetime

    def spare(self, told: Collection[StoredChange], by_hand: Mapping[int, frozenset[str]]) -> None:
        """Remember whom people made administrators.

        :param told: all whose accounts Canvas told of.
        """
        connection, key = self.connection, self.institution.key
        row_errors.settle(connection, key, "canvas", [str(one.whole) for one in told], self.now)
        theirs = [one for one in told if one.seq in by_hand]
        if not theirs:
            return
        known = {roster.whole: roster for roster in rosters.load(connection, key, {one.whole for one in theirs})}
        shown = shown_by(connection, key)
        for one in theirs:
            users = by_hand[one.seq]
            before = known.get(one.whole, replace(part_of(one), members={}, part=""))
            members = {**before.members, **dict.fromkeys(users, STANDINGS[BY_HAND])}
            known[one.whole] = replace(before, members=members)
            plans.leave_out(connection, self.plan_id, one, users, BY_HAND, MADE_BY_HAND)
        rosters.save(connection, key, known.values(), now=self.now)
        self._record(
            Event(one.whole, FOUND, ADMIN_BY_HAND, " ".join(sorted(map(shown, by_hand[one.seq])))) for one in theirs
        )

    def wait(self, untold: Collection[tuple[StoredChange, RosterflowError]]) -> None:
        """Leave new administrators to another plan, with what Canvas said instead of who administers their account."""
        notes = [
            RowErrorNote("canvas", str(one.whole), error.code, one.kind, "", error.message) for one, error in untold
        ]
        row_errors.note(self.connection, self.institution.key, notes, self.now)
        why = {one.seq: error.message for one, error in untold}
        plans.set_state(self.connection, self.plan_id, why, ChangeState.STALE, why)

    def _record(self, events: Iterable[Event]) -> None:
        history.record(
            self.connection, self.institution.key, events, self.now, run_id=self.run_id, plan_id=self.plan_id
        )
