"""Two states of a small college, drawn at random: what Canvas has before a plan, and what the source wants with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import strategies as st

from rosterflow.domain.model import Account, CanvasObject, Course, Kind, Origin, Section, SourceKind, Term, key_of
from rosterflow.domain.rosters import STANDINGS, Member, Place, Roster, WantedRoster, shelves
from rosterflow.domain.snapshot import Scope, Snapshot

HOME, WHEN = "FSDEMO", "2026_HØST"
ROLES = ("StudentEnrollment", "TeacherEnrollment")
ABSENT, PLAIN, OTHER = "absent", "plain", "other"
"""How the source has an object: not at all, by one name and place, or by others."""

_fates = st.sampled_from((ABSENT, PLAIN, PLAIN, OTHER))
_people = st.sets(st.sampled_from(("1", "2", "3", "4")))


@dataclass(frozen=True)
class Picture:
    """What the source wants at some moment.

    :param things: by the local name of an object, how the source has it.
    :param people: by the local name of a place and the role, whom it has there.
    :param names: by the number of a person, how the source has the user.
    """

    things: dict[str, str]
    people: dict[tuple[str, str], set[str]]
    names: dict[str, str]

    def snapshot(self, mark: str) -> Snapshot:
        """The same as a complete read.

        :param mark: begins every id, so that one Canvas holds many colleges.
        """
        objects = {key_of(thing): thing for thing in _objects(self.things, mark)}
        rosters = [WantedRoster(roster) for roster in shelves(self._users(mark))]
        for (place, role), people in self.people.items():
            for thing in objects.values():
                if thing.sis_id == mark + place and thing.kind in PLACES:
                    rosters.append(WantedRoster(_roster(thing, role, [f"FS_184_{mark}{n}" for n in people])))
        scope = Scope(frozenset({WHEN}))
        return Snapshot(scope, objects, rosters={one.roster.whole: one for one in rosters})

    def _users(self, mark: str) -> dict[str, Member]:
        wanted = {n for people in self.people.values() for n in people} | self.names.keys()
        return {f"FS_184_{mark}{n}": _user(mark, n, self.names.get(n, PLAIN)) for n in sorted(wanted)}


PLACES = (Kind.ACCOUNT, Kind.COURSE, Kind.SECTION)


def _user(mark: str, number: str, how: str) -> Member:
    login = f"{how}{number}.{mark.lower().replace('_', '-')}@rosterflow.example"
    return (
        login,
        f"Person {how} {number}",
        f"{number}, Person {how}",
        f"{number}.{mark.lower()}@rosterflow.example",
        "active",
    )


def _objects(things: dict[str, str], mark: str) -> Iterable[CanvasObject]:
    """The objects whose place is there too, parents first."""

    def has(name: str) -> bool:
        return things[name] != ABSENT

    def called(name: str) -> str:
        return f"{name} {things[name]}"

    unit, emne = Origin(SourceKind.ORGANISASJONSENHET), Origin(SourceKind.EMNE)
    teaching = Origin(SourceKind.UNDERVISNINGSENHET, WHEN)
    if has("T"):
        yield Term(f"{mark}T", called("T"), origin=Origin(SourceKind.TERMIN, WHEN))
    for name in ("A", "B"):
        if has(name):
            above = f"{mark}A" if name == "B" and things["B"] == OTHER and has("A") else HOME
            yield Account(f"{mark}{name}", called(name), above, origin=unit if name == "A" else emne)
    for name in ("C", "D") if has("T") else ():
        if has(name):
            first, second = ("A", "B") if things[name] == PLAIN else ("B", "A")
            account = next((f"{mark}{one}" for one in (first, second) if has(one)), HOME)
            yield Course(f"{mark}{name}", name, called(name), account, f"{mark}T", origin=teaching)
    for name in ("S", "U"):
        first, second = ("C", "D") if things[name] == PLAIN else ("D", "C")
        course = next((f"{mark}{one}" for one in (first, second) if has(one)), None)
        if has(name) and course and has("T"):
            yield Section(f"{mark}{name}", called(name), course, origin=teaching)


def _roster(thing: CanvasObject, role: str, users: Iterable[str]) -> Roster:
    kind = Kind.ADMIN if thing.kind is Kind.ACCOUNT else Kind.ENROLLMENT
    return Roster(
        kind, Place(thing.kind, thing.sis_id), role, dict.fromkeys(users, STANDINGS["active"]), origin=thing.origin
    )


PEOPLE_AT = [(place, role) for place in ("C", "S", "U") for role in ROLES] + [("A", "AccountAdmin")]
pictures = st.builds(
    Picture,
    st.fixed_dictionaries(dict.fromkeys(("T", "A", "B", "C", "D", "S", "U"), _fates)),
    st.dictionaries(st.sampled_from(PEOPLE_AT), _people),
    st.dictionaries(st.sampled_from(("1", "2", "3", "4", "5")), st.sampled_from((PLAIN, OTHER))),
)
