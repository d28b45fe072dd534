"""Once a day: what the rules put off or refused is judged again, since settings may have changed and nobody says so."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import Entity, EntryKind, EntryState
from rosterflow.store import coursekey_maps, queue, queue_looking
from rosterflow.store.bulk import batches
from rosterflow.store.campus import StoredCampus
from rosterflow.sync.queueing import SECTIONS_AT_ONCE, Judge

ENTRIES_AT_ONCE = 2000
TOO_EARLY = "before-window"
"""The rule that discards what comes before its window when COURSEKEY_AUTO_QUEUE_ITEMS is N: that is for good."""


def look_again(connection: Connection, college: College, now: datetime) -> Counter[EntryState]:
    """Judge again what was never sent, and add new admins of all courses to those that are there.

    :returns: entries changed, by the state they were given.
    """
    queued = _admins(connection, college, now)
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


def _admins(connection: Connection, college: College, now: datetime) -> Counter[EntryState]:
    queued: Counter[EntryState] = Counter()
    if not college.coursekey.course_admins:
        return queued
    for keys in batches(coursekey_maps.courses_there(connection, college.key), SECTIONS_AT_ONCE):
        campus = StoredCampus(connection, college.key)
        campus.load_sections(keys)
        judge = Judge(college, campus, now)
        wanted = {Entity(EntryKind.STAFF, *key, person) for key in keys for person in college.coursekey.course_admins}
        missing = wanted - coursekey_maps.there(connection, college.key, keys)
        missing -= queue.about(connection, college.key, college.coursekey.api_name, missing).keys()
        requests = (judge.request(entity) for entity in sorted(missing))
        queued += queue.put(connection, college.key, college.coursekey.api_name, requests, now)
    return queued
