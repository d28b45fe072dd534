from __future__ import annotations

import sys
import zoneinfo
from typing import Any

import pytest

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.parameters import CourseKey, parameter_name
from rosterflow.settings import college_problems
from tests.domain.coursekey.builders import college, raw_college


def problems(**changes: Any) -> list[str]:
    return college_problems(raw_college(**changes))


def told(name: str, sentence: str) -> list[str]:
    return [f"coursekey.COURSEKEY_{name}: {sentence}"]


def test_what_is_not_set_has_these_defaults() -> None:
    given = raw_college()["coursekey"]

    ours = college().coursekey

    unset = {name: value for name, value in ours.model_dump().items() if parameter_name(name) not in given}
    assert unset == {
        "api_name": "CC_CKY",
        "auto_queue_items": True,
        "awarded_time_attendance_names": (),
        "awarded_time_minutes": None,
        "course_admins": (),
        "course_days_active_bef_begin": 21,
        "course_name_format": "@SEMESTER@-@COURSE_NUMBER@-@COURSE_SECTION@",
        "course_title_format": "@COURSE_TITLE@",
        "enrollment_days_active_aft_end": 14,
        "enrollment_days_active_bef_begin": 14,
        "export_time_attended_days_prior": 7,
        "instructor_add_only": True,
        "no_attendance_session_sync": (),
        "remove_from_queue_days": 30,
        "set_user_password": False,
        "use_lms_exclude_flag": True,
    }


def test_all_of_the_source_document_are_there() -> None:
    assert sorted(map(parameter_name, CourseKey.model_fields)) == [
        "COURSEKEY_API_NAME",
        "COURSEKEY_AUTO_QUEUE_ITEMS",
        "COURSEKEY_AWARDED_TIME_ATTENDANCE_NAMES",
        "COURSEKEY_AWARDED_TIME_MINUTES",
        "COURSEKEY_BASE_URL",
        "COURSEKEY_COURSE_ADMINS",
        "COURSEKEY_COURSE_DAYS_ACTIVE_BEF_BEGIN",
        "COURSEKEY_COURSE_NAME_FORMAT",
        "COURSEKEY_COURSE_OWNER",
        "COURSEKEY_COURSE_TITLE_FORMAT",
        "COURSEKEY_CUTOVER_SEMESTER",
        "COURSEKEY_EMAIL",
        "COURSEKEY_ENROLLMENT_DAYS_ACTIVE_AFT_END",
        "COURSEKEY_ENROLLMENT_DAYS_ACTIVE_BEF_BEGIN",
        "COURSEKEY_EXPORT_BASE_URL",
        "COURSEKEY_EXPORT_TIME_ATTENDED_DAYS_PRIOR",
        "COURSEKEY_INSTRUCTOR_ADD_ONLY",
        "COURSEKEY_NO_ATTENDANCE_SESSION_SYNC",
        "COURSEKEY_REMOVE_FROM_QUEUE_DAYS",
        "COURSEKEY_SEND_EMAIL_TO_NEW_USER",
        "COURSEKEY_SET_USER_PASSWORD",
        "COURSEKEY_TIMEZONE",
        "COURSEKEY_USE_LMS_EXCLUDE_FLAG",
    ]


FLAGS = [
    "AUTO_QUEUE_ITEMS",
    "INSTRUCTOR_ADD_ONLY",
    "SEND_EMAIL_TO_NEW_USER",
    "SET_USER_PASSWORD",
    "USE_LMS_EXCLUDE_FLAG",
]


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize(
    ("written", "meant"),
    [("Y", True), (" y ", True), (True, True), ("N", False), ("n", False), (False, False), ("", False), (" ", False)],
)
def test_a_flag_is_y_or_n_in_any_case_and_empty_is_n(flag: str, written: object, meant: bool) -> None:
    assert getattr(college(**{flag: written}).coursekey, flag.lower()) is meant


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("written", ["yes", "1", 1, "J"])
def test_nothing_else_is_a_flag(flag: str, written: object) -> None:
    assert problems(**{flag: written}) == told(flag, "must be Y or N")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Flexible Lab|Blended Capstone", ("Flexible Lab", "Blended Capstone")),
        (" Flexible Lab | Blended Capstone |", ("Flexible Lab", "Blended Capstone")),
        ("Flexible Lab||Flexible Lab", ("Flexible Lab",)),
        (["Flexible Lab"], ("Flexible Lab",)),
        ("", ()),
        ("|", ()),
    ],
)
@pytest.mark.parametrize("name", ["NO_ATTENDANCE_SESSION_SYNC", "AWARDED_TIME_ATTENDANCE_NAMES"])
def test_a_list_is_divided_by_pipes_and_blanks_and_empty_items_do_not_count(
    name: str, written: object, meant: tuple[str, ...]
) -> None:
    ours = college(**{name: written, "AWARDED_TIME_MINUTES": 3600}).coursekey

    assert getattr(ours, name.lower()) == meant


def test_admins_are_campus_cafe_ids_each_once() -> None:
    assert college(COURSE_ADMINS="1001| 1002|1001").coursekey.course_admins == ("1001", "1002")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("api.thecoursekey.com", "https://api.thecoursekey.com"),
        ("https://api.thecoursekey.com", "https://api.thecoursekey.com"),
        (" https://API.TheCourseKey.com/ ", "https://api.thecoursekey.com"),
        ("api.thecoursekey.com:8443", "https://api.thecoursekey.com:8443"),
        ("https://api.thecoursekey.com/v2/", "https://api.thecoursekey.com/v2"),
        ("http://localhost:8900/coursekey", "http://localhost:8900/coursekey"),
        ("http://127.0.0.1:8900/coursekey", "http://127.0.0.1:8900/coursekey"),
    ],
)
def test_an_address_is_taken_with_and_without_scheme_and_made_one(written: str, meant: str) -> None:
    ours = college(BASE_URL=written, EXPORT_BASE_URL=None).coursekey

    assert (ours.base_url, ours.export_base_url) == (meant, None)


@pytest.mark.parametrize("written", ["http://api.thecoursekey.com", "http://localhost.evil.example", "ftp://localhost"])
@pytest.mark.parametrize("name", ["BASE_URL", "EXPORT_BASE_URL"])
def test_an_auth_key_never_goes_over_plain_http_but_to_ones_own_machine(name: str, written: str) -> None:
    assert problems(**{name: written}) == told(name, "must be https: the auth key goes over it")


@pytest.mark.parametrize(
    "written", ["https://user@api.thecoursekey.com", "api.thecoursekey.com?x=1", "api the key.com", "https://", "a#b"]
)
def test_what_is_no_address_is_refused(written: str) -> None:
    [problem] = problems(BASE_URL=written)

    assert problem == told("BASE_URL", "must be a host name or an https address, without user, query or fragment")[0]


def test_a_port_that_is_none_is_refused() -> None:
    assert problems(BASE_URL="api.thecoursekey.com:port") == told("BASE_URL", "has no such port")


@pytest.mark.parametrize(
    ("base", "export", "is_good"),
    [
        ("api.thecoursekey.com", "services.thecoursekey.com", True),
        ("staging.thecoursekey.com", "services-dev.thecoursekey.com", True),
        ("api.thecoursekey.com", "services-dev.thecoursekey.com", False),
        ("https://staging.thecoursekey.com/", "https://SERVICES.thecoursekey.com", False),
        ("http://localhost:8900", "services.thecoursekey.com", True),
    ],
)
def test_test_and_production_are_not_mixed_and_simulators_do_not_count(base: str, export: str, is_good: bool) -> None:
    refused = told("EXPORT_BASE_URL", "is of another environment (test, production) than COURSEKEY_BASE_URL")

    assert problems(BASE_URL=base, EXPORT_BASE_URL=export) == ([] if is_good else refused)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("20210", "'20210' is no semester code of six digits, like 202110"),
        ("Fall 2021", "'Fall 2021' is no semester code of six digits, like 202110"),
        ("999999", "999999 is the catalog semester, in which nothing is taught"),
    ],
)
def test_a_cutover_semester_has_six_digits_and_is_not_the_catalog(written: str, sentence: str) -> None:
    assert problems(CUTOVER_SEMESTER=written) == told("CUTOVER_SEMESTER", sentence)


@pytest.mark.parametrize("written", ["202110", 202110, " 202110 "])
def test_a_cutover_semester_may_be_written_as_a_number(written: object) -> None:
    assert college(CUTOVER_SEMESTER=written).coursekey.cutover_semester == "202110"


def test_addresses_of_mail_are_divided_by_commas() -> None:
    ours = college(EMAIL="lms@college.example, registrar@college.example,").coursekey

    assert ours.email == ("lms@college.example", "registrar@college.example")


def test_one_invalid_address_is_told_and_without_any_nobody_would_read() -> None:
    assert problems(EMAIL="lms@college.example, registrar") == ["coursekey.COURSEKEY_EMAIL.1: is no e-mail address"]
    assert problems(EMAIL=" , ") == told("EMAIL", "must not be empty")
    assert problems(EMAIL="") == told("EMAIL", "is missing")


@pytest.mark.parametrize("name", ["BASE_URL", "COURSE_OWNER", "CUTOVER_SEMESTER", "EMAIL", "TIMEZONE"])
@pytest.mark.parametrize("written", [None, "", "  "])
def test_what_is_needed_is_missing_when_it_is_empty(name: str, written: str | None) -> None:
    assert problems(**{name: written}) == told(name, "is missing")


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("COURSE_DAYS_ACTIVE_BEF_BEGIN", 0),
        ("ENROLLMENT_DAYS_ACTIVE_BEF_BEGIN", 0),
        ("ENROLLMENT_DAYS_ACTIVE_AFT_END", 0),
        ("EXPORT_TIME_ATTENDED_DAYS_PRIOR", 1),
        ("REMOVE_FROM_QUEUE_DAYS", 0),
    ],
)
def test_days_are_whole_numbers_and_not_too_few(name: str, least: int) -> None:
    assert getattr(college(**{name: f" {least} "}).coursekey, name.lower()) == least
    assert problems(**{name: least - 1}) == told(name, f"must not be less than {least}")
    assert problems(**{name: "1.5"}) == told(name, "must be a whole number")


@pytest.mark.parametrize(
    ("name", "default"),
    [("COURSE_DAYS_ACTIVE_BEF_BEGIN", 21), ("EXPORT_TIME_ATTENDED_DAYS_PRIOR", 7), ("AWARDED_TIME_MINUTES", None)],
)
def test_a_number_left_empty_is_as_if_it_were_not_there(name: str, default: int | None) -> None:
    assert getattr(college(**{name: ""}).coursekey, name.lower()) == default


@pytest.mark.parametrize("written", ["", " ", None])
def test_a_connector_without_a_name_has_no_queue(written: str | None) -> None:
    raw = raw_college()
    raw["coursekey"]["COURSEKEY_API_NAME"] = written

    assert college_problems(raw) == told("API_NAME", "must not be empty")


@pytest.mark.parametrize("written", ["", 0])
def test_an_empty_retention_keeps_everything(written: object) -> None:
    assert college(REMOVE_FROM_QUEUE_DAYS=written).coursekey.remove_from_queue_days == 0


@pytest.mark.parametrize(
    ("value", "unit", "seconds"),
    [
        (3600, None, 3600),
        (300, None, 300),
        (86400, None, 86400),
        (60, "minutes", 3600),
        (60, "seconds", 60),
        (90000, "seconds", 90000),
        (61, "seconds", 61),
        (1, "minutes", 60),
    ],
)
def test_awarded_time_is_seconds_unless_its_unit_says_minutes(value: int, unit: str | None, seconds: int) -> None:
    from rosterflow.domain.coursekey.formats import awarded_seconds_of

    ours = college(AWARDED_TIME_ATTENDANCE_NAMES="Flexible Lab", AWARDED_TIME_MINUTES=value, awarded_time_unit=unit)

    assert awarded_seconds_of(ours, "Flexible Lab") == seconds
    assert awarded_seconds_of(ours, "Lecture") is None


@pytest.mark.parametrize("value", [60, "299", 301, 86401, 86460])
def test_an_awarded_time_that_may_be_minutes_needs_its_unit(value: object) -> None:
    assert problems(AWARDED_TIME_ATTENDANCE_NAMES="Flexible Lab", AWARDED_TIME_MINUTES=value) == told(
        "AWARDED_TIME_MINUTES",
        f"{value} seconds is unlikely (it takes 300 to 86400, in whole minutes); "
        "say what it is with awarded_time_unit: seconds or minutes",
    )


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (0, "must be more than 0"),
        (-60, "must be more than 0"),
        ("60.5", "must be a whole number"),
        ("", "is missing, though COURSEKEY_AWARDED_TIME_ATTENDANCE_NAMES has names"),
    ],
)
def test_an_awarded_time_that_is_none_is_refused(value: object, sentence: str) -> None:
    found = problems(AWARDED_TIME_ATTENDANCE_NAMES="Flexible Lab", AWARDED_TIME_MINUTES=value)

    assert found == told("AWARDED_TIME_MINUTES", sentence)


@pytest.mark.parametrize("name", ["COURSE_NAME_FORMAT", "COURSE_TITLE_FORMAT"])
def test_a_format_with_a_variable_that_is_none_is_refused(name: str) -> None:
    assert problems(**{name: "@COURSE_TITLE@ @TERM@ {x} @COURSE@ @TERM@"}) == told(
        name, "knows no variable @TERM@, @COURSE@"
    )


@pytest.mark.parametrize("name", ["us/eastern", "US/Easter", "EST5", "../etc/passwd"])
def test_a_zone_is_taken_as_written_or_not_at_all(name: str) -> None:
    assert problems(TIMEZONE=name) == told("TIMEZONE", f"no time zone is called {name!r}; write one like Europe/Oslo")


def test_without_zone_data_nothing_becomes_utc_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ["tzdata", *(name for name in sys.modules if name.startswith("tzdata."))]:
        monkeypatch.setitem(sys.modules, name, None)
    paths = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(())
    zoneinfo.ZoneInfo.clear_cache()
    try:
        found = problems()
    finally:
        zoneinfo.reset_tzpath(paths)
        zoneinfo.ZoneInfo.clear_cache()

    assert found[0] == "coursekey.COURSEKEY_TIMEZONE: no time zone is called 'US/Eastern'; write one like Europe/Oslo"


def test_every_problem_is_told_at_once_and_none_hides_another() -> None:
    raw = raw_college(TIMEZONE="us/eastern", NO_ATTENDANCE_SESSION_SYNC="flexible lab", TYPO="x", BASE_URL=None)
    raw["rccono"].pop("WEST")
    raw["crskeyauth"][0]["alias"] = "first"

    assert college_problems(raw) == [
        "coursekey.COURSEKEY_BASE_URL: is missing",
        "coursekey.COURSEKEY_TIMEZONE: no time zone is called 'us/eastern'; write one like Europe/Oslo",
        "coursekey.COURSEKEY_TYPO: no such setting",
        "crskeyauth.0.alias: 'first' is no pair of CRSKEYAUTH; write its sequence and its number there, like 1-1",
        "crskeyauth: site 'WEST' is not in RCCONO",
        (
            "coursekey.COURSEKEY_NO_ATTENDANCE_SESSION_SYNC: 'flexible lab' is no attendance name of RGENCD; "
            "did you mean 'Flexible Lab'?"
        ),
    ]


def test_settings_that_fit_have_no_problems_and_cannot_be_changed() -> None:
    ours = college()

    assert isinstance(ours, College)
    with pytest.raises(ValueError, match="frozen"):
        ours.batch = 7  # type: ignore[misc]  # that is the test
