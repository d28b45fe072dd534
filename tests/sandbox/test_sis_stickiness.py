"""Which writer wins over what, reference/canvas.md §4."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.canvas.objects import UI, UI_RESPECTING_STUCK, CourseState
from sandbox.canvas.state import Canvas
from tests.sandbox.sis_building import COURSES, SECTIONS, counts, course, new_canvas, run_csv, section, with_course

DATED = f"{COURSES},start_date,end_date"


@pytest.fixture
def canvas() -> Canvas:
    canvas = new_canvas()
    with_course(canvas, "S1")
    return canvas


@pytest.mark.parametrize(
    ("flags", "name_after", "name_after_the_next_plain_import"),
    [
        ({}, "Lærerens navn", "Lærerens navn"),
        ({"add_sis_stickiness": True}, "Lærerens navn", "Lærerens navn"),
        ({"clear_sis_stickiness": True}, "Lærerens navn", "Lærerens navn"),
        ({"override_sis_stickiness": True}, "Fra SIS", "Fra SIS"),
        ({"override_sis_stickiness": True, "add_sis_stickiness": True}, "Fra SIS", "Fra SIS"),
        ({"override_sis_stickiness": True, "clear_sis_stickiness": True}, "Fra SIS", "Neste"),
        (
            {"override_sis_stickiness": True, "clear_sis_stickiness": True, "add_sis_stickiness": True},
            "Fra SIS",
            "Neste",
        ),
    ],
)
def test_what_a_teacher_renamed_meets_the_import_flags_as_in_the_matrix(
    canvas: Canvas, flags: dict[str, Any], name_after: str, name_after_the_next_plain_import: str
) -> None:
    canvas.update_course(course(canvas, "K1"), {"name": "Lærerens navn"}, UI)

    batch = run_csv(canvas, COURSES, "K1,K1,Fra SIS,,,active", **flags)
    after = course(canvas, "K1").name
    run_csv(canvas, COURSES, "K1,K1,Neste,,,active")

    assert (after, course(canvas, "K1").name) == (name_after, name_after_the_next_plain_import)
    assert (counts(batch), batch.errors) == ({"courses": 1}, [])


def test_override_with_add_makes_the_import_s_own_changes_stick(canvas: Canvas) -> None:
    run_csv(canvas, COURSES, "K1,K1,Fra SIS,,,active", override_sis_stickiness=True, add_sis_stickiness=True)

    run_csv(canvas, COURSES, "K1,NY,Neste,,,active")

    assert (course(canvas, "K1").name, course(canvas, "K1").course_code) == ("Fra SIS", "NY")


def test_only_the_fields_a_person_changed_stick(canvas: Canvas) -> None:
    canvas.update_course(course(canvas, "K1"), {"name": "Kurs en", "course_code": "LÆRER"}, UI)

    run_csv(canvas, COURSES, "K1,SIS,Fra SIS,,,active")

    assert (course(canvas, "K1").course_code, course(canvas, "K1").name) == ("LÆRER", "Fra SIS")


def test_start_and_end_stick_together(canvas: Canvas) -> None:
    day = datetime(2026, 9, 1, tzinfo=UTC)
    canvas.update_course(course(canvas, "K1"), {"start_at": day}, UI)

    run_csv(canvas, DATED, "K1,K1,Kurs en,,,active,2026-08-01,2026-12-01")

    made = course(canvas, "K1")
    assert (made.start_at, made.end_at, made.restrict_enrollments_to_course_dates) == (day, None, False)


def test_a_course_a_person_concluded_is_not_re_opened(canvas: Canvas) -> None:
    canvas.update_course(course(canvas, "K1"), {"workflow_state": CourseState.COMPLETED}, UI)

    run_csv(canvas, COURSES, "K1,K1,Kurs en,,,published")

    assert str(course(canvas, "K1").workflow_state) == "completed"


def test_a_person_who_respects_what_is_stuck_leaves_it_and_makes_the_rest_stick(canvas: Canvas) -> None:
    canvas.update_course(course(canvas, "K1"), {"name": "Lærerens navn"}, UI)

    canvas.update_course(course(canvas, "K1"), {"name": "Annet", "course_code": "NY"}, UI_RESPECTING_STUCK)

    run_csv(canvas, COURSES, "K1,SIS,Fra SIS,,,active")
    assert (course(canvas, "K1").name, course(canvas, "K1").course_code) == ("Lærerens navn", "NY")


def test_a_section_a_person_renamed_and_dated_keeps_both(canvas: Canvas) -> None:
    day = datetime(2026, 9, 1, tzinfo=UTC)
    canvas.update_section(section(canvas, "S1"), {"name": "Vår gruppe", "end_at": day}, UI)

    run_csv(canvas, SECTIONS, "S1,K1,Gruppe,active")

    assert (section(canvas, "S1").name, section(canvas, "S1").end_at) == ("Vår gruppe", day)
