"""Tokens, error shapes, ids, pages: what every endpoint of the sandbox's Canvas has in common."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.canvas.http import TOKENS, Token, nested
from sandbox.faults import Fault
from tests.sandbox.rest_client import READ_ONLY, RestClient

REALM = 'Bearer realm="canvas-lms"'
NOT_FOUND = {"errors": [{"message": "The specified resource does not exist."}]}
NOT_PERMITTED = {
    "status": "unauthorized",
    "errors": [{"message": "user not authorized to perform that action"}],
}


def links(response: Any) -> dict[str, str]:
    return {rel: link["url"] for rel, link in response.links.items()}


@pytest.mark.parametrize(
    ("token", "body"),
    [
        (None, {"status": "unauthenticated", "errors": [{"message": "user authorization required"}]}),
        ("nobody's", {"errors": [{"message": "Invalid access token."}]}),
        (
            "sandbox-canvas-expired",
            {"errors": [{"message": "Expired access token.", "expired_at": "2026-01-01T00:00:00Z"}]},
        ),
    ],
)
def test_a_request_without_a_good_token_is_a_401_that_asks_for_one(token: str | None, body: Any) -> None:
    response = RestClient().get("/accounts/self", token=token)

    assert (response.status_code, response.headers["WWW-Authenticate"], response.json()) == (401, REALM, body)


def test_a_token_may_stand_in_the_query_and_stays_out_of_the_links() -> None:
    response = RestClient().get("/accounts?access_token=sandbox-canvas-token&x=1", token=None)

    assert response.status_code == 200
    assert links(response)["current"] == "http://canvas.example/canvas/api/v1/accounts?x=1&page=1&per_page=10"


@pytest.mark.parametrize(("profile", "status"), [("hosted-2026", 403), ("legacy", 401)])
def test_what_a_token_may_not_do_is_refused_without_asking_for_another(profile: str, status: int) -> None:
    response = RestClient(profile).put("/accounts/2", token=READ_ONLY, data={"account[name]": "Ny"})

    assert (response.status_code, response.json()) == (status, NOT_PERMITTED)
    assert "WWW-Authenticate" not in response.headers


def test_a_token_expires_on_demand_in_the_middle_of_a_list() -> None:
    canvas = RestClient()
    canvas.world.faults.add(Fault("canvas", "expired_token", after=1, match="/accounts"))

    first, second, third = (canvas.get("/accounts").status_code for _ in range(3))

    assert (first, second, third) == (200, 401, 200)


@pytest.mark.parametrize(
    "path", ["/accounts/99", "/accounts/sis_account_id:nobody", "/accounts/abc", "/courses/0", "/nowhere"]
)
def test_what_is_not_there_is_a_404(path: str) -> None:
    response = RestClient().get(path)

    assert (response.status_code, response.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize("sis_id", ["IDRETT/FYSISK", "ÆØÅ_æøå", "184.2_0%20", "a+b&c=d?e#f", "hex:no"])
def test_an_sis_id_of_any_letters_is_found_when_it_is_encoded(sis_id: str) -> None:
    canvas = RestClient()
    made = canvas.new_account(sis_id)
    encoded = "".join(f"%{byte:02X}" for byte in sis_id.encode())

    assert canvas.get(f"/accounts/sis_account_id:{encoded}").json() == made
    assert canvas.get(f"/accounts/hex:sis_account_id:{sis_id.encode().hex()}").json() == made
    assert canvas.get(f"/accounts/sis_account_id:{encoded}/sub_accounts").json() == []


def test_ids_are_texts_for_who_accepts_them_so_and_other_numbers_stay_numbers() -> None:
    canvas = RestClient()
    accept = {"Accept": "application/json+canvas-string-ids"}

    (account,) = canvas.get("/accounts", headers=accept).json()
    (course,) = canvas.get("/accounts/self/courses?include[]=total_students", headers=accept).json()
    (enrollment, *_) = canvas.get("/courses/1/enrollments", headers=accept).json()

    assert (account["id"], account["parent_account_id"], account["default_storage_quota_mb"]) == ("1", None, 500)
    assert (course["id"], course["account_id"], course["total_students"]) == ("1", "3", 2)
    assert (enrollment["user_id"], enrollment["user"]["id"]) == ("2", "2")


def test_pages_are_of_ten_and_their_links_lead_through_all_of_them() -> None:
    canvas = RestClient()
    made = [canvas.new_account(f"K{number}", parent="sis_account_id:FSDEMO")["id"] for number in range(23)]
    base = "http://canvas.example/canvas/api/v1/accounts/sis_account_id:FSDEMO/sub_accounts"

    first = canvas.get("/accounts/sis_account_id:FSDEMO/sub_accounts?recursive=true")
    second = canvas.get(links(first)["next"])
    third = canvas.get(links(second)["next"])

    assert [row["id"] for page in (first, second, third) for row in page.json()] == made
    assert list(links(second)) == ["current", "next", "prev", "first", "last"]
    assert links(second) == {
        rel: f"{base}?recursive=true&page={page}&per_page=10"
        for rel, page in {"current": 2, "next": 3, "prev": 1, "first": 1, "last": 3}.items()
    }
    assert list(links(first)) == ["current", "next", "first", "last"]
    assert list(links(third)) == ["current", "prev", "first", "last"]


def test_a_page_after_the_last_is_empty_and_a_page_that_is_none_is_a_404() -> None:
    canvas = RestClient()

    assert canvas.get("/accounts?page=7").json() == []
    assert [canvas.get(f"/accounts?page={page}").status_code for page in ("0", "-1", "bookmark:x")] == [404] * 3


@pytest.mark.parametrize(
    ("profile", "asked", "given"),
    [
        ("hosted-2026", "100", 100),
        ("hosted-2026", "1000", 100),
        ("legacy", "100", 50),
        ("hosted-2026", "0", 10),
        ("hosted-2026", "many", 10),
    ],
)
def test_a_page_is_as_large_as_asked_up_to_the_cap(profile: str, asked: str, given: int) -> None:
    canvas = RestClient(profile)
    for number in range(120):
        canvas.new_account(f"K{number}")

    assert len(canvas.get(f"/accounts/self/sub_accounts?per_page={asked}").json()) == given


def test_only_who_has_sis_rights_sees_sis_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOKENS, "plain", Token("plain", frozenset({"read", "read_course_list"})))
    canvas = RestClient()
    canvas.new_course("C1")

    seen = canvas.get("/courses/sis_course_id:C1", token="plain").json()

    assert seen["name"] == "Emne C1"
    assert not {"sis_course_id", "integration_id", "sis_import_id"} & seen.keys()


def test_a_json_body_does_what_a_form_does() -> None:
    canvas = RestClient()

    by_json = canvas.post("/accounts/2/sub_accounts", json={"account": {"name": "A", "sis_account_id": "J"}})
    by_form = canvas.post("/accounts/2/sub_accounts", data={"account[name]": "A", "account[sis_account_id]": "F"})

    one, other = by_json.json(), by_form.json()
    assert (one["name"], one["sis_account_id"]) == ("A", "J")
    assert {**one, "id": 0, "uuid": "", "sis_account_id": ""} == {
        **other,
        "id": 0,
        "uuid": "",
        "sis_account_id": "",
    }


def test_brackets_nest_fields() -> None:
    given = [("a", "1"), ("b[c]", "2"), ("b[d][e]", "3"), ("f[]", "4"), ("f[]", "5"), ("b[g][]", "6")]

    assert nested(given) == {
        "a": "1",
        "b": {"c": "2", "d": {"e": "3"}, "g": ["6"]},
        "f": ["4", "5"],
    }


def test_permissions_are_answered_one_by_one() -> None:
    path = "/accounts/self/permissions?permissions[]=import_sis&permissions[]=manage_sis&permissions[]=fly"

    assert RestClient().get(path).json() == {"import_sis": True, "manage_sis": True, "fly": False}
    assert RestClient().get(path, token=READ_ONLY).json() == {
        "import_sis": False,
        "manage_sis": False,
        "fly": False,
    }
