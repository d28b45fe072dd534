"""Three worlds of one institution compared: what the source wants, what Canvas last confirmed, and Canvas as it is.

A sync plans against what was confirmed, so it does not see what people change in Canvas meanwhile. This does. What only
follows from something else, as the people of a section that somebody deleted, is counted and not told one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rosterflow.domain.confirmed import ConfirmedObject
from rosterflow.domain.differences import Comparison, Difference, Finding, Findings, Hand, Worlds
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import FIELDS, CanvasObject, Key, Kind, State, parents_of
from rosterflow.domain.recognition import origin_of
from rosterflow.domain.reconcile_people import PeopleComparison
from rosterflow.domain.rosters import Roster


def reconcile(institution: Institution, worlds: Worlds) -> Comparison:
    """Everything in which Canvas differs from what it confirmed, and what of that only follows from the rest."""
    findings = Findings()
    objects = _Objects(institution, worlds, findings)
    for key, one in worlds.confirmed.items():
        findings.compared[key.kind] += 1
        objects.compare(key, one)
    for key in worlds.actual.keys() - worlds.confirmed.keys():
        objects.meet(key)
    PeopleComparison(institution, worlds, objects.upset, findings).compare()
    return findings.comparison()


class _Objects:
    """Accounts, terms, courses and sections.

    :ivar upset: what is gone, or has another state than was confirmed.
    """

    def __init__(self, institution: Institution, worlds: Worlds, findings: Findings) -> None:
        self._institution = institution
        self._worlds = worlds
        self._findings = findings
        self._gone = {
            key for key, one in worlds.confirmed.items() if _lives(one) and not _lives(worlds.actual.get(key))
        }
        self.upset = set(self._gone)

    def compare(self, key: Key, known: ConfirmedObject) -> None:
        """An object that Canvas confirmed."""
        if key in self._gone:
            self._miss(key, known)
            return
        there = self._worlds.actual.get(key)
        if there is None or not _lives(there):
            return
        names = FIELDS[key.kind] if _lives(known) and self._owns(key.kind) else ()
        for name in (*names, "state"):
            self._drift(key, name, known, there.thing)
        if parents := [parent for parent in parents_of(there.thing) if not _lives(self._worlds.actual.get(parent))]:
            self._tell(Finding.ORPHAN, key, actual=", ".join(map(str, parents)))

    def meet(self, key: Key) -> None:
        """An object of Canvas about which nothing is known."""
        thing = self._worlds.actual[key].thing
        if key.kind is Kind.TERM or thing.state is State.DELETED or key == self._own_account:
            return  # terms are everybody's
        is_ours = origin_of(self._institution.number, thing) is not None
        if key in self._worlds.made_by_hand:
            if is_ours or any(_lives(self._worlds.confirmed.get(parent)) for parent in parents_of(thing)):
                self._tell(Finding.EXTRA_BY_HAND, key, actual=str(thing.state))
        elif is_ours:
            hand = Hand.OURS if key in self._worlds.wanted else Hand.PEOPLE
            self._tell(Finding.EXTRA_BY_US, key, hand=hand, actual=str(thing.state))

    def _miss(self, key: Key, known: ConfirmedObject) -> None:
        if any(parent in self._gone for parent in parents_of(known.thing)):
            self._findings.follow(key)
            return
        wanted = self._worlds.wanted.get(key)
        hand = Hand.PEOPLE if _lives(wanted) else Hand.OURS
        self._tell(Finding.MISSING, key, hand=hand, confirmed=str(known.thing.state))

    def _drift(self, key: Key, name: str, known: ConfirmedObject, there: CanvasObject) -> None:
        before, now = getattr(known.thing, name), getattr(there, name)
        if now == before or (before, now) == (State.UNPUBLISHED, State.ACTIVE):  # the report's word for both is active
            return
        if name == "state":
            self.upset.add(key)
        goal = self._worlds.wanted.get(key)
        wanted = getattr(goal.thing, name) if goal else None
        kept = Hand.KEPT if name in known.owned_by_canvas else Hand.PEOPLE
        hand = Hand.OURS if wanted == now else kept
        values = (_text(wanted), _text(before), _text(now))
        self._findings.tell(Difference(Finding.DRIFTED, *key, "", name, hand, *values))

    def _tell(
        self, finding: Finding, key: Key, *, hand: Hand = Hand.PEOPLE, confirmed: str = "", actual: str = ""
    ) -> None:
        goal = self._worlds.wanted.get(key)
        wanted = str(goal.thing.state) if goal else ""
        self._findings.tell(Difference(finding, *key, hand=hand, wanted=wanted, confirmed=confirmed, actual=actual))

    def _owns(self, kind: Kind) -> bool:
        return kind is not Kind.TERM or self._institution.canvas.owns_term_dates

    @property
    def _own_account(self) -> Key:
        return Key(Kind.ACCOUNT, self._institution.canvas.account)


@dataclass(frozen=True, slots=True)
class Belief:
    """What is confirmed from now on, where Canvas is believed.

    :param forgotten: objects and rosters that Canvas does not have at all.
    """

    objects: tuple[ConfirmedObject, ...]
    rosters: tuple[Roster, ...]
    forgotten: frozenset[Key]


def believe(institution: Institution, worlds: Worlds, keys: Iterable[Key]) -> Belief:
    """Take some objects and rosters for what Canvas has, so that the next sync plans what is to be different.

    What belongs to Canvas is still known to; that people changed a state does not make it theirs: somebody asks for it
    to be changed back.

    :param keys: those of :attr:`~rosterflow.domain.differences.Comparison.to_believe`.
    """
    objects: list[ConfirmedObject] = []
    rosters: list[Roster] = []
    forgotten: set[Key] = set()
    for key in keys:
        if key in worlds.confirmed.rosters or key in worlds.actual.rosters:
            rosters.append(_believed_roster(worlds, key))
        elif (there := worlds.actual.get(key)) is None:
            forgotten.add(key)
        elif one := _believed(institution, worlds.confirmed.get(key), there.thing):
            objects.append(one)
    return Belief(tuple(objects), tuple(rosters), frozenset(forgotten))


def _believed(institution: Institution, known: ConfirmedObject | None, thing: CanvasObject) -> ConfirmedObject | None:
    origin = known.thing.origin if known else origin_of(institution.number, thing)
    if origin is None:
        return None
    is_hidden = known is not None and known.thing.state is State.UNPUBLISHED and thing.state is State.ACTIVE
    state = State.UNPUBLISHED if is_hidden else thing.state
    return ConfirmedObject(replace(thing, origin=origin, state=state), known.owned_by_canvas if known else frozenset())


def _believed_roster(worlds: Worlds, key: Key) -> Roster:
    known, there = worlds.confirmed.rosters.get(key), worlds.actual.rosters.get(key)
    if known is None or there is None:
        return replace(known, members={}) if known else _placed(worlds, worlds.actual.rosters[key])
    return replace(known, members=there.members)


def _placed(worlds: Worlds, there: Roster) -> Roster:
    """A roster nobody knew of, with the origin of its place."""
    place = worlds.confirmed.get(there.place.key) if there.place else None
    return replace(there, origin=place.thing.origin) if place else there


def _lives(one: ConfirmedObject | None) -> bool:
    return one is not None and one.thing.state is not State.DELETED


def _text(value: object) -> str:
    return "" if value is None else str(value)
