"""People in Canvas: who exists, who is in which section and who administers which account, roster by roster.

A university has hundreds of thousands of enrollments. One by one each would cost an object, a stored row and a digest;
so what is planned, guarded, stored and shown is the *roster*: all people of one place in one role. Their rows are plain
tuples. A change of a roster names just the people it is about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar
from zlib import crc32

from rosterflow.domain.model import CanvasObject, Key, Kind, Origin, SourceKind, parents_of

Member = tuple[str, ...]
"""What Canvas holds of one person in a roster: the fields of :data:`MEMBER_FIELDS`, then the state."""

MEMBER_FIELDS: dict[Kind, tuple[str, ...]] = {
    Kind.USER: ("login", "name", "sortable_name", "email"),
    Kind.ENROLLMENT: (),
    Kind.ADMIN: (),
}
"""The fields of each kind of member that an update can change, beside its state, which comes last."""


class Standing(StrEnum):
    """Whether a person has what a roster gives; the words are those of Canvas's CSV files (Canvas contract §5.7–5.10).

    A login is active, suspended or deleted; an enrollment active, inactive, completed or deleted; an administrator
    active or deleted.
    """

    ACTIVE = "active"
    INACTIVE = "inactive"
    COMPLETED = "completed"
    SUSPENDED = "suspended"
    DELETED = "deleted"
    BY_HAND = "by-hand"
    """Active, but not by us: people in Canvas did it, and nobody takes it away. An enrollment becomes ours when the
    source has it, too; an administrator stays theirs."""


STANDINGS: dict[str, Member] = {standing: (str(standing),) for standing in Standing}
"""The rows of enrollments and administrators, one for all who are alike: hundreds of thousands cost nothing then."""

ACTIVE = str(Standing.ACTIVE)
DELETED = str(Standing.DELETED)
BY_HAND = str(Standing.BY_HAND)


class Reason(StrEnum):
    """Why a person is no longer in a roster; the institution's ladder says what becomes of the enrollment then."""

    GONE = "gone"
    """The source has the right, the membership or the role no longer."""
    MOVED = "moved"
    """Of a section that they left for another one of the same course."""
    TERM_ENDED = "term-ended"
    ROLE_ENDED = "role-ended"
    """The role's period is over, or has not begun again."""
    NO_LONGER_STAFF = "no-longer-staff"
    """Not fagperson any more, and the days of grace are over."""
    RESERVED = "reserved"
    """kanOverforesTilLms is false."""
    DEAD = "dead"
    NOT_REGISTERED = "not-registered"
    """No semester registration, where the institution asks for one."""


class Part(StrEnum):
    """Why a change names some people of a roster and not others, beside the reasons for which people leave."""

    NEW = "new"
    AGAIN = "wanted-again"
    CHANGED = "changed"
    ADOPTED = "adopted"
    """Somebody brought them there by hand, and now the source has them there, too."""
    MOVED = "moved"
    """To another section of the same course, by this very plan."""
    STAYS = "stays-in-course"
    """In another section of the same course, where they are already."""


class Place(Key):
    """Where people are: a section, a course (its default section) or an account.

    :param kind: ``SECTION``, ``COURSE`` or ``ACCOUNT``.
    """

    __slots__ = ()

    @property
    def key(self) -> Key:
        """The object that it is."""
        return self


@dataclass(frozen=True, slots=True)
class Roster:
    """The people of one place in one role, or some of them.

    :param kind: ``ENROLLMENT`` (place: a section or course), ``ADMIN`` (an account) or ``USER``.
    :param place: ``None`` for users, who are kept on shelves by their id so that no roster is very large.
    :param role: a Canvas enrollment type or the name of a custom role; for users the shelf, two hexadecimal digits.
    :param members: by SIS id of the user. Their rows may be personal data, so they are in no representation.
    :param owned: by SIS id of the user, the fields (also ``state``) that people changed in Canvas, so that what we send
        there is ignored (Canvas contract §4).
    :param origin: the kind of source row that the place stands for, and its term.
    :param part: of a change, why these people and no others (``gone``); ``""`` for all of a roster.
    :param ids: of a change of users' ids, the new SIS id by the one that Canvas knows.
    """

    state: ClassVar[str] = "active"
    kind: Kind
    place: Place | None
    role: str
    members: Mapping[str, Member] = field(repr=False)
    owned: Mapping[str, frozenset[str]] = field(default_factory=dict)
    origin: Origin = field(default=Origin(SourceKind.BRUKER), compare=False)
    part: str = ""
    ids: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def sis_id(self) -> str:
        """``section UE_184_INF-1100_1_2026_HØST_1 as StudentEnrollment``; a part has its reason behind it."""
        whole = f"{self.place} as {self.role}" if self.place else f"shelf {self.role}"
        return f"{whole}: {self.part}" if self.part else whole

    @property
    def whole(self) -> Key:
        """The key of the roster that this is, or is a part of."""
        return Key(self.kind, f"{self.place} as {self.role}" if self.place else f"shelf {self.role}")

    @property
    def reason(self) -> str:
        """Of a change, why these people: its part without what tells it from others of the same reason."""
        return self.part.partition(", ")[0]

    def __hash__(self) -> int:
        return hash((self.kind, self.sis_id))

    def only(self, users: Collection[str]) -> Roster:
        """The same of some of its people alone."""
        members = {user: member for user, member in self.members.items() if user in users}
        owned = {user: names for user, names in self.owned.items() if user in users}
        ids = {old: new for old, new in self.ids.items() if old in users}
        return replace(self, members=members, owned=owned, ids=ids)

    @property
    def headcount(self) -> int:
        """How many users have what the roster gives."""
        if self.kind is Kind.USER:
            return sum(member[-1] == ACTIVE for member in self.members.values())
        return [*self.members.values()].count(STANDINGS[ACTIVE])

    def in_use(self) -> Mapping[str, Member]:
        """Those of its people who have what it gives; all of them as they are, when nobody has not."""
        if self.headcount == len(self.members):
            return self.members
        return {user: member for user, member in self.members.items() if member[-1] == ACTIVE}

    def active(self) -> frozenset[str]:
        """The users who have what the roster gives."""
        return frozenset(user for user, member in self.members.items() if member[-1] == ACTIVE)


@dataclass(frozen=True, slots=True)
class WantedRoster:
    """A roster as the source wants it.

    :param roster: its people, all with the state that they shall have.
    :param leaving: why people who are not in it (any more) are not, where the source says so; others are ``GONE``.
    :param staying: people about whom the source says nothing certain: what is confirmed of them stays.
    :param has_unknown: somebody is there whom the source does not name; then nobody is taken away.
    """

    roster: Roster
    leaving: Mapping[str, Reason] = field(default_factory=dict)
    staying: frozenset[str] = frozenset()
    has_unknown: bool = False


def left_to_people(there: Roster, known: Roster | None, sent: Collection[str] = ()) -> Roster:
    """A roster as Canvas lists it, with the administrators who are people's as such.

    Canvas takes an administrator whom an import once made for an import's, whoever makes them again (Canvas contract
    §5.10). People's are those who were, and those who were taken away and come without us.

    :param known: the roster as it was confirmed.
    :param sent: users who were sent since then.
    """
    if there.kind is not Kind.ADMIN or known is None:
        return there
    others = {user for user, member in known.members.items() if member[-1] in (BY_HAND, DELETED)} - set(sent)
    theirs = [user for user in others if there.members.get(user) == STANDINGS[ACTIVE]]
    return replace(there, members={**there.members, **dict.fromkeys(theirs, STANDINGS[BY_HAND])})


Thing = CanvasObject | Roster
"""What a change may be about."""


def weight_of(thing: Thing) -> int:
    """How many objects, or people in a role, it is."""
    return len(thing.members) if isinstance(thing, Roster) else 1


def lies_in(thing: Thing) -> tuple[Key, ...]:
    """What must exist before a thing can: the objects that it lies in."""
    if isinstance(thing, Roster):
        return (thing.place.key,) if thing.place else ()
    return parents_of(thing)


def shelf_of(user: str) -> str:
    """The shelf on which a user is kept: two hexadecimal digits, told from the SIS id."""
    return f"{crc32(user.encode()) & 0xFF:02x}"


def shelves(users: Mapping[str, Member]) -> Iterator[Roster]:
    """Users as rosters, by the shelf."""
    found: dict[str, dict[str, Member]] = {}
    for user, member in users.items():
        found.setdefault(shelf_of(user), {})[user] = member
    for shelf in sorted(found):
        yield Roster(Kind.USER, None, shelf, found[shelf])
