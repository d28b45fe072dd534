"""The mirror of Campus Cafe: what it said last; nothing is gone unless a whole read says so."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import select

from rosterflow.domain.coursekey.campus import Reading, Record, Resource, Standing
from rosterflow.store import campus, cursors
from rosterflow.store.campus import Changed, Left, Name, StoredCampus
from rosterflow.store.coursekey_tables import campus_record
from rosterflow.store.cursors import Cursor
from rosterflow.store.engine import Store
from tests.store.campus_things import ADA, BEN, CYD, DAY, FALL, HOME, HOUR, MATH, NOW, WELDING, registered

ADAS, BENS = Name(*MATH.key, "1001"), Name(*MATH.key, "1002")


def apply(
    store: Store,
    resource: Resource,
    *records: Record,
    everything_of: Sequence[str] | None = None,
    problems: tuple[str, ...] = (),
    gaps: tuple[str, ...] = (),
) -> Changed:
    reading = Reading(resource, records, problems, gaps)
    with store.begin() as connection:
        return campus.apply(connection, HOME, reading, NOW, everything_of=everything_of)


def test_what_was_read_can_be_looked_up(store: Store) -> None:
    apply(store, Resource.SEMESTERS, FALL)
    apply(store, Resource.SECTIONS, MATH)
    apply(store, Resource.PERSONS, ADA)
    apply(store, Resource.STAFF, CYD)
    apply(store, Resource.REGISTRATIONS, registered("1001"))

    with store.begin() as connection:
        seen = StoredCampus(connection, HOME)
        one_by_one = (
            seen.semester("202610"),
            seen.section(MATH.key),
            seen.person("1001"),
            seen.teaching(MATH.key, "9001"),
            seen.registration(MATH.key, "1001"),
        )
        nothing = (seen.semester("209910"), seen.section(WELDING.key), seen.person("1"), seen.teaching(MATH.key, "1"))
        lists = (seen.staff_of(MATH.key), seen.registrations_of(MATH.key), seen.staff_of(WELDING.key))

    assert one_by_one == (FALL, MATH, ADA, CYD, registered("1001"))
    assert nothing == (None, None, None, None)
    assert lists == ([CYD], [registered("1001")], [])


def test_what_was_loaded_can_be_looked_up_after_the_transaction(store: Store) -> None:
    apply(store, Resource.SECTIONS, MATH)
    apply(store, Resource.PERSONS, ADA)
    apply(store, Resource.REGISTRATIONS, registered("1001"))

    with store.begin() as connection:
        seen = StoredCampus(connection, HOME)
        seen.load_sections([MATH.key])

    assert (seen.section(MATH.key), seen.person("1001")) == (MATH, ADA)
    assert (seen.registration(MATH.key, "1001"), seen.registration(MATH.key, "1002")) == (registered("1001"), None)


def test_only_what_is_new_or_different_is_changed(store: Store) -> None:
    first = apply(store, Resource.REGISTRATIONS, registered("1001"), registered("1002"))
    touched = msgspec.structs.replace(registered("1001"), modified_at=NOW)
    second = apply(store, Resource.REGISTRATIONS, touched, registered("1002", standing=Standing.DROPPED))

    assert first == Changed((ADAS, BENS), ())
    assert second == Changed((BENS,), ())


def test_a_whole_read_of_everything_says_what_is_gone(store: Store) -> None:
    apply(store, Resource.REGISTRATIONS, registered("1001"), registered("1002"))

    gone = apply(store, Resource.REGISTRATIONS, registered("1002"), everything_of=["202610"])
    again = apply(store, Resource.REGISTRATIONS, registered("1002"), everything_of=["202610"])
    back = apply(store, Resource.REGISTRATIONS, registered("1001"))

    assert (gone, again, back) == (Changed((), (ADAS,)), Changed((), ()), Changed((ADAS,), ()))


def test_what_is_gone_is_not_looked_up(store: Store) -> None:
    apply(store, Resource.REGISTRATIONS, registered("1001"), registered("1002"))
    apply(store, Resource.REGISTRATIONS, registered("1002"), everything_of=[])

    with store.begin() as connection:
        seen = StoredCampus(connection, HOME)
        assert seen.registration(MATH.key, "1001") is None
        assert seen.registrations_of(MATH.key) == [registered("1002")]
        assert campus.people_who_left(connection, HOME) == {(Resource.REGISTRATIONS, ADAS): Left(NOW, is_gone=True)}


def test_a_read_of_changes_or_one_that_is_not_whole_says_nothing_is_gone(store: Store) -> None:
    apply(store, Resource.REGISTRATIONS, registered("1001"), registered("1002"))

    changes = apply(store, Resource.REGISTRATIONS)
    short = apply(store, Resource.REGISTRATIONS, everything_of=["202610"], gaps=("page 2 of 3 failed",))
    unusable = apply(store, Resource.REGISTRATIONS, everything_of=["202610"], problems=("row 7 lacks personId",))

    assert (changes, short, unusable) == (Changed((), ()),) * 3


def test_a_read_of_one_semester_says_nothing_about_another(store: Store) -> None:
    spring = msgspec.structs.replace(registered("1001"), semester="202620")
    apply(store, Resource.REGISTRATIONS, registered("1001"), spring)

    read = apply(store, Resource.REGISTRATIONS, everything_of=["202620"])

    assert read == Changed((), (Name("202620", "MTH101", "4", "1001"),))


def test_persons_are_sealed(store: Store) -> None:
    apply(store, Resource.PERSONS, ADA, BEN)

    with store.begin() as connection:
        rows = repr(connection.execute(select(campus_record)).all())

    assert "Quill" not in rows
    assert "@" not in rows


def test_sections_are_found_by_semester_course_and_section(store: Store) -> None:
    other = msgspec.structs.replace(MATH, section="5")
    apply(store, Resource.SECTIONS, MATH, other, WELDING)

    with store.begin() as connection:
        found = [
            campus.sections_of(connection, HOME, "202610"),
            campus.sections_of(connection, HOME, "202610", "MTH101"),
            campus.sections_of(connection, HOME, "202610", "MTH101", "5"),
            campus.sections_of(connection, HOME, "202620"),
        ]

    assert found == [[MATH.key, other.key, WELDING.key], [MATH.key, other.key], [other.key], []]


def test_where_people_are_is_found(store: Store) -> None:
    apply(store, Resource.REGISTRATIONS, registered("1001"))
    apply(store, Resource.STAFF, CYD)

    with store.begin() as connection:
        found = campus.places_of(connection, HOME, ["1001", "9001"])

    assert sorted(found) == [(Resource.REGISTRATIONS, ADAS), (Resource.STAFF, Name(*MATH.key, "9001"))]


def test_those_who_teach_anywhere_are_known(store: Store) -> None:
    removed = msgspec.structs.replace(CYD, person="9002", is_removed=True)
    apply(store, Resource.STAFF, CYD, removed)

    with store.begin() as connection:
        found = campus.teachers(connection, HOME, ["9001", "9002", "1001"])
        left = campus.people_who_left(connection, HOME)

    assert found == {"9001"}
    assert left == {(Resource.STAFF, Name(*MATH.key, "9002")): Left(NOW, is_gone=False)}


def test_what_has_been_gone_for_long_is_forgotten(store: Store) -> None:
    apply(store, Resource.REGISTRATIONS, registered("1001"), registered("1002"))
    apply(store, Resource.REGISTRATIONS, registered("1002"), everything_of=[])

    with store.begin() as connection:
        removed = [campus.purge(connection, HOME, moment) for moment in (NOW, NOW + DAY)]

    assert removed == [0, 1]


def test_a_cursor_is_kept_for_each_resource(store: Store) -> None:
    with store.begin() as connection:
        cursors.move(connection, HOME, Resource.SECTIONS, Cursor(NOW, NOW - HOUR))
        cursors.move(connection, HOME, Resource.SECTIONS, Cursor(NOW + HOUR, NOW))

        assert cursors.cursor(connection, HOME, Resource.SECTIONS) == Cursor(NOW + HOUR, NOW)
        assert cursors.cursor(connection, HOME, Resource.PERSONS) == Cursor()
