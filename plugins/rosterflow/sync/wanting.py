"""What a change in Campus Cafe means for the queue: which entities are looked at, and what the rules say of each.

What CourseKey has and is not concerned is left alone: a new title concerns the course, not everybody who is enrolled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from rosterflow.domain.coursekey.campus import Resource, SectionKey
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import OPEN, Entity, Entry, EntryKind, EntryState, Intent
from rosterflow.store import campus as mirror
from rosterflow.store import coursekey_maps, queue, queue_looking
from rosterflow.store.campus import Name, StoredCampus, is_active
from rosterflow.store.coursekey_maps import MapKind
from rosterflow.store.queue import Request
from rosterflow.sync.queueing import Judge, staff_of

KIND_OF = {Resource.STAFF: EntryKind.STAFF, Resource.REGISTRATIONS: EntryKind.ENROLLMENT}


class Wanting:
    """Looks at what some changes are about, inside one transaction."""

    def __init__(self, connection: Connection, college: College, now: datetime) -> None:
        self._connection, self._college = connection, college
        self._campus = StoredCampus(connection, college.key)
        self._judge = Judge(college, self._campus, now)
        self._there: set[Entity] = set()

    def because_of(self, resource: Resource, names: Sequence[Name]) -> list[Request]:
        """What is to be put into the queue because some records of a resource changed, or are gone."""
        if resource is Resource.SEMESTERS:
            return self._of_semesters(name.semester for name in names)
        if resource is Resource.PERSONS:
            return self._of_persons([name.person for name in names])
        self._load({name.section_key for name in names})
        if resource is Resource.SECTIONS:
            return [one for name in names for one in self._of_section(name.section_key)]
        return self._of_people([(resource, name) for name in names])

    def _load(self, keys: Collection[SectionKey]) -> None:
        self._campus.load_sections(sorted(keys))
        self._there |= coursekey_maps.there(self._connection, self._college.key, keys)

    def _of_semesters(self, codes: Iterable[str]) -> list[Request]:
        """The names and titles of courses may show the semester's description."""
        keys = [key for code in codes for key in mirror.sections_of(self._connection, self._college.key, code)]
        self._load(keys)
        return [self._upsert(Entity(EntryKind.COURSE, *key)) for key in keys]

    def _of_section(self, key: SectionKey) -> Iterator[Request]:
        """The course and its sessions; and whoever is not there yet, since their windows moved with the section's."""
        yield self._upsert(Entity(EntryKind.COURSE, *key))
        yield self._upsert(Entity(EntryKind.SESSIONS, *key))
        staff = (Entity(EntryKind.STAFF, *key, person) for person in staff_of(key, self._campus, self._college))
        students = (
            Entity(EntryKind.ENROLLMENT, *key, one.person)
            for one in self._campus.registrations_of(key)
            if is_active(one)
        )
        for entity in (*staff, *students):
            if entity not in self._there:
                yield self._upsert(entity)

    def _of_persons(self, persons: Sequence[str]) -> list[Request]:
        """Their accounts, where they have one or could not get one; and where they could not be put so far."""
        known = set(persons)
        self._campus.load_persons(persons)
        places = mirror.places_of(self._connection, self._college.key, persons)
        self._load({name.section_key for _, name in places})
        missing = [(resource, name) for resource, name in places if _entity(resource, name) not in self._there]
        accounts = sorted(one for one in self._accounts(persons) if self._campus.person(one.person) is not None)
        found = [self._upsert(one, is_there=True) for one in accounts if one.person in known]
        teaching = [(resource, name) for resource, name in places if resource is Resource.STAFF]
        return [*found, *self._of_people(missing, changed=False), *self._of_their_courses(teaching)]

    def _accounts(self, persons: Sequence[str]) -> set[Entity]:
        key, api_name = self._college.key, self._college.coursekey.api_name
        site_of = {pair.school: pair.site for pair in self._college.crskeyauth}
        have = coursekey_maps.of_persons(self._connection, key, persons, MapKind.USER)
        queued = queue_looking.of_persons(self._connection, key, api_name, persons)
        return {
            *(one.entity for one in queued if one.entity.kind is EntryKind.USER),
            *(
                Entity(EntryKind.USER, person=one.key.person, site=site_of[one.key.school])
                for one in have
                if one.key.school in site_of
            ),
        }

    def _of_people(self, places: Sequence[tuple[Resource, Name]], *, changed: bool = True) -> list[Request]:
        """People in sections.

        :param changed: whether it is their place itself that changed.
        """
        entries = queue.about(
            self._connection,
            self._college.key,
            self._college.coursekey.api_name,
            [_entity(resource, name) for resource, name in places],
        )
        found: list[Request] = []
        for resource, name in places:
            entity = _entity(resource, name)
            if self._is_wanted(entity):
                found += self._arriving(entity, entries.get(entity))
            elif changed:
                found += self._leaving(entity, entries.get(entity))
        return [*found, *self._of_their_courses(places)] if changed else found

    def _is_wanted(self, entity: Entity) -> bool:
        key = entity.section_key
        if key is None:
            return False
        look_up = self._campus.registration if entity.kind is EntryKind.ENROLLMENT else self._campus.teaching
        record = look_up(key, entity.person)
        return record is not None and is_active(record)

    def _arriving(self, entity: Entity, known: Entry | None) -> Iterator[Request]:
        """Somebody who is to be there; if they are, a removal that is not done yet is taken back."""
        is_leaving = known is not None and known.intent is Intent.REMOVE
        is_unfinished = known is not None and known.state not in (EntryState.DONE, EntryState.SKIPPED)
        if entity not in self._there or (is_leaving and is_unfinished):
            yield self._upsert(entity)

    def _leaving(self, entity: Entity, known: Entry | None) -> Iterator[Request]:
        """Somebody who is not to be there. If they are, that is for the guards; else the log says why they are not.

        Nobody knows whether they are when they were to be added and no answer came: they are removed to be sure.
        """
        is_open = known is not None and (known.state in OPEN or known.state is EntryState.FAILED)
        if entity in self._there or (known is not None and is_open and known.intent is Intent.REMOVE):
            return
        if known is not None and is_open and known.attempts:
            yield self._judge.request(entity, Intent.REMOVE, is_there=True)
        else:
            yield self._upsert(entity)

    def _of_their_courses(self, places: Iterable[tuple[Resource, Name]]) -> list[Request]:
        """A course shows the names of its instructors."""
        courses = {Entity(EntryKind.COURSE, *name.section_key) for of, name in places if of is Resource.STAFF}
        return [self._upsert(one) for one in sorted(courses & self._there)]

    def _upsert(self, entity: Entity, *, is_there: bool = False) -> Request:
        course = Entity(EntryKind.COURSE, entity.semester, entity.course, entity.section)
        of_course = entity.kind in (EntryKind.COURSE, EntryKind.SESSIONS) and course in self._there
        return self._judge.request(entity, is_there=is_there or of_course or entity in self._there)


def _entity(resource: Resource, name: Name) -> Entity:
    return Entity(KIND_OF[resource], *name)
