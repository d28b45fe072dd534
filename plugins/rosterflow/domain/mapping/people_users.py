"""Who may be in Canvas, under which id and with which login.

Source: issue 3 §3.1 and §3.2 (Users); FS reference §4.8; Canvas contract §5.7 (login_id, email).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.people import Person
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.people_ledger import Ledger, Step
from rosterflow.domain.model import Kind, SourceKind
from rosterflow.domain.naming import SisIds, clean
from rosterflow.domain.rosters import ACTIVE, DELETED, Member, Reason, Roster, WantedRoster, shelf_of, shelves
from rosterflow.domain.user_ids import OTHER_NAME, SAME_NAME, SAME_NUMBER, NewId

KIND = SourceKind.BRUKER
_LOGIN = re.compile(r"[\w .+\-='@]{1,100}")
"""What Canvas takes as a login (Canvas contract §5.7)."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(slots=True)
class Users:
    """The people of one read as users.

    :param ids: SIS id of the user by personlopenummer, of those who may be enrolled.
    :param wanted: what Canvas shall hold of each user, by SIS id; empty when users are not ours to make.
    :param barred: why somebody may not be in Canvas, by personlopenummer.
    :param leaving: the same by SIS id, of those who are to lose their login.
    :param met: everybody who was among the users that were read, by personlopenummer.
    :param renamed: by the SIS id that Canvas knows, the one that a user goes by now.
    """

    ids: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, Member] = field(default_factory=dict)
    barred: dict[str, Reason] = field(default_factory=dict)
    leaving: dict[str, Reason] = field(default_factory=dict)
    met: dict[str, Person] = field(default_factory=dict)
    renamed: dict[str, NewId] = field(default_factory=dict)


class UserMap:
    """Makes users of people.

    :param confirmed: every user that Canvas confirmed, by SIS id.
    :param rejected: old and new SIS ids of users of whom a person said that they are not the same.
    :param numbers: personlopenummer by SIS id, where ids are made of logins and somebody was sent before.
    :ivar is_by_id: whether an identity system makes the users, and an id tells which one is meant.
    """

    def __init__(
        self,
        institution: Institution,
        confirmed: Mapping[str, Member],
        ledger: Ledger,
        rejected: Collection[tuple[str, str]] = (),
        numbers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._settings = institution.people.users
        self._sis_ids = SisIds(institution.number)
        self._confirmed = confirmed
        self._ledger = ledger
        self._rejected = rejected
        self._numbers = numbers
        self._users = Users()
        self._known_as: dict[str, str] = {}
        self._last_known_as: dict[str, str] = {}
        self.is_by_id = not self._settings.provision and self._settings.sis_id == "personlopenummer"
        self._desired: dict[str, Member] = {}

    def id_of(self, person: str) -> str | None:
        """The SIS id of somebody's user, the old one while it changes; ``None`` when it is of a login nobody knows."""
        return self._known_as.get(person) or self._id_of(person)

    def _id_of(self, person: str) -> str | None:
        if self._settings.sis_id == "personlopenummer":
            return self._sis_ids.user(person)
        met = self._users.met.get(person)
        return _login_of(met) if met and _login_of(met) else self._last_known_as.get(person)

    def map(self, people: Iterable[Person], unreadable: Collection[str] = ()) -> Users:
        """Every person of a read, by the rules; call it once.

        :param unreadable: people whose row cannot be read; it may be filled while ``people`` are gone through.
        """
        users = self._users
        contradicted = set()
        for person in people:
            known = users.met.setdefault(person.person, person)
            if known is not person and known != person:
                contradicted.add(person.person)
                users.met[person.person] = min(known, person, key=repr)  # the same one in whatever order they come
        self._last_known_as = self._numbers_without_login()
        if self._settings.provision and self._confirmed:
            self._recognise(unreadable)
        for number, person in users.met.items():
            self._judge(person, is_contradicted=number in contradicted)
        if not self.is_by_id:
            self._settle_logins()
        for number, member in self._desired.items():
            if user := self.id_of(number):
                users.ids[number] = user
                users.wanted[user] = member
        if self._ledger.about in users.ids:
            self._ledger.trace(Step(KIND, "user-sent", True))
        if not self._settings.provision:
            users.wanted, users.leaving = {}, {}
        return users

    def _numbers_without_login(self) -> dict[str, str]:
        """Where ids are made of logins, the users whose login nobody has now, by personlopenummer."""
        if not self._numbers:
            return {}
        taken = {_login_of(person) for person in self._users.met.values()}
        return {number: user for user, number in self._numbers.items() if user not in taken}

    # ----------------------------------------------------------------- another id
    def _recognise(self, unreadable: Collection[str]) -> None:
        """Tell who goes by another id: Canvas has their number, or login, under one that the source has no longer."""
        there = {self._id_of(number) for number in (*self._users.met, *unreadable)}
        gone = {user: m for user, m in self._confirmed.items() if user not in there and m[-1] != DELETED}
        holders = {m[0].lower(): user for user, m in gone.items() if self._is_ours(user, m)}
        numbered = {self._numbers[user]: user for user in gone if user in self._numbers}
        found: dict[str, list[str]] = defaultdict(list)
        for number, person in self._users.met.items() if gone else ():
            old = numbered.get(number) or holders.get(_login_of(person))
            new = self._id_of(number) if old else None
            if new and old and new not in self._confirmed and (old, new) not in self._rejected:
                found[old].append(number)
        for old, numbers in found.items():
            self._known_as |= dict.fromkeys(numbers, old)
            is_sure = len(numbers) == 1
            for number in numbers:
                self._ledger.decide(KIND, number, "user-id-changed" if is_sure else "user-id-ambiguous")
            if is_sure:
                self._users.renamed[old] = NewId(self._id_of(numbers[0]) or "", self._how_sure(old, numbers[0]))

    def _how_sure(self, user: str, number: str) -> str:
        """The rule by which somebody is taken for a user."""
        if self._numbers.get(user) == number:
            return SAME_NUMBER
        name, _ = _names(self._users.met[number])
        return SAME_NAME if not name or name == self._confirmed[user][1] else OTHER_NAME

    def _is_ours(self, user: str, member: Member) -> bool:
        """Whether a user goes by an id that we make, of a personlopenummer or of the login."""
        return user.removeprefix(self._sis_ids.user("")).isdigit() or user.lower() == member[0].lower()

    def _is_anybodys(self, number: str) -> bool:
        """Whether several people claim the user whose login somebody has."""
        old = self._known_as.get(number)
        return old is not None and old not in self._users.renamed

    # ----------------------------------------------------------------- one person
    def _judge(self, person: Person, *, is_contradicted: bool) -> None:
        number = person.person
        if is_contradicted:
            self._ledger.decide(KIND, number, "user-contradicted")
            message = f"The person {number} has several rows that contradict each other: what is confirmed stays."
            self._ledger.problem(RowProblem(Code.ID_COLLISION, KIND, number, "", message))
            self._keep(number)
        elif self._known_as and self._is_anybodys(number):
            pass
        elif person.er_dod or person.kan_overfores is False:
            self._bar(number, Reason.DEAD if person.er_dod else Reason.RESERVED)
        elif person.kan_overfores is None:
            self._ledger.decide(KIND, number, "user-transfer-unknown")
            self._keep(number)
        elif self.is_by_id:
            self._desired[number] = ()  # an identity system makes the user
        elif number in self._known_as:
            pass  # nothing is done about somebody of whom a person has yet to say who it is
        elif not person.feide_bruker:
            self._ledger.decide(KIND, number, "user-without-login")
            self._keep(number)
        elif member := self._member(person):
            self._desired[number] = member
        else:
            self._keep(number)

    def _bar(self, number: str, reason: Reason) -> None:
        """Somebody who may not be in Canvas; what becomes of the user is the settings' to say."""
        self._users.barred[number] = reason
        stays = reason is Reason.RESERVED and self._settings.reserved == "leave"
        facts = (("login", "left"),) if stays else ()
        self._ledger.decide(KIND, number, f"user-{reason}", *facts)
        if (user := self.id_of(number)) and not stays:
            self._users.leaving[user] = reason

    def _keep(self, number: str) -> None:
        """Somebody of whom nothing new can be sent: a user in use stays one, as Canvas has it."""
        known = self._known(number)
        if known and known[-1] == ACTIVE and number not in self._known_as:
            self._desired[number] = known
        else:
            self._desired.pop(number, None)

    def _known(self, number: str) -> Member | None:
        return self._confirmed.get(self.id_of(number) or "") if self._confirmed else None

    # ----------------------------------------------------------------- what Canvas shall hold
    def _member(self, person: Person) -> Member | None:
        """A user's fields; ``None`` when Canvas would not take the login, which is reported."""
        number, login = person.person, (person.feide_bruker or "").strip()
        if not _LOGIN.fullmatch(login):
            self._report(number, "user-login-invalid", "feideBruker", "has more or other signs than Canvas takes")
            return None
        if login != login.lower():
            self._ledger.decide(KIND, number, "user-login-lower-cased", allowed=True)
        login = login.lower()
        name, sortable = _names(person)
        if not name:
            self._ledger.decide(KIND, number, "user-name-missing", allowed=True)
            name = sortable = login
        email = self._email(person)
        if known := self._known(number):
            owns = self._settings.owns
            login = known[0] if known[0].lower() == login else login
            name, sortable = (name, sortable) if "name" in owns else (known[1], known[2])
            email = email if email and "email" in owns else known[3]
        return (login, name, sortable, email, ACTIVE)

    def _email(self, person: Person) -> str:
        email = (person.epost or "").strip()
        if email and not _EMAIL.fullmatch(email):
            self._report(
                person.person, "user-email-invalid", "institusjonsEpost", "is no e-mail address, so none is sent"
            )
            return ""
        return email

    def _report(self, number: str, rule: str, name: str, why: str) -> None:
        self._ledger.decide(KIND, number, rule, allowed=rule == "user-email-invalid")
        message = f"The person {number}: {name} {why}."
        self._ledger.problem(RowProblem(Code.ROW_INVALID, KIND, number, name, message))

    # ----------------------------------------------------------------- one login, several people
    def _settle_logins(self) -> None:
        """Nobody gets a login that somebody else has or wants; who has it in Canvas keeps it."""
        claims = _Claims()
        for number, member in self._desired.items():
            if member:
                claims.add(member[0].lower(), number)
        moving = {self.id_of(number) for number in self._desired} if self._confirmed else set()
        for user, member in self._confirmed.items():
            if user not in moving and member[-1] != DELETED:
                claims.add(member[0].lower(), f"{_STAYING}{user}")
        while claims.contested:
            login, group = claims.contested.popitem()
            self._settle(login, group, claims)
        for group in claims.settled.values():
            self._report_shared(group)

    def _settle(self, login: str, group: set[str], claims: _Claims) -> None:
        holders = [who for who in group if who.startswith(_STAYING) or self._held(who) == login]
        for who in sorted(group):
            if who.startswith(_STAYING):
                continue
            if self._held(who) == login and len(holders) > 1:  # ids made of logins: two people, one user
                self._desired.pop(who, None)
                continue
            self._keep(who)
            held = self._held(who)
            if held and held != login:
                claims.add(held, who if who in self._desired else f"{_STAYING}{self.id_of(who)}")

    def _held(self, number: str) -> str | None:
        """The login that Canvas has for somebody, in lower case."""
        known = self._known(number)
        return known[0].lower() if known and known[-1] != DELETED else None

    def _report_shared(self, group: set[str]) -> None:
        people = sorted(who for who in group if not who.startswith(_STAYING))
        if not people:
            return
        others = ["a user of somebody who is not sent"] if len(people) < len(group) else []
        for number in people:
            rivals = (who for who in (*people, *others) if who != number)
            self._ledger.decide(KIND, number, "user-login-shared", ("with", ", ".join(rivals)))
        told = " and ".join((*people, *others))
        message = f"{told} have one feideBruker: no new user is sent, and one in use stays as it is."
        self._ledger.problem(RowProblem(Code.ID_COLLISION, KIND, people[0], "feideBruker", message))


_STAYING = "user "
"""Marks one who claims a login by having it in Canvas, and of whom the source says nothing new."""


class _Claims:
    """Who has, or wants, which login."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self.contested: dict[str, set[str]] = {}
        self.settled: dict[str, set[str]] = {}

    def add(self, login: str, who: str) -> None:
        """Somebody has or wants a login; one that others claim is contested, again if it was settled."""
        first = self._first.setdefault(login, who)
        if first != who:
            group = self.settled.setdefault(login, {first})
            group.add(who)
            self.contested[login] = group


def _login_of(person: Person) -> str:
    """Somebody's login as ids and logins are compared."""
    return (person.feide_bruker or "").strip().lower()


def _names(person: Person) -> tuple[str, str]:
    """Full name and sortable name: ``Kari Nordmann`` and ``Nordmann, Kari``."""
    first, last = clean(person.fornavn or ""), clean(person.etternavn or "")
    full = f"{first} {last}".strip()
    return full, f"{last}, {first}" if first and last else full


def user_rosters(users: Users, confirmed: Mapping[str, Member]) -> Iterator[WantedRoster]:
    """The users as rosters: what is wanted on each shelf, who loses the login, and who stays as Canvas has them.

    Somebody whom the source no longer names keeps the user: what they did in Canvas is theirs to see.
    """
    standing: dict[str, set[str]] = defaultdict(set)
    for user in confirmed.keys() - users.wanted.keys():
        standing[shelf_of(user)].add(user)
    wanted = {roster.role: roster for roster in shelves(users.wanted)}
    for shelf in sorted(wanted.keys() | standing.keys()):
        leaving = {user: users.leaving[user] for user in standing[shelf] if user in users.leaving}
        roster = wanted.get(shelf) or Roster(Kind.USER, None, shelf, {})
        yield WantedRoster(roster, leaving, frozenset(standing[shelf] - leaving.keys()))
