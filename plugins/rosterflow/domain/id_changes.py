"""Recognising that an object of the source only got another id, so that it is not removed and made again.

A new versjonskode changes the SIS id of an emne's account, courses and sections, while they stay the same to everybody
who uses them. What stays the same is the ``lineage`` of their origin. An id change is only proposed; a person decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from rosterflow.domain.confirmed import World
from rosterflow.domain.model import CanvasObject, Course, Key, Kind, SourceKind, key_of
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.snapshot import Scope

Wanted = Mapping[Key, CanvasObject]
Lineage = tuple[Kind, SourceKind, str]
Pair = tuple[Key, Key]
"""The key of an object as Canvas knows it, and the one it would get."""


@dataclass(frozen=True, slots=True)
class IdChanges:
    """Which absent objects are the same as which new ones.

    :param new: the new key by the old one.
    :param ambiguous: absent objects that may be the same as a wanted one, but nobody can tell as which.
    :param rejected: absent objects that a person said are not the same as the wanted one.
    """

    new: Mapping[Key, Key] = field(default_factory=dict)
    ambiguous: frozenset[Key] = frozenset()
    rejected: frozenset[Key] = frozenset()

    @property
    def renames(self) -> dict[Key, str]:
        """The new SIS id by the old key."""
        return {old: new.sis_id for old, new in self.new.items()}

    def changes(self, wanted: Wanted, world: World) -> list[Change]:
        """The proposed changes; every other difference of these objects follows in the plan after."""
        return [_change(world[old].thing, wanted[new]) for old, new in self.new.items()]


def id_changes(
    wanted: Wanted, absent: Collection[Key], world: World, scope: Scope, rejected: Collection[Pair] = ()
) -> IdChanges:
    """Pair absent objects with new ones.

    One absent object and one wanted object of a lineage, which Canvas does not know yet, are a pair; a wanted one that
    Canvas already has is no new id, and with more than two there is no telling. An emne's account says less by its
    lineage, as the account of an older version stays when the next one begins: it is a pair with the new account when
    all of its courses in the scope are paired with courses of the new one.

    A pair that a person rejected is none, also when the new one has been made since.

    :param wanted: what the source wants, without what is untouchable.
    :param absent: keys of objects in use that are inside the scope and not wanted.
    :param rejected: the pairs that a person rejected.
    """
    apart = frozenset(old for old, other in rejected if old in absent and other in wanted)
    gone = _by_lineage(world[key].thing for key in absent)
    if not gone:
        return IdChanges(rejected=apart)
    there = _by_lineage(thing for thing in wanted.values() if _lineage(thing) in gone)
    new: dict[Key, Key] = {}
    ambiguous: set[Key] = set()
    for lineage, olds in gone.items():
        if _is_emne_account(lineage):
            continue
        match olds, there.get(lineage, []):
            case _, []:
                pass
            case [old], [only]:
                if only not in world and old not in apart:
                    new[old] = only
            case _:
                ambiguous.update(olds)
    for lineage, olds in gone.items():
        if _is_emne_account(lineage):
            candidates = set(there.get(lineage, [])) - world.keys()
            whole = _paired_accounts(olds, candidates, new, wanted, world, scope)
            new |= {old: goal for old, goal in whole.items() if old not in apart}
    return IdChanges(new, frozenset(ambiguous), apart)


def _paired_accounts(
    olds: Iterable[Key], candidates: set[Key], courses: Mapping[Key, Key], wanted: Wanted, world: World, scope: Scope
) -> dict[Key, Key]:
    """Emne accounts whose courses all go to the same new account, and to which no other account's courses go."""
    sources: dict[Key, list[Key]] = defaultdict(list)
    whole: dict[Key, Key] = {}
    for old in olds if candidates else ():
        inside = [key for key in world.below(old) if key.kind is Kind.COURSE and _is_spoken_of(key, world, scope)]
        goals = [_goal(wanted.get(courses.get(key, key))) for key in inside]
        for goal in candidates.intersection(goals):
            sources[goal].append(old)
            if all(one == goal for one in goals) and all(key in courses for key in inside):
                whole[old] = goal
    return {old: goal for old, goal in whole.items() if sources[goal] == [old]}


def _goal(course: CanvasObject | None) -> Key | None:
    return Key(Kind.ACCOUNT, course.account) if isinstance(course, Course) else None


def _is_spoken_of(key: Key, world: World, scope: Scope) -> bool:
    return world[key].is_alive and scope.covers(world[key].thing)


def _is_emne_account(lineage: Lineage) -> bool:
    return lineage[:2] == (Kind.ACCOUNT, SourceKind.EMNE)


def _lineage(thing: CanvasObject) -> Lineage:
    return thing.kind, thing.origin.source, thing.origin.lineage


def _by_lineage(things: Iterable[CanvasObject]) -> dict[Lineage, list[Key]]:
    found: dict[Lineage, list[Key]] = defaultdict(list)
    for thing in things:
        if thing.origin.lineage:
            found[_lineage(thing)].append(key_of(thing))
    return found


def _change(before: CanvasObject, wanted: CanvasObject) -> Change:
    return Change(
        Action.CHANGE_ID,
        before,
        replace(before, sis_id=wanted.sis_id, origin=wanted.origin),
        rule="id-changed",
        reason=f"In the source it now goes by {wanted.sis_id}.",
    )
