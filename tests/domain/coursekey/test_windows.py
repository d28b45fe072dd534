"""The worked reading of the windows, and what lies around its edges; a clock change is inside."""

from __future__ import annotations

from datetime import date

import pytest

from rosterflow.domain.coursekey.campus import Registration
from rosterflow.domain.coursekey.windows import Today, Window, course_window, enrollment_window, windows_on
from tests.domain.coursekey.builders import REGISTERED, SECTION, changed, college

OURS = college(
    COURSE_DAYS_ACTIVE_BEF_BEGIN=21, ENROLLMENT_DAYS_ACTIVE_BEF_BEGIN=14, ENROLLMENT_DAYS_ACTIVE_AFT_END=5
).coursekey


def test_the_course_of_the_worked_reading_is_due_three_weeks_before() -> None:
    assert course_window(OURS, SECTION) == Window(date(2026, 2, 23), date(2026, 5, 20))


def test_its_enrollments_are_due_two_weeks_before_and_until_five_days_after() -> None:
    assert enrollment_window(OURS, SECTION, REGISTERED) == Window(date(2026, 3, 2), date(2026, 5, 20))


@pytest.mark.parametrize(
    ("today", "is_shut", "has_closed"),
    [
        (date(2026, 3, 1), True, False),
        (date(2026, 3, 2), False, False),
        (date(2026, 5, 15), False, False),
        (date(2026, 5, 20), False, False),
        (date(2026, 5, 21), False, True),
    ],
)
def test_the_first_and_the_last_day_belong_to_it(today: date, is_shut: bool, has_closed: bool) -> None:
    window = enrollment_window(OURS, SECTION, REGISTERED)

    assert window
    assert (window.is_shut(today), window.has_closed(today)) == (is_shut, has_closed)


def test_with_no_days_a_window_is_the_course_itself() -> None:
    none = college(
        COURSE_DAYS_ACTIVE_BEF_BEGIN=0, ENROLLMENT_DAYS_ACTIVE_BEF_BEGIN=0, ENROLLMENT_DAYS_ACTIVE_AFT_END=0
    ).coursekey

    assert enrollment_window(none, SECTION, REGISTERED) == Window(date(2026, 3, 16), date(2026, 5, 15))


@pytest.mark.parametrize(
    ("course", "enrollment", "opens"),
    [(21, 14, date(2026, 3, 2)), (14, 21, date(2026, 3, 2)), (0, 21, date(2026, 3, 16)), (21, 0, date(2026, 3, 16))],
)
def test_enrollments_wait_until_both_windows_are_open(course: int, enrollment: int, opens: date) -> None:
    ours = college(COURSE_DAYS_ACTIVE_BEF_BEGIN=course, ENROLLMENT_DAYS_ACTIVE_BEF_BEGIN=enrollment).coursekey

    window = enrollment_window(ours, SECTION, REGISTERED)

    assert window
    assert window.opens == opens


@pytest.mark.parametrize(
    ("registration", "window"),
    [
        (changed(REGISTERED, first=date(2026, 4, 20)), Window(date(2026, 4, 6), date(2026, 5, 20))),
        (changed(REGISTERED, first=date(2026, 1, 5)), Window(date(2026, 2, 23), date(2026, 5, 20))),
        (changed(REGISTERED, last=date(2026, 6, 30)), Window(date(2026, 3, 2), date(2026, 7, 5))),
    ],
)
def test_a_students_own_days_go_before_the_sections(registration: Registration, window: Window) -> None:
    assert enrollment_window(OURS, SECTION, registration) == window


@pytest.mark.parametrize("lacking", [{"first": None}, {"last": None}])
def test_without_a_date_there_is_no_window(lacking: dict[str, None]) -> None:
    section = changed(SECTION, **lacking)

    assert course_window(OURS, section) is None
    assert enrollment_window(OURS, section, None) is None


def test_todays_windows_are_told_by_the_dates_of_sections() -> None:
    assert windows_on(OURS, date(2026, 3, 8)) == (
        Today("courses", begins_by=date(2026, 3, 29), ends_from=date(2026, 3, 3)),
        Today("enrollments", begins_by=date(2026, 3, 22), ends_from=date(2026, 3, 3)),
        Today("attendance", begins_by=date(2026, 3, 8), ends_from=date(2026, 3, 1)),
    )


def test_who_imports_no_attendance_has_no_window_for_it() -> None:
    ours = college(EXPORT_BASE_URL=None).coursekey

    assert [one.what for one in windows_on(ours, date(2026, 3, 8))] == ["courses", "enrollments"]
