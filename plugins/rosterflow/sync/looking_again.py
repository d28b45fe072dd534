"""Once a day: what settings that have changed mean, since nobody says when they do.

What the rules put off or refused is judged again; a course that would be sent otherwise now, by another format of its
name or another zone, is sent again with its sessions; new admins of all courses are added to those that are there. Who
is no longer one stays, and the log says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from rosterflow.domain.coursekey.campus import Resource, SectionKey
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.payloads import fingerprint
from rosterflow.domain.coursekey.queue import OPEN, Entity, EntryKind, EntryState, Intent, Verdict
from rosterflow.store import campus as mirror
from rosterflow.store import coursekey_maps, queue, queue_looking
from rosterflow.store.bulk import batches
from rosterflow.store.campus import StoredCampus
from rosterflow.store.coursekey_maps import MapKind
from rosterflow.store.queue import Request
from rosterflow.sync.coursekey_desk import course_data_of
from rosterflow.sync.queueing import SECTIONS_AT_ONCE, Judge

ENTRIES_AT_ONCE = 2000
TOO_EARLY = "before-window"
"""The rule that discards what comes before its window when COURSEKEY_AUTO_QUEUE_ITEMS is N: that is for good."""
STAYS = Verdict(
    EntryState.SKIPPED,
    "former-admin",
    "The person is not in COURSEKEY_COURSE_ADMINS any more and stays on the course's staff; take them off it there.",
)


def look_again(connection: Connection, college: College, now: datetime) -> Counter[EntryState]:
    """Judge again what was never sent, and see to it that the courses that are there follow the settings.

    :returns: entries changed, by the state they were given.
    """
    queued = _courses(connection, college, now)
    key, api_name = college.key, college.coursekey.api_name
    after = 0
    while some := queue_looking.only_judged(connection, key, api_name, after, ENTRIES_AT_ONCE, but_for=TOO_EARLY):
        after = some[-1].id
        sections = {section for one in some if (section := one.entity.section_key)}
        campus = StoredCampus(connection, key)
        campus.load_sections(sorted(sections))
        there = coursekey_maps.there(connection, key, sections)
        judge = Judge(college, campus, now)
        requests = (
            judge.request(one.entity, forced=one.forced, asked_by=one.asked_by, is_there=one.entity in there)
            for one in some
        )
        queued += queue.put(connection, key, api_name, requests, now)
    return queued


def _courses(connection: Connection, college: College, now: datetime) -> Counter[EntryState]:
    queued: Counter[EntryState] = Counter()
    key, api_name = college.key, college.coursekey.api_name
    left = {
        Entity(EntryKind.STAFF, *name) for of, name in mirror.people_who_left(connection, key) if of is Resource.STAFF
    }
    for keys in batches(coursekey_maps.courses_there(connection, key), SECTIONS_AT_ONCE):
        campus = StoredCampus(connection, key)
        campus.load_sections(keys)
        judge = Judge(college, campus, now)
        there = coursekey_maps.there(connection, key, keys)
        wanted = {Entity(EntryKind.STAFF, *one, person) for one in keys for person in college.coursekey.course_admins}
        changed = set(_changed(connection, college, campus, keys))
        entries = queue.about(connection, key, api_name, {*changed, *(wanted - there)})
        requests = [judge.request(one) for one in sorted(wanted - there - entries.keys())]
        # One that is queued is judged when its turn comes, and one that failed waits for a person.
        busy = {one for one, entry in entries.items() if entry.state in OPEN or entry.state is EntryState.FAILED}
        requests += (judge.request(one, is_there=True) for one in sorted(changed - busy))
        requests += (
            Request(one, Intent.REMOVE, STAYS) for one in sorted(there - wanted - left) if _is_stray(campus, one)
        )
        queued += queue.put(connection, key, api_name, requests, now)
    return queued


def _changed(
    connection: Connection, college: College, campus: StoredCampus, keys: Sequence[SectionKey]
) -> Iterator[Entity]:
    """Courses of which something else would be sent now, with their sessions."""
    for one in coursekey_maps.of_sections(connection, college.key, keys):
        key = one.key.section
        section = campus.section(key) if one.key.kind is MapKind.COURSE and key else None
        if section is None or section.first is None or section.last is None:
            continue
        school = college.school_of(section.site)
        is_there = school is not None and school.school_id == one.key.school
        if is_there and one.fingerprint not in ("", fingerprint(course_data_of(college, campus, section))):
            yield Entity(EntryKind.COURSE, *section.key)
            yield Entity(EntryKind.SESSIONS, *section.key)


def _is_stray(campus: StoredCampus, one: Entity) -> bool:
    """Whether somebody is on a course's staff whom Campus Cafe does not know of as its section's."""
    key = one.section_key
    return one.kind is EntryKind.STAFF and key is not None and campus.teaching(key, one.person) is None
