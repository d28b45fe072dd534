"""Random colleges: what Canvas confirmed and what the source says, as far apart as they may ever get."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.decisions import Decision
from rosterflow.domain.model import FIELDS, CanvasObject, Key, Kind, State, key_of, parents_of
from rosterflow.domain.snapshot import Scope, Snapshot
from tests.domain import builders as a

STATES = {
    "ended": State.COMPLETED,
    "again": State.COMPLETED,
    "hidden": State.UNPUBLISHED,
    "deleted": State.DELETED,
    "back": State.DELETED,
    "deleted-by-hand": State.DELETED,
    "closed-by-hand": State.COMPLETED,
}
OWNED = {"renamed-by-hand", "moved-by-hand", "closed-by-hand", "opened-by-hand", "deleted-by-hand"}
ABSENT = {"gone", "export-off", "ended", "deleted", "opened-by-hand"}
FATES = ("same",) * 5 + ("gone", "gone", "export-off", "new", "changed", *sorted(OWNED | STATES.keys()))
"""What may have happened to an object: it is in Canvas, in the source or in both, and alike or not."""

TERMS = (a.PAST, a.NOW, a.NEXT)


@dataclass(slots=True)
class Case:
    """A snapshot and the world it is compared with, both as Canvas and the mapping would let them be."""

    confirmed: dict[Key, ConfirmedObject] = field(default_factory=dict)
    wanted: dict[Key, CanvasObject] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)

    @property
    def world(self) -> World:
        return World(self.confirmed.values())

    @property
    def snapshot(self) -> Snapshot:
        return a.wants(*self.wanted.values(), decisions=tuple(self.decisions))

    def of_terms(self, *terms: str) -> Snapshot:
        """What a complete read of other terms would say of the same source."""
        things = [t for t in self.wanted.values() if t.origin.term is None or t.origin.term in terms]
        return a.wants(*things, scope=Scope(frozenset(terms)))

    def confirm(self, fate: str, thing: CanvasObject) -> None:
        """Put an object into Canvas, where nothing hangs in the air and nothing lives in a deleted account."""
        around = [self.confirmed.get(key) for key in parents_of(thing) if key.sis_id != a.ROOT]
        if fate == "new" or None in around:
            return
        state = STATES.get(fate, State.ACTIVE)
        if state is not State.ACTIVE and thing.kind is not Kind.COURSE:
            state = State.DELETED
        if any(one is not None and one.thing.state is State.DELETED for one in around):
            state = State.DELETED
        names = (*FIELDS[thing.kind], "state")
        owned: tuple[str, ...] = ()
        if state is State.ACTIVE:
            owned = {"renamed-by-hand": names[:1], "moved-by-hand": names[:-1]}.get(fate, ())
        if fate in {"closed-by-hand", "opened-by-hand", "deleted-by-hand"} and thing.kind is Kind.COURSE:
            owned = ("state",)
        self.confirmed[key_of(thing)] = ConfirmedObject(replace(thing, state=state), frozenset(owned))

    def want(self, fate: str, thing: CanvasObject) -> None:
        """Let the source say that an object should be, or why it should not."""
        if fate == "export-off":
            self.decisions.append(Decision(thing.origin.source, thing.sis_id, False, fate, key=key_of(thing)))
        if fate in ABSENT or not all(key in self.wanted or key.sis_id == a.ROOT for key in parents_of(thing)):
            return
        other_name: dict[str, Any] = {FIELDS[thing.kind][0]: "Another name"} if fate in {"changed"} | OWNED else {}
        self.wanted[key_of(thing)] = replace(thing, **other_name)

    def home(self, account: str) -> str:
        """An account in Canvas, or the college's own when that one is not in use."""
        one = self.confirmed.get(a.account_key(account))
        return account if one is not None and one.is_alive else a.ROOT

    def goal(self, account: str) -> str:
        """An account that the source wants, or the college's own."""
        return account if a.account_key(account) in self.wanted else a.ROOT


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A college with up to three units, two emner in three terms and a programme."""
    case = Case()
    for when in TERMS:
        fate = draw(st.sampled_from(("same", "same", "same", "changed", "new")))
        case.confirm(fate, a.term(when))
        case.want("gone" if when == a.PAST else fate, a.term(when))
    units = _units(draw, case)
    for kode in ("INF1", "INF2")[: draw(st.integers(0, 2))]:
        _emne(draw, case, kode, units)
    if draw(st.booleans()):
        fate = draw(st.sampled_from(FATES))
        case.confirm(fate, a.programme("P", case.home(draw(st.sampled_from(units)))))
        case.want(fate, a.programme("P", case.goal(draw(st.sampled_from(units)))))
        _same_place(case, draw(st.sampled_from(FATES)), a.programme_course("P"))
    return case


def _units(draw: st.DrawFn, case: Case) -> list[str]:
    """Units that may lie in each other in one way in Canvas and in the opposite way in the source."""
    fates = {f"184_{n}": draw(st.sampled_from(FATES)) for n in range(1, 1 + draw(st.integers(1, 3)))}
    above: dict[str, str] = {}
    for name, fate in fates.items():
        above[name] = case.home(draw(st.sampled_from([a.ROOT, *above])))
        case.confirm(fate, a.unit(name, above[name]))
    moved = draw(st.booleans())
    for name in reversed(fates) if moved else fates:
        goal = draw(st.sampled_from([a.ROOT, *fates])) if moved else above[name]
        case.want(fates[name], a.unit(name, case.goal(goal)))
    return list(fates)


def _emne(draw: st.DrawFn, case: Case, kode: str, units: list[str]) -> None:
    fate, version = draw(st.sampled_from(FATES)), draw(st.sampled_from((1, 1, 2)))
    case.confirm(fate, a.emne(kode, 1, case.home(draw(st.sampled_from(units)))))
    case.want(fate, a.emne(kode, version, case.goal(draw(st.sampled_from(units)))))
    for when in TERMS:
        fate = draw(st.sampled_from(FATES))
        case.confirm(fate, a.ue(kode, 1, when))
        inside = draw(st.sampled_from((fate, *["moved-by-hand"] * 5, *FATES)))
        strange = f"UE_{kode}_1_{a.NOW}" if inside == "moved-by-hand" else None
        case.confirm(inside, a.ue_section(kode, 1, when, course=strange))
        group = draw(st.sampled_from(FATES))
        code = f"{kode}_{when}"
        case.confirm(group, a.ua_section(code, f"UE_{kode}_1_{when}", when))
        if when != a.PAST:
            case.want(fate, a.ue(kode, version, when))
            case.want(inside, a.ue_section(kode, version, when))
            case.want(group, a.ua_section(code, f"UE_{kode}_{version}_{when}", when))
            if draw(st.integers(0, 4)) == 4:
                case.want("new", a.ue(kode, 3, when, account=f"EMNE_{kode}_{version}"))


def _same_place(case: Case, fate: str, thing: CanvasObject) -> None:
    case.confirm(fate, thing)
    case.want(fate, thing)
