"""enrollments.csv, reference/canvas.md §5.9 and §11."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.canvas import people
from sandbox.canvas.objects import UI, CourseState, Enrollment, EnrollmentState, Role, Section
from sandbox.canvas.state import Canvas
from tests.sandbox.sis_building import (
    SECTIONS,
    counts,
    course,
    csv_of,
    messages,
    new_canvas,
    run_csv,
    run_zip,
    section,
    warnings,
    with_course,
)

USERS = "user_id,login_id,full_name,status"
ENROLLMENTS = "course_id,section_id,user_id,role,status"
DATED = f"{ENROLLMENTS},start_date,end_date"


@pytest.fixture
def canvas() -> Canvas:
    canvas = new_canvas()
    with_course(canvas, "S1", "S2", "S3")
    run_csv(canvas, USERS, "U1,kari,Kari Konstruert,active", "U2,ola,Ola Oppdiktet,active")
    return canvas


def enrollments(canvas: Canvas, sis_user_id: str) -> list[Enrollment]:
    login = canvas.pseudonyms.by_sis_id(sis_user_id)
    assert login is not None
    return canvas.enrollments.where("user_id", login.user_id)


def enrollment(canvas: Canvas, sis_user_id: str = "U1") -> Enrollment:
    (found,) = enrollments(canvas, sis_user_id)
    return found


def roster(canvas: Canvas, sis_user_id: str = "U1") -> list[tuple[str | None, str, str]]:
    """Section, role and state of each enrollment of a user."""
    return [
        (canvas.sections[row.section_id].sis_id, canvas.roles[row.role_id].name, str(row.workflow_state))
        for row in enrollments(canvas, sis_user_id)
    ]


def custom_role(canvas: Canvas, name: str, base: str, account_id: int = 1) -> Role:
    values = {"name": name, "base_role_type": base, "account_id": account_id}
    return canvas.roles.add(canvas.new_record(Role, canvas.roles, values), UI)


def test_people_are_enrolled_and_counted(canvas: Canvas) -> None:
    batch = run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active", ",S2,U2,teacher,active", "K1,S2,U1,ta,inactive")

    assert roster(canvas) == [("S1", "StudentEnrollment", "active"), ("S2", "TaEnrollment", "inactive")]
    assert roster(canvas, "U2") == [("S2", "TeacherEnrollment", "active")]
    assert (counts(batch), batch.errors) == ({"enrollments": 3}, [])
    assert batch.data["statistics"]["Enrollment"] == {
        "created": 2,
        "restored": 0,
        "deleted": 0,
        "concluded": 0,
        "deactivated": 1,
    }
    assert batch.data["statistics"]["total_state_changes"] == 3


def test_the_same_row_again_changes_nothing_and_counts_again(canvas: Canvas) -> None:
    rows = ("K1,S1,U1,student,active", "K1,S1,U1,student,active")
    run_csv(canvas, ENROLLMENTS, *rows)

    batch = run_csv(canvas, ENROLLMENTS, *rows)

    assert roster(canvas) == [("S1", "StudentEnrollment", "active")]
    assert (counts(batch), batch.data["statistics"]["total_state_changes"]) == ({"enrollments": 2}, 0)
    assert enrollment(canvas).sis_batch_id == batch.id


def test_role_section_and_observed_user_make_another_enrollment(canvas: Canvas) -> None:
    header = f"{ENROLLMENTS},associated_user_id"
    run_csv(
        canvas,
        header,
        "K1,S1,U1,student,active,",
        "K1,S1,U1,teacher,active,",
        "K1,S2,U1,student,active,",
        "K1,S1,U1,observer,active,",
        "K1,S1,U1,observer,active,U2",
        "K1,S1,U1,student,active,U2",
    )

    observed = canvas.pseudonyms.by_sis_id("U2")
    assert observed is not None
    assert [(row.type, row.section_id, row.associated_user_id) for row in enrollments(canvas, "U1")] == [
        ("StudentEnrollment", section(canvas, "S1").id, None),
        ("TeacherEnrollment", section(canvas, "S1").id, None),
        ("StudentEnrollment", section(canvas, "S2").id, None),
        ("ObserverEnrollment", section(canvas, "S1").id, None),
        (
            "ObserverEnrollment",
            section(canvas, "S1").id,
            observed.user_id,
        ),
    ]


def test_a_course_without_a_section_takes_people_into_its_default_section(canvas: Canvas) -> None:
    run_csv(canvas, ENROLLMENTS, "K2,,U1,student,active", "K2,,U2,student,active")

    made = canvas.sections[enrollment(canvas).section_id]
    assert (made.name, made.default_section, made.course_id) == ("Kurs to", True, course(canvas, "K2").id)
    assert enrollment(canvas, "U2").section_id == made.id


def test_a_course_whose_section_is_cross_listed_enrolls_into_that_section(canvas: Canvas) -> None:
    run_csv(canvas, SECTIONS, "S9,K2,Gruppe ni,active")
    run_csv(canvas, "xlist_course_id,section_id,status", "K1,S9,active")

    run_csv(canvas, ENROLLMENTS, "K2,,U1,student,active", "K2,S9,U2,student,active", "K1,S9,U2,ta,active")

    assert enrollment(canvas).section_id == section(canvas, "S9").id
    assert enrollment(canvas).course_id == course(canvas, "K1").id
    assert roster(canvas, "U2") == [("S9", "StudentEnrollment", "active"), ("S9", "TaEnrollment", "active")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",,U1,student,active", "No course_id or section_id given for an enrollment"),
        ("K1,S1,,student,active", "No user_id given for an enrollment"),
        ("K1,S1,U1,student,enrolled", 'Improper status "enrolled" for an enrollment'),
        ("K1,S1,U1,student,concluded", 'Improper status "concluded" for an enrollment'),
        (
            "K1,S1,U9,student,active",
            "User not found for enrollment (User ID: U9, Course ID: K1, Section ID: S1)",
        ),
        (
            "K9,S9,U1,student,active",
            "Neither course nor section existed for user enrollment (Course ID: K9, Section ID: S9, User ID: U1)",
        ),
        (
            "K9,,U1,student,active",
            "Neither course nor section existed for user enrollment (Course ID: K9, Section ID: , User ID: U1)",
        ),
        ("K1,S9,U1,student,active", "An enrollment referenced a non-existent section S9"),
        ("K9,S1,U1,student,active", "An enrollment referenced a non-existent course K9"),
        (
            "K2,S1,U1,student,active",
            "An enrollment listed a section (S1) and a course (K2) that are unrelated for user (U1)",
        ),
        ("K1,S1,U1,cheater,active", 'Improper role "cheater" for an enrollment'),
        ("K1,S1,U1,AccountAdmin,active", 'Improper role "AccountAdmin" for an enrollment'),
        ("K1,S1,U1,,active", 'Improper role "" for an enrollment'),
    ],
)
def test_a_row_that_cannot_be_imported_is_refused_in_canvas_words(canvas: Canvas, row: str, message: str) -> None:
    batch = run_csv(canvas, ENROLLMENTS, row)

    assert (messages(batch), counts(batch)) == ([(2, message)], {"warning_count": 1})
    assert batch.workflow_state == "imported_with_messages"
    assert len(canvas.enrollments) == 3


def test_what_is_checked_at_reading_is_told_before_what_is_checked_at_import(canvas: Canvas) -> None:
    batch = run_csv(
        canvas,
        ENROLLMENTS,
        "K1,S1,U9,student,active",
        "K1,S1,,student,active",
        "K1,S1,U1,student,active",
        "K1,S1,U1,cheater,active",
        ",,U1,student,active",
    )

    assert [row for row, _ in messages(batch)] == [3, 6, 2, 5]
    assert counts(batch) == {"enrollments": 1, "warning_count": 4}


def test_an_observer_of_nobody_known_is_refused(canvas: Canvas) -> None:
    batch = run_csv(canvas, f"{ENROLLMENTS},associated_user_id", "K1,S1,U1,observer,active,U9")

    assert warnings(batch) == ["An enrollment referenced a non-existent associated user U9"]


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("student", "StudentEnrollment"),
        ("Students", "StudentEnrollment"),
        ("TEACHER", "TeacherEnrollment"),
        ("ta", "TaEnrollment"),
        ("Observer", "ObserverEnrollment"),
        ("designer", "DesignerEnrollment"),
        ("TeacherEnrollment", "TeacherEnrollment"),
        ("Veileder", "Veileder"),
        ("Fagperson", "Fagperson"),
    ],
)
def test_a_role_is_a_keyword_or_an_exact_name_in_the_course_s_accounts(canvas: Canvas, word: str, role: str) -> None:
    custom_role(canvas, "Veileder", "TaEnrollment")
    custom_role(canvas, "Fagperson", "TeacherEnrollment", account_id=2)
    canvas.update_course(course(canvas, "K1"), {"account_id": 2}, UI)

    run_csv(canvas, ENROLLMENTS, f"K1,S1,U1,{word},active")

    assert roster(canvas) == [("S1", role, "active")]


@pytest.mark.parametrize("word", ["veileder", "Fagperson", "Gjest"])
def test_a_role_of_other_case_of_a_sibling_account_or_inactive_is_improper(canvas: Canvas, word: str) -> None:
    custom_role(canvas, "Veileder", "TaEnrollment")
    custom_role(canvas, "Fagperson", "TeacherEnrollment", account_id=3)
    guest = custom_role(canvas, "Gjest", "StudentEnrollment")
    canvas.roles.change(guest, {"workflow_state": "inactive"}, UI)
    canvas.update_course(course(canvas, "K1"), {"account_id": 2}, UI)

    batch = run_csv(canvas, ENROLLMENTS, f"K1,S1,U1,{word},active")

    assert warnings(batch) == [f'Improper role "{word}" for an enrollment']


def test_a_role_id_comes_before_a_role(canvas: Canvas) -> None:
    guest = custom_role(canvas, "Gjest", "StudentEnrollment")

    run_csv(canvas, f"{ENROLLMENTS},role_id", f"K1,S1,U1,teacher,active,{guest.id}")

    assert roster(canvas) == [("S1", "Gjest", "active")]


def test_an_integration_id_comes_before_a_user_id(canvas: Canvas) -> None:
    run_csv(canvas, f"{USERS},integration_id", "U1,kari,Kari Konstruert,active,I1")

    run_csv(canvas, f"{ENROLLMENTS},user_integration_id", "K1,S1,U2,student,active,I1")

    assert (roster(canvas), roster(canvas, "U2")) == ([("S1", "StudentEnrollment", "active")], [])


@pytest.mark.parametrize("kind", ["student", "observer"])
def test_a_blueprint_takes_neither_students_nor_observers(canvas: Canvas, kind: str) -> None:
    canvas.courses.change(course(canvas, "K1"), {"blueprint": True}, UI)

    batch = run_csv(canvas, ENROLLMENTS, f"K1,S1,U1,{kind},active", "K1,S1,U1,teacher,active")

    assert warnings(batch) == [f'{kind.capitalize()} enrollment for "U1" not allowed in blueprint course "K1"']
    assert roster(canvas) == [("S1", "TeacherEnrollment", "active")]


@pytest.mark.parametrize("status", ["inactive", "completed", "deleted"])
def test_people_leave_by_a_status_and_come_back_by_active(canvas: Canvas, status: str) -> None:
    run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active")

    left = run_csv(canvas, ENROLLMENTS, f"K1,S1,U1,student,{status}")
    away = roster(canvas), enrollment(canvas).completed_at is not None
    back = run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active")

    event = {"inactive": "deactivated", "completed": "concluded", "deleted": "deleted"}[status]
    assert away == ([("S1", "StudentEnrollment", status)], status == "completed")
    assert left.data["statistics"]["Enrollment"][event] == 1
    assert back.data["statistics"]["Enrollment"]["restored"] == 1
    assert (roster(canvas), enrollment(canvas).completed_at) == ([("S1", "StudentEnrollment", "active")], None)


def test_deleting_what_is_not_there_makes_a_deleted_row_and_counts_each_time(canvas: Canvas) -> None:
    first = run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,deleted")
    again = run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,deleted")

    assert roster(canvas) == [("S1", "StudentEnrollment", "deleted")]
    assert (counts(first), counts(again)) == ({"enrollments": 1}, {"enrollments": 1})
    assert enrollment(canvas).sis_batch_id == again.id


def test_the_last_of_several_enrollments_is_completed_and_the_others_deleted(canvas: Canvas) -> None:
    rows = [f"K1,{name},U1,student" for name in ("S1", "S2", "S3")]
    run_csv(canvas, ENROLLMENTS, *(f"{row},active" for row in rows), "K1,S1,U1,ta,active")

    run_csv(canvas, ENROLLMENTS, *(f"{row},deleted_last_completed" for row in rows))

    assert [state for _, _, state in roster(canvas)] == ["deleted", "deleted", "completed", "active"]


def test_skip_deletes_skips_both_ways_of_deleting_and_nothing_else(canvas: Canvas) -> None:
    run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active", "K1,S2,U1,student,active", "K1,S3,U1,student,active")

    batch = run_csv(
        canvas,
        ENROLLMENTS,
        "K1,S1,U1,student,deleted",
        "K1,S2,U1,student,deleted_last_completed",
        "K1,S3,U1,student,completed",
        skip_deletes=True,
    )

    assert [state for _, _, state in roster(canvas)] == ["active", "active", "completed"]
    assert (counts(batch), batch.errors) == ({"enrollments": 1}, [])


@pytest.mark.parametrize("course_state", [CourseState.COMPLETED, CourseState.CLAIMED])
def test_a_concluded_or_unpublished_course_takes_people_as_active(canvas: Canvas, course_state: CourseState) -> None:
    canvas.update_course(course(canvas, "K1"), {"workflow_state": course_state}, UI)

    batch = run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active")

    assert (roster(canvas), batch.errors) == ([("S1", "StudentEnrollment", "active")], [])


def test_a_deleted_course_or_section_takes_only_deletions(canvas: Canvas) -> None:
    canvas.delete_section(section(canvas, "S1"), UI)
    canvas.delete_course(course(canvas, "K2"), UI)

    batch = run_csv(
        canvas,
        ENROLLMENTS,
        "K1,S1,U1,student,active",
        "K2,,U1,student,completed",
        "K1,S1,U1,student,deleted",
    )

    text = "An enrollment did not pass validation (course: {}, section: {}, user: U1, role: student, error: {})"
    assert warnings(batch) == [
        text.format("K1", "S1", "Course section is not a valid section"),
        text.format("K2", "", "Course is not a valid course"),
    ]
    assert roster(canvas) == [("S1", "StudentEnrollment", "deleted")]


def test_dates_are_written_cleared_by_blanks_and_complained_about(canvas: Canvas) -> None:
    start, end = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    run_csv(canvas, DATED, "K1,S1,U1,student,active,2026-08-01,2026-12-01")
    dated = enrollment(canvas).start_at, enrollment(canvas).end_at

    bad = run_csv(canvas, DATED, "K1,S1,U1,student,active,soon,2026-12-01", ",S1,U1,student,active,soon,")

    assert dated == (start, end)
    assert warnings(bad) == ["Bad date format for user U1 in course K1", "Bad date format for user U1 in section S1"]
    assert (enrollment(canvas).start_at, enrollment(canvas).end_at, counts(bad)["enrollments"]) == (None, None, 2)


def test_dates_a_person_set_stay_until_they_are_overridden(canvas: Canvas) -> None:
    run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active")
    day = datetime(2026, 9, 1, tzinfo=UTC)
    canvas.enrollments.change(enrollment(canvas), {"start_at": day}, UI)

    run_csv(canvas, DATED, "K1,S1,U1,student,inactive,2026-08-01,2026-12-01")
    kept = enrollment(canvas).start_at, enrollment(canvas).end_at
    run_csv(canvas, DATED, "K1,S1,U1,student,active,2026-08-01,", override_sis_stickiness=True)

    assert kept == (day, None)
    assert enrollment(canvas).start_at == datetime(2026, 8, 1, tzinfo=UTC)


def test_section_privileges_are_limited_and_a_blank_keeps_them(canvas: Canvas) -> None:
    header = f"{ENROLLMENTS},limit_section_privileges"
    run_csv(canvas, header, "K1,S1,U1,teacher,active,true")
    limited = enrollment(canvas).limit_privileges_to_course_section
    run_csv(canvas, header, "K1,S1,U1,teacher,active,")

    assert (limited, enrollment(canvas).limit_privileges_to_course_section) == (True, True)


def test_an_enrollment_of_a_user_deleted_in_the_same_zip_is_stored_as_deleted(canvas: Canvas) -> None:
    batch = run_zip(
        canvas,
        {
            "enrollments.csv": csv_of(ENROLLMENTS, "K1,S1,U1,student,active"),
            "users.csv": csv_of(USERS, "U1,kari,Kari Konstruert,deleted"),
        },
    )

    assert warnings(batch) == ["Attempted enrolling of deleted user U1 in course K1"]
    assert (roster(canvas), counts(batch)["enrollments"]) == ([("S1", "StudentEnrollment", "deleted")], 1)


def test_what_a_user_s_deletion_took_does_not_come_back_by_the_deleted_login(canvas: Canvas) -> None:
    run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active")
    run_csv(canvas, USERS, "U1,kari,Kari Konstruert,deleted")

    batch = run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active")

    assert warnings(batch) == ["Attempted enrolling with deleted sis login kari in course K1"]
    assert (roster(canvas), counts(batch)) == ([("S1", "StudentEnrollment", "deleted")], {"warning_count": 1})


def test_a_user_with_another_login_is_enrolled_by_a_deleted_one_with_a_warning(canvas: Canvas) -> None:
    run_csv(canvas, "user_id,login_id,existing_user_id", "U1B,kari2,U1")
    run_csv(canvas, USERS, "U1,kari,Kari Konstruert,deleted")

    batch = run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active")

    assert warnings(batch) == ["Enrolled a user U1 in course K1, but referenced a deleted sis login"]
    assert (roster(canvas), counts(batch)["enrollments"]) == ([("S1", "StudentEnrollment", "active")], 1)


def test_a_suspended_login_keeps_its_enrollments_and_gets_new_ones(canvas: Canvas) -> None:
    run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active")
    run_csv(canvas, USERS, "U1,kari,Kari Konstruert,suspended")

    batch = run_csv(canvas, ENROLLMENTS, "K1,S2,U1,student,active")

    assert [state for _, _, state in roster(canvas)] == ["active", "active"]
    assert batch.errors == []


def test_a_row_for_another_root_account_is_skipped_without_a_word(canvas: Canvas) -> None:
    batch = run_csv(canvas, f"{ENROLLMENTS},root_account", "K1,S1,U1,student,active,other.example")

    assert (roster(canvas), counts(batch), batch.errors) == ([], {}, [])


@pytest.mark.parametrize(
    ("status", "state"), [("completed", "completed"), ("deleted", "deleted"), ("unpublished", "active")]
)
def test_a_course_takes_its_enrollments_along_and_does_not_bring_them_back(
    canvas: Canvas, status: str, state: str
) -> None:
    header = "course_id,short_name,long_name,status"
    run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active", "K1,S1,U2,student,inactive")
    mentioned = enrollment(canvas).sis_batch_id

    run_csv(canvas, header, f"K1,K1,Kurs en,{status}")
    run_csv(canvas, header, "K1,K1,Kurs en,published")

    other = {"completed": "inactive", "deleted": "deleted", "unpublished": "inactive"}[status]
    assert roster(canvas) == [("S1", "StudentEnrollment", state)]
    assert roster(canvas, "U2") == [("S1", "StudentEnrollment", other)]
    assert enrollment(canvas).sis_batch_id == mentioned


def test_a_section_s_deletion_deletes_its_enrollments_and_a_move_takes_them_along(canvas: Canvas) -> None:
    run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active", "K1,S2,U2,student,active")

    run_csv(canvas, SECTIONS, "S1,K1,Gruppe,deleted", "S2,K2,Gruppe,active")

    assert roster(canvas) == [("S1", "StudentEnrollment", "deleted")]
    assert (roster(canvas, "U2"), enrollment(canvas, "U2").course_id) == (
        [("S2", "StudentEnrollment", "active")],
        course(canvas, "K2").id,
    )


def test_a_file_with_a_login_id_is_read_as_users(canvas: Canvas) -> None:
    batch = run_csv(canvas, f"{ENROLLMENTS},login_id", "K1,S1,U1,student,active,kari")

    assert (batch.data["supplied_batches"], roster(canvas)) == (["user"], [])


def test_an_enrollment_a_person_made_becomes_the_import_s_when_a_row_names_it(canvas: Canvas) -> None:
    login = canvas.pseudonyms.by_sis_id("U1")
    assert login is not None
    (role,) = canvas.roles.where("name", "StudentEnrollment")
    by_hand = canvas.create_enrollment(
        UI,
        user=canvas.users[login.user_id],
        section=section(canvas, "S1"),
        role=role,
        state=EnrollmentState.INVITED,
    )

    batch = run_csv(canvas, ENROLLMENTS, "K1,S1,U1,student,active")

    assert enrollment(canvas) is by_hand
    assert (by_hand.sis_batch_id, str(by_hand.workflow_state)) == (batch.id, "active")


def test_an_index_of_two_fields_finds_the_same_as_looking_at_all(canvas: Canvas) -> None:
    run_csv(
        canvas,
        ENROLLMENTS,
        *(
            f"K1,{place},{who},{role},active"
            for place in ("S1", "S2")
            for who in ("U1", "U2")
            for role in ("ta", "student")
        ),
    )
    first: Section = section(canvas, "S1")
    login = canvas.pseudonyms.by_sis_id("U2")
    assert login is not None

    found = canvas.enrollments.where_all(section_id=first.id, user_id=login.user_id)

    looked_at = [row for row in canvas.enrollments if (row.section_id, row.user_id) == (first.id, login.user_id)]
    assert (found, len(found)) == (looked_at, 2)
    assert people.logins_of(canvas, login.user_id) == [login]
