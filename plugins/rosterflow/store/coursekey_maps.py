"""What we know of CourseKey, which keeps no id of ours: its ids, what we last sent, and what we made ourselves.

Personal data in a mapping (an e-mail address) is sealed; ids are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, delete, select

from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.queue import Entity, EntryKind
from rosterflow.store.bulk import batches, matching, upsert
from rosterflow.store.coursekey_tables import coursekey_map
from rosterflow.store.sealing import seal_of


class MapKind(StrEnum):
    """What a mapping is of."""

    USER = "user"
    COURSE = "course"
    STAFF = "staff"
    ENROLLMENT = "enrollment"
    SESSION = "session"


class MapKey(msgspec.Struct, frozen=True, order=True):
    """What of ours a mapping is about: a person at a school, a section, a person in a section, or a meeting.

    :param section: ``None`` of a USER.
    :param person: Campus Cafe ID, of a USER, STAFF and an ENROLLMENT.
    :param slot: of a SESSION, its date and beginning: ``2026-09-01T09:00:00``.
    """

    kind: MapKind
    school: str
    section: SectionKey | None = None
    person: str = ""
    slot: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (*(self.section or ()), self.person, self.slot) if part)


class Mapped(msgspec.Struct, frozen=True):
    """One thing of ours in CourseKey.

    :param remote_id: CourseKey's id: ``userID``, ``courseID``, ``sessionID``; of staff and enrollments the user's.
    :param fingerprint: digest of what was last sent; the same digest again is not sent again.
    :param created_by_us: ``False`` for what was found there, and what people added by hand.
    :param join_code: of a course its ``addCode``.
    :param private: personal data needed again (the e-mail address that was sent), as the caller encodes it.
    """

    key: MapKey
    remote_id: str
    fingerprint: str = ""
    created_by_us: bool = True
    join_code: str = ""
    private: bytes = b""
    first_at: datetime | None = None
    last_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Mapped({self.key.kind} {self.key} at {self.key.school})"


class There(NamedTuple):
    """What the queue can be about and CourseKey has.

    :param created_by_us: whether we put it there.
    """

    entity: Entity
    created_by_us: bool


def put(connection: Connection, institution: str, mapped: Iterable[Mapped], now: datetime) -> None:
    """Write mappings down, or what is new of them; when each was first known is kept."""
    seal = seal_of(connection)
    upsert(
        connection,
        coursekey_map,
        (
            {
                **_columns(institution, one.key),
                "remote_id": one.remote_id,
                "join_code": one.join_code,
                "sealed": seal.close(one.private) if one.private else None,
                "fingerprint": one.fingerprint,
                "created_by_us": one.created_by_us,
                "first_at": now,
                "last_at": now,
            }
            for one in mapped
        ),
        keep=("first_at",),
    )


def get(connection: Connection, institution: str, key: MapKey) -> Mapped | None:
    """The mapping of one thing, ``None`` when CourseKey has none of it that we know."""
    return next(iter(_where(connection, _same(institution, key))), None)


def forget(connection: Connection, institution: str, key: MapKey) -> None:
    """Remove a mapping: the thing is no longer there, or was never ours."""
    connection.execute(delete(coursekey_map).where(_same(institution, key)))


def owner_of(connection: Connection, institution: str, school: str, kind: MapKind, remote_id: str) -> MapKey | None:
    """What of ours a thing of CourseKey is; ``None`` when it is nothing of ours."""
    table = coursekey_map.c
    same = (table.school == school) & (table.kind == kind) & (table.remote_id == remote_id)
    return next((one.key for one in _where(connection, _mine(institution) & same)), None)


def of_sections(
    connection: Connection, institution: str, sections: Iterable[SectionKey], *kinds: MapKind
) -> list[Mapped]:
    """Everything known of some sections, or what is of some kinds, at whatever school."""
    found: list[Mapped] = []
    for some in batches(sections):
        found += _where(connection, _of_kinds(_in(connection, institution, some), kinds))
    return found


def of_persons(connection: Connection, institution: str, persons: Iterable[str], *kinds: MapKind) -> list[Mapped]:
    """Everything known of some people, or what is of some kinds: accounts, staff, enrollments."""
    found: list[Mapped] = []
    for some in batches(persons):
        found += _where(connection, _of_kinds(_mine(institution) & coursekey_map.c.person.in_(some), kinds))
    return found


def _of_kinds(which: ColumnElement[bool], kinds: Sequence[MapKind]) -> ColumnElement[bool]:
    return which & coursekey_map.c.kind.in_(kinds) if kinds else which


def users(connection: Connection, institution: str, school: str, persons: Iterable[str]) -> dict[str, Mapped]:
    """The accounts of some people at a school, by Campus Cafe ID."""
    known = of_persons(connection, institution, persons, MapKind.USER)
    return {one.key.person: one for one in known if one.key.school == school}


def there(connection: Connection, institution: str, sections: Iterable[SectionKey]) -> set[Entity]:
    """What of some sections is in CourseKey: the courses, and who is in them."""
    found: set[Entity] = set()
    for some in batches(sections):
        found.update(one.entity for one in _there(connection, _in(connection, institution, some)))
    return found


def people_there(connection: Connection, institution: str) -> list[There]:
    """Everybody who is in a course in CourseKey, as staff or student."""
    return _there(connection, _mine(institution) & coursekey_map.c.kind.in_((MapKind.STAFF, MapKind.ENROLLMENT)))


def courses_there(connection: Connection, institution: str) -> list[SectionKey]:
    """The sections that have a course in CourseKey."""
    courses = _there(connection, _mine(institution) & (coursekey_map.c.kind == MapKind.COURSE))
    return [key for one in courses if (key := one.entity.section_key)]


def _there(connection: Connection, which: ColumnElement[bool]) -> list[There]:
    columns = coursekey_map.c["kind", "semester", "course", "section", "person", "created_by_us"]
    in_queue = coursekey_map.c.kind.in_((MapKind.COURSE, MapKind.STAFF, MapKind.ENROLLMENT))
    query = select(*columns).where(which, in_queue)
    rows = connection.execute(query.order_by(coursekey_map.c.kind, coursekey_map.c.key))
    return [There(Entity(EntryKind(kind), *names), ours) for kind, *names, ours in rows]


def _columns(institution: str, key: MapKey) -> dict[str, str]:
    semester, course, section = key.section or ("", "", "")
    return {
        "institution": institution,
        "school": key.school,
        "kind": key.kind,
        "key": str(key),
        "semester": semester,
        "course": course,
        "section": section,
        "person": key.person,
        "slot": key.slot,
    }


def _same(institution: str, key: MapKey) -> ColumnElement[bool]:
    table = coursekey_map.c
    return _mine(institution) & (table.school == key.school) & (table.kind == key.kind) & (table.key == str(key))


def _mine(institution: str) -> ColumnElement[bool]:
    return coursekey_map.c.institution == institution


def _in(connection: Connection, institution: str, sections: Iterable[SectionKey]) -> ColumnElement[bool]:
    named = [coursekey_map.c[name] for name in ("institution", *SectionKey._fields)]
    return matching(connection, named, ((institution, *key) for key in sections))


def _where(connection: Connection, which: ColumnElement[bool]) -> list[Mapped]:
    query = select(coursekey_map).where(which)
    seal = seal_of(connection)
    return [
        Mapped(
            _key(row),
            row.remote_id,
            row.fingerprint,
            row.created_by_us,
            row.join_code,
            seal.open(row.sealed) if row.sealed else b"",
            row.first_at,
            row.last_at,
        )
        for row in connection.execute(query.order_by(coursekey_map.c.kind, coursekey_map.c.key))
    ]


def _key(row: Row[Any]) -> MapKey:
    section = SectionKey(row.semester, row.course, row.section) if row.semester else None
    return MapKey(MapKind(row.kind), row.school, section, row.person, row.slot)
