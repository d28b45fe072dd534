"""sections.csv, xlists.csv and change_sis_id.csv, reference/canvas.md §5.5, §5.6 and §5.13."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.canvas.objects import UI
from sandbox.canvas.state import Canvas
from tests.sandbox.sis_building import (
    COURSES,
    SECTIONS,
    XLISTS,
    counts,
    course,
    enrolled,
    messages,
    new_canvas,
    run_csv,
    section,
    warnings,
    with_course,
)

CHANGES = "old_id,new_id,old_integration_id,new_integration_id,type"


@pytest.fixture
def canvas() -> Canvas:
    canvas = new_canvas()
    with_course(canvas, "S1", "S2")
    return canvas


def place(canvas: Canvas, section_id: str) -> tuple[str | None, str | None]:
    """The SIS ids of the course a section lies in, and of its own course while it is cross-listed."""
    found = section(canvas, section_id)
    home = canvas.courses.get(found.nonxlist_course_id)
    return canvas.courses[found.course_id].sis_id, home.sis_id if home else None


def test_every_refused_section_row_has_canvas_own_words_in_canvas_order_of_checks(canvas: Canvas) -> None:
    batch = run_csv(
        canvas,
        f"{SECTIONS},start_date,end_date",
        ",K1,G,active,,",
        "N1,,G,active,,",
        "N2,K1,,borte,,",
        "N3,K1,G,borte,,",
        "N4,NOWHERE,G,active,,",
        "N5,K1,G,active,i går,",
        "N6,K1,G,active,2026-12-01,2026-08-01",
        "S1,K1,,deleted,,",
    )

    assert messages(batch) == [
        (2, "No section_id given for a section in course K1"),
        (3, "No course_id given for a section N1"),
        (4, "No name given for section N2 in course K1"),
        (5, 'Improper status "borte" for section N3 in course K1'),
        (6, "Section N4 references course NOWHERE which doesn't exist"),
        (7, "Bad date format for section N5"),
        (
            8,
            (
                "A section did not pass validation (section: N6 / G, course: K1, "
                "error: End date cannot be before start date)"
            ),
        ),
    ]
    assert counts(batch) == {"sections": 2, "warning_count": 7}


def test_section_dates_restrict_and_blank_ones_clear(canvas: Canvas) -> None:
    header = f"{SECTIONS},start_date,end_date"
    run_csv(canvas, header, "S1,K1,G,active,2026-08-01,")
    dated = section(canvas, "S1")
    first = (dated.start_at, dated.restrict_enrollments_to_section_dates)

    run_csv(canvas, header, "S1,K1,G,active,,")

    assert first == (datetime(2026, 8, 1, tzinfo=UTC), True)
    assert (dated.start_at, dated.restrict_enrollments_to_section_dates) == (None, False)


def test_a_section_moves_with_its_enrollments(canvas: Canvas) -> None:
    person = enrolled(canvas, section(canvas, "S1"))

    run_csv(canvas, SECTIONS, "S1,K2,G,active")

    assert place(canvas, "S1") == ("K2", None)
    assert (person.course_id, str(person.workflow_state)) == (course(canvas, "K2").id, "active")


def test_deleting_a_section_deletes_its_enrollments(canvas: Canvas) -> None:
    person = enrolled(canvas, section(canvas, "S1"))

    run_csv(canvas, SECTIONS, "S1,K1,G,deleted")

    assert (str(section(canvas, "S1").workflow_state), str(person.workflow_state)) == ("deleted", "deleted")


def test_a_section_that_a_person_moved_stays_where_it_is(canvas: Canvas) -> None:
    canvas.crosslist(section(canvas, "S1"), course(canvas, "K2"), UI)

    moved = run_csv(canvas, SECTIONS, "S1,K1,Nytt navn,active")
    xlisted = run_csv(canvas, XLISTS, "K2,S1,deleted")

    assert (place(canvas, "S1"), section(canvas, "S1").name) == (("K2", "K1"), "Nytt navn")
    assert (counts(moved), counts(xlisted), messages(xlisted)) == ({"sections": 1}, {}, [])


def test_cross_listing_is_idempotent_can_be_re_targeted_and_taken_back(canvas: Canvas) -> None:
    run_csv(canvas, COURSES, "K3,K3,Kurs tre,,,active")
    person = enrolled(canvas, section(canvas, "S1"))
    places = []
    for row in ("K2,S1,active", "K2,S1,active", "K3,S1,Active", "K2,S1,deleted", "K3,S1,deleted"):
        batch = run_csv(canvas, XLISTS, row)
        assert counts(batch) == {"xlists": 1}
        places.append(place(canvas, "S1"))

    assert places == [("K2", "K1"), ("K2", "K1"), ("K3", "K1"), ("K3", "K1"), ("K1", None)]
    assert person.course_id == course(canvas, "K1").id


def test_a_deleted_cross_listing_into_an_unknown_course_brings_the_section_home(canvas: Canvas) -> None:
    run_csv(canvas, XLISTS, "K2,S1,active")

    run_csv(canvas, XLISTS, "UKJENT,S1,deleted")

    assert place(canvas, "S1") == ("K1", None)


def test_bringing_a_section_home_revives_its_deleted_course_as_unpublished(canvas: Canvas) -> None:
    run_csv(canvas, XLISTS, "K2,S1,active")
    run_csv(canvas, COURSES, "K1,K1,Kurs en,,,deleted")

    run_csv(canvas, XLISTS, "K2,S1,deleted")

    assert (place(canvas, "S1"), str(course(canvas, "K1").workflow_state)) == (("K1", None), "claimed")


def test_every_refused_cross_listing_has_canvas_own_words(canvas: Canvas) -> None:
    batch = run_csv(canvas, XLISTS, ",S1,active", "K2,,active", "K2,S1,active now", "K2,UKJENT,active")

    assert messages(batch) == [
        (2, "No xlist_course_id given for a cross-listing"),
        (3, "No section_id given for a cross-listing"),
        (4, 'Improper status "active now" for a cross-listing'),
        (5, "A cross-listing referenced a non-existent section UKJENT"),
    ]


def test_a_section_row_naming_the_home_course_leaves_a_cross_listing_and_any_other_ends_it(
    canvas: Canvas,
) -> None:
    run_csv(canvas, COURSES, "K3,K3,Kurs tre,,,active")
    run_csv(canvas, XLISTS, "K2,S1,active", "K2,S2,active")

    run_csv(canvas, SECTIONS, "S1,K1,G,active", "S2,K3,G,active")

    assert (place(canvas, "S1"), place(canvas, "S2")) == (("K2", "K1"), ("K3", None))


def test_a_section_comes_home_when_the_course_it_was_listed_into_is_deleted(canvas: Canvas) -> None:
    run_csv(canvas, XLISTS, "K2,S1,active")
    run_csv(canvas, COURSES, "K2,K2,Kurs to,,,deleted")

    run_csv(canvas, SECTIONS, "S1,K1,G,active")

    assert place(canvas, "S1") == ("K1", None)


def test_a_changed_sis_id_is_used_by_the_other_files_of_the_same_import(canvas: Canvas) -> None:
    batch = run_csv(canvas, CHANGES, "K1,K9,,,Course", "S1,S9,,,section")

    assert (counts(batch), messages(batch)) == ({"change_sis_ids": 2}, [])
    assert place(canvas, "S9") == ("K9", None)
    assert canvas.courses.by_sis_id("K1") is None


def test_an_integration_id_is_changed_and_cleared(canvas: Canvas) -> None:
    run_csv(canvas, CHANGES, "K1,,,I1,course")
    given = course(canvas, "K1").integration_id

    run_csv(canvas, CHANGES, ",,I1,<delete>,course")

    assert (given, course(canvas, "K1").integration_id) == ("I1", None)


def test_every_refused_change_of_id_has_canvas_own_words_in_canvas_order_of_checks(canvas: Canvas) -> None:
    run_csv(canvas, CHANGES, "K1,,,I1,course")

    batch = run_csv(
        canvas,
        CHANGES,
        "K1,K9,,,",
        ",K9,,,course",
        "K1,,,,course",
        "K1,K9,,,kurs",
        "G1,,,I9,group_category",
        "K1,K2,,,course",
        "K2,,,I1,course",
        "K2,K9,I1,,course",
        "UKJENT,K9,,,course",
        ",K9,UKJENT,,course",
        "G1,G2,,,group",
    )

    assert warnings(batch) == [
        "No type given for change_sis_id",
        "No old_id or old_integration_id given for change_sis_id",
        "No new_id or new_integration_id given for change_sis_id",
        "Invalid type 'kurs' for change_sis_id",
        "Group categories should not have integration IDs.",
        "A new_id, 'K2', referenced an existing course and the course with sis_source_id 'K1' was not updated",
        (
            "A new_integration_id, 'I1', referenced an existing course and the course with integration_id '' "
            "was not updated"
        ),
        "An old_id, 'K2', referenced a different course than the old_integration_id, 'I1'",
        "An old_id, 'UKJENT', referenced a non-existent course and was not changed.",
        "An old_integration_id, 'UKJENT', referenced a non-existent course and was not changed.",
        "An old_id, 'G1', referenced a non-existent group and was not changed.",
    ]


def test_the_second_run_of_a_change_of_id_warns(canvas: Canvas) -> None:
    run_csv(canvas, CHANGES, "K1,K9,,,course")

    batch = run_csv(canvas, CHANGES, "K1,K10,,,course")

    assert warnings(batch) == ["An old_id, 'K1', referenced a non-existent course and was not changed."]
