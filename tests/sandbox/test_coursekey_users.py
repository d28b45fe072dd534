"""CourseKey's door and its users (docs/coursekey-contract.md)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.college_client import KEY_1, KEY_2, MAIN, NORTH, OWNER, WEST, CollegeClient, answer

USER: dict[str, Any] = {
    "firstName": "Harpdell",
    "lastName": "Elderquist",
    "email": "h.e@college.example",
    "isTeacher": 0,
}


@pytest.fixture
def client() -> CollegeClient:
    return CollegeClient()


def found(client: CollegeClient, **query: Any) -> list[str]:
    return [row["email"] for row in client.coursekey("GET", "/users", **query).json()["data"]]


@pytest.mark.parametrize("key", ["", "another", "Sandbox-CourseKey-Key-1"])
def test_nobody_comes_in_without_a_key(client: CollegeClient, key: str) -> None:
    assert answer(client.coursekey("GET", "/users", key=key)) == (401, "bad_key")


@pytest.mark.parametrize(
    ("key", "school", "expected"),
    [
        (KEY_1, WEST, (403, "foreign_school")),
        (KEY_2, MAIN, (403, "foreign_school")),
        (KEY_1, "999", (404, "unknown_school")),
        (KEY_1, "", (422, "invalid")),
    ],
)
def test_a_key_uses_its_own_schools_only(
    client: CollegeClient, key: str, school: str, expected: tuple[int, str]
) -> None:
    assert answer(client.coursekey("GET", "/users", key=key, school=school)) == expected
    assert answer(client.coursekey("POST", "/users", key=key, school=school, **USER)) == expected


def test_the_owner_is_known_at_every_school_from_the_start(client: CollegeClient) -> None:
    for key, school in ((KEY_1, MAIN), (KEY_1, NORTH), (KEY_2, WEST)):
        assert found(client, key=key, school=school) == [OWNER]


def test_a_new_user_has_what_was_sent_and_an_id(client: CollegeClient) -> None:
    response = client.coursekey("POST", "/users", issuedID="200001", sendWelcomeEmail=1, password="secret-1", **USER)
    user_id = response.json()["userID"]
    assert answer(response) == (201, {**USER, "issuedID": "200001", "schoolID": MAIN, "userID": user_id})
    made = client.world.coursekey.users[user_id]
    assert (made.welcome_mails, made.password_was_set, made.by_hand) == (1, True, False)
    assert "secret-1" not in client.control("GET", "coursekey/state").text


def test_a_user_is_mailed_and_given_a_password_only_when_that_is_asked_for(client: CollegeClient) -> None:
    made = client.world.coursekey.users[client.new_user("h.e@college.example", sendWelcomeEmail=0)["userID"]]
    assert (made.welcome_mails, made.password_was_set) == (0, False)


def test_a_user_is_found_by_email_in_any_case_or_by_issued_id_in_its_own_school(client: CollegeClient) -> None:
    client.new_user("H.E@college.example", "200001")
    assert found(client, email="h.e@COLLEGE.example") == ["H.E@college.example"]
    assert found(client, issuedID="200001") == ["H.E@college.example"]
    assert found(client, issuedID="") == []
    assert found(client, email="nobody@college.example") == []
    assert found(client, email="h.e@college.example", school=NORTH) == []


@pytest.mark.parametrize(
    ("email", "issued_id", "code"),
    [
        ("H.E@College.example", "2", "duplicate_email"),
        ("h.e@college.example", "1", "duplicate_email"),
        ("other@college.example", "1", "duplicate_issued_id"),
    ],
)
def test_no_two_users_of_a_school_share_an_email_or_an_issued_id(
    client: CollegeClient, email: str, issued_id: str, code: str
) -> None:
    client.new_user("h.e@college.example", "1")
    given = {**USER, "email": email, "issuedID": issued_id}
    assert answer(client.coursekey("POST", "/users", **given)) == (409, code)
    assert client.coursekey("POST", "/users", school=NORTH, **given).status_code == 201


def test_users_without_an_issued_id_do_not_collide(client: CollegeClient) -> None:
    client.new_user("a@college.example")
    client.new_user("b@college.example")
    assert client.world.coursekey.counts()["users"] == 5


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        ({"email": ""}, (422, "missing_email")),
        ({"email": None}, (422, "missing_email")),
        ({"email": "no address"}, (422, "invalid")),
        ({"firstName": " "}, (422, "invalid")),
        ({"lastName": None}, (422, "invalid")),
        ({"isTeacher": True}, (422, "invalid")),
        ({"isTeacher": 2}, (422, "invalid")),
        ({"issuedID": 5}, (422, "invalid")),
        ({"sendWelcomeEmail": "Y"}, (422, "invalid")),
        ({"nickname": "H"}, (422, "invalid")),
    ],
)
def test_a_field_that_is_missing_unknown_or_of_the_wrong_form_is_refused(
    client: CollegeClient, difference: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert answer(client.coursekey("POST", "/users", **{**USER, **difference})) == expected
    assert client.world.coursekey.counts()["users"] == 3


def test_a_refusal_names_the_field(client: CollegeClient) -> None:
    refused = client.coursekey("POST", "/users", **{**USER, "isTeacher": "yes"})
    assert refused.json() == {
        "error": {"code": "invalid", "message": "isTeacher must be 0 or 1.", "field": "isTeacher"}
    }


@pytest.mark.parametrize("body", [b"{", b"[1]", b"", b"\xff"])
def test_a_body_that_is_no_json_object_is_a_400(client: CollegeClient, body: bytes) -> None:
    response = client.call("POST", "/coursekey/api/v1/users", headers={"X-Auth-Key": KEY_1}, content=body)
    assert answer(response) == (400, "invalid")


def test_an_update_changes_everything_and_mails_nobody(client: CollegeClient) -> None:
    user = client.new_user("h.e@college.example", "1", sendWelcomeEmail=1)
    given: dict[str, Any] = {
        "firstName": "Harp",
        "lastName": "Reeve",
        "email": "h.r@college.example",
        "isTeacher": 1,
        "issuedID": "2",
    }

    updated = client.coursekey("PUT", f"/users/{user['userID']}", **given)

    assert answer(updated) == (200, {**given, "schoolID": MAIN, "userID": user["userID"]})
    assert found(client, email="h.e@college.example") == found(client, issuedID="1") == []
    assert found(client, issuedID="2") == ["h.r@college.example"]
    assert client.world.coursekey.counts()["welcome_mails"] == 1


def test_an_update_may_keep_the_email_but_not_take_anothers(client: CollegeClient) -> None:
    first, _ = client.new_user("a@college.example", "1"), client.new_user("b@college.example", "2")
    path = f"/users/{first['userID']}"
    assert client.coursekey("PUT", path, **{**USER, "email": "A@college.example"}).status_code == 200
    assert answer(client.coursekey("PUT", path, **{**USER, "email": "b@college.example"})) == (409, "duplicate_email")


def test_an_update_takes_no_password_and_no_welcome_mail(client: CollegeClient) -> None:
    path = f"/users/{client.new_user('h.e@college.example')['userID']}"
    assert answer(client.coursekey("PUT", path, **USER, password="x")) == (422, "invalid")
    assert answer(client.coursekey("PUT", path, **USER, sendWelcomeEmail=1)) == (422, "invalid")


def test_a_user_of_another_school_cannot_be_updated(client: CollegeClient) -> None:
    user = client.new_user("h.e@college.example")
    assert answer(client.coursekey("PUT", f"/users/{user['userID']}", school=NORTH, **USER)) == (404, "unknown_user")
    assert answer(client.coursekey("PUT", "/users/1", **USER)) == (404, "unknown_user")


def test_lists_come_in_pages(client: CollegeClient) -> None:
    client.world.coursekey.configure(page_size=2)
    for number in range(4):
        client.new_user(f"u{number}@college.example")
    pages = [client.coursekey("GET", "/users").json()]
    while cursor := pages[-1]["nextCursor"]:
        pages.append(client.coursekey("GET", "/users", cursor=cursor).json())
    assert [[row["email"] for row in page["data"]] for page in pages] == [
        [OWNER, "u0@college.example"],
        ["u1@college.example", "u2@college.example"],
        ["u3@college.example"],
    ]
    assert answer(client.coursekey("GET", "/users", cursor="elsewhere")) == (422, "invalid")


def test_a_password_is_not_kept(client: CollegeClient) -> None:
    user = client.new_user("h.e@college.example", password="Cafe-12345678")
    kept = client.world.coursekey.users[user["userID"]]
    assert "Cafe-12345678" not in {getattr(kept, name) for name in kept.__slots__}
