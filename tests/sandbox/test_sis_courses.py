"""courses.csv, reference/canvas.md §5.4."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.canvas.objects import CourseState, EnrollmentState
from sandbox.canvas.state import Canvas
from tests.sandbox.sis_building import (
    ACCOUNTS,
    COURSES,
    SECTIONS,
    TERMS,
    XLISTS,
    counts,
    course,
    csv_of,
    enrolled,
    messages,
    new_canvas,
    run_csv,
    run_write,
    run_zip,
    section,
    warnings,
)

DATED = f"{COURSES},start_date,end_date"


@pytest.fixture
def canvas() -> Canvas:
    return new_canvas()


def test_a_new_course_is_unpublished_in_its_account_and_term(canvas: Canvas) -> None:
    batch = run_zip(
        canvas,
        {
            "c.csv": csv_of(COURSES, "K1,INF101,Informatikk,A1,T1,active"),
            "a.csv": csv_of(ACCOUNTS, "A1,,Konto,active"),
            "t.csv": csv_of(TERMS, "T1,Høst,active,,"),
        },
    )

    made = course(canvas, "K1")
    assert counts(batch) == {"accounts": 1, "terms": 1, "courses": 1}
    assert (made.course_code, made.name, str(made.workflow_state)) == ("INF101", "Informatikk", "claimed")
    assert (canvas.accounts[made.account_id].sis_id, canvas.terms[made.term_id].sis_id) == ("A1", "T1")


def test_without_account_and_term_a_new_course_takes_the_defaults_and_an_old_one_keeps_its_own(
    canvas: Canvas,
) -> None:
    run_zip(
        canvas,
        {
            "a.csv": csv_of(ACCOUNTS, "A1,,Konto,active"),
            "t.csv": csv_of(TERMS, "T1,Høst,active,,"),
            "c.csv": csv_of(COURSES, "NEW,N,Ny,,UKJENT,active", "OLD,O,Gammel,A1,T1,active"),
        },
    )

    batch = run_csv(canvas, COURSES, "OLD,O,Gammel,,UKJENT,active")

    new, old = course(canvas, "NEW"), course(canvas, "OLD")
    assert (new.account_id, new.term_id, messages(batch)) == (1, 1, [])
    assert (canvas.accounts[old.account_id].sis_id, canvas.terms[old.term_id].sis_id) == ("A1", "T1")


def test_every_refused_course_row_has_canvas_own_words(canvas: Canvas) -> None:
    run_csv(canvas, ACCOUNTS, "GONE,,Borte,active", "GONE,,Borte,deleted")
    header = f"{DATED},course_format,grade_passback_setting,abstract_course_id"

    batch = run_csv(
        canvas,
        header,
        ",S,L,,,active,,,,,",
        "K1,,L,,,active,,,,,",
        "K2,S,,,,active,,,,,",
        "K3,S,L,,,borte,,,,,",
        "K4,S,L,,,active,,,hjemme,,",
        "K5,S,L,,,active,,,,aldri,",
        "K6,S,L,NOWHERE,,active,,,,,",
        "K7,S,L,GONE,,active,,,,,",
        "K8,S,L,,,active,i går,,,,",
        "K9,S,L,,,active,,,,,ABS",
        "K10,S,L,,,active,2026-12-01,2026-08-01,,,",
    )

    assert messages(batch) == [
        (2, "No course_id given for a course"),
        (3, "No short_name given for course K1"),
        (4, "No long_name given for course K2"),
        (5, 'Improper status "borte" for course K3'),
        (6, 'Invalid course_format "hjemme" for course K4'),
        (7, 'Invalid grade_passback_setting "aldri" for course K5'),
        (8, 'Account not found "NOWHERE" for course K6'),
        (9, "Cannot restore course K7 because the associated account GONE is deleted"),
        (10, "Bad date format for course K8"),
        (11, "unknown abstract course id ABS, ignoring abstract course reference"),
        (
            12,
            "A course did not pass validation (course: K10 / S, error: End date cannot be before start date)",
        ),
    ]
    assert counts(batch) == {"courses": 2, "warning_count": 11}


@pytest.mark.parametrize(
    ("status", "current", "expected"),
    [
        (status, current, expected)
        for status, row in {
            "active": ("claimed", "available", "available", "claimed"),
            "unpublished": ("claimed", "available", "available", "claimed"),
            "Published": ("available", "available", "available", "available"),
            "completed": ("completed", "completed", "completed", "completed"),
            "deleted": ("deleted", "deleted", "deleted", "deleted"),
            "activeX": ("created", "available", "completed", "deleted"),
        }.items()
        for current, expected in zip(("created", "available", "completed", "deleted"), row, strict=True)
    ],
)
def test_csv_status_meets_the_current_state_as_in_the_table(
    canvas: Canvas, status: str, current: str, expected: str
) -> None:
    run_csv(canvas, COURSES, "K1,S,L,,,active")
    canvas.update_course(course(canvas, "K1"), {"workflow_state": CourseState(current)}, run_write())

    run_csv(canvas, COURSES, f"K1,S,L,,,{status}")

    assert str(course(canvas, "K1").workflow_state) == expected


def test_blank_dates_keep_delete_clears_and_any_date_restricts(canvas: Canvas) -> None:
    def shape() -> tuple[datetime | None, datetime | None, bool]:
        made = course(canvas, "K1")
        return made.start_at, made.end_at, made.restrict_enrollments_to_course_dates

    run_csv(canvas, DATED, "K1,S,L,,,active,2026-08-01,2026-12-01")
    dated = shape()
    run_csv(canvas, DATED, "K1,S,L,,,active,,")
    kept = shape()
    run_csv(canvas, DATED, "K1,S,L,,,active,,<delete>")
    half = shape()
    run_csv(canvas, DATED, "K1,S,L,,,active,<delete>,<delete>")

    start, end = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    assert [dated, kept, half, shape()] == [
        (start, end, True),
        (start, end, True),
        (start, None, True),
        (None, None, False),
    ]


def test_concluding_a_course_completes_its_enrollments_and_going_back_does_not_revive_them(
    canvas: Canvas,
) -> None:
    run_zip(
        canvas,
        {
            "c.csv": csv_of(COURSES, "K1,S,L,,,published"),
            "s.csv": csv_of(SECTIONS, "S1,K1,G,active"),
        },
    )
    people = [
        enrolled(canvas, section(canvas, "S1"), state)
        for state in (EnrollmentState.ACTIVE, EnrollmentState.INVITED, EnrollmentState.INACTIVE)
    ]

    concluded = run_csv(canvas, COURSES, "K1,S,L,,,completed")
    run_csv(canvas, COURSES, "K1,S,L,,,active")

    assert [str(row.workflow_state) for row in people] == ["completed", "completed", "inactive"]
    assert str(course(canvas, "K1").workflow_state) == "available"
    assert concluded.data["statistics"]["Enrollment"]["concluded"] == 2
    assert concluded.data["statistics"]["total_state_changes"] == 3


def test_deleting_a_course_deletes_its_enrollments_and_restoring_it_leaves_them_deleted(
    canvas: Canvas,
) -> None:
    run_zip(
        canvas,
        {"c.csv": csv_of(COURSES, "K1,S,L,,,active"), "s.csv": csv_of(SECTIONS, "S1,K1,G,active")},
    )
    person = enrolled(canvas, section(canvas, "S1"))

    run_csv(canvas, COURSES, "K1,S,L,,,deleted")
    restored = run_csv(canvas, COURSES, "K1,S,L,,,active")

    assert (str(person.workflow_state), str(course(canvas, "K1").workflow_state)) == ("deleted", "claimed")
    assert restored.data["statistics"]["Course"] == {
        "created": 0,
        "restored": 1,
        "deleted": 0,
        "concluded": 0,
    }


def test_an_unchanged_row_counts_and_is_marked_with_the_import_that_mentioned_it(canvas: Canvas) -> None:
    run_csv(canvas, COURSES, "K1,S,L,,,active")

    batch = run_csv(canvas, COURSES, "K1,S,L,,,active")

    assert (counts(batch), course(canvas, "K1").sis_batch_id) == ({"courses": 1}, batch.id)
    assert batch.data["statistics"]["total_state_changes"] == 0


def test_an_integration_id_is_always_written_and_unique(canvas: Canvas) -> None:
    header = f"{COURSES},integration_id"
    run_csv(canvas, header, "K1,S,L,,,active,I1", "K2,S,L,,,active,I2")

    clash = run_csv(canvas, header, "K2,S,L,,,active,I1")
    run_csv(canvas, COURSES, "K1,S,L,,,active")

    assert warnings(clash) == [
        'A course did not pass validation (course: K2 / S, error: Integration ID "I1" is already in use)'
    ]
    assert [course(canvas, sis_id).integration_id for sis_id in ("K1", "K2")] == [None, "I2"]


def test_the_fallback_account_takes_a_course_whose_account_is_unknown(canvas: Canvas) -> None:
    run_csv(canvas, ACCOUNTS, "A1,,Konto,active")

    batch = run_csv(canvas, f"{COURSES},fallback_account_id", "K1,S,L,NOWHERE,,active,A1")

    assert (messages(batch), canvas.accounts[course(canvas, "K1").account_id].sis_id) == ([], "A1")


def test_a_course_made_by_a_cross_listing_follows_the_course_it_was_made_from(canvas: Canvas) -> None:
    run_zip(
        canvas,
        {
            "c.csv": csv_of(COURSES, "K1,S,Gammelt navn,,,active"),
            "s.csv": csv_of(SECTIONS, "S1,K1,G,active"),
            "x.csv": csv_of(XLISTS, "FELLES,S1,active"),
        },
    )
    made = course(canvas, "FELLES")
    copied = (made.name, made.course_code, str(made.workflow_state), made.templated_by)

    run_csv(canvas, COURSES, "K1,S,Nytt navn,,,active")

    assert copied == ("Gammelt navn", "S", "claimed", course(canvas, "K1").id)
    assert made.name == "Nytt navn"


def test_a_course_follows_one_blueprint_until_it_is_dissociated(canvas: Canvas) -> None:
    header = f"{COURSES},blueprint_course_id"
    run_csv(canvas, COURSES, "BP1,B,Mal en,,,active", "BP2,B,Mal to,,,active", "K1,S,L,,,active")
    for sis_id in ("BP1", "BP2"):
        canvas.update_course(course(canvas, sis_id), {"blueprint": True}, run_write())

    batch = run_csv(canvas, header, "K1,S,L,,,active,BP1", "K1,S,L,,,active,BP2", "BP2,B,Mal to,,,active,BP1")
    followed = course(canvas, "K1").blueprint_course_id
    run_csv(canvas, header, "K1,S,L,,,active,dissociate")

    assert messages(batch) == [
        (3, 'Cannot associate course "K1" - is associated to another blueprint course'),
        (4, 'Cannot associate course "BP2" - is a blueprint course'),
    ]
    assert (followed, course(canvas, "K1").blueprint_course_id) == (course(canvas, "BP1").id, None)


def test_format_and_passback_are_set_kept_and_cleared(canvas: Canvas) -> None:
    header = f"{COURSES},course_format,grade_passback_setting"
    run_csv(canvas, header, "K1,S,L,,,active,online,nightly_sync")
    run_csv(canvas, COURSES, "K1,S,L,,,active")
    made = course(canvas, "K1")
    kept = (made.course_format, made.grade_passback_setting)

    run_csv(canvas, header, "K1,S,L,,,active,,")
    blank = (made.course_format, made.grade_passback_setting)
    run_csv(canvas, header, "K1,S,L,,,active,not_set,not_set")

    assert (kept, blank, made.grade_passback_setting) == (("online", "nightly_sync"), (None, "nightly_sync"), None)
