"""A plan: the typed changes between what the source wants and what Canvas last confirmed (design §2)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

import msgspec

from rosterflow.domain.decisions import Decision
from rosterflow.domain.model import FIELDS, CanvasObject, Key, Kind, key_of
from rosterflow.domain.rosters import MEMBER_FIELDS, Member, Roster, Thing, weight_of


class Action(StrEnum):
    """What a change does."""

    CREATE = "create"
    UPDATE = "update"
    REOPEN = "reopen"
    CHANGE_ID = "change-id"
    CLOSE = "close"
    HIDE = "hide"
    DELETE = "delete"


REMOVALS = frozenset({Action.CLOSE, Action.HIDE, Action.DELETE})
"""Removals in the sense of the guards: conclude, hide, delete (deleting an account is closing it)."""


class Change(msgspec.Struct, frozen=True):
    """One step for one object, or for some people of one roster; what is applied is exactly what was shown.

    :param before: what Canvas last confirmed, ``None`` when it has no such object. Of a roster, just the people whom
        the change is about.
    :param after: what it will be; for removals the object with its new state, or the people with theirs.
    :param rule: id of the rule that asked for it (``export-off``, ``new``, ``changed`` …).
    :param reason: one sentence for a person.
    """

    action: Action
    before: Thing | None
    after: Thing
    rule: str
    reason: str

    @property
    def key(self) -> Key:
        """The object as it is known to Canvas now (for a changed id: the old one)."""
        return key_of(self.before or self.after)

    @property
    def kind(self) -> Kind:
        """The kind of object."""
        return self.after.kind

    @property
    def is_removal(self) -> bool:
        """Whether a guard counts it as a removal."""
        return self.action in REMOVALS

    @property
    def weight(self) -> int:
        """How many objects, or people in a role, it is about."""
        return weight_of(self.after)

    @property
    def changed_fields(self) -> tuple[str, ...]:
        """Names of the fields that differ, without ``state``."""
        if isinstance(self.after, Roster):
            return _changed_fields(self.before, self.after)
        if self.before is None:
            return FIELDS[self.kind]
        return tuple(f for f in FIELDS[self.kind] if getattr(self.before, f) != getattr(self.after, f))

    @property
    def aim(self) -> tuple[object, ...]:
        """What it comes to, wherever it starts from: the same removal however the object is called by now."""
        if not self.is_removal:
            return self.key, self.action, _compared(self.after)
        return (self.key, *sorted(self.after.members)) if isinstance(self.after, Roster) else (self.key,)

    @property
    def fingerprint(self) -> str:
        """A digest of the whole change; two plans that show the same change give the same digest."""
        shown = _encoded((self.action, _compared(self.before), _compared(self.after)))
        return hashlib.sha256(shown).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of one run, in an order in which they can be sent.

    :param changes: parents before children; removals last, children before parents.
    :param unchanged: objects inside the scope that are as they should be, per kind.
    :param waiting: left out for now: Canvas refused it lately, it needs one that waits, or the read was not whole.
    :param decisions: why something absent from the source was *not* removed.
    """

    changes: tuple[Change, ...]
    unchanged: Counter[Kind]
    waiting: tuple[Change, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def hash(self) -> str:
        """A digest of all changes; an approval names it, and apply checks it."""
        return hash_of(change.fingerprint for change in self.changes)


def hash_of(fingerprints: Iterable[str]) -> str:
    """A digest of a set of changes by their fingerprints, independent of their order."""
    return hashlib.sha256("\n".join(sorted(fingerprints)).encode()).hexdigest()


def some_of(change: Change, users: Collection[str], part: str) -> Change:
    """A change of a roster for some of its people alone; one of an object as it is.

    :param part: tells it from others of the same roster.
    """
    before, after = change.before, change.after
    if not isinstance(after, Roster):
        return change
    there = before.only(users) if isinstance(before, Roster) else None
    return msgspec.structs.replace(
        change,
        before=replace(there, part=part) if there and there.members else None,
        after=replace(after.only(users), part=part),
    )


def member_print(roster: Roster, user: str, member: Member) -> str:
    """A digest of one person's row in a roster, by which a refusal of Canvas is remembered."""
    text = "\x1f".join((roster.kind, roster.whole.sis_id, user, *member, *filter(None, (roster.ids.get(user),))))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _changed_fields(before: Thing | None, after: Roster) -> tuple[str, ...]:
    names = MEMBER_FIELDS[after.kind]
    known = before.members if isinstance(before, Roster) else {}
    changed = {
        name
        for user, member in after.members.items()
        for name, old, new in zip(names, known.get(user, ("",) * len(names)), member, strict=False)
        if old != new
    }
    return tuple(name for name in names if name in changed)


_encoded = msgspec.json.Encoder().encode
_VALUES: dict[Kind, Callable[[CanvasObject], tuple[str | datetime | None, ...]]] = {
    kind: attrgetter("kind", "sis_id", *names, "state") for kind, names in FIELDS.items()
}


def _compared(thing: Thing | None) -> tuple[object, ...] | None:
    """Every compared field of an object, or every person of a roster with theirs."""
    if isinstance(thing, Roster):
        return thing.kind, thing.sis_id, tuple(sorted(thing.members.items())), tuple(sorted(thing.ids.items()))
    return _VALUES[thing.kind](thing) if thing else None
