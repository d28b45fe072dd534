"""What is remembered of a course that we close or hide."""

from __future__ import annotations

from rosterflow.store import closed_courses
from rosterflow.store.engine import Store


def test_a_closed_course_is_remembered_for_its_institution_until_it_is_forgotten(store: Store) -> None:
    with store.begin() as connection:
        closed_courses.remember(connection, "demo", {"UE_1": True, "UE_2": False})
        closed_courses.remember(connection, "demo", {"UE_2": True, "UE_3": False})
        closed_courses.remember(connection, "other", {"UE_1": False})
        known = closed_courses.were_published(connection, "demo", ["UE_1", "UE_2", "UE_3", "UE_4"])
        closed_courses.forget(connection, "demo", ["UE_1"])

        assert known == {"UE_1": True, "UE_2": True, "UE_3": False}
        assert closed_courses.were_published(connection, "demo", known) == {"UE_2": True, "UE_3": False}
        assert closed_courses.were_published(connection, "other", ["UE_1"]) == {"UE_1": False}


def test_nothing_to_remember_is_no_trouble(store: Store) -> None:
    with store.begin() as connection:
        closed_courses.remember(connection, "demo", {})

        assert closed_courses.were_published(connection, "demo", []) == {}


def test_a_course_that_was_unpublished_is_still_closed_until_its_re_opening_begins(store: Store) -> None:
    with store.begin() as connection:
        closed_courses.remember(connection, "demo", {"UE_1": True, "UE_2": False, "UE_3": False})
        closed_courses.begin_reopening(connection, "demo", ["UE_3"])

        assert closed_courses.still_closed(connection, "demo", ["UE_1", "UE_2", "UE_3"]) == {"UE_2"}

        closed_courses.remember(connection, "demo", {"UE_3": False})
        assert closed_courses.still_closed(connection, "demo", ["UE_3"]) == {"UE_3"}
