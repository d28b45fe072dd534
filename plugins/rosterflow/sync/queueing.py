"""Putting entries into the queue: by the rules, as the collector does it, and by hand (source, Manual Sync)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from sqlalchemy import Connection

from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import Entity, EntryKind, EntryState, Intent
from rosterflow.domain.coursekey.rules import verdict
from rosterflow.domain.coursekey.view import Campus
from rosterflow.domain.errors import Code, FatalError
from rosterflow.store import campus as mirror
from rosterflow.store import history, queue, queue_looking
from rosterflow.store.bulk import batches
from rosterflow.store.campus import StoredCampus
from rosterflow.store.engine import Store
from rosterflow.store.queue import COLLECTOR, Request
from rosterflow.store.queue_looking import Selection

SECTIONS_AT_ONCE = 200
"""So many sections, with everybody in them, are in memory at a time."""


class What(StrEnum):
    """What a person can add to the queue: the two buttons of LMS Management."""

    ENROLLMENTS = "enrollments"
    COURSES = "courses"


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks the rules on behalf of whoever queues.

    :param campus: what Campus Cafe said last.
    :param now: aware instant; the day is that of the section's site.
    """

    college: College
    campus: Campus
    now: datetime

    def request(
        self,
        entity: Entity,
        intent: Intent = Intent.UPSERT,
        *,
        forced: bool = False,
        asked_by: str = COLLECTOR,
        is_there: bool = False,
    ) -> Request:
        """What is to be put into the queue about an entity, whatever the rules say of it.

        :param is_there: whether CourseKey has it from us.
        """
        site = self._site(entity)
        zone = self.college.zone_of(site)
        today = self.now.astimezone(zone).date()
        said = verdict(entity, intent, self.college, self.campus, today, forced=forced, is_there=is_there)
        opens_at = datetime.combine(said.opens_on, time(), zone) if said.opens_on else None
        return Request(entity, intent, said, forced, asked_by, opens_at, site)

    def _site(self, entity: Entity) -> str:
        key = entity.section_key
        section = self.campus.section(key) if key else None
        return section.site if section else entity.site


@dataclass(frozen=True, slots=True)
class Queued:
    """What became of what a person queued.

    :param sections: how many sections it was about.
    :param states: how many entries were given each state; SKIPPED and FAILED ones say why in the history.
    """

    sections: int
    states: Counter[EntryState]

    def __str__(self) -> str:
        told = ", ".join(f"{n} {state}" for state, n in sorted(self.states.items())) or "nothing new"
        return f"{self.sections} section(s): {told}"


def queue_by_hand(
    store: Store,
    college: College,
    what: What,
    semester: str,
    course: str = "",
    section: str = "",
    *,
    by: str,
    reason: str,
    now: datetime,
) -> Queued:
    """Add enrollments, or courses with their staff and sessions, to the queue, whether or not their window is open.

    Cutover, exclude flag, wait-list and the end of the window hold all the same. Who asked, and why, is kept in the
    audit.

    :param semester: its code; ``course`` and ``section`` narrow it.
    :raises FatalError: ``settings-invalid`` without a semester or a reason, and for a section without a course.
    """
    if not semester:
        raise FatalError(Code.SETTINGS_INVALID, "A semester is needed.")
    if section and not course:
        raise FatalError(Code.SETTINGS_INVALID, f"Section {section} needs its course: every course may have one.")
    _needs(reason)
    states: Counter[EntryState] = Counter()
    with store.begin() as connection:
        keys = mirror.sections_of(connection, college.key, semester, course, section)
        for some in batches(keys, SECTIONS_AT_ONCE):
            states += _queue(connection, college, what, some, by, now)
        queued = Queued(len(keys), states)
        place = "/".join(part for part in (semester, course, section) if part)
        history.record_act(
            connection,
            college.key,
            actor=by,
            act=f"queue {what}",
            reason=reason,
            now=now,
            detail=f"{place}: {queued}",
        )
    return queued


def _queue(
    connection: Connection, college: College, what: What, keys: list[SectionKey], by: str, now: datetime
) -> Counter[EntryState]:
    campus = StoredCampus(connection, college.key)
    campus.load_sections(keys)
    judge = Judge(college, campus, now)
    entities = (one for key in keys for one in _entities(what, key, campus, college))
    requests = (judge.request(entity, forced=True, asked_by=by) for entity in entities)
    return queue.put(connection, college.key, college.coursekey.api_name, requests, now)


def _entities(what: What, key: SectionKey, campus: StoredCampus, college: College) -> Iterator[Entity]:
    if what is What.COURSES:
        yield from course_entities(key, campus, college)
    else:
        for registration in campus.registrations_of(key):
            yield Entity(EntryKind.ENROLLMENT, *key, registration.person)


def course_entities(key: SectionKey, campus: StoredCampus, college: College) -> Iterator[Entity]:
    """A section's course, its sessions, and its staff with the admins of every course."""
    yield Entity(EntryKind.COURSE, *key)
    yield Entity(EntryKind.SESSIONS, *key)
    yield from (Entity(EntryKind.STAFF, *key, person) for person in staff_of(key, campus, college))


def staff_of(key: SectionKey, campus: StoredCampus, college: College) -> Iterable[str]:
    """Campus Cafe IDs of the staff that a section is to have in CourseKey: its own, and COURSEKEY_COURSE_ADMINS."""
    own = (teaching.person for teaching in campus.staff_of(key) if not teaching.is_removed)
    return dict.fromkeys((*own, *college.coursekey.course_admins))


def requeue_failed(store: Store, college: College, which: Selection, *, by: str, reason: str, now: datetime) -> int:
    """Have failed entries tried again; who asked, and why, is kept in the audit.

    :returns: how many.
    :raises FatalError: ``settings-invalid`` without a reason.
    """
    _needs(reason)
    with store.begin() as connection:
        api_name = college.coursekey.api_name
        return queue_looking.requeue(connection, college.key, api_name, which, by=by, reason=reason.strip(), now=now)


def _needs(reason: str) -> None:
    if not reason.strip():
        raise FatalError(Code.SETTINGS_INVALID, "A reason is needed: it is kept in the audit.")
