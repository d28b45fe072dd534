from __future__ import annotations

from typing import Any

import pytest

from rosterflow.domain.coursekey.fitting import warnings
from tests.domain.coursekey.builders import college


def test_likely_settings_are_not_warned_about() -> None:
    assert warnings(college()) == []


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        (
            {"ENROLLMENT_DAYS_ACTIVE_BEF_BEGIN": 22},
            "COURSEKEY_ENROLLMENT_DAYS_ACTIVE_BEF_BEGIN is more than COURSEKEY_COURSE_DAYS_ACTIVE_BEF_BEGIN",
        ),
        ({"EXPORT_TIME_ATTENDED_DAYS_PRIOR": 1}, "COURSEKEY_EXPORT_TIME_ATTENDED_DAYS_PRIOR is less than twice"),
        (
            {"SEND_EMAIL_TO_NEW_USER": "N"},
            "COURSEKEY_SEND_EMAIL_TO_NEW_USER and COURSEKEY_SET_USER_PASSWORD are both N",
        ),
        ({"SET_USER_PASSWORD": "Y"}, "COURSEKEY_SET_USER_PASSWORD is Y"),
        ({"COURSE_NAME_FORMAT": "@COURSE_TITLE@"}, "COURSEKEY_COURSE_NAME_FORMAT lacks the semester"),
        ({"TIMEZONE": "US/Arizona"}, "COURSEKEY_TIMEZONE is none of US/Eastern"),
        ({"REMOVE_FROM_QUEUE_DAYS": 0}, "COURSEKEY_REMOVE_FROM_QUEUE_DAYS is 0"),
        ({"not_integrated_sites": None}, "RCCONO has the site 'AWAY'"),
    ],
)
def test_what_is_likely_not_meant_is_warned_about(changes: dict[str, Any], begins: str) -> None:
    [warning] = warnings(college(**changes))

    assert warning.startswith(begins)


@pytest.mark.parametrize(("days", "every", "is_told"), [(2, 1, False), (1, 1, True), (13, 7, True), (14, 7, False)])
def test_attendance_is_read_over_at_least_two_intervals(days: int, every: int, is_told: bool) -> None:
    told = warnings(college(EXPORT_TIME_ATTENDED_DAYS_PRIOR=days), import_every_days=every)

    assert bool(told) is is_told


def test_who_imports_no_attendance_is_not_told_of_its_days() -> None:
    assert warnings(college(EXPORT_BASE_URL=None, EXPORT_TIME_ATTENDED_DAYS_PRIOR=1)) == []
