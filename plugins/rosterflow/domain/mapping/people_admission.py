"""Whether somebody may be where a row leads: admitted, turned away for a reason, or left as they are.

Source: issue 3 §3.1 (kanOverforesTilLms, erDod, unknown people); FS reference §4.8.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.people import EmneRett, EvuDeltaker, KlasseMedlem, ProgramRett, Rolle
from rosterflow.domain.mapping.draft import Facts
from rosterflow.domain.mapping.people_ledger import Ledger
from rosterflow.domain.mapping.people_rosters import Target
from rosterflow.domain.mapping.people_users import UserMap, Users
from rosterflow.domain.model import SourceKind
from rosterflow.domain.rosters import ACTIVE, Member, Reason

Participation = EmneRett | ProgramRett | KlasseMedlem | EvuDeltaker | Rolle
MOST_STRANGERS = 20
"""So many people who are not among the users are named one by one; more of them are one problem."""


class Gate(NamedTuple):
    """Why a row does not let its person in, although the person may be in Canvas."""

    rule: str
    reason: Reason
    facts: Facts = ()


class Admission:
    """Judges the person of each row.

    :param confirmed: every user that Canvas confirmed, by SIS id.
    :param were_read: whether the users of the source were read at all; if not, those in Canvas are taken as they are.
    :param unreadable: people whose row among the users cannot be read.
    """

    def __init__(
        self,
        users: Users,
        user_map: UserMap,
        confirmed: Mapping[str, Member],
        ledger: Ledger,
        *,
        were_read: bool,
        unreadable: Collection[str],
    ) -> None:
        self.ids = users.ids
        self._users = users
        self._user_map = user_map
        self._confirmed = confirmed
        self._ledger = ledger
        self._were_read = were_read
        self._unreadable = unreadable
        self._strangers: set[str] = set()

    def of(self, row: Participation, targets: Iterable[Target], gate: Gate | None) -> str | None:
        """The user of a row's person if they may go where the row leads; else they leave it, or stay as they are.

        :param gate: why the row itself lets nobody in.
        """
        person = row.person
        barred = self._users.barred.get(person)
        if barred is None and row.kan_overfores is False:
            gate = Gate("row-reserved", Reason.RESERVED)
        reason = barred or (gate.reason if gate else None)
        if reason is None:
            user = self.ids.get(person) or self._stranger(person)
            if user is None:
                self._leave_as_is(person, targets)
            return user
        for target in targets:
            if barred is None and gate:
                self._ledger.decide(row.source, person, gate.rule, ("at", target.at), *gate.facts)
            user = self._user_map.id_of(person)
            for group in target.groups if user else ():
                group.leave(user or "", reason)
        return None

    def _stranger(self, person: str) -> str | None:
        """Somebody whom the rows of the users do not settle; a user all the same where we need not know more."""
        if person in self._users.met:
            return None
        user = self._user_map.id_of(person)
        if user and self._is_known_otherwise(user):
            self.ids[person] = user
            return user
        if self._were_read and person not in self._unreadable:
            self._strangers.add(person)
            self._ledger.decide(SourceKind.BRUKER, person, "user-not-read")
        return None

    def _is_known_otherwise(self, user: str) -> bool:
        if self._user_map.is_by_id:
            return True
        known = self._confirmed.get(user)
        return not self._were_read and known is not None and known[-1] == ACTIVE

    def _leave_as_is(self, person: str, targets: Iterable[Target]) -> None:
        """Wherever a row leads, its person is neither brought there nor taken away."""
        user = self._user_map.id_of(person)
        for target in targets:
            for group in target.groups:
                if user:
                    group.unsettled.add(user)
                elif person not in self._users.met:
                    group.has_unknown = True

    def report_strangers(self) -> None:
        """People in rows who are not among the users: their logins are not known, so they cannot be made users."""
        strangers = sorted(self._strangers)
        if len(strangers) > MOST_STRANGERS:
            message = f"{len(strangers)} people with rights or roles are not among the users that FS names (brukere)."
            self._ledger.problem(RowProblem(Code.ROW_INVALID, SourceKind.BRUKER, "not among brukere", "", message))
            return
        for person in strangers:
            message = f"The person {person} has rights or roles but is not among the users that FS names (brukere)."
            self._ledger.problem(RowProblem(Code.ROW_INVALID, SourceKind.BRUKER, person, "", message))
