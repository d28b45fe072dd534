"""Users, logins, admins and lists of enrollments over REST, reference/canvas.md §10.5, §10.7 and §10.9."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.rest_client import READ_ONLY, RestClient
from tests.sandbox.sis_building import run_csv

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
OLAV = "sis_login_id:olav@sandbox.example"
USERS = "user_id,login_id,full_name,status"
ENROLLMENTS = "course_id,section_id,user_id,role,status"
STRING_IDS = {"Accept": "application/json+canvas-string-ids"}


@pytest.fixture
def canvas() -> RestClient:
    return RestClient(now=lambda: NOON)


def states(canvas: RestClient, user: str) -> list[str]:
    return [row["workflow_state"] for row in canvas.get(f"/users/{user}/logins").json()]


# --- users ---


def test_a_user_is_created_with_all_a_login_can_have(canvas: RestClient) -> None:
    given = {
        "user[name]": "Kari Konstruert",
        "pseudonym[unique_id]": "kari",
        "pseudonym[sis_user_id]": "U1",
        "pseudonym[integration_id]": "I1",
        "pseudonym[authentication_provider_id]": "saml",
    }
    made = canvas.post("/accounts/self/users", data=given).json()

    (login,) = canvas.get(f"/users/{made['id']}/logins").json()
    assert login == {
        "id": 5,
        "user_id": 5,
        "account_id": 1,
        "unique_id": "kari",
        "workflow_state": "active",
        "authentication_provider_id": "2",
        "authentication_provider_type": "saml",
        "declared_user_type": None,
        "created_at": "2026-09-01T12:00:00Z",
        "sis_user_id": "U1",
        "integration_id": "I1",
        "sis_import_id": None,
    }
    assert canvas.get("/users/sis_integration_id:I1").json() == made


def test_a_user_is_renamed_and_gets_an_address_and_both_are_a_person_s_edit(canvas: RestClient) -> None:
    run_csv(canvas.canvas, USERS, "U1,kari,Kari Konstruert,active")

    shown = canvas.put("/users/sis_user_id:U1", data={"user[name]": "Kari K.", "user[email]": "k@post.example"}).json()
    batch = run_csv(canvas.canvas, USERS, "U1,kari,Kari Konstruert,active")

    assert (shown["name"], shown["sortable_name"], shown["short_name"], shown["email"]) == (
        "Kari K.",
        "K., Kari",
        "Kari K.",
        "k@post.example",
    )
    assert canvas.get("/users/sis_user_id:U1").json() == shown | {"sis_import_id": batch.id}


def test_a_user_is_suspended_and_unsuspended_in_every_login(canvas: RestClient) -> None:
    canvas.post("/accounts/1/logins", data={"user[id]": OLAV, "login[unique_id]": "olav2"})

    canvas.put("/users/3", data={"user[event]": "suspend"})
    suspended = states(canvas, "3")
    canvas.put("/users/3", data={"user[event]": "unsuspend"})
    refused = canvas.put("/users/3", data={"user[event]": "explode"})

    assert (suspended, states(canvas, "3")) == (["suspended", "suspended"], ["active", "active"])
    assert refused.status_code == 400
    assert [row["enrollment_state"] for row in canvas.get("/users/3/enrollments").json()] == ["active"]


def test_many_users_are_suspended_in_the_background(canvas: RestClient) -> None:
    data = {"user_ids[]": ["2", "3"], "user[event]": "suspend"}
    started = canvas.put("/accounts/self/users/bulk_update", data=data).json()
    canvas.until(f"/progress/{started['id']}", "workflow_state", "completed")

    assert [states(canvas, user) for user in ("2", "3", "4")] == [["suspended"], ["suspended"], ["active"]]


def test_a_deleted_user_is_gone_with_all_and_restored_with_the_login_alone(canvas: RestClient) -> None:
    canvas.post("/accounts/1/admins", data={"user_id": "3"})

    gone = canvas.delete("/accounts/self/users/3")
    missing = [canvas.get("/users/3").status_code, canvas.get(f"/users/{OLAV}").status_code]
    listed = [row["id"] for row in canvas.get("/accounts/self/users?sort=id").json()]
    with_deleted = [row["id"] for row in canvas.get("/accounts/self/users?sort=id&include_deleted_users=true").json()]
    back = canvas.put("/accounts/self/users/3/restore")

    assert (gone.status_code, gone.json()["name"], missing) == (200, "Olav Oppdikten", [404, 404])
    assert (listed, with_deleted) == ([1, 2, 4], [1, 2, 3, 4])
    assert (back.json()["login_id"], states(canvas, "3")) == ("olav@sandbox.example", ["active"])
    assert canvas.get("/users/3/enrollments").json() == []
    assert [row["user"]["id"] for row in canvas.get("/accounts/1/admins").json()] == [1]
    assert canvas.put("/accounts/self/users/3/restore").status_code == 404


def test_a_deleted_user_comes_back_by_its_sis_id_when_reactivation_is_asked_for(canvas: RestClient) -> None:
    given = {"user[name]": "Kari", "pseudonym[unique_id]": "kari", "pseudonym[sis_user_id]": "U1"}
    made = canvas.post("/accounts/self/users", data=given).json()
    canvas.delete(f"/accounts/self/users/{made['id']}")

    refused = canvas.post("/accounts/self/users", data=given)
    back = canvas.post("/accounts/self/users", data={**given, "enable_sis_reactivation": "true"}).json()

    assert refused.status_code == 400
    assert (back["id"], back["name"]) == (made["id"], "Kari")


def test_users_are_sorted_and_kept_to_an_account(canvas: RestClient) -> None:
    run_csv(canvas.canvas, USERS, "U2,aa,Åse Aas,active", "U1,bb,Bo Berg,active")

    def listed(query: str, account: str = "self") -> list[int]:
        return [row["id"] for row in canvas.get(f"/accounts/{account}/users{query}").json()]

    assert listed("?sort=sis_id&order=desc")[:2] == [5, 6]
    assert listed("?sort=login")[:2] == [5, 6]
    assert listed("", "3") == [2, 3, 4]
    assert listed("", "sis_account_id:FSDEMO") == []


def test_the_login_with_a_sis_id_stands_for_its_user(canvas: RestClient) -> None:
    canvas.post("/accounts/1/logins", data={"user[id]": "3", "login[unique_id]": "o2", "login[sis_user_id]": "U3"})

    assert canvas.get("/users/3").json()["sis_user_id"] == "U3"


# --- logins ---


def test_a_login_is_created_changed_listed_and_deleted(canvas: RestClient) -> None:
    made = canvas.post(
        "/accounts/1/logins", data={"user[id]": "3", "login[unique_id]": "olav2", "login[sis_user_id]": "U3"}
    ).json()
    path = f"/accounts/1/logins/{made['id']}"

    changed = canvas.put(path, data={"login[unique_id]": "olav3", "login[workflow_state]": "suspended"}).json()
    of_account = canvas.get("/accounts/1/logins?user_id=3").json()
    gone = canvas.delete(f"/users/3/logins/{made['id']}").json()

    assert (changed["unique_id"], changed["workflow_state"], changed["sis_user_id"]) == ("olav3", "suspended", "U3")
    assert of_account == [*canvas.get("/users/3/logins").json(), changed]
    assert (gone["workflow_state"], canvas.put(path).status_code) == ("deleted", 404)
    assert canvas.get("/users/3/enrollments").json() != []


def test_the_last_login_takes_the_enrollments_with_it(canvas: RestClient) -> None:
    canvas.delete("/users/3/logins/3")

    assert [row["enrollment_state"] for row in canvas.get("/users/3/enrollments?state[]=deleted").json()] == ["deleted"]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("unique_id", "OLAV@sandbox.example", "ID already in use for this account and authentication provider"),
        ("sis_user_id", "U9", 'SIS ID "U9" is already in use'),
    ],
)
def test_a_login_s_ids_are_its_own(canvas: RestClient, field: str, value: str, message: str) -> None:
    run_csv(canvas.canvas, USERS, "U9,ni,Nils Ni,active")

    given = {"user[id]": "2", "login[unique_id]": "ny", f"login[{field}]": value}
    created = canvas.post("/accounts/1/logins", data=given)
    changed = canvas.put("/accounts/1/logins/2", data={f"login[{field}]": value})

    error = {"errors": {field: [{"attribute": field, "type": "taken", "message": message}]}}
    assert [(answer.status_code, answer.json()) for answer in (created, changed)] == [(400, error), (400, error)]


def test_a_login_belongs_to_the_user_in_the_path(canvas: RestClient) -> None:
    assert canvas.delete("/users/2/logins/3").status_code == 404
    assert states(canvas, "3") == ["active"]


# --- admins ---


def test_an_administrator_is_made_listed_and_removed(canvas: RestClient) -> None:
    made = canvas.post("/accounts/sis_account_id:FSDEMO/admins", data={"user_id": OLAV}).json()
    again = canvas.post("/accounts/2/admins", data={"user_id": "3", "role_id": "1"}).json()
    listed = canvas.get("/accounts/2/admins").json()
    gone = canvas.delete("/accounts/2/admins/3?role_id=1").json()

    assert (made["role"], made["role_id"], made["user"]["id"], made["workflow_state"]) == (
        "AccountAdmin",
        1,
        3,
        "active",
    )
    assert (again, listed) == (made, [made])
    assert (gone["workflow_state"], canvas.get("/accounts/2/admins").json()) == ("deleted", [])
    assert canvas.delete("/accounts/2/admins/3").status_code == 404
    assert canvas.get("/accounts/1/admins?user_id[]=3").json() == []


def test_an_administrator_s_role_is_one_of_the_account(canvas: RestClient) -> None:
    answers = [
        canvas.post("/accounts/2/admins", data={"user_id": "3", **role})
        for role in ({"role": "StudentEnrollment"}, {"role": "Rektor"}, {"role_id": "2"})
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert canvas.post("/accounts/2/admins", data={}).json() == {"errors": [{"message": "user_id is missing"}]}


def test_reading_alone_changes_no_people(canvas: RestClient) -> None:
    denied = [
        canvas.post("/accounts/2/admins", token=READ_ONLY, data={"user_id": "3"}),
        canvas.post("/accounts/1/logins", token=READ_ONLY, data={"user[id]": "3", "login[unique_id]": "x"}),
        canvas.put("/users/3", token=READ_ONLY, data={"user[event]": "suspend"}),
        canvas.delete("/accounts/self/users/3", token=READ_ONLY),
    ]

    assert [answer.status_code for answer in denied] == [403, 403, 403, 403]


# --- enrollments ---


def roster(canvas: RestClient) -> None:
    """U1 and U2 in the courses A (in a term, below FSDEMO) and B."""
    canvas.new_term("T")
    canvas.new_course("A", term_id="sis_term_id:T")
    canvas.new_section("SA", "A")
    canvas.new_course("B")
    run_csv(canvas.canvas, USERS, "U1,en,Eva En,active", "U2,to,Tor To,active")
    run_csv(
        canvas.canvas,
        ENROLLMENTS,
        "A,SA,U1,student,active",
        "A,SA,U2,teacher,inactive",
        "B,,U1,student,completed",
        "B,,U1,ta,deleted",
    )


def listed(canvas: RestClient, path: str) -> list[tuple[str, str, str]]:
    rows: list[dict[str, Any]] = canvas.get(path).json()
    return [(row["sis_course_id"], row["sis_user_id"], row["enrollment_state"]) for row in rows]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/courses/sis_course_id:A/enrollments", [("A", "U1", "active"), ("A", "U2", "inactive")]),
        ("/courses/sis_course_id:A/enrollments?sis_user_id[]=U2", [("A", "U2", "inactive")]),
        ("/courses/sis_course_id:A/enrollments?role[]=TeacherEnrollment", [("A", "U2", "inactive")]),
        ("/courses/sis_course_id:A/enrollments?role_id=2", [("A", "U1", "active")]),
        ("/sections/sis_section_id:SA/enrollments?state[]=inactive", [("A", "U2", "inactive")]),
        ("/users/sis_user_id:U1/enrollments", [("A", "U1", "active")]),
        ("/users/sis_user_id:U1/enrollments?state[]=deleted", [("B", "U1", "deleted")]),
        (
            "/users/sis_user_id:U1/enrollments?state[]=current_and_concluded",
            [("A", "U1", "active"), ("B", "U1", "completed")],
        ),
        (
            "/users/sis_user_id:U1/enrollments?state[]=completed&state[]=active&sis_course_id[]=B",
            [("B", "U1", "completed")],
        ),
        ("/users/sis_user_id:U1/enrollments?enrollment_term_id=sis_term_id:T", [("A", "U1", "active")]),
        ("/users/sis_user_id:U1/enrollments?sis_section_id[]=SA", [("A", "U1", "active")]),
        ("/users/sis_user_id:U1/enrollments?sis_account_id[]=NONE", []),
    ],
)
def test_enrollments_are_listed_as_asked(canvas: RestClient, path: str, expected: list[tuple[str, str, str]]) -> None:
    roster(canvas)

    assert listed(canvas, path) == expected


def test_an_enrollment_is_shown_by_its_id_with_strings_for_ids(canvas: RestClient) -> None:
    roster(canvas)

    shown = canvas.get("/accounts/self/enrollments/7", headers=STRING_IDS).json()

    assert (shown["id"], shown["user_id"], shown["enrollment_state"], shown["user"]["id"]) == ("7", "5", "deleted", "5")


def test_pages_of_a_roster_are_linked(canvas: RestClient) -> None:
    response = canvas.get("/courses/1/enrollments?per_page=2&state[]=active")

    links = {link.split("; ")[1]: link.split("; ")[0] for link in response.headers["Link"].split(",")}
    following = canvas.get(links['rel="next"'].strip("<>"))
    assert ([row["id"] for row in response.json()], [row["id"] for row in following.json()]) == ([1, 2], [3])


def test_a_user_in_a_course_that_is_over_joins_a_section_that_is_not(canvas: RestClient) -> None:
    dates = {"restrict_enrollments_to_section_dates": "true", "end_at": "2026-12-01"}
    canvas.new_course("A", restrict_enrollments_to_course_dates="true", end_at="2026-08-01")
    canvas.new_section("OPEN", "A", **dates)
    canvas.new_section("OTHER", "A")
    run_csv(canvas.canvas, USERS, "U1,en,Eva En,active", "U2,to,Tor To,active")
    run_csv(canvas.canvas, ENROLLMENTS, "A,OTHER,U1,student,active")

    def joined(user: str, section: str) -> int:
        data = {"enrollment[user_id]": f"sis_user_id:{user}", "enrollment[enrollment_state]": "active"}
        return canvas.post(f"/sections/sis_section_id:{section}/enrollments", data=data).status_code

    assert (joined("U1", "OPEN"), joined("U2", "OPEN"), joined("U2", "OTHER")) == (200, 403, 403)


def test_a_trusted_root_account_s_user_is_named_by_a_sis_id(canvas: RestClient) -> None:
    run_csv(canvas.canvas, f"{USERS},integration_id", "U1,en,Eva En,active,I1")
    trusted = {"enrollment[root_account]": "other.example"}

    refused = canvas.post("/courses/1/enrollments", data={**trusted, "enrollment[user_id]": "5"})
    by_sis = canvas.post("/courses/1/enrollments", data={**trusted, "enrollment[sis_user_id]": "U1"}).json()
    by_integration = canvas.post("/courses/1/enrollments", data={**trusted, "enrollment[integration_id]": "I1"}).json()

    text = "Can't create an enrollment without a sis_user_id or integration_id when root_account is provided"
    assert (refused.status_code, refused.json()) == (403, {"message": text})
    assert (by_sis["sis_user_id"], by_integration["id"]) == ("U1", by_sis["id"])


def test_an_observer_is_active_at_once(canvas: RestClient) -> None:
    data = {"enrollment[user_id]": "3", "enrollment[type]": "ObserverEnrollment", "enrollment[associated_user_id]": "4"}
    made = canvas.post("/courses/1/enrollments", data=data).json()

    assert (made["enrollment_state"], made["associated_user_id"]) == ("active", 4)


def test_reviving_what_an_import_deleted_makes_it_a_person_s(canvas: RestClient) -> None:
    roster(canvas)
    (section,) = [row["id"] for row in canvas.get("/courses/sis_course_id:B/sections").json()]
    data = {
        "enrollment[user_id]": "sis_user_id:U1",
        "enrollment[type]": "TaEnrollment",
        "enrollment[course_section_id]": str(section),
        "enrollment[enrollment_state]": "active",
    }

    revived = canvas.post("/courses/sis_course_id:B/enrollments", data=data).json()

    assert (revived["id"], revived["enrollment_state"], revived["sis_import_id"]) == (7, "active", None)


def test_dates_a_person_gave_at_enrolling_stay_against_an_import(canvas: RestClient) -> None:
    roster(canvas)
    data = {
        "enrollment[user_id]": "sis_user_id:U2",
        "enrollment[enrollment_state]": "active",
        "enrollment[start_at]": "2026-09-10",
        "enrollment[end_at]": "2026-10-10",
    }
    made = canvas.post("/sections/sis_section_id:SA/enrollments", data=data).json()

    run_csv(canvas.canvas, f"{ENROLLMENTS},start_date,end_date", "A,SA,U2,student,inactive,2026-08-01,2026-12-01")

    shown = canvas.get(f"/accounts/self/enrollments/{made['id']}").json()
    assert (shown["start_at"], shown["enrollment_state"]) == ("2026-09-10T00:00:00Z", "inactive")
