"""The inverse of a plan that was applied: what it made goes, what it changed is as it was, what it removed returns.

Only what Canvas confirmed, and what nobody has changed since, is undone. What that leaves is told before anybody
approves it (see :mod:`.losses`). An undo never takes away what the plan did not make.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from rosterflow.domain.confirmed import ConfirmedObject, World, renamed
from rosterflow.domain.losses import Loss, Losses, Why
from rosterflow.domain.model import FIELDS, CanvasObject, Course, Key, Kind, Section, State, key_of, parents_of
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import BY_HAND, DELETED, Roster, Standing, Thing
from rosterflow.domain.sequence import account_parents, ancestors, in_order, without_loops
from rosterflow.domain.undo_people import PeopleUndo

UNDO = "undo"
"""Id of the rule by which an inverse change is made, and held."""

_ENDS = {State.COMPLETED: Action.CLOSE, State.UNPUBLISHED: Action.HIDE, State.DELETED: Action.DELETE}
_BOTTOM_UP = (Kind.SECTION, Kind.COURSE, Kind.ACCOUNT, Kind.TERM)


@dataclass(frozen=True, slots=True)
class Applied:
    """A plan that was applied.

    :param confirmed: its changes that Canvas confirmed, in its order; ``unconfirmed`` all others.
    :param ended: people as they were before they ended with their section, course or account, roster by roster.
    """

    confirmed: tuple[Change, ...]
    unconfirmed: tuple[Change, ...] = ()
    ended: tuple[Roster, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known when a plan is to be undone.

    :param confirmed: what Canvas last confirmed.
    :param actual: what it has now, by its own report.
    :param others: by place and state, how many enrollments and administrators there are that no import made, or that
        are no users of ours.
    """

    confirmed: World
    actual: World
    others: Mapping[Key, Counter[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inverse:
    """What undoes a plan.

    :param changes: in an order in which they can be sent: additions, people who leave, objects that go.
    :param losses: what does not come back.
    """

    changes: tuple[Change, ...]
    losses: tuple[Loss, ...]


def undo(applied: Applied, ground: Ground, reason: str) -> Inverse:
    """The inverse of an applied plan, as far as there is one.

    :param reason: one sentence for a person, the reason of every inverse change.
    """
    losses = Losses()
    for change in applied.unconfirmed:
        key = change.after.whole if isinstance(change.after, Roster) else change.key
        losses.tell(Why.NOT_CONFIRMED, key, change.weight, action=change.action)
    objects = _Objects(applied, ground, losses, reason)
    planned = ground.confirmed.after([*objects.additions, *objects.removals])
    people = PeopleUndo(ground.confirmed, ground.actual, planned, objects.renames, losses)
    for change in reversed(applied.confirmed):
        people.look(change)
    people.bring_back(applied.ended)
    people.send_again()
    coming, leaving = people.changes(UNDO, reason)
    return Inverse((*objects.additions, *coming, *leaving, *objects.removals), losses.all())


class _Objects:
    """The inverse of the changes of objects.

    :ivar additions: what returns, and what gets its old values.
    :ivar removals: what goes again, from the bottom up.
    """

    def __init__(self, applied: Applied, ground: Ground, losses: Losses, reason: str) -> None:
        self._ground, self._losses, self._reason = ground, losses, reason
        self.renames = {
            change.key: change.after.sis_id
            for change in applied.confirmed
            if change.action is Action.CHANGE_ID and not isinstance(change.after, Roster)
        }
        self._brought = _brought_by(applied.confirmed)
        self._returning: list[Change] = []
        self._going: dict[Key, Change] = {}
        for change in reversed(applied.confirmed):
            if not isinstance(change.after, Roster):
                self._look(change, change.after)
        self.additions = self._with_a_place()
        self.removals = self._without_others()

    def _look(self, change: Change, after: CanvasObject) -> None:
        """Find the inverse of one change."""
        key, before = key_of(after), change.before
        known = self._ground.confirmed.get(key)
        if change.action is Action.CHANGE_ID:
            self._losses.tell(Why.ID_CHANGED, key, old=change.key.sis_id)
        elif known is None:
            self._losses.tell(Why.CHANGED_SINCE, key)
        elif before is None or isinstance(before, Roster):
            if self._is_as_made(after, known, FIELDS[key.kind]):
                self._end(Action.DELETE, known.thing, replace(known.thing, state=State.DELETED))
        elif change.action is Action.UPDATE:
            self._put_back(renamed(before, self.renames), after, known)
        elif known.thing.state is before.state:
            self._losses.tell(Why.AS_BEFORE, key)
        elif self._is_as_made(after, known):
            self._steer(renamed(before, self.renames), known.thing)

    # -- one object --------------------------------------------------------------------------------------------------

    def _is_as_made(self, after: CanvasObject, known: ConfirmedObject, names: Iterable[str] = ()) -> bool:
        """Whether an object is still as the plan left it, its state and these fields; else that is told."""
        key, now, there = key_of(after), known.thing, self._there(known.thing)
        compared = ("state", *names)
        if differing := _differing(now, after, compared):
            is_gone = bool(names) and now.state is State.DELETED
            self._losses.tell(Why.AS_BEFORE if is_gone else Why.CHANGED_SINCE, key)
        elif "state" in known.owned_by_canvas:
            self._losses.tell(Why.KEPT_BY_CANVAS, key, field="state")
        elif differing := _differing(now, there, compared):
            self._losses.tell(Why.CHANGED_BY_HAND, key, field=" and ".join(differing))
        else:
            return True
        return False

    def _there(self, thing: CanvasObject) -> CanvasObject:
        """The object as Canvas has it; deleted, when it has it no longer."""
        one = self._ground.actual.get(key_of(thing))
        if one is None:
            return replace(thing, state=State.DELETED)
        is_hidden = (thing.state, one.thing.state) == (State.UNPUBLISHED, State.ACTIVE)
        return replace(one.thing, state=thing.state) if is_hidden else one.thing  # the report's word for both is active

    def _put_back(self, before: CanvasObject, after: CanvasObject, known: ConfirmedObject) -> None:
        """Give fields that an update changed their old values."""
        key, now, there = key_of(after), known.thing, self._there(known.thing)
        values: dict[str, object] = {}
        for name in _differing(before, after, FIELDS[key.kind]):
            if name in known.owned_by_canvas:
                self._losses.tell(Why.KEPT_BY_CANVAS, key, field=name)
            elif name == "term" and getattr(before, name) is None:
                self._losses.tell(Why.TERM_KEPT, key)  # a blank keeps the term (Canvas contract §5.4)
            elif not _differing(now, before, [name]):
                self._losses.tell(Why.AS_BEFORE, key)
            elif now.state is not after.state or _differing(now, after, [name]):
                self._losses.tell(Why.CHANGED_SINCE, key, field=name)
            elif _differing(now, there, [name, "state"]):
                self._losses.tell(Why.CHANGED_BY_HAND, key, field=name)
            else:
                values[name] = getattr(before, name)
        if values:
            self._returning.append(self._change(Action.UPDATE, now, replace(now, **values)))  # type: ignore[arg-type]

    def _steer(self, goal: CanvasObject, now: CanvasObject) -> None:
        """Re-open what the plan removed, and end again what it re-opened."""
        key = key_of(now)
        if goal.state is State.ACTIVE:
            if ended := sum(self._of_others(place, Standing.COMPLETED) for place in self._course_and_sections(key)):
                self._losses.tell(Why.STAYS_ENDED, key, people=ended)
            self._returning.append(self._change(Action.REOPEN, now, goal))
        elif goal.state is State.UNPUBLISHED:
            self._losses.tell(Why.GRADED, key)
            self._end(Action.HIDE, now, replace(now, state=goal.state))  # no CSV row carries other fields along
        else:
            self._end(_ENDS[goal.state], now, goal)

    def _end(self, action: Action, now: CanvasObject, goal: CanvasObject) -> None:
        self._going[key_of(now)] = self._change(action, now, goal)

    def _change(self, action: Action, now: CanvasObject, goal: CanvasObject) -> Change:
        return Change(action, now, replace(goal, sis_id=now.sis_id, origin=now.origin), UNDO, self._reason)

    # -- all of them together ----------------------------------------------------------------------------------------

    def _with_a_place(self) -> list[Change]:
        """What returns or moves, without what would lie in something deleted, or in itself."""
        confirmed = self._ground.confirmed
        kept, lost = without_loops(in_order(self._returning, confirmed), confirmed)
        while hanging := [one for one in kept if _hangs(one.after, confirmed.after(kept))]:
            lost += hanging
            kept = [one for one in kept if one not in hanging]
        for one in lost:
            self._losses.tell(Why.PLACE_GONE, one.key)
        return kept

    def _without_others(self) -> list[Change]:
        """What goes, without what holds things that the plan did not put there, or others who would go with it."""
        planned = self._ground.confirmed.after(self.additions)
        parents = account_parents(planned)

        def place(key: Key) -> tuple[int, int, str]:
            depth = len(ancestors(key.sis_id, parents)) if key.kind is Kind.ACCOUNT else 0
            return _BOTTOM_UP.index(key.kind), -depth, key.sis_id

        kept: list[Change] = []
        gone: set[Key] = set()
        for key in sorted(self._going, key=place):
            change = self._going[key]
            if change.action is Action.DELETE:
                if inside := self._inside(key, planned, gone):
                    self._losses.tell(Why.OTHERS_INSIDE, key, inside=inside)
                    continue
                gone.add(key)
                if key.kind is Kind.COURSE:
                    self._losses.tell(Why.WORK_INSIDE, key)
            elif change.action is Action.CLOSE and (following := self._active_others(key)):
                self._losses.tell(Why.OTHERS_FOLLOW, key, people=following)
            kept.append(change)
        return kept

    def _inside(self, key: Key, planned: World, gone: Collection[Key]) -> int:
        """How much would be in an object that the plan did not put there: objects, and people in a role."""
        unknown = [k for k in self._ground.actual.below(key) if k not in planned and not self._is_default(k)]
        objects = [(planned, below) for below in planned.below(key) if below not in gone]
        objects += [(self._ground.actual, below) for below in unknown]
        alive = sum(world[below].thing.state is not State.DELETED for world, below in objects)
        states = [state for state in Standing if state not in (DELETED, BY_HAND)]
        # A section that goes elsewhere with the same import leaves only after its course is deleted (Canvas §3.4).
        leaving = [
            one for one in self._course_and_sections(key)[1:] if one not in gone and one not in planned.below(key)
        ]
        with_it = sum(self._of_others(section, *states) for section in leaving)
        return alive + with_it + self._of_others(key, *states) + self._of_ours(key, *states)

    def _is_default(self, section: Key) -> bool:
        """Whether it is the section without an id that Canvas gives each course; who is in it counts in the course."""
        thing = self._ground.actual[section].thing
        if not isinstance(thing, Section) or not thing.sis_id.startswith("("):
            return False
        course = self._ground.actual[Key(Kind.COURSE, thing.course)].thing
        return isinstance(course, Course) and thing.name == course.long_name

    def _active_others(self, key: Key) -> int:
        places = self._course_and_sections(key)
        return sum(self._of_others(place, Standing.ACTIVE) + self._of_ours(place, Standing.ACTIVE) for place in places)

    def _of_others(self, place: Key, *states: Standing) -> int:
        there = self._ground.others.get(place, Counter())
        return sum(there[state] for state in states)

    def _of_ours(self, place: Key, *states: Standing) -> int:
        """Whom imports of ours brought to a place, but not this plan."""
        rosters = (self._ground.confirmed.rosters[whole] for whole in self._ground.confirmed.people_at(place))
        return sum(
            row[-1] in states and user not in self._brought.get(roster.whole, ())
            for roster in rosters
            for user, row in roster.members.items()
        )

    def _course_and_sections(self, key: Key) -> tuple[Key, ...]:
        return (key, *self._ground.confirmed.below(key)) if key.kind is Kind.COURSE else (key,)


def _brought_by(changes: Iterable[Change]) -> dict[Key, set[str]]:
    """Whom changes brought into each roster."""
    found: dict[Key, set[str]] = {}
    for change in changes:
        if isinstance(change.after, Roster) and change.action in (Action.CREATE, Action.REOPEN):
            found.setdefault(change.after.whole, set()).update(change.after.members)
    return found


def _differing(one: CanvasObject, other: CanvasObject, names: Iterable[str]) -> list[str]:
    return [name for name in names if getattr(one, name) != getattr(other, name)]


def _hangs(thing: Thing, world: World) -> bool:
    """Whether an object lies in one that is deleted. The institution's own account is in no world."""
    around = () if isinstance(thing, Roster) else parents_of(thing)
    return any(key in world and world[key].thing.state is State.DELETED for key in around)
