"""Accounts and terms over REST."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.canvas.http import TOKENS, Token
from sandbox.canvas.objects import Write
from tests.sandbox.rest_client import RestClient

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
IMPORT = Write(batch_id=1)


@pytest.fixture
def canvas() -> RestClient:
    return RestClient(now=lambda: NOON)


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows]


def model_error(attribute: str, message: str) -> dict[str, Any]:
    return {"errors": {attribute: [{"attribute": attribute, "type": message, "message": message}]}}


def test_an_account_shows_its_place_and_its_sis_keys(canvas: RestClient) -> None:
    made = canvas.new_account("184_1_0_0", "Fakultet", parent="sis_account_id:FSDEMO")

    assert canvas.get("/accounts/sis_account_id:184_1_0_0").json() == made
    assert made == {
        "id": 4,
        "name": "Fakultet",
        "workflow_state": "active",
        "parent_account_id": 2,
        "root_account_id": 1,
        "uuid": "sandbox-account-4",
        "default_time_zone": "Europe/Oslo",
        "default_storage_quota_mb": 500,
        "default_user_storage_quota_mb": 50,
        "default_group_storage_quota_mb": 50,
        "sis_account_id": "184_1_0_0",
        "integration_id": None,
        "sis_import_id": None,
    }


@pytest.mark.parametrize("name", ["self", "default", "1"])
def test_the_root_account_goes_by_several_names(canvas: RestClient, name: str) -> None:
    root = canvas.get(f"/accounts/{name}").json()

    assert (root["name"], root["parent_account_id"], root["root_account_id"]) == (
        "Sandbox University System",
        None,
        None,
    )


def test_sub_accounts_are_the_children_or_with_recursive_all_below(canvas: RestClient) -> None:
    canvas.new_account("F", "Fakultet", parent="sis_account_id:FSDEMO")
    canvas.new_account("I", "Institutt", parent="sis_account_id:F")
    path = "/accounts/sis_account_id:FSDEMO/sub_accounts"

    assert names(canvas.get(path).json()) == ["Fakultet"]
    assert names(canvas.get(f"{path}?recursive=true").json()) == ["Fakultet", "Institutt"]


def test_sub_accounts_count_their_courses_and_sub_accounts_when_asked(canvas: RestClient) -> None:
    canvas.new_account("F", "Fakultet", parent="sis_account_id:FSDEMO")
    canvas.new_account("I", "Institutt", parent="sis_account_id:F")
    canvas.new_course("C1", "sis_account_id:F")

    path = "/accounts/sis_account_id:FSDEMO/sub_accounts?include[]=course_count&include[]=sub_account_count"
    (shown,) = canvas.get(path).json()

    assert (shown["course_count"], shown["sub_account_count"]) == (1, 1)


def test_an_account_is_renamed_moved_and_given_another_sis_id(canvas: RestClient) -> None:
    canvas.new_account("A")
    target = canvas.new_account("B")

    given = {"account[name]": "Nytt navn", "account[sis_account_id]": "A2"}
    given["account[parent_account_id]"] = str(target["id"])
    changed = canvas.put("/accounts/sis_account_id:A", data=given).json()

    assert canvas.get("/accounts/sis_account_id:A2").json() == changed
    assert (changed["name"], changed["parent_account_id"]) == ("Nytt navn", target["id"])
    assert canvas.get("/accounts/sis_account_id:A").status_code == 404


def test_an_account_is_not_moved_below_itself(canvas: RestClient) -> None:
    canvas.new_account("A")
    canvas.new_account("B", parent="sis_account_id:A")

    response = canvas.put("/accounts/sis_account_id:A", data={"account[parent_account_id]": "sis_account_id:B"})

    message = "Setting account A's parent to B would create a loop"
    assert (response.status_code, response.json()) == (400, model_error("parent_account_id", message))


def test_an_sis_id_is_given_once(canvas: RestClient) -> None:
    canvas.new_account("A")

    given = {"account[name]": "Enda en", "account[sis_account_id]": "A"}
    response = canvas.post("/accounts/self/sub_accounts", data=given)

    message = 'SIS ID "A" is already in use'
    assert (response.status_code, response.json()) == (400, model_error("sis_source_id", message))


def test_the_root_account_keeps_its_sis_id(canvas: RestClient) -> None:
    changed = canvas.put("/accounts/self", data={"account[sis_account_id]": "ROT"}).json()

    assert changed["sis_account_id"] is None


def test_an_account_without_a_name_is_not_made(canvas: RestClient) -> None:
    response = canvas.post("/accounts/self/sub_accounts", data={"account[sis_account_id]": "A"})

    assert (response.status_code, response.json()) == (
        400,
        {"errors": [{"message": "account[name] is missing"}]},
    )


def test_an_sis_id_needs_sis_rights(canvas: RestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOKENS, "admin", Token("admin", frozenset({"manage_account_settings"})))

    given = {"account[name]": "A", "account[sis_account_id]": "A"}
    response = canvas.post("/accounts/self/sub_accounts", token="admin", data=given)

    message = "user not authorized to manage SIS data - account[sis_account_id]"
    assert (response.status_code, response.json()) == (403, {"message": message})


def test_a_sub_account_goes_when_it_is_empty(canvas: RestClient) -> None:
    canvas.new_account("A")
    canvas.new_account("B", parent="sis_account_id:A")
    canvas.new_course("C1", "sis_account_id:B")
    root = "/accounts/self/sub_accounts/sis_account_id"

    with_sub_account = canvas.delete(f"{root}:A")
    with_course = canvas.delete(f"{root}:B")
    canvas.delete("/courses/sis_course_id:C1?event=delete")
    empty = canvas.delete(f"{root}:B")

    assert (with_sub_account.status_code, with_sub_account.json()) == (
        409,
        {"message": "You can't delete a sub-account that has sub-accounts in it."},
    )
    assert (with_course.status_code, with_course.json()) == (
        409,
        {"message": "You can't delete a sub-account that has courses in it."},
    )
    assert (empty.status_code, empty.json()["workflow_state"]) == (200, "deleted")
    assert canvas.get("/accounts/sis_account_id:B").status_code == 404


def test_a_rename_by_rest_holds_against_an_import(canvas: RestClient) -> None:
    canvas.new_account("A")
    state = canvas.canvas
    account = state.accounts.by_sis_id("A")
    assert account is not None
    account.stuck = frozenset()

    canvas.put("/accounts/sis_account_id:A", data={"account[name]": "Fra REST"})
    state.update_account(account, {"name": "Fra SIS"}, IMPORT)

    assert account.name == "Fra REST"


def test_a_write_that_respects_stickiness_leaves_a_stuck_name(canvas: RestClient) -> None:
    canvas.new_account("A", "Først")

    given = {"account[name]": "Så", "override_sis_stickiness": "false"}
    assert canvas.put("/accounts/sis_account_id:A", data=given).json()["name"] == "Først"
    assert canvas.put("/accounts/sis_account_id:A", data={"account[name]": "Så"}).json()["name"] == "Så"


def test_terms_are_listed_under_their_key_by_state_and_name(canvas: RestClient) -> None:
    canvas.new_term("2026_HØST", name="Høst 2026")
    canvas.new_term("2027_VÅR", name="Vår 2027")
    canvas.delete("/accounts/self/terms/sis_term_id:2027_V%C3%85R")

    def listed(query: str) -> list[str]:
        return names(canvas.get(f"/accounts/self/terms{query}").json()["enrollment_terms"])

    assert listed("") == ["Default Term", "Høst 2026"]
    assert listed("?workflow_state[]=deleted") == ["Vår 2027"]
    assert listed("?workflow_state[]=all") == ["Default Term", "Høst 2026", "Vår 2027"]
    assert listed("?term_name=høst") == ["Høst 2026"]


def test_a_term_has_dates_and_overrides_for_its_roles(canvas: RestClient) -> None:
    canvas.new_term("T", name="Høst", start_at="2026-08-01T00:00:00+02:00", end_at="2026-12-31")
    dates = {"start_at": "2026-07-01", "end_at": "2027-01-31T12:00:00Z"}
    given = {f"enrollment_term[overrides][TeacherEnrollment][{name}]": value for name, value in dates.items()}

    changed = canvas.put("/accounts/self/terms/sis_term_id:T", data=given).json()

    assert canvas.get("/accounts/self/terms/sis_term_id:T").json() == changed
    assert changed == {
        "id": 2,
        "name": "Høst",
        "start_at": "2026-07-31T22:00:00Z",
        "end_at": "2026-12-31T00:00:00Z",
        "created_at": "2026-09-01T12:00:00Z",
        "workflow_state": "active",
        "grading_period_group_id": None,
        "overrides": {"TeacherEnrollment": {"start_at": "2026-07-01T00:00:00Z", "end_at": "2027-01-31T12:00:00Z"}},
        "sis_term_id": "T",
        "integration_id": None,
        "sis_import_id": None,
    }


@pytest.mark.parametrize(
    ("fields", "attribute", "message"),
    [
        ({"end_at": "2025-01-01"}, "end_at", "End dates cannot be before start dates"),
        ({"start_at": "i går"}, "start_at", "Invalid datetime for start_at"),
        ({"sis_term_id": "T"}, "sis_source_id", 'SIS ID "T" is already in use'),
        (
            {"overrides][GuestEnrollment][start_at": "2026-01-01"},
            "overrides",
            "Invalid enrollment type in overrides",
        ),
    ],
)
def test_a_term_that_is_not_valid_is_refused(
    canvas: RestClient, fields: dict[str, str], attribute: str, message: str
) -> None:
    canvas.new_term("T")
    canvas.new_term("U", start_at="2026-08-01")

    data = {f"enrollment_term[{name}]": value for name, value in fields.items()}
    response = canvas.put("/accounts/self/terms/sis_term_id:U", data=data)

    assert (response.status_code, response.json()) == (400, model_error(attribute, message))


def test_the_default_term_and_a_term_with_courses_stay(canvas: RestClient) -> None:
    canvas.new_term("T")
    canvas.new_course("C1", term_id="sis_term_id:T")

    default = canvas.delete("/accounts/self/terms/default")
    with_course = canvas.delete("/accounts/self/terms/sis_term_id:T")

    assert [default.json(), with_course.json()] == [
        model_error("workflow_state", "Cannot delete the default term"),
        model_error("workflow_state", "Cannot delete a term with active courses"),
    ]


def test_the_current_term_is_the_only_one_in_force(canvas: RestClient) -> None:
    before = canvas.get("/accounts/self/terms/current").status_code
    canvas.new_term("T", name="Høst", start_at="2026-08-01", end_at="2026-12-31")
    alone = canvas.get("/accounts/self/terms/current").json()["name"]
    canvas.new_term("U", start_at="2026-08-15", end_at="2026-10-01")

    assert (before, alone, canvas.get("/accounts/self/terms/current").status_code) == (404, "Høst", 404)


def test_terms_belong_to_the_root_account_alone(canvas: RestClient) -> None:
    assert canvas.get("/accounts/sis_account_id:FSDEMO/terms").status_code == 404
