"""restore_states, reference/canvas.md §8: what an import did to states is taken back, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.canvas.routes import routes
from tests.sandbox.rest_client import READ_ONLY, RestClient
from tests.sandbox.sis_building import Clock, csv_of, messages, run_csv, run_zip, with_course

USERS = "user_id,login_id,full_name,status,email"
ENROLLMENTS = "course_id,section_id,user_id,role,status"


class Client(RestClient):
    """A client of the whole Canvas, with a clock that can be moved."""

    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__(now=self.clock)
        self._app = Starlette(routes=[Mount("/canvas", routes=routes(self.world))])  # type: ignore[arg-type]

    def restore(self, number: int, **flags: str) -> dict[str, Any]:
        """Restore an import to the end; the SisImport as it is then."""
        started = self.put(f"/accounts/self/sis_imports/{number}/restore_states", data=flags).json()
        self.until(f"/progress/{started['id']}", "workflow_state", "completed")
        return self.get(f"/accounts/self/sis_imports/{number}").json()  # type: ignore[no-any-return]

    def states(self) -> dict[str, list[str]]:
        """The states of what the tests import."""
        canvas = self.canvas
        return {
            "courses": [str(row.workflow_state) for row in canvas.courses][1:],
            "logins": [str(row.workflow_state) for row in canvas.pseudonyms][4:],
            "channels": [str(row.workflow_state) for row in canvas.channels],
            "enrollments": [str(row.workflow_state) for row in canvas.enrollments][3:],
            "admins": [str(row.workflow_state) for row in canvas.admins][1:],
        }


@pytest.fixture
def canvas() -> Iterator[Client]:
    client = Client()
    with_course(client.canvas, "S1", "S2")
    run_csv(client.canvas, USERS, "U1,kari,Kari Konstruert,active,kari@post.example", "U2,ola,Ola,active,")
    run_csv(client.canvas, ENROLLMENTS, "K1,S1,U1,student,active", "K1,S2,U1,ta,active", "K1,S1,U2,student,active")
    run_csv(client.canvas, "user_id,account_id,role,status", "U1,,AccountAdmin,active")
    yield client
    client.canvas.close()


def test_a_user_s_deletion_is_taken_back_with_all_it_took(canvas: Client) -> None:
    before = canvas.states()
    batch = run_csv(canvas.canvas, USERS, "U1,kari2,Kari Ny,deleted,kari@post.example")
    deleted = canvas.states()

    shown = canvas.restore(batch.id)

    assert deleted == {
        "courses": before["courses"],
        "logins": ["deleted", "active"],
        "channels": ["retired"],
        "enrollments": ["deleted", "deleted", "active"],
        "admins": ["deleted"],
    }
    assert (canvas.states(), shown["workflow_state"]) == (before, "restored")
    login = canvas.canvas.pseudonyms.by_sis_id("U1")
    assert login is not None
    # States only: the new name and login stay.
    assert (canvas.canvas.users[login.user_id].name, login.unique_id) == ("Kari Ny", "kari2")


def test_what_an_import_created_is_deleted(canvas: Client) -> None:
    before = canvas.states()
    batch = run_zip(
        canvas.canvas,
        {
            "users.csv": csv_of(USERS, "U3,per,Per Påfunn,active,per@post.example"),
            "enrollments.csv": csv_of(ENROLLMENTS, "K1,S1,U3,student,active"),
        },
    )

    canvas.restore(batch.id)

    after = canvas.states()
    assert after == {
        **before,
        "logins": [*before["logins"], "deleted"],
        "channels": [*before["channels"], "retired"],
        "enrollments": [*before["enrollments"], "deleted"],
    }


@pytest.mark.parametrize(
    ("flags", "enrollments", "state"),
    [
        ({}, ["active", "active", "active"], "restored"),
        ({"undelete_only": "true"}, ["active", "completed", "inactive"], "partially_restored"),
        ({"unconclude_only": "true"}, ["deleted", "active", "inactive"], "partially_restored"),
        ({"batch_mode": "true"}, ["deleted", "completed", "inactive"], "partially_restored"),
    ],
)
def test_a_part_is_restored_when_only_a_part_is_asked_for(
    canvas: Client, flags: dict[str, str], enrollments: list[str], state: str
) -> None:
    rows = ("K1,S1,U1,student,deleted", "K1,S2,U1,ta,completed", "K1,S1,U2,student,inactive")
    batch = run_csv(canvas.canvas, ENROLLMENTS, *rows)

    shown = canvas.restore(batch.id, **flags)

    assert (canvas.states()["enrollments"], shown["workflow_state"]) == (enrollments, state)


def test_a_course_s_deletion_is_taken_back_with_its_enrollments(canvas: Client) -> None:
    before = canvas.states()
    batch = run_csv(canvas.canvas, "course_id,short_name,long_name,status", "K1,K1,Kurs en,deleted")

    canvas.restore(batch.id)

    assert canvas.states() == before


def test_a_login_that_somebody_else_has_by_now_stays_deleted_and_is_told(canvas: Client) -> None:
    batch = run_csv(canvas.canvas, USERS, "U2,ola,Ola,deleted,")
    run_csv(canvas.canvas, USERS, "U3,ola,Ola Annen,active,")

    shown = canvas.restore(batch.id)

    login = canvas.canvas.pseudonyms.by_sis_id("U2")
    assert login is not None
    assert (shown["workflow_state"], str(login.workflow_state)) == ("partially_restored", "deleted")
    assert messages(batch) == [(None, f"Couldn't rollback SIS batch data for row - Pseudonym {login.id}")]
    assert canvas.states()["enrollments"] == ["active", "active", "active"]


def test_what_is_older_than_thirty_days_is_not_restored(canvas: Client) -> None:
    batch = run_csv(canvas.canvas, ENROLLMENTS, "K1,S1,U1,student,deleted")
    canvas.clock.time += timedelta(days=31)

    canvas.restore(batch.id)

    assert canvas.states()["enrollments"][0] == "deleted"


def test_restoring_answers_a_progress_and_needs_the_right(canvas: Client) -> None:
    batch = run_csv(canvas.canvas, ENROLLMENTS, "K1,S1,U1,student,deleted")
    path = f"/accounts/self/sis_imports/{batch.id}/restore_states"

    denied = canvas.put(path, token=READ_ONLY)
    both = canvas.put(path, params={"undelete_only": "1", "unconclude_only": "1"})
    progress = canvas.put(path).json()

    assert denied.status_code == 403
    assert (both.status_code, both.json()) == (400, "cannot set both undelete_only and unconclude_only")
    assert (progress["tag"], progress["context_type"], progress["context_id"]) == (
        "sis_batch_state_restore",
        "SisBatch",
        batch.id,
    )
