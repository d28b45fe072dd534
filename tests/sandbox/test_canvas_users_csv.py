"""users.csv, logins.csv and change_sis_id.csv for users, reference/canvas.md §5.7, §5.8 and §5.13."""

from __future__ import annotations

import pytest

from sandbox.canvas import people
from sandbox.canvas.objects import UI, Pseudonym, User
from sandbox.canvas.state import Canvas
from tests.sandbox.sis_building import counts, csv_of, messages, new_canvas, run_csv, run_zip, warnings, with_course

USERS = "user_id,login_id,full_name,status"
LOGINS = "user_id,login_id,existing_user_id"
ENROLLMENTS = "course_id,user_id,role,status"


@pytest.fixture
def canvas() -> Canvas:
    return new_canvas()


def login(canvas: Canvas, sis_user_id: str = "U1") -> Pseudonym:
    found = canvas.pseudonyms.by_sis_id(sis_user_id)
    assert found is not None
    return found


def user(canvas: Canvas, sis_user_id: str = "U1") -> User:
    return canvas.users[login(canvas, sis_user_id).user_id]


def names(canvas: Canvas) -> tuple[str, str, str]:
    found = user(canvas)
    return found.name, found.sortable_name, found.short_name


def test_a_new_user_has_a_login_and_a_confirmed_address(canvas: Canvas) -> None:
    batch = run_csv(
        canvas, f"{USERS},email,integration_id", "U1,kari@x.example,Kari Konstruert,active,kari@post.example,I1"
    )

    made = login(canvas)
    assert (made.unique_id, made.integration_id, str(made.workflow_state)) == ("kari@x.example", "I1", "active")
    assert (names(canvas), str(user(canvas).workflow_state)) == (
        ("Kari Konstruert", "Konstruert, Kari", "Kari Konstruert"),
        "registered",
    )
    assert people.email_of(canvas, made.user_id) == "kari@post.example"
    assert (counts(batch), batch.errors) == ({"users": 1}, [])
    statistics = batch.data["statistics"]
    created = {"created": 1, "restored": 0, "deleted": 0}
    assert (statistics["total_state_changes"], statistics["Pseudonym"], statistics["CommunicationChannel"]) == (
        2,
        created,
        created,
    )


def test_the_same_row_again_changes_nothing_and_counts(canvas: Canvas) -> None:
    row = "U1,kari,Kari Konstruert,active,kari@post.example"
    run_csv(canvas, f"{USERS},email", row)

    batch = run_csv(canvas, f"{USERS},email", row)

    assert (counts(batch), batch.data["statistics"]["total_state_changes"]) == ({"users": 1}, 0)
    assert (login(canvas).sis_batch_id, len(canvas.users)) == (batch.id, 5)


@pytest.mark.parametrize(
    ("columns", "values", "expected"),
    [
        ("full_name", "Kari Konstruert", ("Kari Konstruert", "Konstruert, Kari", "Kari Konstruert")),
        (
            "first_name,last_name",
            "Kari Mari,Konstruert Nes",
            ("Kari Mari Konstruert Nes", "Konstruert Nes, Kari Mari", "Kari Mari Konstruert Nes"),
        ),
        (
            "first_name,last_name,full_name",
            "Ola,Oppdiktet,Kari Konstruert",
            ("Kari Konstruert", "Konstruert, Kari", "Kari Konstruert"),
        ),
        (
            "full_name,sortable_name,short_name",
            "Kari Konstruert,Konstruert (K),Kari",
            ("Kari Konstruert", "Konstruert (K)", "Kari"),
        ),
        ("sortable_name,short_name", "Konstruert,Kari", ("Konstruert", "Konstruert", "Kari")),
        ("short_name", "Kari", ("Kari", "Kari", "Kari")),
        ("email", "", ("kari", "kari", "kari")),
    ],
)
def test_a_name_comes_from_the_best_column_there_is(
    canvas: Canvas, columns: str, values: str, expected: tuple[str, str, str]
) -> None:
    run_csv(canvas, f"user_id,login_id,status,{columns}", f"U1,kari,active,{values}")

    assert names(canvas) == expected


def test_an_existing_name_stays_without_a_name_in_the_row_and_follows_a_new_one(canvas: Canvas) -> None:
    run_csv(canvas, USERS, "U1,kari,Kari Konstruert,active")
    run_csv(canvas, "user_id,login_id,status,short_name", "U1,kari,active,")
    kept = names(canvas)

    run_csv(canvas, USERS, "U1,kari,Kari Påfunn,active")

    assert kept == ("Kari Konstruert", "Konstruert, Kari", "Kari Konstruert")
    assert names(canvas) == ("Kari Påfunn", "Påfunn, Kari", "Kari Påfunn")


def test_a_name_a_person_changed_stays_until_it_is_overridden(canvas: Canvas) -> None:
    run_csv(canvas, USERS, "U1,kari,Kari Konstruert,active")
    people.rename(canvas, user(canvas), "Kari K.", UI)

    run_csv(canvas, USERS, "U1,kari,Kari Påfunn,active")
    kept = names(canvas)
    run_csv(canvas, USERS, "U1,kari,Kari Påfunn,active", override_sis_stickiness=True)

    assert kept == ("Kari K.", "K., Kari", "Kari K.")
    assert names(canvas) == ("Kari Påfunn", "Påfunn, Kari", "Kari Påfunn")


def test_a_login_and_its_state_that_a_person_changed_stay(canvas: Canvas) -> None:
    run_csv(canvas, USERS, "U1,kari,Kari Konstruert,active")
    people.change_login(canvas, login(canvas), {"unique_id": "kari2", "workflow_state": "suspended"}, UI)

    batch = run_csv(canvas, USERS, "U1,kari,Kari Konstruert,active")

    assert (login(canvas).unique_id, str(login(canvas).workflow_state)) == ("kari2", "suspended")
    assert (counts(batch), batch.errors) == ({"users": 1}, [])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",kari,Kari,active", "No user_id given for a user"),
        ("U1,,Kari,active", "No login_id given for user U1"),
        ("U1,kari,Kari,", "No status given for user U1"),
        ("U1,kari,Kari,passive", "Improper status for user U1"),
        ("U1,ka\0ri,Kari,active", "Some of the fields contain NULL character"),
        ("U1,kari!,Kari,active", "Could not save the user with user_id: 'U1'. Invalid login_id: 'kari!'"),
    ],
)
def test_a_row_that_cannot_be_imported_is_refused_in_canvas_words(canvas: Canvas, row: str, message: str) -> None:
    batch = run_csv(canvas, USERS, row)

    assert (messages(batch), counts(batch), len(canvas.users)) == ([(2, message)], {"warning_count": 1}, 4)


def test_a_login_of_the_same_name_in_any_case_that_is_no_sis_user_s_is_adopted(canvas: Canvas) -> None:
    batch = run_csv(canvas, USERS, "U1,OLAV@sandbox.example,Olav Oppdikten,active")

    assert (batch.errors, login(canvas).user_id, login(canvas).unique_id) == ([], 3, "OLAV@sandbox.example")


def test_a_login_id_may_have_a_hundred_characters_and_letters_of_every_alphabet(canvas: Canvas) -> None:
    batch = run_csv(canvas, USERS, f"U1,{'ø' * 100},Kari,active", f"U2,{'ø' * 101},Ola,active")

    assert [row for row, _ in messages(batch)] == [3]


def test_a_login_of_another_sis_user_is_claimed(canvas: Canvas) -> None:
    run_csv(canvas, USERS, "U1,kari,Kari,active")
    run_csv(canvas, USERS, "U3,solveig2,Solveig,active")

    batch = run_csv(canvas, USERS, "U2,KARI,Ola,active", "U3,olav@sandbox.example,Solveig,active")

    claimed = (
        "An existing Canvas user with the {} has already claimed {}'s user_id requested login information, skipping"
    )
    assert warnings(batch) == [claimed.format("SIS ID U1", "U2"), claimed.format("Canvas ID 3", "U3")]


def test_a_claimed_login_is_taken_over_when_the_import_says_so(canvas: Canvas) -> None:
    run_csv(canvas, USERS, "U1,kari,Kari,active")
    owner = login(canvas).user_id

    batch = run_csv(canvas, USERS, "U2,kari,Kari,active", update_sis_id_if_login_claimed=True)

    assert (batch.errors, canvas.pseudonyms.by_sis_id("U1"), login(canvas, "U2").user_id) == ([], None, owner)


def test_an_integration_id_belongs_to_one_login_and_a_blank_keeps_it(canvas: Canvas) -> None:
    header = f"{USERS},integration_id"
    run_csv(canvas, header, "U1,kari,Kari,active,I1")

    batch = run_csv(canvas, header, "U2,ola,Ola,active,I1", "U1,kari,Kari,active,")

    assert warnings(batch) == [
        "An existing Canvas user with the SIS ID U1 has already claimed U2's requested integration_id, skipping"
    ]
    assert login(canvas).integration_id == "I1"


def test_logins_are_swapped_when_the_releasing_row_comes_first(canvas: Canvas) -> None:
    run_csv(canvas, USERS, "U1,kari,Kari,active", "U2,ola,Ola,active")

    right = run_csv(canvas, USERS, "U1,between,Kari,active", "U2,kari,Ola,active", "U1,ola,Kari,active")
    swapped = login(canvas).unique_id, login(canvas, "U2").unique_id
    wrong = run_csv(canvas, USERS, "U1,kari,Kari,active", "U2,ola,Ola,active")

    assert (right.errors, swapped) == ([], ("ola", "kari"))
    assert len(warnings(wrong)) == 2


@pytest.mark.parametrize("provider", ["saml", "2"])
def test_an_authentication_provider_is_named_by_type_or_id_and_reset_by_a_blank(canvas: Canvas, provider: str) -> None:
    header = f"{USERS},authentication_provider_id"
    run_csv(canvas, header, f"U1,kari,Kari,active,{provider}")
    given = login(canvas).authentication_provider_id

    batch = run_csv(canvas, header, "U2,ola,Ola,active,carrier pigeon", "U1,kari,Kari,active,")

    assert (given, login(canvas).authentication_provider_id) == ("2", None)
    assert warnings(batch) == ["unrecognized authentication provider carrier pigeon for U2, skipping"]


def test_pronouns_and_the_declared_type_are_kept_until_they_are_cleared(canvas: Canvas) -> None:
    header = f"{USERS},pronouns,declared_user_type"
    run_csv(canvas, header, "U1,kari,Kari,active,hun/henne,Staff")
    run_csv(canvas, header, "U1,kari,Kari,active,,")
    kept = user(canvas).pronouns, login(canvas).declared_user_type

    run_csv(canvas, header, "U1,kari,Kari,active,<delete>,<delete>")

    assert (kept, (user(canvas).pronouns, login(canvas).declared_user_type)) == (("hun/henne", "staff"), (None, None))


def test_a_bad_address_saves_the_user_and_counts_nothing(canvas: Canvas) -> None:
    batch = run_csv(canvas, f"{USERS},email", "U1,kari,Kari,active,kari at post")

    assert warnings(batch) == ["The email address associated with user 'U1' is invalid (email: 'kari at post')"]
    assert (counts(batch), login(canvas).unique_id) == ({"warning_count": 1}, "kari")


def enrolled(canvas: Canvas) -> list[str]:
    return [str(row.workflow_state) for row in canvas.enrollments.where("user_id", login(canvas).user_id)]


def test_deleting_the_last_login_takes_enrollments_and_admin_rows_and_bringing_it_back_does_not(
    canvas: Canvas,
) -> None:
    with_course(canvas)
    run_csv(canvas, USERS, "U1,kari,Kari,active")
    run_csv(canvas, ENROLLMENTS, "K1,U1,student,active", "K2,U1,student,completed")
    run_csv(canvas, "user_id,account_id,role,status", "U1,FSDEMO,AccountAdmin,active")

    deleted = run_csv(canvas, USERS, "U1,kari,Kari,deleted")
    back = run_csv(canvas, USERS, "U1,kari,Kari,active")

    (admin,) = canvas.admins.where("user_id", login(canvas).user_id)
    assert (enrolled(canvas), str(admin.workflow_state)) == (["deleted", "deleted"], "deleted")
    statistics = deleted.data["statistics"]
    assert [statistics[kind]["deleted"] for kind in ("Pseudonym", "Enrollment", "AccountUser")] == [1, 2, 1]
    assert (str(login(canvas).workflow_state), back.data["statistics"]["Pseudonym"]["restored"]) == ("active", 1)


def test_deleting_one_of_two_logins_leaves_the_rest(canvas: Canvas) -> None:
    with_course(canvas)
    run_csv(canvas, USERS, "U1,kari,Kari,active")
    run_csv(canvas, LOGINS, "U1B,kari2,U1")
    run_csv(canvas, ENROLLMENTS, "K1,U1,student,active")

    run_csv(canvas, USERS, "U1,kari,Kari,deleted")

    assert (enrolled(canvas), str(login(canvas).workflow_state)) == (["active"], "deleted")


def test_a_deleted_login_is_deleted_again_without_being_counted(canvas: Canvas) -> None:
    first = run_csv(canvas, f"{USERS},email", "U1,kari,Kari,deleted,kari@post.example")
    again = run_csv(canvas, USERS, "U1,kari,Kari,deleted")

    assert (counts(first), counts(again), again.errors) == ({"users": 1}, {}, [])
    assert (str(login(canvas).workflow_state), people.email_of(canvas, login(canvas).user_id)) == ("deleted", None)


def test_nobody_deletes_himself_by_an_import(canvas: Canvas) -> None:
    run_csv(canvas, USERS, "U0,integrasjon@sandbox.example,Integrasjon,active")

    batch = run_csv(canvas, USERS, "U0,integrasjon@sandbox.example,Integrasjon,deleted")

    assert (warnings(batch), login(canvas, "U0").user_id) == (["Can't remove yourself user_id 'U0'"], 1)
    assert not login(canvas, "U0").is_deleted


def test_skip_deletes_leaves_a_user(canvas: Canvas) -> None:
    run_csv(canvas, USERS, "U1,kari,Kari,active")

    batch = run_csv(canvas, USERS, "U1,kari,Kari,deleted", "U1,kari,Kari,suspended", skip_deletes=True)

    assert (counts(batch), str(login(canvas).workflow_state)) == ({"users": 1}, "suspended")


def test_another_login_is_given_once(canvas: Canvas) -> None:
    run_csv(canvas, USERS, "U1,kari,Kari,active")

    first = run_csv(canvas, f"{LOGINS},email", "U1B,kari2,U1,kari@post.example")
    again = run_csv(canvas, LOGINS, "U1B,kari2,U1")

    assert (counts(first), login(canvas, "U1B").user_id) == ({"logins": 1}, login(canvas).user_id)
    assert people.email_of(canvas, login(canvas).user_id) == "kari@post.example"
    assert warnings(again) == ["An existing Canvas user with the SIS ID U1B or login of kari2 already exists, skipping"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",kari2,U1,,", "No user_id given for a user"),
        ("U1B,,U1,,", "No login_id given for user U1B"),
        ("U1B,kari2,,,", "No existing user provided for login with SIS ID U1B"),
        (
            "U1B,ola,U1,,",
            "An existing Canvas user with the SIS ID U1B or login of ola already exists, skipping",
        ),
        ("U1B,kari2,U9,,", "Could not find the existing user for login with SIS ID U1B, skipping"),
        ("U1B,kari2,,,99", "Could not find the existing user for login with SIS ID U1B, skipping"),
        (
            "U1B,kari2,U1,I2,",
            "An existing user does not match existing user ids provided for login with SIS ID U1B, skipping",
        ),
    ],
)
def test_a_login_that_cannot_be_given_is_refused_in_canvas_words(canvas: Canvas, row: str, message: str) -> None:
    run_csv(canvas, f"{USERS},integration_id", "U1,kari,Kari,active,", "U2,ola,Ola,active,I2")

    batch = run_csv(canvas, f"{LOGINS},existing_integration_id,existing_canvas_user_id", row)

    assert (warnings(batch), counts(batch)) == ([message], {"warning_count": 1})


@pytest.mark.parametrize("row", ["U1B,kari2,U1,,", "U1B,kari2,,I1,", "U1B,kari2,,,5", "U1B,kari2,U1,I1,5"])
def test_the_existing_user_is_named_by_any_id(canvas: Canvas, row: str) -> None:
    run_csv(canvas, f"{USERS},integration_id", "U1,kari,Kari,active,I1")

    batch = run_csv(canvas, f"{LOGINS},existing_integration_id,existing_canvas_user_id", row)

    assert (batch.errors, login(canvas, "U1B").user_id) == ([], login(canvas).user_id)


def test_a_user_s_sis_id_is_changed_before_the_other_files_use_it(canvas: Canvas) -> None:
    run_csv(canvas, USERS, "U1,kari,Kari,active", "U2,ola,Ola,active")
    owner = login(canvas).user_id

    batch = run_zip(
        canvas,
        {
            "changes.csv": csv_of("old_id,new_id,type", "U1,V1,user", "U1,V2,user", "U2,V1,User"),
            "users.csv": csv_of(USERS, "V1,kari,Kari Ny,active"),
        },
    )

    assert (login(canvas, "V1").user_id, user(canvas, "V1").name) == (owner, "Kari Ny")
    assert warnings(batch) == [
        "An old_id, 'U1', referenced a non-existent user and was not changed.",
        "A new_id, 'V1', referenced an existing user and the user with sis_user_id 'U2' was not updated",
    ]
