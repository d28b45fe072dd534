"""What CourseKey does not know any more is forgotten, and looked up, or made, before it is tried again."""

from __future__ import annotations

from collections.abc import Iterator

from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import Entity, Entry, EntryKind, EntryState
from rosterflow.store import coursekey_maps, queue
from rosterflow.store.campus import StoredCampus
from rosterflow.store.coursekey_maps import MapKey, MapKind
from rosterflow.sync.drain_state import Work
from rosterflow.sync.queueing import Judge, course_entities
from rosterflow.wire.coursekey_profile import Problem

BY_DRAIN = "drain"
"""Who asked for what entries depend on."""


def look_up_again(work: Work, school: str, entry: Entry, problem: Problem) -> list[MapKey]:
    """Forget what an entry was refused for, and queue it; with a course everything in it, for all of that is gone.

    :param problem: ``UNKNOWN_COURSE`` or ``UNKNOWN_USER``.
    :returns: what was forgotten.
    :raises RetryableError: ``store-unavailable``.
    """
    college, now, section = work.college, work.clock(), entry.entity.section_key
    gone = [MapKey(MapKind.USER, school, person=entry.entity.person)]
    with work.store.begin() as connection:
        of_queue = connection, college.key, college.coursekey.api_name
        if problem is Problem.UNKNOWN_COURSE and section is not None:
            known = coursekey_maps.of_sections(connection, college.key, [section])
            gone = [one.key for one in known if one.key.school == school]
            campus = StoredCampus(connection, college.key)
            judge = Judge(college, campus, now)
            others = (one for one in _all_of(college, campus, section) if one != entry.entity)
            queue.put(*of_queue, [judge.request(one, asked_by=BY_DRAIN) for one in others], now)
        for key in gone:
            coursekey_maps.forget(connection, college.key, key)
        words = f"CourseKey does not know it any more ({problem}); it is looked up again."
        queue.finish(connection, entry, EntryState.PENDING, "gone", words, now)
    return gone


def _all_of(college: College, campus: StoredCampus, section: SectionKey) -> Iterator[Entity]:
    campus.load_sections([section])
    yield from course_entities(section, campus, college)
    yield from (Entity(EntryKind.ENROLLMENT, *section, one.person) for one in campus.registrations_of(section))
