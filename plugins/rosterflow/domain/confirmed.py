"""What Canvas last confirmed, and what it last refused: the ground that every diff stands on (design §2)."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from rosterflow.domain.model import Account, CanvasObject, Course, Key, Kind, Section, State, key_of, parents_of
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import ACTIVE, BY_HAND, STANDINGS, Member, Place, Roster, Standing, shelf_of, shelves

FIRST_WAIT = timedelta(hours=1)
LONGEST_WAIT = timedelta(days=7)


class ConfirmedObject(msgspec.Struct, frozen=True):
    """One object as Canvas confirmed it.

    :param thing: its fields and state, deleted and concluded ones too.
    :param owned_by_canvas: names of fields (also ``state``) that people changed in Canvas, so that what we send there
        is ignored: sticky fields (Canvas contract §4).
    """

    thing: CanvasObject
    owned_by_canvas: frozenset[str] = frozenset()

    @property
    def is_alive(self) -> bool:
        """Whether it is in use: not concluded, hidden or deleted."""
        return self.thing.state is State.ACTIVE


Headcount = tuple[Roster, int]
"""A roster, maybe without its people, and how many of them have what it gives."""


class World(Mapping[Key, ConfirmedObject]):
    """Everything Canvas confirmed for one institution, by key. It never changes; :meth:`after` makes another.

    :param rosters: everybody whom we ever sent, with what became of them, roster by roster; or some of the rosters.
    :param census: gives the headcounts of all rosters when they are first asked for, where ``rosters`` are but some.
    """

    __slots__ = ("_below", "_census", "_headcounts", "_objects", "_people", "rosters")

    def __init__(
        self,
        objects: Iterable[ConfirmedObject] = (),
        rosters: Iterable[Roster] = (),
        census: Callable[[], Iterable[Headcount]] | None = None,
    ) -> None:
        self._objects = {key_of(one.thing): one for one in objects}
        self.rosters: Mapping[Key, Roster] = {roster.whole: roster for roster in rosters}
        self._below: dict[Key, list[Key]] | None = None  # made when first asked for: most worlds never are
        self._people: dict[Key, list[Key]] | None = None
        self._census = census
        self._headcounts: Sequence[Headcount] | None = None

    def __getitem__(self, key: Key) -> ConfirmedObject:
        return self._objects[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, World) and (self._objects, self.rosters) == (other._objects, other.rosters)

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, key: object) -> bool:
        return key in self._objects

    # The same as a mapping has of itself, which would ask for each object by its key, and raise where it is not.
    def get(self, key: Key, default: ConfirmedObject | None = None) -> ConfirmedObject | None:  # type: ignore[override]
        """The object with a key, or what stands for none."""
        return self._objects.get(key, default)

    def items(self) -> ItemsView[Key, ConfirmedObject]:
        """Keys and objects."""
        return self._objects.items()

    def values(self) -> ValuesView[ConfirmedObject]:
        """The objects."""
        return self._objects.values()

    def below(self, key: Key) -> Sequence[Key]:
        """What lies directly in an object: an account's accounts and courses, a term's courses, a course's sections.

        Deleted things too.
        """
        if self._below is None:
            self._below = {}
            for child, one in self._objects.items():
                for parent in parents_of(one.thing):
                    self._below.setdefault(parent, []).append(child)
        return self._below.get(key, ())

    def people_at(self, place: Key) -> Sequence[Key]:
        """The rosters whose place is an object."""
        if self._people is None:
            self._people = {}
            for whole, roster in self.rosters.items():
                if roster.place:
                    self._people.setdefault(roster.place.key, []).append(whole)
        return self._people.get(place, ())

    def headcounts(self) -> Sequence[Headcount]:
        """Every roster with how many have what it gives."""
        if self._headcounts is None:
            counted = self._census() if self._census else ((one, one.headcount) for one in self.rosters.values())
            self._headcounts = list(counted)
        return self._headcounts

    def has_user(self, user: str) -> bool:
        """Whether Canvas has a user with a SIS id, in whatever state."""
        shelf = self.rosters.get(Roster(Kind.USER, None, shelf_of(user), {}).whole)
        return shelf is not None and user in shelf.members

    def alive(self) -> dict[Key, CanvasObject]:
        """The objects in use, as the mapping wants them."""
        return {key: one.thing for key, one in self._objects.items() if one.is_alive}

    def after(self, changes: Iterable[Change]) -> World:
        """The world once Canvas has confirmed these changes; what refers to a changed id follows it.

        A section that is deleted takes its people along, and a course that is concluded theirs; neither is undone when
        it is re-opened (Canvas contract §5.4, §5.5).
        """
        world = World()
        objects = world._objects = dict(self._objects)
        people = _People(self)
        renames: dict[Key, str] = {}
        touched: set[Key] = set()
        for change in changes:
            if isinstance(change.after, Roster):
                people.change(change.after)
                continue
            known = objects.pop(change.key, None)
            key = key_of(change.after)
            objects[key] = ConfirmedObject(change.after, known.owned_by_canvas if known else frozenset())
            people.follow(change)
            if change.action is Action.CHANGE_ID:
                renames[change.key] = key.sis_id
            touched.add(key)
        for old in renames:
            touched.update(Key(key.kind, renames.get(key, key.sis_id)) for key in self.below(old))
        for key in touched if renames else ():
            one = objects[key]
            objects[key] = ConfirmedObject(renamed(one.thing, renames), one.owned_by_canvas)
        world.rosters = people.rosters(renames)
        return world


class _People:
    """The rosters of a world while changes are confirmed: copied when the first one changes."""

    def __init__(self, before: World) -> None:
        self._before = before
        self._now: dict[Key, Roster] | None = None
        self._ids: dict[str, str] = {}

    def change(self, part: Roster) -> None:
        """Some people of a roster are as they are here, or go by another id, from now on."""
        if part.ids:
            self._ids |= part.ids
            return
        known = self._all.get(part.whole)
        members = {**known.members, **part.members} if known else part.members
        self._all[part.whole] = replace(known or part, members=members, origin=part.origin, part="")

    def follow(self, change: Change) -> None:
        """What a change of an object does to the people in it."""
        below = self._before.below
        match change.action, change.kind:
            case Action.DELETE, Kind.SECTION | Kind.ACCOUNT:
                self._end(change.key, Standing.DELETED)
            case Action.CLOSE, Kind.COURSE:
                for place in (change.key, *below(change.key)):
                    self._end(place, Standing.COMPLETED)
            case Action.DELETE, Kind.COURSE:
                for place in (change.key, *below(change.key)):
                    self._end(place, Standing.DELETED)

    def rosters(self, renames: Mapping[Key, str]) -> Mapping[Key, Roster]:
        """All of them; those of a place with a new id go by that id, and so does a user wherever they are."""
        for old, sis_id in renames.items():
            for whole in self._before.people_at(old):
                roster = self._all.pop(whole)
                moved = replace(roster, place=Place(old.kind, sis_id))
                self._all[moved.whole] = moved
        if self._ids:
            self._follow_users()
        return self._before.rosters if self._now is None else self._now

    def _follow_users(self) -> None:
        arriving: dict[str, Roster] = {}
        for whole, roster in list(self._all.items()):
            if roster.members.keys().isdisjoint(self._ids):
                continue
            if whole.kind is not Kind.USER:
                self._all[whole] = _under_new_ids(roster, self._ids)
                continue
            self._all[whole] = roster.only(roster.members.keys() - self._ids.keys())
            arriving[roster.role] = _under_new_ids(roster.only(self._ids), self._ids)
        for left in arriving.values():
            for part in shelves(left.members):
                self.change(replace(part, origin=left.origin))
                there = self._all[part.whole]
                owned = {user: names for user, names in left.owned.items() if user in part.members}
                self._all[part.whole] = replace(there, owned={**there.owned, **owned})

    @property
    def _all(self) -> dict[Key, Roster]:
        if self._now is None:
            self._now = dict(self._before.rosters)
        return self._now

    def _end(self, place: Key, end: Standing) -> None:
        for whole in self._before.people_at(place):
            roster = self._all[whole]
            members = {user: _ended(member, end) for user, member in roster.members.items()}
            if members != roster.members:
                self._all[whole] = replace(roster, members=members)


def _under_new_ids(roster: Roster, ids: Mapping[str, str]) -> Roster:
    members = {ids.get(user, user): member for user, member in roster.members.items()}
    return replace(roster, members=members, owned={ids.get(user, user): names for user, names in roster.owned.items()})


def _ended(member: Member, end: Standing) -> Member:
    """The row of a person whose section was deleted, or whose course was concluded or deleted."""
    ends = end is Standing.DELETED or member[-1] in (ACTIVE, BY_HAND)
    return STANDINGS[end] if ends else member


def renamed(thing: CanvasObject, renames: Mapping[Key, str]) -> CanvasObject:
    """The object with its references following changed ids; its own id stays.

    :param renames: the new SIS id by the old key.
    """
    match thing:
        case Account():
            return replace(thing, parent=renames.get(Key(Kind.ACCOUNT, thing.parent), thing.parent))
        case Course():
            account = renames.get(Key(Kind.ACCOUNT, thing.account), thing.account)
            term = thing.term and renames.get(Key(Kind.TERM, thing.term), thing.term)
            return replace(thing, account=account, term=term)
        case Section():
            return replace(thing, course=renames.get(Key(Kind.COURSE, thing.course), thing.course))
        case _:
            return thing


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that Canvas refused.

    :param fingerprint: the change's; a change with another content is another change and is tried at once.
    :param attempts: how often it was refused in a row.
    :param not_before: aware instant before which it is not sent again.
    """

    fingerprint: str
    attempts: int
    not_before: datetime


def refused(change: Change, earlier: Refusal | None, now: datetime) -> Refusal:
    """The refusal to remember when Canvas refused a change.

    :param earlier: what was remembered about the same object.
    :param now: aware instant.
    """
    return refused_again(change.fingerprint, earlier, now)


def refused_again(fingerprint: str, earlier: Refusal | None, now: datetime) -> Refusal:
    """The refusal to remember of what has a fingerprint, as :func:`refused` does of a change."""
    attempts = earlier.attempts + 1 if earlier and earlier.fingerprint == fingerprint else 1
    return Refusal(fingerprint, attempts, next_try(attempts, now))


def next_try(attempts: int, now: datetime) -> datetime:
    """When a refused change is tried again: after 1 hour, then 2, 4, 8 … and never later than after 7 days.

    :param attempts: refusals in a row, 1 or more.
    :param now: aware instant of the last one.
    """
    doublings = min(attempts - 1, 8)  # 2⁸ hours are already more than the longest wait
    return now + min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
