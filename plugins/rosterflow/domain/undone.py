"""What people undid is not done again by the next plan: it is set apart, held, and a person is asked about it.

It is remembered until somebody approves it, or until the source itself wants something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec

from rosterflow.domain.model import FIELDS, CanvasObject, Key, State
from rosterflow.domain.plan import Change, Plan, some_of
from rosterflow.domain.rosters import ACTIVE, MEMBER_FIELDS, Member, Roster, Thing
from rosterflow.domain.snapshot import Snapshot

UNDONE = "undone"
"""Id of the rule by which a change is set apart, and held."""

RULES: dict[str, str] = {UNDONE: "A person undid it, and the source still wants it."}


@dataclass(frozen=True, slots=True)
class Undone:
    """An object, or some people of a roster, about whom somebody undid a plan.

    :param plan_id: the plan that undid it.
    :param was: as the plan that was undone had made it; ``became`` as it was after the undo.
    :param on: the local day.
    :param because: the person's reason.
    """

    plan_id: int
    was: Thing
    became: Thing
    on: date
    because: str

    @property
    def key(self) -> Key:
        """The object, or the whole roster."""
        return self.was.whole if isinstance(self.was, Roster) else Key(self.was.kind, self.was.sis_id)

    @property
    def part(self) -> str:
        """Of a roster, which of the undo's changes of it; ``""`` for an object."""
        return self.was.part if isinstance(self.was, Roster) else ""

    def __str__(self) -> str:
        return f"Undone by hand on {self.on} because: {self.because}"

    def repeated_by(self, change: Change) -> frozenset[str]:
        """The people of a change who would be again what was undone; of an object ``{""}`` when it would be."""
        was, became, after = self.was, self.became, change.after
        if not isinstance(was, Roster) and not isinstance(became, Roster) and not isinstance(after, Roster):
            return frozenset({""}) if _is_again(_values(was), _values(became), _values(after)) else frozenset()
        if not isinstance(was, Roster) or not isinstance(became, Roster) or not isinstance(after, Roster):
            return frozenset()
        return frozenset(
            user
            for user in was.members.keys() & after.members.keys()
            if _is_again(_row(was, user), _row(became, user), _row(after, user))
        )

    def only(self, users: frozenset[str]) -> Undone | None:
        """The same of some of its people alone, ``None`` when nothing is left; an object is all or nothing."""
        if not isinstance(self.was, Roster) or not isinstance(self.became, Roster):
            return self if users else None
        was, became = self.was.only(users), self.became.only(users)
        return replace(self, was=was, became=became) if was.members else None


def set_apart(plan: Plan, undone: Iterable[Undone]) -> Plan:
    """A plan in which what was undone stands in changes of its own, which say so.

    :param undone: what is remembered; of several about the same the last one counts.
    """
    remembered: dict[Key, list[Undone]] = {}
    for one in undone:
        remembered.setdefault(one.key, []).insert(0, one)
    if not remembered:
        return plan
    return replace(plan, changes=tuple(part for change in plan.changes for part in _parts(change, remembered)))


def still_undone(undone: Iterable[Undone], plan: Plan, snapshot: Snapshot, *, saw_all: bool) -> list[Undone]:
    """What is remembered from now on: what the source still wants, and what this run cannot tell about.

    :param plan: what a run plans, before anything is set apart.
    :param saw_all: whether the run read everything that its scope holds, and nobody narrowed that.
    """
    remembered = list(undone)
    if not remembered:
        return []
    wanted: dict[Key, list[Change]] = {}
    for change in (*plan.changes, *plan.waiting):
        wanted.setdefault(_whole(change), []).append(change)
    kept = []
    for one in remembered:
        place = one.was.place.key if isinstance(one.was, Roster) and one.was.place else one.key
        if not saw_all or not snapshot.scope.covers(one.was) or place in snapshot.untouchable:
            kept.append(one)
            continue
        again = frozenset[str]().union(*(one.repeated_by(change) for change in wanted.get(one.key, ())))
        if left := one.only(again):
            kept.append(left)
    return kept


def undone_by(change: Change, plan_id: int, on: date, because: str) -> Undone | None:
    """What is remembered of an inverse change that Canvas confirmed.

    :param change: of the plan that undoes; what it found is what the plan that it undoes had made.
    """
    before, after = change.before, change.after
    if isinstance(before, Roster) and isinstance(after, Roster):
        before = before.only(after.members)  # Canvas may have refused some
    return Undone(plan_id, before, after, on, because) if before else None


def _parts(change: Change, remembered: Mapping[Key, Sequence[Undone]]) -> Iterator[Change]:
    """A change without what was undone, and what was undone of it, by the plan that undid it."""
    known = remembered.get(_whole(change), ())
    left = change
    for plan_id in dict.fromkeys(one.plan_id for one in known):
        undone = [one for one in known if one.plan_id == plan_id and one.repeated_by(left)]
        if not undone:
            continue
        says = {"rule": UNDONE, "reason": f"{change.reason} {undone[0]}."}
        if not isinstance(left.after, Roster):
            yield msgspec.structs.replace(left, **says)
            return
        again = frozenset[str]().union(*(one.repeated_by(left) for one in undone))
        part = f"{left.after.part}, {UNDONE} by plan {plan_id}"
        yield msgspec.structs.replace(some_of(left, again, part), **says)
        rest = frozenset(left.after.members.keys() - again)
        if not rest:
            return
        left = some_of(left, rest, left.after.part)
    yield left


def _whole(change: Change) -> Key:
    return change.after.whole if isinstance(change.after, Roster) else change.key


def _is_again(was: Mapping[str, object], became: Mapping[str, object], after: Mapping[str, object]) -> bool:
    """Whether anything of what was undone would be as it was before the undo."""
    return any(after[name] == was[name] for name in was if was[name] != became[name])


def _values(thing: CanvasObject) -> dict[str, object]:
    """What is compared of an object. All that is not in use is alike: the same removal, however it is done."""
    values: dict[str, object] = {name: getattr(thing, name) for name in FIELDS[thing.kind]}
    return {**values, "state": thing.state is State.ACTIVE}


def _row(roster: Roster, user: str) -> dict[str, object]:
    row: Member = roster.members[user]
    values: dict[str, object] = dict(zip(MEMBER_FIELDS[roster.kind], row, strict=False))
    return {**values, "state": row[-1] == ACTIVE}
