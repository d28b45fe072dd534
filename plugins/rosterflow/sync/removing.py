"""Drops, and removals of staff: who is in CourseKey and is no longer to be there, guarded as every removal is.

Campus Cafe must have said so: by a drop, a wait-list place or a removal, or by being read as a whole without them. What
is too much at once waits for a person, as the removals of a sync to Canvas do: the same limits, requests and audit. For
that CourseKey is shown as a world of courses, one for each section, with students and instructors in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import OPEN, Entity, Entry, EntryKind, EntryState, Intent, Verdict
from rosterflow.domain.model import Course, Kind, Origin, SourceKind
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.rosters import STANDINGS, Place, Roster, Standing
from rosterflow.domain.snapshot import Scope
from rosterflow.store import approvals, coursekey_maps, looking, plans, queue, queue_looking, runs
from rosterflow.store import campus as mirror
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.campus import Left, StoredCampus
from rosterflow.store.coursekey_maps import There
from rosterflow.store.engine import Store
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.store.queue import COLLECTOR, Request
from rosterflow.store.runs import Run
from rosterflow.sync.approving import Answer, Book, answer, counting
from rosterflow.sync.approving import Verdict as Decided
from rosterflow.sync.asking import Matter
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.guarding import Guarded, split
from rosterflow.sync.queueing import Judge
from rosterflow.sync.wanting import KIND_OF

ROLES = {EntryKind.ENROLLMENT: "student", EntryKind.STAFF: "instructor"}
KINDS = {role: kind for kind, role in ROLES.items()}
AGAIN_AFTER = timedelta(days=1)
"""The same removals are guarded again after this long: who was asked may have answered nothing, or no."""
NOT_OURS = Verdict(EntryState.SKIPPED, "not-added-by-us", "People added this member of staff in CourseKey, not we.")
TOO_LATE = "They are to be there again, or are gone already."


@undisturbed
def guard_removals(store: Store, college: College, run: Run, now: datetime) -> Guarded:
    """Queue the removals that are due, and hold those that are too many at once.

    :param run: the run that asks.
    :returns: how many are queued and held, and the requests that wait for a person.
    """
    with store.begin() as connection:
        leaving = _leaving(connection, college, now)
        plan = Plan(tuple(_change(one) for one in leaving), Counter())
        queued = _guard(connection, college, run, plan, now) if _is_news(connection, college, plan, now) else 0
        waiting = approvals.in_state(connection, college.key, ApprovalState.WAITING)
        held = len(leaving) - queued
        runs.add_counts(connection, run.id, removals=queued, held=held)
        return Guarded(queued, held, tuple(request.id for request in waiting))


def decide_removals(
    store: Store, college: College, run_id: int, approval_id: int, answers: Sequence[Answer], now: datetime
) -> Decided:
    """Carry out what people answered: the removals that were approved are queued, with the request as who asked.

    Deciding again, after a killed try, finds what was decided.

    :raises FatalError: ``request-unknown`` when the college has no such request.
    :raises NeedsPerson: ``approval-invalid`` when an answer does not count; it can be given again.
    """
    with store.begin() as connection:
        book = Book(connection, college, approvals.get_approval(connection, college.key, approval_id), run_id, now)
        answered = answer(book, answers, _too_late)
        approved = approvals.changes_of(connection, book.request, ChangeState.ALLOWED)
        if _queue(connection, college, book.request.plan_id, approved, f"approval:{approval_id}", now):
            approvals.set_approval_state(connection, approval_id, ApprovalState.APPLIED, now)
    return counting(book, answered)


def world_there(connection: Connection, college: College) -> World:
    """CourseKey as we know it, without those whose removal is queued."""
    there = coursekey_maps.people_there(connection, college.key)
    going = queue_looking.being_removed(connection, college.key, college.coursekey.api_name)
    return _world(one.entity for one in there if one.entity not in going)


def _guard(connection: Connection, college: College, run: Run, plan: Plan, now: datetime) -> int:
    """Guard the removals, and queue those that may go on.

    :returns: how many these are.
    """
    plan_id = plans.save_plan(connection, college.key, run.id, plan, first_contact=False, now=now)
    world = world_there(connection, college)
    semesters = {roster.origin.term for roster in world.rosters.values()}
    # Each removal rests on its own evidence, so what the plan lacks is no longer wanted, whatever the run read.
    asking = replace(run, scope=Scope(frozenset(filter(None, semesters))), counts={"gaps": 0})
    made, planned = plans.get_plan(connection, plan_id), plans.changes(connection, plan_id)
    split(Matter(connection, college, asking, made, planned, world, now), "apply")
    allowed = plans.changes(connection, plan_id, ChangeState.ALLOWED)
    return _queue(connection, college, plan_id, allowed, COLLECTOR, now)


@dataclass(frozen=True, slots=True)
class _Leaver:
    """Somebody who is to be removed by the rules.

    :param why: one sentence for a person.
    """

    entity: Entity
    why: str


def _leaving(connection: Connection, college: College, now: datetime) -> list[_Leaver]:
    """Who is to be removed and is not being removed yet."""
    there = coursekey_maps.people_there(connection, college.key)
    left = {
        Entity(KIND_OF[resource], *name): how
        for (resource, name), how in mirror.people_who_left(connection, college.key).items()
    }
    candidates = [one for one in there if one.entity in left]
    entries = _entries(connection, college, (one.entity for one in candidates))
    candidates = [one for one in candidates if not _is_seen_to(entries.get(one.entity), left[one.entity])]
    campus = StoredCampus(connection, college.key)
    campus.load_sections({key for one in candidates if (key := one.entity.section_key)})
    judged = [_judged(Judge(college, campus, now), one) for one in candidates]
    noted = [one for one in judged if one.verdict.state in (EntryState.SKIPPED, EntryState.FAILED)]
    queue.put(connection, college.key, college.coursekey.api_name, noted, now)
    due = [one.entity for one in judged if one.verdict.state is EntryState.PENDING]
    return [_Leaver(one, _why(one, campus, left[one])) for one in due]


def _judged(judge: Judge, one: There) -> Request:
    if one.entity.kind is EntryKind.STAFF and not one.created_by_us:
        return Request(one.entity, Intent.REMOVE, NOT_OURS)
    return judge.request(one.entity, Intent.REMOVE, is_there=True)


def _entries(connection: Connection, college: College, entities: Iterable[Entity]) -> Mapping[Entity, Entry]:
    return queue.about(connection, college.key, college.coursekey.api_name, entities)


def _is_seen_to(entry: Entry | None, left: Left) -> bool:
    """Whether the removal is queued, or was tried since they left: a failed one waits for a person to requeue it."""
    if entry is None or entry.intent is not Intent.REMOVE:
        return False
    was_tried = entry.attempts > 0 and entry.changed_at is not None and entry.changed_at >= left.at
    return entry.state in OPEN or was_tried


def _why(entity: Entity, campus: StoredCampus, left: Left) -> str:
    who = f"{ROLES[entity.kind].capitalize()} {entity.person}"
    if left.is_gone:
        return f"{who} is no longer in Campus Cafe's list of the section."
    key = entity.section_key
    registration = campus.registration(key, entity.person) if key and entity.kind is EntryKind.ENROLLMENT else None
    return f"{who}: {registration.standing} in Campus Cafe." if registration else f"{who} was removed in Campus Cafe."


def _world(entities: Iterable[Entity]) -> World:
    rosters: dict[tuple[SectionKey, str], list[str]] = {}
    for entity in entities:
        if entity.section_key:
            rosters.setdefault((entity.section_key, ROLES[entity.kind]), []).append(entity.person)
    courses = dict.fromkeys(key for key, _ in rosters)
    return World(
        (ConfirmedObject(_course(key)) for key in courses),
        (_roster(key, role, people, Standing.ACTIVE) for (key, role), people in rosters.items()),
    )


def _course(key: SectionKey) -> Course:
    """A section as a course, in an account and a term that are its semester."""
    return Course(str(key), str(key), str(key), key.semester, key.semester, origin=_origin(key))


def _roster(key: SectionKey, role: str, people: Iterable[str], standing: Standing, part: str = "") -> Roster:
    place = Place(Kind.COURSE, str(key))
    members = dict.fromkeys(people, STANDINGS[standing])
    return Roster(Kind.ENROLLMENT, place, role, members, origin=_origin(key), part=part)


def _origin(key: SectionKey) -> Origin:
    return Origin(SourceKind.UNDERVISNINGSENHET, key.semester)


def _change(leaver: _Leaver) -> Change:
    """The removal of one person, so that each can be taken back when they come back."""
    entity = leaver.entity
    key, role = SectionKey(entity.semester, entity.course, entity.section), ROLES[entity.kind]
    before, after = (
        _roster(key, role, [entity.person], standing, entity.person) for standing in (Standing.ACTIVE, Standing.DELETED)
    )
    return Change(Action.DELETE, before, after, "left", leaver.why)


def _entity(change: Change) -> Entity:
    """The inverse of :func:`_change`."""
    roster = change.after
    if not isinstance(roster, Roster) or roster.place is None:
        raise TypeError(f"{change.key} is no removal of people")
    (person,) = roster.members
    semester, _, of_semester = roster.place.sis_id.partition("/")
    course, _, section = of_semester.rpartition("/")
    return Entity(KINDS[roster.role], semester, course, section, person)


def _is_news(connection: Connection, college: College, plan: Plan, now: datetime) -> bool:
    """Whether the removals are others than were guarded last, or that was long ago."""
    last = looking.find_plan(connection, None, college.key)
    if last is None:
        return bool(plan.changes)
    return last.hash != plan.hash or (bool(plan.changes) and now - last.made_at >= AGAIN_AFTER)


def _queue(
    connection: Connection,
    college: College,
    plan_id: int,
    allowed: Sequence[StoredChange],
    asked_by: str,
    now: datetime,
) -> int:
    """Put removals into the queue; for the guards they are carried out with that.

    :returns: how many.
    """
    entities = [_entity(one.change) for one in allowed]
    campus = StoredCampus(connection, college.key)
    campus.load_sections({key for one in entities if (key := one.section_key)})
    judge = Judge(college, campus, now)
    requests = [judge.request(one, Intent.REMOVE, asked_by=asked_by, is_there=True) for one in entities]
    queue.put(connection, college.key, college.coursekey.api_name, requests, now)
    plans.set_state(connection, plan_id, [one.seq for one in allowed], ChangeState.CONFIRMED)
    return len(entities)


def _too_late(book: Book, waiting: Sequence[StoredChange]) -> Mapping[int, str]:
    """Removals that nobody needs any more."""
    college = book.institution
    people = {one.entity for one in coursekey_maps.people_there(book.connection, college.key)}
    left = mirror.people_who_left(book.connection, college.key)
    leaving = {Entity(KIND_OF[resource], *name) for resource, name in left} & people
    return {one.seq: TOO_LATE for one in waiting if _entity(one.change) not in leaving}
