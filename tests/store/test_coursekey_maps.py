"""What is known of CourseKey, which keeps no id of ours."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.queue import Entity, EntryKind
from rosterflow.store import coursekey_maps
from rosterflow.store.coursekey_maps import MapKey, MapKind, Mapped
from rosterflow.store.coursekey_tables import coursekey_map
from rosterflow.store.engine import Store
from tests.store.campus_things import HOME, HOUR, MATH, NOW, WELDING, course, enrollment

ACCOUNT = Mapped(MapKey(MapKind.USER, "548156", person="1001"), "77", "f1", private=b"ada.quill@college.example")
COURSE = Mapped(MapKey(MapKind.COURSE, "548156", MATH.key), "31", "f2", join_code="ckabc12")
ENROLLED = Mapped(MapKey(MapKind.ENROLLMENT, "548156", MATH.key, "1001"), "77")
MEETING = Mapped(MapKey(MapKind.SESSION, "548156", MATH.key, slot="2026-09-07T09:00:00"), "5")
ELSEWHERE = Mapped(MapKey(MapKind.STAFF, "548157", WELDING.key, "9001"), "80", created_by_us=False)
EVERYTHING = (ACCOUNT, COURSE, ENROLLED, MEETING, ELSEWHERE)


def put(store: Store, *mapped: Mapped, hours: int = 0) -> None:
    with store.begin() as connection:
        coursekey_maps.put(connection, HOME, mapped, NOW + hours * HOUR)


def stored(one: Mapped, first: int = 0, last: int = 0) -> Mapped:
    return msgspec.structs.replace(one, first_at=NOW + first * HOUR, last_at=NOW + last * HOUR)


def test_a_mapping_comes_back_as_it_was_put(store: Store) -> None:
    put(store, *EVERYTHING)

    with store.begin() as connection:
        found = [coursekey_maps.get(connection, HOME, one.key) for one in EVERYTHING]
        of_nobody = coursekey_maps.get(connection, "other", ACCOUNT.key)

    assert found == [stored(one) for one in EVERYTHING]
    assert of_nobody is None


def test_a_mapping_that_is_put_again_keeps_when_it_was_first_known(store: Store) -> None:
    put(store, COURSE)
    renamed = msgspec.structs.replace(COURSE, fingerprint="f3")
    put(store, renamed, hours=2)

    with store.begin() as connection:
        assert coursekey_maps.get(connection, HOME, COURSE.key) == stored(renamed, last=2)


def test_everything_of_a_section_and_everything_of_a_person_is_found(store: Store) -> None:
    put(store, *EVERYTHING)

    with store.begin() as connection:
        of_math = coursekey_maps.of_sections(connection, HOME, [MATH.key, SectionKey("202610", "XYZ", "1")])
        of_ada = coursekey_maps.of_persons(connection, HOME, ["1001"])
        accounts = coursekey_maps.users(connection, HOME, "548156", ["1001", "1002"])
        in_math = coursekey_maps.there(connection, HOME, [MATH.key])
        people = coursekey_maps.people_there(connection, HOME)
        courses = coursekey_maps.courses_there(connection, HOME)

    assert of_math == [stored(COURSE), stored(ENROLLED), stored(MEETING)]
    assert of_ada == [stored(ENROLLED), stored(ACCOUNT)]
    assert accounts == {"1001": stored(ACCOUNT)}
    assert in_math == {course(), enrollment("1001")}
    assert people == [(enrollment("1001"), True), (Entity(EntryKind.STAFF, *WELDING.key, "9001"), False)]
    assert courses == [MATH.key]


def test_whose_something_is_that_was_found_in_coursekey_is_known(store: Store) -> None:
    put(store, *EVERYTHING)

    with store.begin() as connection:
        found = coursekey_maps.owner_of(connection, HOME, "548156", MapKind.COURSE, "31")
        elsewhere = coursekey_maps.owner_of(connection, HOME, "548157", MapKind.COURSE, "31")

    assert (found, elsewhere) == (COURSE.key, None)


def test_a_forgotten_mapping_is_gone_and_its_neighbours_stay(store: Store) -> None:
    put(store, COURSE, ENROLLED)

    with store.begin() as connection:
        coursekey_maps.forget(connection, HOME, ENROLLED.key)
        left = coursekey_maps.of_sections(connection, HOME, [MATH.key])

    assert left == [stored(COURSE)]


def test_personal_data_is_neither_readable_in_the_table_nor_in_a_representation(store: Store) -> None:
    put(store, ACCOUNT)

    with store.begin() as connection:
        row = connection.execute(select(coursekey_map)).one()
        found = coursekey_maps.get(connection, HOME, ACCOUNT.key)

    assert "ada.quill" not in repr(tuple(row))
    assert repr(found) == "Mapped(user 1001 at 548156)"
