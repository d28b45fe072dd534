"""Why a person is, or is not, where they are in Canvas: the rules on them in order, where they stand, what happened.

The rules are run again, by the mapping itself, on the pages that the last run read; they are kept for some days.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from rosterflow.domain.confirmed import World
from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.fs.people import Person
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.fixers import FIXERS
from rosterflow.domain.mapping.fs import map_fs
from rosterflow.domain.mapping.people import PeopleSource, Step, explain_person, not_staff_since
from rosterflow.domain.mapping.rules import RULES
from rosterflow.domain.model import Course, Key, Kind, Section, SourceKind
from rosterflow.domain.naming import SisIds
from rosterflow.domain.rosters import Place, Roster, shelf_of
from rosterflow.domain.snapshot import Snapshot
from rosterflow.store import approvals, decisions, runs, timeline
from rosterflow.store.engine import Store
from rosterflow.store.person_keys import PREFIX, shown_by
from rosterflow.store.plans import ChangeState
from rosterflow.store.runs import Run
from rosterflow.sync.kept_reads import is_kept, sources_of
from rosterflow.sync.pages import PageStore
from rosterflow.sync.planning import STAFF_RULES
from rosterflow.sync.worlds import numbers_of, world_of

RUNS_LOOKED_AT = 50
SENT = (ChangeState.SENT, ChangeState.CONFIRMED, ChangeState.OWNED, ChangeState.REFUSED, ChangeState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Told:
    """One rule that was applied to a person.

    :param meaning: what the rule says, for one that rests on another rule with that one's words, too.
    :param fixer: who can do something about it; ``""`` when it keeps nobody out.
    """

    step: Step
    meaning: str
    fixer: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a person.

    :param at: aware instant.
    :param where: the roster, as ``section UE_… as StudentEnrollment``.
    """

    at: datetime
    what: str
    where: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PersonExplained:
    """All that is known of a person.

    :param run: whose pages the rules were run on.
    :param steps: the rules in the order in which they were applied; the first that does not allow blocks.
    :param standings: the rosters that Canvas confirmed them in, with the state.
    """

    run: Run
    steps: tuple[Told, ...]
    standings: tuple[tuple[str, str], ...]
    timeline: tuple[Moment, ...]

    @property
    def blocked_by(self) -> int | None:
        """The place of the first step that blocks; ``None`` when none does."""
        return next((place for place, told in enumerate(self.steps) if not told.step.allowed), None)


def explain_somebody(
    store: Store, blobs: PageStore, institution: Institution, person: str, course: str = ""
) -> PersonExplained:
    """Run the rules on one person again, and gather what happened to them.

    :param person: personlopenummer, or what people are called where others read it.
    :param course: SIS id of a course, or of one of its sections, when only that is asked about.
    :raises FatalError: ``rows-missing`` when no run's pages are kept any more.
    """
    run = _last_read(store, blobs, institution)
    source, people = sources_of(blobs, institution, run)
    with store.begin() as connection:
        world = world_of(connection, institution)
        staff = not_staff_since(decisions.by_rules(connection, institution.key, STAFF_RULES))
        rejected = approvals.rejected_id_changes(connection, institution.key)
        numbers = numbers_of(connection, institution, world)
        behind = _behind(connection, institution, world, person)
    person = (behind and _number_of(people, behind)) or person
    in_use = world.alive()
    structure = map_fs(institution, run.scope, source, in_use)
    today = run.started_at.astimezone(institution.zone).date()
    rosters = world.rosters
    steps = explain_person(
        institution, run.scope, structure, people, rosters, today, person, staff, in_use, rejected, numbers
    )
    if course:
        steps = _about(course, steps, structure)
    user = _user_of(institution, people, person)
    planned = {key for step in steps if (key := _roster_of(step))}
    with store.begin() as connection:
        ids = timeline.ids_of(connection, institution.key, user)
    wholes = _rosters_of(world, ids) | planned
    if course:
        wholes = {whole for whole in wholes if _lies_at(whole, _places_of(course, structure, world))}
    with store.begin() as connection:
        moments = _moments(connection, institution, wholes, ids)
    if steps:
        moments = [Moment(run.started_at, "seen in FS", "", f"run {run.id}"), *moments]
    return PersonExplained(
        run=run,
        steps=tuple(_told(step) for step in steps),
        standings=tuple(_standings(world, wholes, ids)),
        timeline=tuple(sorted(moments, key=lambda one: one.at)),
    )


def timeline_of(store: Store, institution: Institution, person: str) -> list[Moment]:
    """What was planned for a person and happened to them, oldest first; needs no pages of any run.

    :param person: personlopenummer, the SIS id of the user, or what people are called where others read it.
    """
    is_number = institution.people.users.sis_id == "personlopenummer"
    prefix = SisIds(institution.number).user("")
    user = SisIds(institution.number).user(person.removeprefix(prefix)) if is_number else person
    with store.begin() as connection:
        world = world_of(connection, institution)
        user = _behind(connection, institution, world, person) or user
        ids = timeline.ids_of(connection, institution.key, user)
        moments = _moments(connection, institution, _rosters_of(world, ids), ids)
    return sorted(moments, key=lambda one: one.at)


def _behind(connection: Connection, institution: Institution, world: World, key: str) -> str | None:
    """The SIS id of the user behind an opaque key; ``None`` when it is none, or nobody's."""
    if not key.startswith(PREFIX):
        return None
    shown = shown_by(connection, institution.key)
    return next((user for roster in world.rosters.values() for user in roster.members if shown(user) == key), None)


def _number_of(people: PeopleSource, user: str) -> str | None:
    """The personlopenummer of somebody whose SIS id is their login."""
    rows = people.users() if people.users else ()
    return next((r.person for r in rows if isinstance(r, Person) and _login(r) == user), None)


def _login(person: Person) -> str:
    return (person.feide_bruker or "").strip().lower()


def _last_read(store: Store, blobs: PageStore, institution: Institution) -> Run:
    with store.begin() as connection:
        found = runs.latest_runs(connection, institution.key, RUNS_LOOKED_AT)
    kept = next((run for run in found if is_kept(blobs, run)), None)
    if kept is None:
        days = institution.retention.pages_days
        message = (
            f"{institution.key}: the pages of no run are kept any more (retention.pages_days is {days}), so the rules"
            " cannot be run again. Start a sync that only plans, and ask again."
        )
        raise FatalError(Code.ROWS_MISSING, message)
    return kept


def _told(step: Step) -> Told:
    because = dict(step.facts).get("because", "")
    meaning = " ".join(filter(None, (RULES[step.rule], RULES.get(because, ""))))
    return Told(step, meaning, "" if step.allowed else str(FIXERS[step.rule]))


def _user_of(institution: Institution, people: PeopleSource, person: str) -> str:
    """The SIS id of a person's user; the number itself when it is made of a login that nobody knows."""
    if institution.people.users.sis_id == "personlopenummer":
        return SisIds(institution.number).user(person)
    for row in people.users() if people.users else ():
        if isinstance(row, Person) and row.person == person and row.feide_bruker:
            return _login(row)
    return person


def _roster_of(step: Step) -> Key | None:
    role = dict(step.facts).get("role")
    if step.place is None or role is None:
        return None
    kind = Kind.ADMIN if step.place.kind is Kind.ACCOUNT else Kind.ENROLLMENT
    return Roster(kind, step.place, role, {}).whole


def _rosters_of(world: World, ids: Collection[str]) -> set[Key]:
    """The rosters that a user is in, by any of their ids, and where a user with such an id would be kept."""
    found = {whole for whole, roster in world.rosters.items() if not roster.members.keys().isdisjoint(ids)}
    return found | {Key(Kind.USER, f"shelf {shelf_of(user)}") for user in ids}


def _standings(world: World, wholes: Collection[Key], ids: Collection[str]) -> Iterable[tuple[str, str]]:
    for whole in sorted(wholes):
        roster = world.rosters.get(whole)
        where = "user" if whole.kind is Kind.USER else whole.sis_id
        if roster:
            yield from ((where, roster.members[user][-1]) for user in roster.members.keys() & ids)


# ---------------------------------------------------------------------- one course
def _about(course: str, steps: Sequence[Step], structure: Snapshot) -> tuple[Step, ...]:
    """The steps about the person as such, and those about a course and its sections."""
    places = _places_of(course, structure, World())
    subjects = {one.subject for one in structure.decisions if one.key in places}
    return tuple(
        step
        for step in steps
        if step.source is SourceKind.BRUKER
        or (step.place and step.place.key in places)
        or (step.place is None and dict(step.facts).get("at") in subjects)
    )


def _places_of(course: str, structure: Snapshot, world: World) -> set[Key]:
    """A course with its sections, by the SIS id of any of them."""
    things = [*structure.objects.values(), *(one.thing for one in world.values())]
    courses = {thing.course for thing in things if isinstance(thing, Section) and thing.sis_id == course} | {course}
    sections = {
        Key(Kind.SECTION, thing.sis_id) for thing in things if isinstance(thing, Section) and thing.course in courses
    }
    ids = {thing.sis_id for thing in things if isinstance(thing, Course) and thing.sis_id in courses} | {course}
    return sections | {Key(kind, sis_id) for sis_id in ids for kind in (Kind.COURSE, Kind.SECTION)}


def _lies_at(whole: Key, places: Collection[Key]) -> bool:
    place = whole.sis_id.rsplit(" as ", 1)[0]
    return whole.kind is Kind.USER or place in {str(Place(*key)) for key in places}


# ---------------------------------------------------------------------- what happened
def _moments(
    connection: Connection, institution: Institution, wholes: Collection[Key], ids: Collection[str]
) -> list[Moment]:
    moments: list[Moment] = []
    for one in (one for user in ids for one in timeline.changes_about(connection, institution.key, wholes, user)):
        change = one.change.change
        where = _where(change.kind, change.after.sis_id)
        detail = f"{change.action}, plan {one.plan_id}: {change.reason}"
        moments.append(Moment(one.planned_at, "planned", where, detail))
        if one.change.guard_reason:
            moments.append(Moment(one.planned_at, "held", where, one.change.guard_reason))
        if one.sent_at and one.change.state in SENT:
            moments.append(Moment(one.sent_at, "sent", where, f"{change.action}, plan {one.plan_id}"))
    shown = shown_by(connection, institution.key)
    happened = {row.id: row for user in ids for row in timeline.events_about(connection, institution.key, shown(user))}
    of_places = [row for _, row in sorted(happened.items()) if Key(Kind(row.kind), row.sis_id) in wholes]
    return [*moments, *(Moment(row.at, row.event, _where(row.kind, row.sis_id), row.rule) for row in of_places)]


def _where(kind: str, sis_id: str) -> str:
    return "user" if kind == Kind.USER else sis_id
