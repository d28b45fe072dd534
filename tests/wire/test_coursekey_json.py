"""What is written to CourseKey and read from it, and what its words may not tell."""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rosterflow.domain.coursekey.remote import Session, User
from rosterflow.wire.coursekey_json import Unreadable, complaint, is_refusal, items, record, request
from rosterflow.wire.coursekey_profile import PROFILE, Operation, Problem

USER = {
    "userID": 17,
    "firstName": "Pia",
    "lastName": "Quill",
    "email": "pia@college.example",
    "isTeacher": 0,
    "issuedID": "2001",
    "schoolID": "548156",
}


def test_a_call_with_a_body_says_everything_in_it() -> None:
    values = {
        "school": "548156",
        "course_id": "4/1",
        "on": date(2026, 9, 7),
        "starts": time(9),
        "ends": time(10, 15),
        "time_zone": "US/Eastern",
    }

    sent = request(PROFILE, PROFILE.calls[Operation.SET_SESSION], values)

    assert (sent.method, sent.path, sent.query) == ("PUT", "/courses/4%2F1/sessions", {})
    assert sent.body == {
        "schoolID": "548156",
        "date": "09/07/2026",
        "startTime": "09:00:00",
        "endTime": "10:15:00",
        "timeZone": "US/Eastern",
    }


def test_a_call_without_a_body_says_it_in_the_query() -> None:
    sent = request(
        PROFILE, PROFILE.calls[Operation.FIND_USERS], {"school": "548156", "email": "a@b.c", "issued_id": None}
    )

    assert (sent.query, sent.body) == ({"schoolID": "548156", "email": "a@b.c"}, None)


VALUES = st.dictionaries(
    st.sampled_from(["school", "email", "course", "isAdmin", "is_admin", "role", "admin", "welcome", "is_owner"]),
    st.sampled_from(["1", "true", "admin", "548156", "a@b.c"]),
)


@given(values=VALUES)
def test_an_enrollment_never_asks_for_admin_rights(values: dict[str, Any]) -> None:
    body = request(PROFILE, PROFILE.calls[Operation.ENROLL], values).body

    assert body is not None
    assert body["isAdmin"] == 0
    assert body.keys() <= {"schoolID", "email", "course", "isAdmin"}


def test_only_adding_staff_can_give_admin_rights() -> None:
    asking = [operation for operation, call in PROFILE.calls.items() if call.fixed.get("isAdmin") == 1]

    assert asking == [Operation.ADD_STAFF]


def test_an_object_is_read_whatever_its_numbers_are_written_as() -> None:
    call = PROFILE.calls[Operation.FIND_USERS]

    for flag, is_teacher in ((0, False), ("0", False), (1, True), ("1", True)):
        assert record(PROFILE, call, User, {**USER, "isTeacher": flag}) == User(
            "17", "Pia", "Quill", "pia@college.example", is_teacher, "2001"
        )


def test_a_session_without_leading_zeros_is_read() -> None:
    item = {
        "sessionID": "9",
        "date": "9/7/2026",
        "startTime": "9:00:00",
        "endTime": "6:00:00",
        "timeZone": "US/Eastern",
    }

    assert record(PROFILE, PROFILE.calls[Operation.SESSIONS], Session, item) == Session(
        "9", date(2026, 9, 7), time(9), time(6), "US/Eastern"
    )


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ([], "what should be an object is none"),
        ({**USER, "email": None}, "the field email is missing"),
        ({**USER, "isTeacher": "Pia"}, "the field isTeacher is not written as agreed"),
    ],
)
def test_what_cannot_be_read_is_named_without_its_value(item: object, words: str) -> None:
    with pytest.raises(Unreadable, match=f"^{re.escape(words)}$"):
        record(PROFILE, PROFILE.calls[Operation.FIND_USERS], User, item)


@pytest.mark.parametrize(
    ("answer", "cursor"),
    [({"data": [1], "nextCursor": "x"}, "x"), ({"data": [1], "nextCursor": None}, None), ({"data": [1]}, None)],
)
def test_a_page_of_a_list_has_its_cursor(answer: object, cursor: str | None) -> None:
    assert items(PROFILE, answer) == ([1], cursor)


@pytest.mark.parametrize("answer", [[], {}, {"data": None}, None])
def test_a_page_without_a_list_is_none(answer: object) -> None:
    with pytest.raises(Unreadable):
        items(PROFILE, answer)


def test_what_an_error_says_comes_without_anybodys_data() -> None:
    answer = {
        "error": {"code": "duplicate_email", "message": "PIA@college.example (Pia Quill) has it", "field": "email"}
    }

    told = complaint(PROFILE, answer, ["Pia", "Quill", "pia@college.example"])

    assert (told.problem, told.code, told.words) == (Problem.EMAIL_TAKEN, "duplicate_email", "… (… …) has it (email)")


@pytest.mark.parametrize("answer", [None, [], "no", {"error": "no"}, {"error": {"code": "strange"}}])
def test_an_error_of_any_shape_is_a_refusal(answer: object) -> None:
    assert complaint(PROFILE, answer, []).problem is Problem.INVALID


def test_success_that_is_false_is_seen() -> None:
    answers: list[object] = [{"success": False}, {"success": True}, {}, []]

    assert [is_refusal(PROFILE, answer) for answer in answers] == [
        True,
        False,
        False,
        False,
    ]


def test_hours_are_numbers() -> None:
    sent = request(
        PROFILE, PROFILE.calls[Operation.UPDATE_COURSE], {"synchronous_hours": Decimal("30.50"), "course_id": "1"}
    )

    assert sent.body == {"synchronousHours": 30.5}
