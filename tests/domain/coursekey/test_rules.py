"""The rules of the queue, each by its parameter; days are those of the worked reading (reference coursekey §4.1)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from rosterflow.domain.coursekey.campus import Record, Standing
from rosterflow.domain.coursekey.queue import Entity, EntryKind, EntryState, Intent, Verdict
from rosterflow.domain.coursekey.rules import RULES, verdict
from tests.conftest import REPOSITORY
from tests.domain.coursekey.builders import (
    FALL,
    KEY,
    REGISTERED,
    REGISTRAR,
    SECTION,
    STUDENT,
    TEACHER,
    TEACHING,
    Known,
    changed,
    college,
)

BEFORE, OPEN, AFTER = date(2026, 2, 10), date(2026, 3, 20), date(2026, 5, 21)
"""Before the windows, inside them, and the first day after them."""

WINDOWS = {"ENROLLMENT_DAYS_ACTIVE_AFT_END": 5}
USER = Entity(EntryKind.USER, person="2001", site="MAIN")
COURSE = Entity(EntryKind.COURSE, *KEY)
SESSIONS = Entity(EntryKind.SESSIONS, *KEY)
STAFF = Entity(EntryKind.STAFF, *KEY, person="1002")
ENROLLMENT = Entity(EntryKind.ENROLLMENT, *KEY, person="2001")
OF_A_SECTION = (COURSE, SESSIONS, STAFF, ENROLLMENT)
EVERYTHING = (FALL, SECTION, STUDENT, TEACHER, REGISTRAR, REGISTERED, TEACHING)


def said(
    entity: Entity,
    *instead: Record,
    without: Record | None = None,
    intent: Intent = Intent.UPSERT,
    today: date = OPEN,
    forced: bool = False,
    is_there: bool = False,
    **settings: Any,
) -> Verdict:
    """The verdict at a college that knows everything, but these records in their places."""
    records = [one for one in EVERYTHING if one is not without]
    return verdict(
        entity,
        intent,
        college(**WINDOWS | settings),
        Known(*records, *instead),
        today,
        forced=forced,
        is_there=is_there,
    )


def state_and_rule(*args: Any, **kwargs: Any) -> tuple[EntryState, str]:
    found = said(*args, **kwargs)
    return found.state, found.rule


SKIPPED, FAILED, DEFERRED, PENDING = EntryState.SKIPPED, EntryState.FAILED, EntryState.DEFERRED, EntryState.PENDING


@pytest.mark.parametrize("entity", [USER, *OF_A_SECTION])
def test_what_is_complete_and_in_its_window_is_sent(entity: Entity) -> None:
    assert said(entity) == Verdict(PENDING, "due", "It is to be sent.")


# -- semesters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [EntryKind.COURSE, EntryKind.SESSIONS, EntryKind.STAFF, EntryKind.ENROLLMENT])
@pytest.mark.parametrize(
    ("semester", "expected"),
    [
        ("202010", (SKIPPED, "cutover")),
        ("202110", (PENDING, "due")),
        ("202120", (PENDING, "due")),
        ("999999", (SKIPPED, "catalog")),
        ("20210", (FAILED, "semester-code")),
        ("2021/1", (FAILED, "semester-code")),
    ],
)
def test_a_semester_counts_from_the_cutover_on_and_the_catalog_never(
    kind: EntryKind, semester: str, expected: tuple[EntryState, str]
) -> None:
    entity = Entity(kind, semester, "MTH101", "4", person={"staff": "1002", "enrollment": "2001"}.get(kind, ""))
    records = [changed(one, semester=semester) for one in (SECTION, REGISTERED, TEACHING)]

    assert state_and_rule(entity, *records, CUTOVER_SEMESTER="202110") == expected


def test_a_drop_before_the_cutover_is_not_sent_either() -> None:
    dropped = changed(REGISTERED, standing=Standing.DROPPED)

    found = state_and_rule(ENROLLMENT, dropped, intent=Intent.REMOVE, CUTOVER_SEMESTER="202620")

    assert found == (SKIPPED, "cutover")


# -- sections ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entity", OF_A_SECTION)
def test_nothing_is_sent_of_a_section_that_campus_cafe_does_not_have(entity: Entity) -> None:
    assert state_and_rule(entity, without=SECTION) == (SKIPPED, "section-unknown")


@pytest.mark.parametrize("entity", OF_A_SECTION)
@pytest.mark.parametrize(("flag", "expected"), [("Y", (SKIPPED, "excluded")), ("N", (PENDING, "due"))])
def test_a_section_that_is_excluded_from_the_lms_is_left_out_when_the_flag_counts(
    entity: Entity, flag: str, expected: tuple[EntryState, str]
) -> None:
    excluded = changed(SECTION, is_excluded=True)

    assert state_and_rule(entity, excluded, USE_LMS_EXCLUDE_FLAG=flag) == expected


def test_ticking_the_flag_after_creation_removes_nothing() -> None:
    excluded = changed(SECTION, is_excluded=True)
    dropped = changed(REGISTERED, standing=Standing.DROPPED)

    assert state_and_rule(COURSE, excluded, is_there=True) == (SKIPPED, "excluded")
    assert state_and_rule(ENROLLMENT, excluded, dropped, intent=Intent.REMOVE) == (SKIPPED, "excluded")


@pytest.mark.parametrize("entity", OF_A_SECTION)
def test_a_cancelled_section_is_not_set_up(entity: Entity) -> None:
    assert state_and_rule(entity, changed(SECTION, is_cancelled=True)) == (SKIPPED, "cancelled")


def test_who_drops_a_cancelled_section_is_dropped() -> None:
    dropped = changed(REGISTERED, standing=Standing.DROPPED)

    found = state_and_rule(ENROLLMENT, changed(SECTION, is_cancelled=True), dropped, intent=Intent.REMOVE)

    assert found == (PENDING, "due")


@pytest.mark.parametrize("entity", OF_A_SECTION)
@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("", (FAILED, "site-missing")),
        ("NOWHERE", (FAILED, "site-without-school")),
        ("AWAY", (SKIPPED, "site-not-integrated")),
        ("WEST", (PENDING, "due")),
    ],
)
def test_a_site_leads_to_a_school_or_is_listed_as_not_integrated(
    entity: Entity, site: str, expected: tuple[EntryState, str]
) -> None:
    assert state_and_rule(entity, changed(SECTION, site=site)) == expected


def test_a_site_without_school_is_told_with_its_remedy() -> None:
    assert said(COURSE, changed(SECTION, site="NOWHERE")) == Verdict(
        FAILED,
        "site-without-school",
        "The site NOWHERE has no CourseKey school; add a pair to CRSKEYAUTH, or the site to not_integrated_sites.",
        facts=(("site", "NOWHERE"),),
    )


@pytest.mark.parametrize("entity", OF_A_SECTION)
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("", (FAILED, "attendance-name-missing")),
        ("XYZ", (FAILED, "attendance-name-unknown")),
        ("OLD", (FAILED, "attendance-name-unknown")),
        ("FLX", (PENDING, "due")),
    ],
)
def test_every_section_has_an_attendance_name_by_enrollment_code_4(
    entity: Entity, code: str, expected: tuple[EntryState, str]
) -> None:
    assert state_and_rule(entity, changed(SECTION, attendance_code=code)) == expected


@pytest.mark.parametrize(
    ("code", "hours", "expected"),
    [
        ("BLC", Decimal("15"), (PENDING, "due")),
        ("BLC", Decimal("0.5"), (PENDING, "due")),
        ("BLC", Decimal("0"), (FAILED, "lab-hours-missing")),
        ("BLC", None, (FAILED, "lab-hours-missing")),
        ("LEC", None, (PENDING, "due")),
    ],
)
def test_a_course_with_awarded_time_has_asynchronous_hours(
    code: str, hours: Decimal | None, expected: tuple[EntryState, str]
) -> None:
    section = changed(SECTION, attendance_code=code, contact_hours=Decimal(30), lab_hours=hours)
    awarded = {"AWARDED_TIME_ATTENDANCE_NAMES": "Blended Capstone", "AWARDED_TIME_MINUTES": 3600}

    assert state_and_rule(COURSE, section, **awarded) == expected


@pytest.mark.parametrize("entity", OF_A_SECTION)
@pytest.mark.parametrize(
    ("instead", "expected"),
    [
        ({"weekdays": ("Monday", "Mittwoch")}, (FAILED, "weekday-unknown")),
        ({"weekdays": ("Monday",), "starts": None, "ends": None}, (FAILED, "times-missing")),
        ({"weekdays": (), "starts": time(9), "ends": None}, (FAILED, "times-missing")),
        ({"weekdays": (), "starts": None, "ends": None}, (PENDING, "due")),
        ({"weekdays": ("Monday",), "starts": time(22), "ends": time(6)}, (PENDING, "due")),
    ],
)
def test_a_section_has_days_of_the_week_with_their_times_or_neither(
    entity: Entity, instead: dict[str, Any], expected: tuple[EntryState, str]
) -> None:
    assert state_and_rule(entity, changed(SECTION, **instead)) == expected


@pytest.mark.parametrize(("code", "expected"), [("FLX", (SKIPPED, "no-session-sync")), ("LEC", (PENDING, "due"))])
def test_sessions_of_a_flexible_schedule_are_not_sent_and_its_course_is(
    code: str, expected: tuple[EntryState, str]
) -> None:
    section = changed(SECTION, attendance_code=code)
    setting = {"NO_ATTENDANCE_SESSION_SYNC": "Flexible Lab"}

    assert state_and_rule(SESSIONS, section, **setting) == expected
    assert state_and_rule(COURSE, section, **setting) == (PENDING, "due")


@pytest.mark.parametrize(
    ("dates", "rule"),
    [
        ({"first": None}, "dates-missing"),
        ({"last": None}, "dates-missing"),
        ({"first": date(2026, 5, 16)}, "dates-reversed"),
    ],
)
def test_a_section_without_its_dates_fails(dates: dict[str, Any], rule: str) -> None:
    assert state_and_rule(COURSE, changed(SECTION, **dates)) == (FAILED, rule)


def test_a_name_or_title_that_would_be_empty_fails() -> None:
    assert state_and_rule(COURSE, changed(SECTION, title=" ")) == (FAILED, "name-empty")


def test_a_description_that_is_shown_must_be_there() -> None:
    setting = {"COURSE_NAME_FORMAT": "@COURSE_NUMBER@ in @SEMESTER_DESCRIPTION@"}

    assert state_and_rule(COURSE, without=FALL, **setting) == (FAILED, "semester-unknown")
    assert state_and_rule(COURSE, changed(FALL, description=""), **setting) == (FAILED, "semester-unknown")
    assert state_and_rule(COURSE, without=FALL) == (PENDING, "due")


# -- windows -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entity", "opens", "closes"),
    [
        (COURSE, date(2026, 2, 23), date(2026, 5, 20)),
        (SESSIONS, date(2026, 2, 23), date(2026, 5, 20)),
        (STAFF, date(2026, 2, 23), date(2026, 5, 20)),
        (ENROLLMENT, date(2026, 3, 2), date(2026, 5, 20)),
    ],
)
def test_what_comes_early_waits_for_the_first_day_of_its_window_and_ends_after_the_last(
    entity: Entity, opens: date, closes: date
) -> None:
    day_before, day_after = date.fromordinal(opens.toordinal() - 1), date.fromordinal(closes.toordinal() + 1)

    assert said(entity, today=day_before) == Verdict(
        DEFERRED, "before-window", f"It waits until its window opens on {opens}.", opens_on=opens
    )
    assert state_and_rule(entity, today=opens) == (PENDING, "due")
    assert state_and_rule(entity, today=closes) == (PENDING, "due")
    assert state_and_rule(entity, today=day_after) == (SKIPPED, "after-window")


def test_without_auto_queue_what_comes_early_is_left_out_until_queued_by_hand() -> None:
    assert said(ENROLLMENT, today=BEFORE, AUTO_QUEUE_ITEMS="N") == Verdict(
        SKIPPED,
        "before-window",
        "It came before its window opened on 2026-03-02; queue it by hand to send it.",
        facts=(("window opens", "2026-03-02"), ("COURSEKEY_AUTO_QUEUE_ITEMS", "N")),
    )
    assert said(ENROLLMENT, today=BEFORE, AUTO_QUEUE_ITEMS="N", forced=True) == Verdict(
        PENDING, "asked-for", "Asked for by a person; its window opens on 2026-03-02."
    )


@pytest.mark.parametrize("entity", OF_A_SECTION)
@pytest.mark.parametrize("flag", ["Y", "N"])
def test_what_a_person_asks_for_does_not_wait_for_its_window(entity: Entity, flag: str) -> None:
    assert state_and_rule(entity, today=BEFORE, forced=True, AUTO_QUEUE_ITEMS=flag) == (PENDING, "asked-for")


@pytest.mark.parametrize(
    ("registered", "sent_with_n"),
    [
        (datetime(2026, 3, 2, 4, 59, tzinfo=UTC), False),  # 23:59 on the day before, in New York
        (datetime(2026, 3, 2, 5, 0, tzinfo=UTC), True),  # midnight
        (datetime(2026, 3, 5, tzinfo=UTC), True),
        (None, True),
    ],
)
def test_without_auto_queue_it_counts_on_which_day_in_the_zone_the_student_registered(
    registered: datetime | None, sent_with_n: bool
) -> None:
    registration = changed(REGISTERED, registered_at=registered)
    expected = (PENDING, "due") if sent_with_n else (SKIPPED, "before-window")

    assert state_and_rule(ENROLLMENT, registration, AUTO_QUEUE_ITEMS="N") == expected
    assert state_and_rule(ENROLLMENT, registration, AUTO_QUEUE_ITEMS="Y") == (PENDING, "due")
    assert state_and_rule(ENROLLMENT, registration, AUTO_QUEUE_ITEMS="N", forced=True) == (PENDING, "due")


@pytest.mark.parametrize("flag", ["Y", "N"])
@pytest.mark.parametrize("entity", OF_A_SECTION)
def test_what_coursekey_has_is_kept_up_to_date_though_the_begin_date_moved_away(entity: Entity, flag: str) -> None:
    moved = changed(SECTION, first=date(2026, 8, 24), last=date(2026, 12, 11))

    assert state_and_rule(entity, moved, is_there=True, AUTO_QUEUE_ITEMS=flag) == (PENDING, "due")


def test_an_end_date_that_is_moved_opens_the_window_again() -> None:
    extended = changed(SECTION, last=date(2026, 6, 30))

    assert state_and_rule(ENROLLMENT, today=AFTER) == (SKIPPED, "after-window")
    assert state_and_rule(ENROLLMENT, extended, today=AFTER) == (PENDING, "due")


@pytest.mark.parametrize("entity", OF_A_SECTION)
def test_nobody_can_ask_for_what_is_over(entity: Entity) -> None:
    assert state_and_rule(entity, today=AFTER, forced=True) == (SKIPPED, "after-window")


def test_with_zero_days_the_end_date_is_the_last_day() -> None:
    days = [date(2026, 5, 15), date(2026, 5, 16)]

    found = [state_and_rule(ENROLLMENT, today=day, ENROLLMENT_DAYS_ACTIVE_AFT_END=0) for day in days]

    assert found == [(PENDING, "due"), (SKIPPED, "after-window")]


@pytest.mark.parametrize(
    ("broken", "rule"), [({"site": ""}, "site-missing"), ({"attendance_code": ""}, "attendance-name-missing")]
)
def test_what_is_to_be_mended_is_nobodys_trouble_before_its_time_and_after_it(
    broken: dict[str, str], rule: str
) -> None:
    section = changed(SECTION, **broken)

    found = [state_and_rule(ENROLLMENT, section, today=day) for day in (BEFORE, OPEN, AFTER)]

    assert found == [(DEFERRED, "before-window"), (FAILED, rule), (SKIPPED, "after-window")]


# -- students ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("standing", "added", "removed"),
    [
        (Standing.REGISTERED, (PENDING, "due"), (SKIPPED, "registered-again")),
        (Standing.WAITLISTED, (SKIPPED, "wait-listed"), (PENDING, "due")),
        (Standing.DROPPED, (SKIPPED, "dropped"), (PENDING, "due")),
    ],
)
def test_who_is_registered_is_enrolled_and_who_is_not_is_dropped(
    standing: Standing, added: tuple[EntryState, str], removed: tuple[EntryState, str]
) -> None:
    registration = changed(REGISTERED, standing=standing)

    assert state_and_rule(ENROLLMENT, registration) == added
    assert state_and_rule(ENROLLMENT, registration, intent=Intent.REMOVE) == removed


def test_a_registration_that_is_gone_is_dropped_and_not_enrolled() -> None:
    assert state_and_rule(ENROLLMENT, without=REGISTERED) == (SKIPPED, "not-registered")
    assert state_and_rule(ENROLLMENT, without=REGISTERED, intent=Intent.REMOVE) == (PENDING, "due")


def test_a_drop_goes_through_before_the_window_and_not_after_it() -> None:
    dropped = changed(REGISTERED, standing=Standing.DROPPED)

    found = [state_and_rule(ENROLLMENT, dropped, intent=Intent.REMOVE, today=day) for day in (BEFORE, AFTER)]

    assert found == [(PENDING, "due"), (SKIPPED, "after-window")]


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"email": ""}, "email-missing"),
        ({"email": "ada@students.example (home)"}, "email-invalid"),
        ({"email": "ada"}, "email-invalid"),
        ({"first_name": " "}, "name-missing"),
        ({"last_name": ""}, "name-missing"),
    ],
)
@pytest.mark.parametrize("entity", [USER, ENROLLMENT])
def test_an_account_needs_names_and_an_email_that_is_one(entity: Entity, fields: dict[str, str], rule: str) -> None:
    assert state_and_rule(entity, changed(STUDENT, **fields)) == (FAILED, rule)


def test_a_person_that_campus_cafe_does_not_know_fails() -> None:
    assert state_and_rule(ENROLLMENT, without=STUDENT) == (FAILED, "person-unknown")


def test_no_reason_and_no_fact_names_a_person() -> None:
    incomplete = [changed(STUDENT, **fields) for fields in ({"email": "ada at home"}, {"last_name": ""})]

    told = str([said(entity, person) for entity in (USER, ENROLLMENT) for person in incomplete])

    assert not re.search("ada|Ada|Invented|students", told)


# -- users -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("", (PENDING, "due")),
        ("AWAY", (SKIPPED, "site-not-integrated")),
        ("NOWHERE", (FAILED, "site-without-school")),
    ],
)
def test_a_user_is_wanted_at_the_school_of_a_site(site: str, expected: tuple[EntryState, str]) -> None:
    assert state_and_rule(changed(USER, site=site)) == expected


@pytest.mark.parametrize(
    ("entity", "rule"), [(USER, "users-stay"), (COURSE, "courses-stay"), (SESSIONS, "courses-stay")]
)
def test_users_and_courses_are_never_removed(entity: Entity, rule: str) -> None:
    assert state_and_rule(entity, intent=Intent.REMOVE) == (SKIPPED, rule)


# -- staff -------------------------------------------------------------------------------------------------------------

REMOVED = changed(TEACHING, is_removed=True)


@pytest.mark.parametrize(("flag", "expected"), [("Y", (SKIPPED, "add-only")), ("N", (PENDING, "due"))])
def test_instructors_are_removed_only_when_the_setting_lets_them(flag: str, expected: tuple[EntryState, str]) -> None:
    assert state_and_rule(STAFF, REMOVED, intent=Intent.REMOVE, INSTRUCTOR_ADD_ONLY=flag) == expected
    assert state_and_rule(STAFF, without=TEACHING, intent=Intent.REMOVE, INSTRUCTOR_ADD_ONLY=flag) == expected


def test_an_instructor_who_is_back_is_not_removed_and_one_who_left_is_not_added() -> None:
    assert state_and_rule(STAFF, intent=Intent.REMOVE, INSTRUCTOR_ADD_ONLY="N") == (SKIPPED, "teaches-again")
    assert state_and_rule(STAFF, REMOVED) == (SKIPPED, "not-staff")
    assert state_and_rule(STAFF, without=TEACHING) == (SKIPPED, "not-staff")


def test_the_worked_reading_of_admins() -> None:
    settings = {"COURSE_ADMINS": "1001|1002", "COURSE_OWNER": "owner@college.example", "INSTRUCTOR_ADD_ONLY": "N"}
    admin = changed(STAFF, person="1001")

    added = [state_and_rule(entity, **settings) for entity in (admin, STAFF)]
    removed = state_and_rule(STAFF, REMOVED, intent=Intent.REMOVE, **settings)

    assert added == [(PENDING, "due"), (PENDING, "due")]
    assert removed == (SKIPPED, "admin-by-setting")


@pytest.mark.parametrize("intent", Intent)
def test_the_owner_is_neither_added_nor_removed_though_they_teach(intent: Intent) -> None:
    owner = changed(TEACHER, email="Registrar@College.example")

    assert state_and_rule(STAFF, owner, intent=intent, INSTRUCTOR_ADD_ONLY="N") == (SKIPPED, "owner")


@pytest.mark.parametrize("standing", [Standing.REGISTERED, Standing.WAITLISTED])
@pytest.mark.parametrize("settings", [{}, {"COURSE_ADMINS": "1002"}])
@pytest.mark.parametrize("forced", [True, False])
def test_a_student_of_a_section_never_becomes_its_staff_whatever_the_input(
    standing: Standing, settings: dict[str, str], forced: bool
) -> None:
    registration = changed(REGISTERED, person="1002", standing=standing)

    found = state_and_rule(STAFF, registration, forced=forced, is_there=forced, **settings)

    assert found == (FAILED, "student-not-admin")


def test_who_dropped_a_section_may_teach_it() -> None:
    registration = changed(REGISTERED, person="1002", standing=Standing.DROPPED)

    assert state_and_rule(STAFF, registration) == (PENDING, "due")


def test_one_admin_without_email_fails_alone() -> None:
    settings = {"COURSE_ADMINS": "1001|1002|9999", "COURSE_OWNER": "owner@college.example"}
    without_email = changed(REGISTRAR, email="")

    found = {
        person: state_and_rule(changed(STAFF, person=person), without_email, **settings)
        for person in ("1001", "1002", "9999")
    }

    assert found == {
        "1001": (FAILED, "email-missing"),
        "1002": (PENDING, "due"),
        "9999": (FAILED, "person-unknown"),
    }


# -- the list of them --------------------------------------------------------------------------------------------------


def test_the_documentation_lists_every_rule_and_no_other() -> None:
    source = (REPOSITORY / "plugins/rosterflow/domain/coursekey/rules.py").read_text(encoding="utf-8")
    documented = (REPOSITORY / "docs/coursekey-rules.md").read_text(encoding="utf-8")

    said_in_code = set(re.findall(r'(?:skip|fail)\(\s*"([a-z-]+)"|PENDING, "([a-z-]+)"|DEFERRED, "([a-z-]+)"', source))

    ids = {next(filter(None, found)) for found in said_in_code}
    assert set(re.findall(r"^\| `([a-z-]+)` \|", documented, flags=re.MULTILINE)) == ids


def test_there_are_rules_for_every_kind_and_intent() -> None:
    assert set(RULES) == {(kind, intent) for kind in EntryKind for intent in Intent}
