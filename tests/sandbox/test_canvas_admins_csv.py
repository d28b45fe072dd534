"""admins.csv, reference/canvas.md §5.10."""

from __future__ import annotations

import pytest

from sandbox.canvas import people
from sandbox.canvas.objects import UI, Role
from sandbox.canvas.state import Canvas
from tests.sandbox.sis_building import counts, new_canvas, run_csv, warnings

ADMINS = "user_id,account_id,role,role_id,status"


@pytest.fixture
def canvas() -> Canvas:
    canvas = new_canvas()
    run_csv(canvas, "user_id,login_id,full_name,status", "U1,kari,Kari Konstruert,active", "U2,ola,Ola,deleted")
    role = {"name": "Studieleder", "base_role_type": "AccountMembership", "account_id": 2}
    canvas.roles.add(canvas.new_record(Role, canvas.roles, role), UI)
    return canvas


def admins(canvas: Canvas) -> list[tuple[int, str, str]]:
    """Account, role and state of each admin row of the user U1."""
    login = canvas.pseudonyms.by_sis_id("U1")
    assert login is not None
    rows = canvas.admins.where("user_id", login.user_id)
    return [(row.account_id, canvas.roles[row.role_id].name, str(row.workflow_state)) for row in rows]


def test_an_administrator_is_made_and_removed_and_made_again(canvas: Canvas) -> None:
    row = "U1,FSDEMO,Studieleder,"
    made = run_csv(canvas, ADMINS, f"{row},active")
    again = run_csv(canvas, ADMINS, f"{row},active")
    removed = run_csv(canvas, ADMINS, f"{row},deleted")
    gone = admins(canvas)
    back = run_csv(canvas, ADMINS, f"{row},active")

    events = [batch.data["statistics"]["AccountUser"] for batch in (made, again, removed, back)]
    assert [[name for name, number in event.items() if number] for event in events] == [
        ["created"],
        [],
        ["deleted"],
        ["restored"],
    ]
    assert (gone, admins(canvas)) == ([(2, "Studieleder", "deleted")], [(2, "Studieleder", "active")])
    assert counts(again) == {"admins": 1}


def test_a_blank_account_is_the_root_account_and_each_role_is_a_row(canvas: Canvas) -> None:
    role_id = canvas.roles.where("name", "Studieleder")[0].id

    run_csv(
        canvas, ADMINS, "U1,,AccountAdmin,,active", f"U1,FSDEMO,,{role_id},active", "U1,FSDEMO,AccountAdmin,,active"
    )

    assert admins(canvas) == [
        (1, "AccountAdmin", "active"),
        (2, "Studieleder", "active"),
        (2, "AccountAdmin", "active"),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",FSDEMO,AccountAdmin,,active", "No user_id given for admin"),
        ("U1,FSDEMO,AccountAdmin,,", "No status given for admin"),
        ("U1,FSDEMO,,,active", "No role_id or role given for admin"),
        ("U1,FSDEMO,AccountAdmin,,suspended", "Invalid status suspended for admin"),
        ("U1,NOWHERE,AccountAdmin,,active", "Invalid account_id given for admin"),
        ("U1,FSDEMO,Rektor,,active", "Invalid role 'Rektor' for admin"),
        ("U1,FSDEMO,TeacherEnrollment,,active", "Invalid role 'TeacherEnrollment' for admin"),
        ("U1,,Studieleder,,active", "Invalid role 'Studieleder' for admin"),
        ("U1,FSDEMO,AccountAdmin,99,active", "Invalid role_id '99' for admin"),
        ("U9,FSDEMO,AccountAdmin,,active", "Invalid or unknown user_id 'U9' for admin"),
        ("U2,FSDEMO,AccountAdmin,,active", "Invalid or unknown user_id 'U2' for admin"),
    ],
)
def test_a_row_that_cannot_be_imported_is_refused_in_canvas_words(canvas: Canvas, row: str, message: str) -> None:
    batch = run_csv(canvas, ADMINS, row)

    assert (warnings(batch), counts(batch), admins(canvas)) == ([message], {"warning_count": 1}, [])


def test_only_an_administrator_that_sis_manages_is_removed(canvas: Canvas) -> None:
    login = canvas.pseudonyms.by_sis_id("U1")
    assert login is not None
    (role,) = canvas.roles.where("name", "AccountAdmin")
    people.make_admin(canvas, canvas.users[login.user_id], canvas.accounts[2], role, UI)
    row = "U1,FSDEMO,AccountAdmin,"

    removed = run_csv(canvas, ADMINS, f"{row},deleted")
    left = admins(canvas)
    run_csv(canvas, ADMINS, f"{row},active")
    run_csv(canvas, ADMINS, f"{row},deleted")

    assert (left, counts(removed), removed.errors) == ([(2, "AccountAdmin", "active")], {"admins": 1}, [])
    assert admins(canvas) == [(2, "AccountAdmin", "deleted")]


def test_removing_who_is_no_administrator_counts_and_does_nothing(canvas: Canvas) -> None:
    batch = run_csv(canvas, ADMINS, "U1,FSDEMO,AccountAdmin,,deleted")

    assert (counts(batch), admins(canvas)) == ({"admins": 1}, [])


def test_nobody_removes_himself_and_skip_deletes_removes_nobody(canvas: Canvas) -> None:
    run_csv(canvas, "user_id,login_id,status", "U0,integrasjon@sandbox.example,active")
    run_csv(canvas, ADMINS, "U1,,AccountAdmin,,active", "U0,,AccountAdmin,,active")

    skipped = run_csv(canvas, ADMINS, "U1,,AccountAdmin,,deleted", skip_deletes=True)
    refused = run_csv(canvas, ADMINS, "U0,,AccountAdmin,,deleted")

    assert (counts(skipped), admins(canvas)) == ({}, [(1, "AccountAdmin", "active")])
    assert warnings(refused) == ["Can't remove yourself user_id 'U0'"]
