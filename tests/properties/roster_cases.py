"""Random rosters in random colleges: who is where in Canvas, and who shall be, as far apart as they may ever get."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from rosterflow.domain.confirmed import World
from rosterflow.domain.model import CanvasObject, Key, Kind, Section, State
from rosterflow.domain.rosters import STANDINGS, Member, Reason, Roster, WantedRoster, shelf_of, shelves
from rosterflow.domain.snapshot import Snapshot
from tests.domain import builders as a
from tests.domain import roster_builders as p
from tests.properties.cases import Case, cases

PEOPLE = ("u1", "u2", "u3", "u4", "u5")
LOGINS = ("kari", "ola", "per", "eli", "siv", "jon")
STATES = ("active", "active", "active", "inactive", "completed", "deleted", "by-hand")
ROLES = (p.STUDENT, p.TEACHER)
ADMINS = ("active", "by-hand")


@dataclass(slots=True)
class RosterCase:
    """A college with people."""

    college: Case
    confirmed: list[Roster] = field(default_factory=list)
    wanted: list[WantedRoster] = field(default_factory=list)
    has_users: bool = False
    users: dict[str, Member] = field(default_factory=dict)

    @property
    def world(self) -> World:
        return World(self.college.confirmed.values(), [*shelves(self.users), *self.confirmed])

    def snapshot(self, **changes: Any) -> Snapshot:
        rosters = {one.roster.whole: one for one in self.wanted}
        return replace(self.college.snapshot, **{"rosters": rosters, **changes})


@st.composite
def roster_cases(draw: st.DrawFn) -> RosterCase:
    """Up to five people in every section and course of a college, as students and teachers, and as users or not; some
    administer its own account.
    """
    case = RosterCase(draw(cases()), has_users=draw(st.booleans()))
    there = {key: one.thing for key, one in case.college.confirmed.items() if key.kind in (Kind.COURSE, Kind.SECTION)}
    places = there | {
        key: thing for key, thing in case.college.wanted.items() if key.kind in (Kind.COURSE, Kind.SECTION)
    }
    for key in sorted(places):
        for role in ROLES[: draw(st.integers(0, 2))]:
            if key in there:
                states = draw(st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(STATES)))
                case.confirmed.append(_met(case, there[key], p.roster(there[key], states, role)))
            if key in case.college.wanted and draw(st.integers(0, 5)):
                case.wanted.append(_wanted(draw, case.college.wanted[key], role))
    if case.has_users:
        _add_users(draw, case)
    home = a.unit(a.ROOT)
    case.confirmed.append(p.roster(home, {user: draw(st.sampled_from(ADMINS)) for user in PEOPLE[:2]}, "AccountAdmin"))
    case.wanted.append(WantedRoster(p.roster(home, draw(st.sets(st.sampled_from(PEOPLE[:3]))), "AccountAdmin")))
    return case


def _met(case: RosterCase, place: CanvasObject, roster: Roster) -> Roster:
    """As Canvas would have it: in what is deleted everybody is, and in a concluded course nobody is active."""
    course = case.college.confirmed.get(Key(Kind.COURSE, place.course)) if isinstance(place, Section) else None
    states = {place.state, course.thing.state if course else place.state}
    members = roster.members
    if State.DELETED in states:
        members = dict.fromkeys(members, STANDINGS["deleted"])
    elif State.COMPLETED in states:
        members = {u: STANDINGS["completed"] if m == STANDINGS["active"] else m for u, m in members.items()}
    return replace(roster, members=members)


def _wanted(draw: st.DrawFn, place: CanvasObject, role: str) -> WantedRoster:
    people = draw(st.sets(st.sampled_from(PEOPLE)))
    reasons = draw(st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(list(Reason))))
    return WantedRoster(
        p.roster(place, people, role),
        leaving={user: reason for user, reason in reasons.items() if user not in people},
        staying=frozenset(draw(st.sets(st.sampled_from(PEOPLE), max_size=1))) - people,
        has_unknown=draw(st.integers(0, 2)) == 2,
    )


def _add_users(draw: st.DrawFn, case: RosterCase) -> None:
    """Users with logins of their own, in Canvas and in the source, where some have the login of somebody else."""
    for user, login in zip(PEOPLE, draw(st.permutations(LOGINS)), strict=False):
        if draw(st.integers(0, 4)):
            case.users[user] = p.user(login, state=draw(st.sampled_from(("active", "active", "suspended"))))
    wanted = {
        user: p.user(login, draw(st.sampled_from(("Kari Nordmann", "Ny Nordmann"))))
        for user, login in zip(PEOPLE, draw(st.permutations(LOGINS)), strict=False)
        if draw(st.integers(0, 4))
    }
    reasons = st.sampled_from((Reason.DEAD, Reason.RESERVED, Reason.GONE))
    gone = {user: draw(reasons) for user in PEOPLE if user not in wanted}
    shelved = {shelf.role: shelf for shelf in shelves(wanted)}
    for shelf in sorted({shelf_of(user) for user in PEOPLE}):
        roster = shelved.get(shelf, Roster(Kind.USER, None, shelf, {}))
        leaving = {user: reason for user, reason in gone.items() if shelf_of(user) == shelf}
        case.wanted.append(WantedRoster(roster, leaving=leaving))
