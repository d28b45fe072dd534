"""What happened to people in Canvas, person by person.

A roster's change is many rows. Those that Canvas accepted are confirmed; each one that it refused is remembered by
itself, so that it waits alone, and is shown with Canvas's words but for what they tell of the person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from rosterflow.domain.confirmed import World, refused_again
from rosterflow.domain.errors import Code
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import Action, Change, member_print
from rosterflow.domain.rosters import MEMBER_FIELDS, Member, Part, Roster, Thing, shelf_of
from rosterflow.store import history, objects, plans, rosters, row_errors, undone
from rosterflow.store.codec import is_sealed
from rosterflow.store.history import ID_CHANGED, Event
from rosterflow.store.person_keys import Shown, shown_by
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.store.row_errors import RowErrorNote
from rosterflow.sync.remembering import remember_undone
from rosterflow.wire.canvas_words import template_of

PeopleWords = Mapping[int, Mapping[str, str]]
"""Canvas's words about people, by the ``seq`` of their change and by the user."""

CASCADES = frozenset({Action.DELETE, Action.CLOSE, Action.CHANGE_ID})
"""What done to an object means something to the people in it."""


EVENTS = {
    Action.CREATE: "added",
    Action.REOPEN: "brought back",
    Action.UPDATE: "updated",
    Action.CHANGE_ID: ID_CHANGED,
    Action.HIDE: "suspended",
    Action.CLOSE: "completed",
    Action.DELETE: "removed",
}


def is_read_back(one: StoredChange) -> bool:
    """Whether only Canvas's own data can tell what came of accepted rows: of users, whose fields people may change."""
    return one.kind is Kind.USER and one.action not in (Action.CREATE, Action.CHANGE_ID)


def part_of(one: StoredChange) -> Roster:
    """The people whom a change is about.

    :raises TypeError: when it is about an object.
    """
    if not isinstance(one.change.after, Roster):
        raise TypeError(f"{one.change.key} is about no people")
    return one.change.after


def refusal_key(roster: Roster, person: str) -> Key:
    """Under what the refusal of one person's row is remembered.

    :param person: as people are shown.
    """
    return Key(roster.kind, f"{roster.whole.sis_id} / {person}")


def user_of(refused: Key) -> str:
    """The inverse of :func:`refusal_key`: the person, as people are shown."""
    return refused.sis_id.rpartition(" / ")[2]


def _roster_of(refused: Key) -> Key:
    """Under what :func:`refusal_key` made: the roster."""
    return Key(refused.kind, refused.sis_id.rpartition(" / ")[0])


@dataclass(frozen=True, slots=True)
class _Seen:
    """What Canvas has of the people of a change.

    :param members: as they are confirmed now; who is missing is not there.
    :param owned: by user, the fields that stayed as they were though Canvas accepted the row.
    :param lost: users of whom Canvas shows no effect, without anybody's hand-made change being the cause.
    """

    change: StoredChange
    members: Mapping[str, Member]
    owned: Mapping[str, frozenset[str]]
    lost: AbstractSet[str]

    @property
    def shown(self) -> dict[str, Member]:
        """Those whom Canvas shows as they were sent, or as people changed them."""
        return {user: member for user, member in self.members.items() if user not in self.lost}

    @property
    def verdict(self) -> tuple[ChangeState, str]:
        """What became of the change, and a sentence about it."""
        if self.lost:
            return ChangeState.UNKNOWN, f"Canvas does not show {len(self.lost)} of them as they were sent."
        if self.owned:
            return ChangeState.OWNED, f"kept by Canvas for {len(self.owned)} of them"
        return ChangeState.CONFIRMED, ""


@dataclass(frozen=True, slots=True)
class PeopleBook:
    """One transaction's bookkeeping of what became of a plan's changes of people."""

    connection: Connection
    institution: Institution
    plan_id: int
    run_id: int
    now: datetime

    def confirm(self, mine: Sequence[StoredChange], words: PeopleWords, *, is_sure: bool) -> list[StoredChange]:
        """Write down whom Canvas refused and, where its silence means success, whom it accepted.

        :returns: the changes of which nothing is left to find out.
        """
        self._refuse(mine, words)
        counts = {one.seq: len(words[one.seq]) for one in mine if words.get(one.seq)}
        told = {seq: f"Canvas refused {count} of them." for seq, count in counts.items()}
        nobody = [one for one in mine if counts.get(one.seq) == one.weight]
        some = [one for one in mine if counts.get(one.seq) != one.weight]
        sure = [one for one in some if is_sure and not is_read_back(one)]
        made = self._save_made([one for one in sure if one.seq not in counts], sure)
        self._believe([_without(one, words.get(one.seq, {})) for one in sure if one.seq not in made])
        plans.note_refused(self.connection, self.plan_id, counts)
        for ones, state in ((nobody, ChangeState.REFUSED), (sure, ChangeState.CONFIRMED)):
            plans.set_state(self.connection, self.plan_id, [one.seq for one in ones], state, told)
        return [*nobody, *sure]

    def read_back(
        self, sent: Sequence[StoredChange], found: Mapping[Key, Roster], trusted: Mapping[int, bool]
    ) -> list[StoredChange]:
        """Compare the people who were sent with those whom Canvas has now.

        :param found: what Canvas's provisioning report lists.
        :param trusted: by ``seq``, whether every row that Canvas did not complain about was carried out.
        :returns: the changes of which nothing is left to find out.
        """
        refused = {
            refusal.fingerprint for refusal in row_errors.refusals(self.connection, self.institution.key).values()
        }
        seen = [_seen(one, found, refused, is_trusted=trusted.get(one.seq, False)) for one in sent]
        renamed = [one for one in seen if part_of(one.change).ids]
        self._believe([_only(one.change, one.shown) for one in renamed])
        self._believe_seen([one for one in seen if one not in renamed])
        told: dict[ChangeState, dict[int, str]] = {}
        for one in seen:
            state, words = one.verdict
            told.setdefault(state, {})[one.change.seq] = words
        for state, messages in told.items():
            said = messages if state is not ChangeState.CONFIRMED else {}
            plans.set_state(self.connection, self.plan_id, messages, state, said)
        return list(sent)

    def follow(self, accepted: Sequence[StoredChange]) -> None:
        """Note what accepted changes of objects do to the people in them, before the objects are written down."""
        changes = [one.change for one in accepted if one.action in CASCADES]
        if not changes:
            return
        connection, key = self.connection, self.institution.key
        is_about_courses = any(change.kind is Kind.COURSE for change in changes)
        inside = World(objects.load(connection, key, kind=Kind.SECTION) if is_about_courses else ())
        places = {place for change in changes for place in (change.key, *inside.below(change.key))}
        before = World(inside.values(), rosters.at_places(connection, key, places))
        after = before.after([*changes, *self._sent_later(before)]).rosters
        rosters.forget(connection, key, before.rosters.keys() - after.keys())
        fresh = [roster for whole, roster in after.items() if before.rosters.get(whole) is not roster]
        rosters.save(connection, key, fresh, now=self.now)
        ended = (_ended(before.rosters[one.whole], one) for one in fresh if one.whole in before.rosters)
        undone.remember_ended(connection, key, self.plan_id, (one for one in ended if one.members))

    def _sent_later(self, before: World) -> Iterator[Change]:
        """The confirmed changes of people, who come after objects in Canvas's order: nothing that ends ends them."""
        for one in plans.changes(self.connection, self.plan_id, ChangeState.CONFIRMED):
            part = one.change.after
            if isinstance(part, Roster) and part.kind is Kind.ENROLLMENT and part.whole in before.rosters:
                there = before.rosters[part.whole].members
                yield _only(one, [user for user, member in part.members.items() if there.get(user) == member])

    def _save_made(self, whole: Sequence[StoredChange], sure: Sequence[StoredChange]) -> set[int]:
        """Confirm rosters in which nobody was before as they were sent: the database copies them.

        :param whole: the changes of which Canvas refused nobody, among all that are ``sure``.
        :returns: ``seq`` of the changes that made them.
        """
        connection, key = self.connection, self.institution.key
        new = [one for one in whole if one.rule == Part.NEW]
        known, times = rosters.keys(connection, key) if new else (), Counter(one.whole for one in sure)
        made = [one for one in new if one.whole not in known and times[one.whole] == 1]
        rosters.save_made(connection, key, self.plan_id, [one.seq for one in made], now=self.now)
        # Of tens of thousands only these need be taken apart, to name their people.
        refused = set(map(_roster_of, row_errors.refusals(connection, key)))
        self._forget_refusals(part_of(one) for one in made if one.whole in refused)
        self._record_made(made)
        return {one.seq for one in made}

    def _record_made(self, made: Sequence[StoredChange]) -> None:
        """Write down who came into new rosters."""
        shown = self._shown
        hidden = [one for one in made if is_sealed(one.after)]
        self._record(event for one in hidden for event in _events(one.change, one.change.after, shown))
        plain = {one.seq for one in made} - {one.seq for one in hidden}
        connection, key, event = self.connection, self.institution.key, EVENTS[Action.CREATE]
        history.record_arrivals(connection, key, self.plan_id, plain, event, self.now, run_id=self.run_id)

    def _believe(self, changes: Sequence[Change]) -> None:
        """Confirm people as they were sent."""
        parts = [change.after for change in changes if isinstance(change.after, Roster) and change.after.members]
        if not parts:
            return
        connection, key = self.connection, self.institution.key
        wholes = None if any(part.ids for part in parts) else {part.whole for part in parts}
        before = World((), rosters.load(connection, key, wholes))
        after = before.after(changes).rosters
        rosters.save(
            connection, key, (one for at, one in after.items() if before.rosters.get(at) is not one), now=self.now
        )
        self._forget_refusals(parts)
        shown = self._shown
        self._record(event for change in changes for event in _events(change, change.after, shown))
        remember_undone(connection, self.institution, self.plan_id, changes, self.now)

    def _believe_seen(self, seen: Sequence[_Seen]) -> None:
        """Confirm people as Canvas has them, whatever was sent."""
        connection, key = self.connection, self.institution.key
        wholes = {part_of(one.change).whole for one in seen}
        known = {roster.whole: roster for roster in rosters.load(connection, key, wholes)}
        for one in seen:
            part = part_of(one.change)
            before = known.get(part.whole, replace(part, members={}, part=""))
            members = {user: member for user, member in before.members.items() if user not in one.lost}
            owned = {user: before.owned.get(user, frozenset()) | names for user, names in one.owned.items()}
            known[part.whole] = replace(before, members={**members, **one.members}, owned={**before.owned, **owned})
        rosters.save(connection, key, known.values(), now=self.now)
        shown = [replace(part_of(one.change), members=one.shown) for one in seen]
        self._forget_refusals(shown)
        named = self._shown
        self._record(
            event for one, part in zip(seen, shown, strict=True) for event in _events(one.change.change, part, named)
        )
        made = (_only(one.change, one.shown) for one in seen if one.shown)
        remember_undone(connection, self.institution, self.plan_id, made, self.now)

    def _forget_refusals(self, parts: Iterable[Roster]) -> None:
        """What Canvas accepts now is refused no longer."""
        known = row_errors.refusals(self.connection, self.institution.key)
        if not any(key.kind in MEMBER_FIELDS for key in known):
            return
        shown, accepted = self._shown, list(parts)
        gone = {refusal_key(part, shown(user)) for part in accepted for user in part.members} & known.keys()
        old = {shown(user) for part in accepted for user in part.ids}
        gone |= {key for key in known if old and key.kind in MEMBER_FIELDS and user_of(key) in old}
        row_errors.clear_refusals(self.connection, self.institution.key, gone)
        row_errors.settle(self.connection, self.institution.key, "canvas", [str(key) for key in gone], self.now)

    def _refuse(self, mine: Sequence[StoredChange], words: PeopleWords) -> None:
        connection, key = self.connection, self.institution.key
        rows = [(part_of(one), user, text) for one in mine for user, text in words.get(one.seq, {}).items()]
        if not rows:
            return
        known, shown = row_errors.refusals(connection, key), self._shown
        remembered = {}
        notes = []
        for part, user, text in rows:
            at, member = refusal_key(part, shown(user)), part.members[user]
            remembered[at] = refused_again(member_print(part, user, member), known.get(at), self.now)
            hidden = (*member[:-1], *(one for one in (user, part.ids.get(user, user)) if shown(one) != one))
            said = template_of(text, hidden)
            notes.append(RowErrorNote("canvas", str(at), Code.ROW_REFUSED, part.kind, "", said, text))
        row_errors.save_refusals(connection, key, remembered)
        row_errors.note(connection, key, notes, self.now)
        self._record(Event(part.whole, "refused", "", shown(user)) for part, user, _ in rows)

    @property
    def _shown(self) -> Shown:
        """What people are called where others may read it."""
        return shown_by(self.connection, self.institution.key)

    def _record(self, events: Iterable[Event]) -> None:
        history.record(
            self.connection, self.institution.key, events, self.now, run_id=self.run_id, plan_id=self.plan_id
        )


def _ended(before: Roster, after: Roster) -> Roster:
    """Those who have another standing now, as they were before."""
    return before.only([user for user, member in before.members.items() if after.members.get(user) != member])


def _without(one: StoredChange, refused: Mapping[str, str]) -> Change:
    """A change of those people whom Canvas did not refuse."""
    part = part_of(one)
    if not refused:
        return one.change
    return _only(one, part.members.keys() - refused.keys())


def _only(one: StoredChange, users: Collection[str]) -> Change:
    """A change of some of its people alone."""
    return msgspec.structs.replace(one.change, after=part_of(one).only(users))


def _seen(one: StoredChange, found: Mapping[Key, Roster], refused: Collection[str], *, is_trusted: bool) -> _Seen:
    part = part_of(one)
    if part.ids:
        return _renamed(one, found)
    there = found[part.whole].members if part.whole in found else {}
    names = (*MEMBER_FIELDS[part.kind], "state")
    members: dict[str, Member] = {}
    owned: dict[str, frozenset[str]] = {}
    lost: set[str] = set()
    for user, sent in part.members.items():
        if member_print(part, user, sent) in refused:
            continue
        seen = there.get(user)
        if seen is not None:
            members[user] = seen
        if seen == sent:
            continue
        if seen is not None and is_trusted and part.kind is Kind.USER:
            owned[user] = frozenset(name for name, old, new in zip(names, seen, sent, strict=True) if old != new)
        else:
            lost.add(user)
    return _Seen(one, members, owned, frozenset(lost))


def _renamed(one: StoredChange, found: Mapping[Key, Roster]) -> _Seen:
    """Whom Canvas has under the new id."""
    part = part_of(one)
    there: set[str] = set()
    for roster in found.values():
        there |= roster.members.keys() if roster.kind is Kind.USER else set()
    members = {old: member for old, member in part.members.items() if part.ids[old] in there}
    return _Seen(one, members, {}, part.members.keys() - members.keys())


def _events(change: Change, part: Thing, shown: Shown) -> Iterator[Event]:
    """What happened in a roster; the detail names the users, one who goes by another id by both."""
    if not isinstance(part, Roster) or not part.members:
        return
    for old, new in sorted(part.ids.items()):
        both = f"{shown(old)} {shown(new)}"
        yield Event(Key(Kind.USER, f"shelf {shelf_of(new)}"), EVENTS[change.action], change.rule, both)
    if not part.ids:
        people = sorted(map(shown, part.members))
        yield Event(part.whole, EVENTS[change.action], change.rule, " ".join(people))
