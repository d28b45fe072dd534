"""What the entries of one batch are worked on with: Campus Cafe as it is now, and what we know of CourseKey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from rosterflow.domain.coursekey.campus import Resource, Section, SectionKey
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.payloads import course_data, fingerprint, user_data
from rosterflow.domain.coursekey.port import CourseKey
from rosterflow.domain.coursekey.queue import Entity, Entry, EntryKind, EntryState
from rosterflow.domain.coursekey.remote import Course, CourseData, UserData
from rosterflow.domain.coursekey.sites import School
from rosterflow.domain.errors import Code, RetryableError, RosterflowError
from rosterflow.store import campus as mirror
from rosterflow.store import coursekey_maps, leases
from rosterflow.store.campus import Name, StoredCampus
from rosterflow.store.coursekey_maps import MapKey, MapKind, Mapped
from rosterflow.store.engine import Store

Password = Callable[[str], str | None]
"""The password a new account of a person is to begin with."""
NAMING = timedelta(minutes=5)
"""For how long a course is made at most: shorter than an entry is leased, so that a killed drain's name is free by the
time its entry is."""


class Place(NamedTuple):
    """Where in CourseKey an entry belongs, and what talks to it there.

    :param names: locks by school and name, see :meth:`Desk.naming`.
    """

    school: School
    hook: CourseKey
    names: dict[tuple[str, str], asyncio.Lock]


class Sent(NamedTuple):
    """What became of an entry that was sent, or did not have to be.

    :param known: what is known of CourseKey because of it.
    :param forgotten: what is there no more.
    """

    rule: str
    reason: str
    state: EntryState = EntryState.DONE
    known: tuple[Mapped, ...] = ()
    forgotten: tuple[MapKey, ...] = ()


UNCHANGED = Sent("unchanged", "CourseKey has it so already.")


class Blocked(Exception):
    """An entry that cannot be sent before another is.

    :param entity: what the other one is about.
    """

    def __init__(self, entity: Entity) -> None:
        super().__init__(str(entity))
        self.entity = entity


@dataclass(slots=True)
class Desk:
    """The state of one batch.

    :param teachers: Campus Cafe IDs of those who teach anywhere, or are admins of all courses.
    :param maps: what we know of CourseKey.
    """

    store: Store
    college: College
    campus: StoredCampus
    teachers: frozenset[str]
    clock: Callable[[], datetime]
    password: Password
    maps: dict[MapKey, Mapped] = field(default_factory=dict)

    # -- Campus Cafe ---------------------------------------------------------------------------------------------

    def section(self, key: SectionKey) -> Section:
        """A section that the rules have found to be there."""
        section = self.campus.section(key)
        assert section is not None
        return section

    def user(self, person_id: str) -> UserData:
        """The account that a person is to have, whom the rules have found to be complete."""
        person = self.campus.person(person_id)
        assert person is not None
        return user_data(person, is_teacher=person_id in self.teachers)

    def course_data(self, key: SectionKey) -> CourseData:
        """The course that a section is to have."""
        return course_data_of(self.college, self.campus, self.section(key))

    def today(self, key: SectionKey) -> date:
        """The day where a section is."""
        return self.clock().astimezone(self.college.zone_of(self.section(key).site)).date()

    async def initial_password(self, person_id: str) -> str | None:
        """The password of a new account, when the college sets them.

        :raises RetryableError: when Campus Cafe does not tell it now.
        """
        if not self.college.coursekey.set_user_password:
            return None
        try:
            return await asyncio.to_thread(self.password, person_id)
        except RosterflowError as error:
            raise RetryableError(error.code, error.message) from None

    def gives_up(self, person_id: str, address: str) -> bool:
        """Whether somebody has another e-mail address in Campus Cafe by now."""
        with self.store.begin() as connection:
            person = StoredCampus(connection, self.college.key).person(person_id)
        return person is not None and person.email.strip().casefold() != address.casefold()

    # -- what we know of CourseKey -------------------------------------------------------------------------------

    def account(self, school: School, person_id: str) -> Mapped | None:
        """A person's account, when it is known and as it should be."""
        known = self.maps.get(MapKey(MapKind.USER, school.school_id, person=person_id))
        return known if known and known.fingerprint == fingerprint(self.user(person_id)) else None

    def needed_account(self, school: School, entity: Entity) -> Mapped:
        """The account of an entity's person.

        :raises Blocked: when there is none yet.
        """
        found = self.account(school, entity.person)
        if found is None:
            raise Blocked(self.user_entity(entity))
        return found

    def needed_course(self, school: School, entity: Entity) -> Course:
        """The course of an entity's section, as far as it is known.

        :raises Blocked: when there is none yet.
        """
        key = entity.section_key
        known = self.maps.get(MapKey(MapKind.COURSE, school.school_id, key))
        if known is None:
            raise Blocked(course_entity(entity))
        return Course(known.remote_id, "", "", known.join_code)

    def user_entity(self, entity: Entity) -> Entity:
        """The account on which somebody's place in a section depends."""
        key = entity.section_key
        assert key is not None
        return Entity(EntryKind.USER, person=entity.person, site=self.section(key).site)

    def other_school(self, course: MapKey) -> str:
        """The school at which a section's course was made when that is another than now; ``""`` when there is none."""
        found = (
            key.school
            for key in self.maps
            if key.kind is course.kind and key.section == course.section and key != course
        )
        return next(found, "")

    def look_again(self, key: MapKey) -> Mapped | None:
        """What is known by now: another drain may have learned of it."""
        with self.store.begin() as connection:
            found = coursekey_maps.get(connection, self.college.key, key)
        if found is not None:
            self.maps[key] = found
        return found

    @asynccontextmanager
    async def naming(self, at: Place, name: str, holder: str) -> AsyncIterator[None]:
        """While a course is found or made by its name, so that two sections never take the same one for theirs.

        Within a drain the second waits its turn; another drain is told to come back.

        :param holder: who drains.
        :raises RetryableError: ``writer-busy`` while another drain finds or makes a course of that name.
        """
        school = at.school.school_id
        lease = f"course/{self.college.key}/{school}/{fingerprint(name)}"
        async with at.names.setdefault((school, name), asyncio.Lock()):
            try:
                with self.store.begin() as connection:
                    leases.acquire(connection, lease, holder, self.clock(), NAMING)
            except RetryableError as error:
                if error.code is not Code.WRITER_BUSY:
                    raise
                raise RetryableError(error.code, "Another run makes a course of that name just now.") from None
            try:
                yield
            finally:
                with self.store.begin() as connection:
                    leases.end(connection, lease, holder)

    def owner_of(self, kind: MapKind, school: School, remote_id: str) -> MapKey | None:
        """Whose a thing of CourseKey is that was found there."""
        with self.store.begin() as connection:
            return coursekey_maps.owner_of(connection, self.college.key, school.school_id, kind, remote_id)

    def note(self, *known: Mapped) -> None:
        """Write down what is known, at once."""
        with self.store.begin() as connection:
            coursekey_maps.put(connection, self.college.key, known, self.clock())
        self.maps.update((one.key, one) for one in known)

    def forget(self, key: MapKey) -> None:
        """Write down that something is there no more, at once."""
        with self.store.begin() as connection:
            coursekey_maps.forget(connection, self.college.key, key)
        self.maps.pop(key, None)


def course_data_of(college: College, campus: StoredCampus, section: Section) -> CourseData:
    """The course that a section with its dates is to have; its instructors are shown with the primary one first."""
    teaching = sorted(
        (one for one in campus.staff_of(section.key) if not one.is_removed),
        key=lambda one: (not one.is_primary, one.person),
    )
    instructors = [person for one in teaching if (person := campus.person(one.person))]
    return course_data(college, section, campus.semester(section.semester), instructors)


def course_entity(entity: Entity) -> Entity:
    """The course on which an entity of a section depends."""
    return Entity(EntryKind.COURSE, entity.semester, entity.course, entity.section)


def open_desk(
    store: Store,
    connection: Connection,
    college: College,
    entries: Iterable[Entry],
    clock: Callable[[], datetime],
    password: Password,
) -> Desk:
    """Load what some entries are about, inside one transaction.

    Of a section that is itself and its staff, not everybody in it: each of 100 entries may have a section of its own.
    """
    entities = [entry.entity for entry in entries]
    sections = sorted({key for entity in entities if (key := entity.section_key)})
    persons = sorted({entity.person for entity in entities if entity.person})
    campus = StoredCampus(connection, college.key)
    campus.load_sections(sections, Resource.STAFF)
    campus.load_registrations(Name(*key, entity.person) for entity in entities if (key := entity.section_key))
    campus.load_persons([*persons, *college.coursekey.course_admins])
    meeting = sorted({key for entity in entities if entity.kind is EntryKind.SESSIONS and (key := entity.section_key)})
    known = [
        *coursekey_maps.of_sections(connection, college.key, sections, MapKind.COURSE, MapKind.STAFF),
        *coursekey_maps.of_sections(connection, college.key, meeting, MapKind.SESSION),
        *coursekey_maps.of_persons(connection, college.key, persons, MapKind.USER, MapKind.ENROLLMENT),
    ]
    teachers = mirror.teachers(connection, college.key, persons) | {*college.coursekey.course_admins}
    maps = {one.key: one for one in known}
    return Desk(store, college, campus, frozenset(teachers), clock, password, maps)
