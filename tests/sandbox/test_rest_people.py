"""Roles, users and enrollments over REST."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.canvas.objects import State
from tests.sandbox.rest_client import RestClient

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
OLAV = "sis_login_id:OLAV@sandbox.example"


@pytest.fixture
def canvas() -> RestClient:
    return RestClient(now=lambda: NOON)


def enroll(canvas: RestClient, course: str = "1", **fields: str) -> Any:
    data = {f"enrollment[{name}]": value for name, value in fields.items()}
    return canvas.post(f"/courses/{course}/enrollments", data=data)


def role(canvas: RestClient, label: str, base: str = "StudentEnrollment", account: str = "1") -> Any:
    data = {"label": label, "base_role_type": base}
    return canvas.post(f"/accounts/{account}/roles", data=data)


def roles(canvas: RestClient, account: str, query: str = "") -> list[str]:
    return [row["label"] for row in canvas.get(f"/accounts/{account}/roles{query}").json()]


def test_an_account_has_the_built_in_roles(canvas: RestClient) -> None:
    shown = canvas.get("/accounts/2/roles").json()

    assert [(row["role"], row["base_role_type"], row["workflow_state"]) for row in shown] == [
        ("AccountAdmin", "AccountMembership", "built_in"),
        ("StudentEnrollment", "StudentEnrollment", "built_in"),
        ("TeacherEnrollment", "TeacherEnrollment", "built_in"),
        ("TaEnrollment", "TaEnrollment", "built_in"),
        ("DesignerEnrollment", "DesignerEnrollment", "built_in"),
        ("ObserverEnrollment", "ObserverEnrollment", "built_in"),
    ]


def test_a_custom_role_is_seen_in_its_account_and_below_but_not_beside(canvas: RestClient) -> None:
    made = role(canvas, "Veileder", "TaEnrollment", account="2").json()
    canvas.new_account("F", parent="sis_account_id:FSDEMO")

    assert "Veileder" in roles(canvas, "2")
    assert "Veileder" not in roles(canvas, "sis_account_id:F")
    assert "Veileder" in roles(canvas, "sis_account_id:F", "?show_inherited=true")
    assert "Veileder" not in roles(canvas, "3", "?show_inherited=true")
    assert canvas.get(f"/accounts/sis_account_id:F/roles/{made['id']}").json() == made
    assert canvas.get(f"/accounts/3/roles/{made['id']}").status_code == 404


@pytest.mark.parametrize("label", ["Gjest", "TeacherEnrollment"])
def test_a_label_is_given_once_and_the_built_in_ones_are_taken(canvas: RestClient, label: str) -> None:
    role(canvas, "Gjest")

    response = role(canvas, label)

    error = {"attribute": "label", "type": "taken", "message": "A role with this name already exists"}
    assert (response.status_code, response.json()) == (400, {"errors": {"label": [error]}})


def test_an_inactive_role_is_kept_by_who_has_it_and_given_to_nobody(canvas: RestClient) -> None:
    role_id = role(canvas, "Gjest").json()["id"]
    enroll(canvas, user_id="3", role_id=str(role_id), enrollment_state="active")

    canvas.delete(f"/accounts/1/roles/{role_id}")
    refused = enroll(canvas, user_id="4", role_id=str(role_id))
    kept = canvas.get("/courses/1/enrollments?role[]=Gjest").json()
    canvas.post(f"/accounts/1/roles/{role_id}/activate")
    again = enroll(canvas, user_id="4", role_id=str(role_id))

    message = "Cannot create an enrollment with this role because it is inactive."
    assert (refused.status_code, refused.json()) == (403, {"message": message})
    assert [(row["user_id"], row["enrollment_state"]) for row in kept] == [(3, "active")]
    assert again.status_code == 200


def test_a_user_is_found_by_every_name(canvas: RestClient) -> None:
    given = {
        "user[name]": "Kari Oppdiktet",
        "pseudonym[unique_id]": "kari@sandbox.example",
        "pseudonym[sis_user_id]": "184-000001",
        "communication_channel[address]": "kari@post.example",
    }
    made = canvas.post("/accounts/self/users", data=given).json()

    assert made == {
        "id": 5,
        "name": "Kari Oppdiktet",
        "created_at": "2026-09-01T12:00:00Z",
        "sortable_name": "Oppdiktet, Kari",
        "short_name": "Kari Oppdiktet",
        "login_id": "kari@sandbox.example",
        "email": "kari@post.example",
        "sis_user_id": "184-000001",
        "integration_id": None,
        "sis_import_id": None,
    }
    for name in ("5", "sis_user_id:184-000001", "sis_login_id:KARI@sandbox%2Eexample"):
        assert canvas.get(f"/users/{name}").json() == made
    assert canvas.get("/users/self").json()["name"] == "Integrasjon"
    assert canvas.get("/users/sis_user_id:184").status_code == 404


@pytest.mark.parametrize(
    ("login", "sis_id", "attribute", "message"),
    [
        ("a@b.example", "S1", "sis_user_id", 'SIS ID "S1" is already in use'),
        (
            "olav@sandbox.example",
            "S2",
            "unique_id",
            "ID already in use for this account and authentication provider",
        ),
    ],
)
def test_a_login_and_an_sis_id_belong_to_one_user(
    canvas: RestClient, login: str, sis_id: str, attribute: str, message: str
) -> None:
    def create(unique_id: str, sis_user_id: str) -> Any:
        data = {"pseudonym[unique_id]": unique_id, "pseudonym[sis_user_id]": sis_user_id}
        return canvas.post("/accounts/self/users", data=data)

    create("first@b.example", "S1")
    response = create(login, sis_id)

    error = {"attribute": attribute, "type": "taken", "message": message}
    expected = {"errors": {"user": {}, "pseudonym": {attribute: [error]}, "observee": {}}}
    assert (response.status_code, response.json()) == (400, expected)


def test_users_are_listed_by_name_or_id_and_searched(canvas: RestClient) -> None:
    def listed(query: str) -> list[str]:
        return [row["name"] for row in canvas.get(f"/accounts/self/users{query}").json()]

    assert listed("?sort=id") == ["Integrasjon", "Ragnhild Eksempelsen", "Olav Oppdikten", "Solveig Påfunn"]
    assert listed("") == ["Ragnhild Eksempelsen", "Integrasjon", "Olav Oppdikten", "Solveig Påfunn"]
    assert listed("?search_term=påf") == ["Solveig Påfunn"]
    assert canvas.get("/accounts/self/users?search_term=på").status_code == 400


def test_a_roster_shows_people_with_their_roles(canvas: RestClient) -> None:
    roster = canvas.get("/courses/1/enrollments").json()

    assert [(row["user"]["name"], row["type"], row["role"], row["enrollment_state"]) for row in roster] == [
        ("Ragnhild Eksempelsen", "TeacherEnrollment", "TeacherEnrollment", "active"),
        ("Olav Oppdikten", "StudentEnrollment", "StudentEnrollment", "active"),
        ("Solveig Påfunn", "StudentEnrollment", "StudentEnrollment", "active"),
    ]
    assert canvas.get("/sections/1/enrollments").json() == roster
    assert canvas.get(f"/users/{OLAV}/enrollments").json() == roster[1:2]
    assert canvas.get(f"/courses/1/enrollments?user_id={OLAV}").json() == roster[1:2]
    assert canvas.get("/courses/1/enrollments?type[]=TeacherEnrollment").json() == roster[:1]


@pytest.mark.parametrize(
    ("kind", "is_published", "state"),
    [
        ("StudentEnrollment", True, "invited"),
        ("StudentEnrollment", False, "creation_pending"),
        ("TeacherEnrollment", False, "invited"),
    ],
)
def test_who_is_enrolled_without_a_state_waits(canvas: RestClient, kind: str, is_published: bool, state: str) -> None:
    canvas.new_course("A")
    if is_published:
        canvas.put("/courses/sis_course_id:A", data={"course[event]": "offer"})

    enrolled = enroll(canvas, "sis_course_id:A", user_id=OLAV, type=kind).json()

    assert (enrolled["enrollment_state"], enrolled["type"], enrolled["sis_course_id"]) == (state, kind, "A")


def test_enrolling_twice_gives_the_same_enrollment(canvas: RestClient) -> None:
    canvas.new_course("A")
    asked = {"user_id": OLAV, "enrollment_state": "active"}

    first = enroll(canvas, "sis_course_id:A", **asked).json()

    assert enroll(canvas, "sis_course_id:A", **asked).json() == first


@pytest.mark.parametrize(
    ("task", "state"),
    [
        ("", "completed"),
        ("?task=conclude", "completed"),
        ("?task=delete", "deleted"),
        ("?task=inactivate", "inactive"),
        ("?task=deactivate", "inactive"),
    ],
)
def test_an_enrollment_ends_the_way_asked_and_comes_back_by_enrolling_again(
    canvas: RestClient, task: str, state: str
) -> None:
    ended = canvas.delete(f"/courses/1/enrollments/2{task}").json()
    back = enroll(canvas, user_id=OLAV, course_section_id="1", enrollment_state="active").json()

    assert (ended["enrollment_state"], back["enrollment_state"], back["id"]) == (state, "active", 2)


def test_only_an_inactive_enrollment_is_reactivated(canvas: RestClient) -> None:
    path = "/courses/1/enrollments/2"
    refused = canvas.put(f"{path}/reactivate")
    canvas.delete(f"{path}?task=deactivate")

    assert (refused.status_code, refused.json()) == (400, {"error": "enrollment not inactive"})
    assert canvas.put(f"{path}/reactivate").json()["enrollment_state"] == "active"


def test_an_administrator_sees_inactive_people_unless_he_names_the_states(canvas: RestClient) -> None:
    canvas.delete("/courses/1/enrollments/2?task=deactivate")

    def seen(query: str = "") -> list[int]:
        return [row["id"] for row in canvas.get(f"/courses/1/enrollments{query}").json()]

    assert (seen(), seen("?state[]=active"), seen("?state[]=inactive")) == ([1, 2, 3], [1, 3], [2])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "No parameters given"),
        (
            {"type": "StudentEnrollment"},
            "Can't create an enrollment without a user. Include enrollment[user_id] to create an enrollment",
        ),
        ({"user_id": "3", "type": "GuestEnrollment"}, "Invalid type"),
        ({"user_id": "3", "role": "Ukjent"}, "Invalid role"),
        ({"user_id": "3", "role_id": "1"}, "Invalid role"),
        (
            {"user_id": "3", "type": "StudentEnrollment", "role": "TeacherEnrollment"},
            "The specified type must match the base type for the role",
        ),
    ],
)
def test_what_cannot_be_enrolled_is_refused_in_canvas_words(
    canvas: RestClient, fields: dict[str, str], message: str
) -> None:
    response = enroll(canvas, **fields)

    assert (response.status_code, response.json()) == (403, {"message": message})


@pytest.mark.parametrize("is_over_by", ["conclusion", "its own end", "the end of its term"])
def test_a_course_that_is_over_takes_nobody(canvas: RestClient, is_over_by: str) -> None:
    canvas.new_term("T", end_at="2026-08-01")
    ended = {"restrict_enrollments_to_course_dates": "true", "end_at": "2026-08-01"}
    fields = {"its own end": ended, "the end of its term": {"term_id": "sis_term_id:T"}}
    canvas.new_course("A", **fields.get(is_over_by, {}))
    if is_over_by == "conclusion":
        canvas.put("/courses/sis_course_id:A", data={"course[event]": "conclude"})

    response = enroll(canvas, "sis_course_id:A", user_id="3")

    message = "Can't add an enrollment to a concluded course."
    assert (response.status_code, response.json()) == (403, {"message": message})


def test_an_enrollment_reads_deleted_when_its_course_is(canvas: RestClient) -> None:
    record = canvas.canvas.courses[1]
    record.workflow_state = State.DELETED

    rows = canvas.get(f"/users/{OLAV}/enrollments").json()

    assert [row["enrollment_state"] for row in rows] == ["deleted"]
