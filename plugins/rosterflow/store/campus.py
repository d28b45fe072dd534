"""The mirror of Campus Cafe: what it said last, which is what CourseKey is to be told. Persons are sealed.

Only a read of everything, and a whole one, can show that something is gone; and that it is gone from the mirror removes
nobody from CourseKey by itself (:mod:`rosterflow.sync.removing`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update

from rosterflow.domain.coursekey.campus import (
    RECORDS,
    Person,
    Reading,
    Record,
    Registration,
    Resource,
    Section,
    SectionKey,
    Semester,
    Standing,
    Teaching,
)
from rosterflow.store.bulk import batches, matching, upsert
from rosterflow.store.coursekey_tables import campus_record as table
from rosterflow.store.sealing import Seal, seal_of

R = TypeVar("R", Section, Teaching, Registration)

OF_PEOPLE = (Resource.STAFF, Resource.REGISTRATIONS)
"""What people in a section are."""
_encode = msgspec.json.Encoder().encode
_DECODERS = {resource: msgspec.json.Decoder(made) for resource, made in RECORDS.items()}


class Name(NamedTuple):
    """What a record is about, by the columns that name it."""

    semester: str = ""
    course: str = ""
    section: str = ""
    person: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in self if part)

    @property
    def section_key(self) -> SectionKey:
        """The section of a section, a member of staff or a registration."""
        return SectionKey(self.semester, self.course, self.section)


class Changed(NamedTuple):
    """What a reading changed in the mirror.

    :param upserted: what is new, different, or back again.
    :param gone: what a whole read no longer had.
    """

    upserted: tuple[Name, ...]
    gone: tuple[Name, ...]


class Left(NamedTuple):
    """That somebody is no longer to be in a section.

    :param at: when that was read.
    :param is_gone: whether they are missing from a whole read; else Campus Cafe says that they dropped, are on the
        wait-list or were removed.
    """

    at: datetime
    is_gone: bool


def name_of(record: Record) -> Name:
    """What names a record."""
    match record:
        case Semester(code=code):
            return Name(code)
        case Person(id=person):
            return Name(person=person)
        case Section():
            return Name(*record.key)
        case Teaching() | Registration():
            return Name(*record.key, record.person)


def is_active(record: Record) -> bool:
    """Whether a person is to be in the section; anything else is there as long as it is not gone."""
    match record:
        case Registration(standing=standing):
            return standing is Standing.REGISTERED
        case Teaching(is_removed=is_removed):
            return not is_removed
        case _:
            return True


def apply(
    connection: Connection,
    institution: str,
    reading: Reading,
    now: datetime,
    *,
    everything_of: Sequence[str] | None = None,
) -> Changed:
    """Bring the mirror to what was read.

    :param everything_of: of a read of everything the semesters that were asked for, empty for all; ``None`` when only
        changes were asked for. What is missing counts as gone only in the former, and only when the reading is whole.
    """
    resource = reading.resource
    records = {name_of(record): record for record in reading.records}
    whole = everything_of is not None and reading.is_whole
    within = [table.c.semester.in_(everything_of)] if everything_of and resource is not Resource.PERSONS else []
    known = _known(connection, institution, resource, records, None if not whole else within)
    prints = {name: _fingerprint(record) for name, record in records.items()}
    changed = [name for name in records if known.get(str(name)) != (prints[name], False)]
    seal = seal_of(connection)
    rows = (
        {
            **_columns(institution, resource, name),
            "active": is_active(records[name]),
            "body": _text(records[name], seal),
            "fingerprint": prints[name],
            "seen_at": now,
            "gone_at": None,
        }
        for name in changed
    )
    upsert(connection, table, rows)
    have = {str(name) for name in records}
    missing = [key for key, (_, is_gone) in known.items() if key not in have and not is_gone] if whole else []
    return Changed(tuple(changed), tuple(_mark_gone(connection, institution, resource, missing, now)))


def has_any(connection: Connection, institution: str, resource: Resource, semesters: Sequence[str]) -> bool:
    """Whether the mirror has records of a resource, of some semesters unless it is of none."""
    query = select(table.c.key).where(_of(institution, resource), table.c.gone_at.is_(None))
    if resource in (Resource.SECTIONS, *OF_PEOPLE):
        query = query.where(table.c.semester.in_(semesters))
    return connection.execute(query.limit(1)).first() is not None


def _known(
    connection: Connection,
    institution: str,
    resource: Resource,
    names: Iterable[Name],
    within: Sequence[ColumnElement[bool]] | None,
) -> dict[str, tuple[str, bool]]:
    """Fingerprint, and whether it is gone, of what the mirror has: everything within conditions, and what is named."""
    query = select(table.c.key, table.c.fingerprint, table.c.gone_at).where(_of(institution, resource))
    found: dict[str, tuple[str, bool]] = {}
    if within is not None:
        found.update((key, (text, gone is not None)) for key, text, gone in connection.execute(query.where(*within)))
    for some in batches(key for name in names if (key := str(name)) not in found):
        rows = connection.execute(query.where(table.c.key.in_(some)))
        found.update((key, (text, gone is not None)) for key, text, gone in rows)
    return found


def _mark_gone(
    connection: Connection, institution: str, resource: Resource, keys: Iterable[str], now: datetime
) -> Iterator[Name]:
    for some in batches(keys):
        gone = update(table).where(_of(institution, resource), table.c.key.in_(some)).values(gone_at=now)
        for row in connection.execute(gone.returning(*(table.c[name] for name in Name._fields))):
            yield Name(*row)


def purge(connection: Connection, institution: str, before: datetime) -> int:
    """Remove what has been gone since before a moment."""
    return connection.execute(
        delete(table).where(table.c.institution == institution, table.c.gone_at < before)
    ).rowcount


def sections_of(
    connection: Connection, institution: str, semester: str, course: str = "", section: str = ""
) -> list[SectionKey]:
    """The sections of a semester, or of a course, or the one."""
    asked = {"semester": semester, "course": course, "section": section}
    which = [table.c[name] == value for name, value in asked.items() if value]
    query = select(table.c.semester, table.c.course, table.c.section).where(
        _of(institution, Resource.SECTIONS), table.c.gone_at.is_(None), *which
    )
    return [SectionKey(*row) for row in connection.execute(query.order_by(table.c.key))]


def sections_named(connection: Connection, institution: str, keys: Iterable[SectionKey]) -> list[Section]:
    """Those of some sections that the mirror has, without the people in them."""
    query = select(table.c.body).where(table.c.gone_at.is_(None))
    return [
        msgspec.json.decode(body, type=Section)
        for some in batches(keys)
        for body in connection.execute(
            query.where(in_sections(connection, institution, Resource.SECTIONS, some))
        ).scalars()
    ]


def places_of(connection: Connection, institution: str, persons: Iterable[str]) -> list[tuple[Resource, Name]]:
    """Where some people are: their places among the staff of sections, and their registrations."""
    there = and_(
        table.c.institution == institution,
        table.c.resource.in_(OF_PEOPLE),
        table.c.gone_at.is_(None),
    )
    query = select(table.c.resource, *(table.c[name] for name in Name._fields)).where(there).order_by(table.c.key)
    return [
        (Resource(kind), Name(*name))
        for some in batches(persons)
        for kind, *name in connection.execute(query.where(table.c.person.in_(some)))
    ]


def people_who_left(connection: Connection, institution: str) -> dict[tuple[Resource, Name], Left]:
    """Who is no longer to be in a section, because Campus Cafe said so or a whole read no longer had them."""
    of_people = table.c.resource.in_(OF_PEOPLE)
    query = select(table.c.resource, *(table.c[name] for name in Name._fields), table.c.seen_at, table.c.gone_at).where(
        table.c.institution == institution, of_people, or_(~table.c.active, table.c.gone_at.is_not(None))
    )
    return {
        (Resource(kind), Name(*name)): Left(gone_at or seen_at, gone_at is not None)
        for kind, *name, seen_at, gone_at in connection.execute(query)
    }


def teachers(connection: Connection, institution: str, persons: Iterable[str]) -> set[str]:
    """Those of some people who are on the staff of any section."""
    there = and_(_of(institution, Resource.STAFF), table.c.active, table.c.gone_at.is_(None))
    query = select(table.c.person).where(there).distinct()
    return {
        one for some in batches(persons) for one in connection.execute(query.where(table.c.person.in_(some))).scalars()
    }


class StoredCampus:
    """The college as the mirror has it, for the rules (:class:`rosterflow.domain.coursekey.view.Campus`).

    What was loaded in bulk can still be looked up when the transaction is over; anything else is looked up one by one.
    """

    def __init__(self, connection: Connection, institution: str) -> None:
        self._connection, self._institution = connection, institution
        self._found: dict[tuple[Resource, Name], Record | None] = {}
        self._people: dict[tuple[Resource, SectionKey], dict[str, Record]] = {}
        self._whole: set[tuple[Resource, SectionKey]] = set()
        self._seal = seal_of(connection)
        self._load(Resource.SEMESTERS, _of(institution, Resource.SEMESTERS))

    def load_sections(self, keys: Iterable[SectionKey], *resources: Resource) -> None:
        """Load some sections with their staff and registrations, or with one of these, and everybody in them."""
        keys, found = dict.fromkeys(keys), set[str]()
        for resource in dict.fromkeys((Resource.SECTIONS, *(resources or OF_PEOPLE))):
            new = [key for key in keys if (resource, key) not in self._whole]
            for some in batches(new):
                self._load(resource, in_sections(self._connection, self._institution, resource, some))
            self._whole.update((resource, key) for key in new)
            found.update(person for key in new for person in self._people.get((resource, key), ()))
        self.load_persons(found)

    def load_registrations(self, names: Iterable[Name]) -> None:
        """Load some registrations, without the persons."""
        self._load_named(Resource.REGISTRATIONS, names)

    def load_persons(self, ids: Iterable[str]) -> None:
        """Load some people."""
        self._load_named(Resource.PERSONS, (Name(person=one) for one in ids))

    def semesters(self) -> list[Semester]:
        """Every semester."""
        return [one for one in self._found.values() if isinstance(one, Semester)]

    def semester(self, code: str) -> Semester | None:
        """The semester with a code."""
        found = self._found.get((Resource.SEMESTERS, Name(code)))
        return found if isinstance(found, Semester) else None

    def section(self, key: SectionKey) -> Section | None:
        """The section with a name."""
        return self._in_section(Resource.SECTIONS, key, Name(*key), Section)

    def person(self, person_id: str) -> Person | None:
        """The person with a Campus Cafe ID."""
        self.load_persons([person_id])
        found = self._found[Resource.PERSONS, Name(person=person_id)]
        return found if isinstance(found, Person) else None

    def registration(self, key: SectionKey, person_id: str) -> Registration | None:
        """A student's registration in a section, whatever its standing."""
        return self._in_section(Resource.REGISTRATIONS, key, Name(*key, person_id), Registration)

    def teaching(self, key: SectionKey, person_id: str) -> Teaching | None:
        """A member of staff in a section, removed or not."""
        return self._in_section(Resource.STAFF, key, Name(*key, person_id), Teaching)

    def staff_of(self, key: SectionKey) -> list[Teaching]:
        """The staff of a section, those removed too, by Campus Cafe ID."""
        return self._all_in(Resource.STAFF, key, Teaching)

    def registrations_of(self, key: SectionKey) -> list[Registration]:
        """The registrations of a section, whatever their standing, by Campus Cafe ID."""
        return self._all_in(Resource.REGISTRATIONS, key, Registration)

    def _in_section(self, resource: Resource, key: SectionKey, name: Name, kind: type[R]) -> R | None:
        if (resource, key) not in self._whole:
            self._load_named(resource, [name])
        found = self._found.get((resource, name))
        return found if isinstance(found, kind) else None

    def _all_in(self, resource: Resource, key: SectionKey, kind: type[R]) -> list[R]:
        self.load_sections([key], resource)
        people = self._people.get((resource, key), {})
        return [one for _, one in sorted(people.items()) if isinstance(one, kind)]

    def _load_named(self, resource: Resource, names: Iterable[Name]) -> None:
        new = [name for name in dict.fromkeys(names) if (resource, name) not in self._found]
        for some in batches(new):
            self._found.update(((resource, name), None) for name in some)
            keys = table.c.key.in_([str(name) for name in some])
            self._load(resource, _of(self._institution, resource) & keys)

    def _load(self, resource: Resource, which: ColumnElement[bool]) -> None:
        columns = (table.c.body, *(table.c[name] for name in Name._fields))
        for body, *name in self._connection.execute(select(*columns).where(which, table.c.gone_at.is_(None))):
            named, record = Name(*name), _record(resource, body, self._seal)
            self._found[resource, named] = record
            if named.person and named.section:
                self._people.setdefault((resource, named.section_key), {})[named.person] = record


def in_sections(
    connection: Connection, institution: str, resource: Resource, sections: Iterable[SectionKey]
) -> ColumnElement[bool]:
    """A condition: what the mirror has of a resource in some sections."""
    named = [table.c[name] for name in ("institution", "resource", *SectionKey._fields)]
    return matching(connection, named, ((institution, resource, *key) for key in sections))


def _of(institution: str, resource: Resource) -> ColumnElement[bool]:
    return and_(table.c.institution == institution, table.c.resource == resource)


def _columns(institution: str, resource: Resource, name: Name) -> Mapping[str, Any]:
    return {"institution": institution, "resource": resource, "key": str(name), **name._asdict()}


def _fingerprint(record: Record) -> str:
    """A digest of everything but when it was changed."""
    shown = _encode(msgspec.structs.replace(record, **_UNCHANGED[type(record)]))
    return hashlib.sha256(shown).hexdigest()[:32]


_UNCHANGED: Mapping[type, Mapping[str, None]] = {
    made: {"modified_at": None} if "modified_at" in made.__struct_fields__ else {} for made in RECORDS.values()
}


def _text(record: Record, seal: Seal) -> str:
    return seal.close(_encode(record)) if isinstance(record, Person) else _encode(record).decode()


def _record(resource: Resource, body: str, seal: Seal) -> Record:
    return _DECODERS[resource].decode(seal.open(body) if resource is Resource.PERSONS else body)
