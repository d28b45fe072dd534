"""What becomes of people whom the source no longer has where Canvas has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from rosterflow.domain.decisions import Decision
from rosterflow.domain.leaving import ACTIONS, BEFORE_CENSUS, Leaving
from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import Change, member_print
from rosterflow.domain.roster_pairs import Ground, Pair, kept
from rosterflow.domain.rosters import ACTIVE, STANDINGS, Member, Part, Reason, Roster, Standing

RULES: dict[str, str] = {
    Reason.GONE: "The source no longer has them there.",
    BEFORE_CENSUS: "The source no longer has them there, and the census date is not over.",
    Part.MOVED: "They go to another section of the course.",
    Part.STAYS: "They are in another section of the course, and no longer in this one.",
    Reason.TERM_ENDED: "The term, or the course's period, is over.",
    Reason.ROLE_ENDED: "The period of their role is over.",
    Reason.NO_LONGER_STAFF: "They are not staff any more, and the days of grace are over.",
    Reason.RESERVED: "They may not be in the LMS.",
    Reason.DEAD: "They are dead.",
    Reason.NOT_REGISTERED: "They are not registered for the semester.",
    Standing.SUSPENDED: "The source says that they are suspended.",
    Standing.INACTIVE: "The source says that they are inactive.",
    Standing.COMPLETED: "The source says that they are done.",
    Standing.DELETED: "The source says that they are out.",
}
"""Ids of the rules by which people leave."""

KEPT: dict[str, str] = {
    "left-by-ladder": "The institution's settings leave people there who are gone for this reason.",
    "user-kept": "A user whom the source no longer has stays a user.",
    "unknown-person": "Somebody is there whom the source does not name, so nobody is taken away.",
}
"""Ids of the rules by which people stay, though the source no longer has them there."""

COMING = "coming"


@dataclass(slots=True)
class Departures:
    """Who leaves, who would if Canvas had not refused it lately, and who stays all the same."""

    changes: list[Change] = field(default_factory=list)
    waiting: list[Change] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)


def departures(
    ground: Ground, pairs: Iterable[Pair], additions: Iterable[Change], leaving: Leaving, resting: Collection[str]
) -> Departures:
    """Everybody who leaves, by roster and reason.

    :param pairs: the rosters that are not as they should be.
    :param additions: the people who come by this plan.
    :param resting: prints of people's rows that Canvas refused and that are not to be sent yet.
    """
    found = Departures()
    courses = _Courses(ground, additions)
    for pair in pairs:
        lost = _lost(ground, pair)
        if not lost or not ground.is_in_use(pair.roster) or not ground.is_there(pair.roster):
            continue
        if pair.wanted.has_unknown:
            found.decisions.append(kept(pair.roster, "unknown-person", len(lost)))
            continue
        for (rule, standing), users in _fates(pair, lost, courses, leaving).items():
            _leave(found, ground, pair, rule, standing, users, resting)
    return found


def _lost(ground: Ground, pair: Pair) -> dict[str, Standing | None]:
    """Who has something that they shall not have any more, with the standing that the source itself names."""
    if pair.roster.place and pair.roster.place.key in ground.snapshot.untouchable:
        return {}
    want, have, staying = pair.roster.members, pair.have, pair.wanted.staying
    found: dict[str, Standing | None] = dict.fromkeys(
        user for user in have.keys() - want.keys() if have[user][-1] == ACTIVE and user not in staying
    )
    for user, member in want.items() - have.items() if have else ():
        if member[-1] != ACTIVE and user in have and have[user][-1] == ACTIVE:
            found[user] = Standing(member[-1])
    owned = pair.known.owned if pair.known else {}
    return {user: standing for user, standing in found.items() if "state" not in owned.get(user, ())}


def _fates(
    pair: Pair, lost: Mapping[str, Standing | None], courses: _Courses, leaving: Leaving
) -> dict[tuple[str, Standing | None], list[str]]:
    """Who leaves by which rule, and what they get."""
    found: dict[tuple[str, Standing | None], list[str]] = {}
    for user, named in lost.items():
        reason = pair.wanted.leaving.get(user, Reason.GONE)
        part = courses.elsewhere(pair, user) if reason in (Reason.GONE, Reason.MOVED) and not named else None
        if part == COMING:
            continue
        if named:
            fate: tuple[str, Standing | None] = named, named
        elif part:
            fate = part, leaving.fate(pair.roster, Reason.MOVED)[1]
        else:
            fate = leaving.fate(pair.roster, Reason.GONE if reason is Reason.MOVED else reason)
        found.setdefault(fate, []).append(user)
    return found


def _leave(
    found: Departures,
    ground: Ground,
    pair: Pair,
    rule: str,
    standing: Standing | None,
    users: Collection[str],
    resting: Collection[str],
) -> None:
    if standing is None:
        is_user = pair.roster.kind is Kind.USER and rule == Reason.GONE
        found.decisions.append(kept(pair.roster, "user-kept" if is_user else "left-by-ladder", len(users)))
        return
    after = {user: _with(pair.have[user], standing) for user in users}
    rests = {u for u, member in after.items() if member_print(pair.roster, u, member) in resting} if resting else set()
    for some, goal in ((after.keys() - rests, found.changes), (rests, found.waiting)):
        if some:
            people = {user: after[user] for user in some}
            goal.append(ground.change(ACTIONS[standing], pair, people, rule, rule, RULES[rule]))


def _with(member: Member, standing: Standing) -> Member:
    return STANDINGS[standing] if len(member) == 1 else (*member[:-1], str(standing))


class _Courses:
    """Who is in which other section of a course in the same role, and who comes there by this plan."""

    def __init__(self, ground: Ground, additions: Iterable[Change]) -> None:
        self._ground = ground
        self._additions = additions
        self._sections: dict[tuple[str, str], list[Pair]] | None = None
        self._arriving: dict[Key, set[str]] = {}

    def elsewhere(self, pair: Pair, user: str) -> str | None:
        """``moved`` when they come to another section, ``stays-in-course`` when they are there already.

        ``coming`` when they are wanted there and cannot come yet: then they stay where they are. ``None`` when they
        are not wanted anywhere else in the course.
        """
        if pair.roster.kind is not Kind.ENROLLMENT:
            return None
        if self._sections is None:
            self._sections = self._by_course()
        found = None
        for other in self._sections.get((self._ground.course_of(pair.roster), pair.roster.role), ()):
            wanted = other.roster.members.get(user)
            if wanted is None or wanted[-1] != ACTIVE or other.roster.place == pair.roster.place:
                continue
            there = other.have.get(user)
            if there is not None and there[-1] == ACTIVE:
                return Part.STAYS
            found = Part.MOVED if user in self._arriving.get(other.roster.whole, ()) else found or COMING
        return found

    def _by_course(self) -> dict[tuple[str, str], list[Pair]]:
        for change in self._additions:
            if isinstance(change.after, Roster):
                self._arriving.setdefault(change.after.whole, set()).update(change.after.members)
        sections: dict[tuple[str, str], list[Pair]] = {}
        for pair in self._ground.all_of(Kind.ENROLLMENT):
            sections.setdefault((self._ground.course_of(pair.roster), pair.roster.role), []).append(pair)
        return sections
