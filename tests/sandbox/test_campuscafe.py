"""Campus Cafe's API as docs/coursekey-contract.md has it."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.faults import Fault
from tests.sandbox.college_client import CollegeClient, answer


@pytest.fixture
def client() -> CollegeClient:
    return CollegeClient("sections=10,students=30,registrations=60,instructors=4")


def fault(client: CollegeClient, kind: str, **more: Any) -> None:
    client.world.faults.add(Fault("campuscafe", kind, **more))


def test_a_page_has_its_rows_its_number_and_the_totals(client: CollegeClient) -> None:
    rows = client.world.college.rows("persons")
    assert client.campus("persons", page="2", pageSize="20").json() == {
        "data": rows[20:40],
        "page": 2,
        "pages": 3,
        "total": 43,
    }


@pytest.mark.parametrize("resource", ["semesters", "sections", "persons", "staff", "registrations"])
def test_all_pages_together_are_every_record_in_the_order_of_change(client: CollegeClient, resource: str) -> None:
    pages = client.campus(resource, pageSize="7").json()["pages"]
    rows = [
        row for page in range(1, pages + 1) for row in client.campus(resource, page=page, pageSize="7").json()["data"]
    ]
    assert rows == client.world.college.rows(resource)
    assert [row["modifiedAt"] for row in rows] == sorted(row["modifiedAt"] for row in rows)


def test_a_page_after_the_last_is_empty_and_an_empty_list_has_one_page(client: CollegeClient) -> None:
    assert client.campus("semesters", page="9").json() == {"data": [], "page": 9, "pages": 1, "total": 4}
    assert client.campus("sections", semester="190010").json() == {"data": [], "page": 1, "pages": 1, "total": 0}


def test_a_page_holds_a_thousand_rows_at_most() -> None:
    client = CollegeClient("students=1100,registrations=0,sections=0,awkward=0")
    assert len(client.campus("persons", pageSize="5000").json()["data"]) == 1000
    assert len(client.campus("persons").json()["data"]) == 500


def test_a_semester_or_several_can_be_asked_for(client: CollegeClient) -> None:
    def semesters(*codes: str) -> set[str]:
        return {row["semester"] for row in client.campus("sections", semester=list(codes)).json()["data"]}

    assert semesters("202620") == {"202620"}
    assert semesters("202620", "999999") == {"202620", "999999"}
    assert client.campus("persons", semester="202620").json()["total"] == 43


def test_the_change_feed_gives_what_was_modified_since_a_moment_that_moment_too(client: CollegeClient) -> None:
    client.control("PUT", "college/records", {"resource": "persons", "record": {"id": "1001", "email": "x@y.example"}})

    def since(moment: str) -> list[str]:
        return [row["id"] for row in client.campus("persons", modifiedSince=moment).json()["data"]]

    assert since("2026-09-01T12:00:00Z") == ["1001"]
    assert since("2026-09-01T08:00:00-04:00") == ["1001"]
    assert since("2026-09-01T12:00:01Z") == []


@pytest.mark.parametrize(
    "query", [{"page": "0"}, {"page": "x"}, {"pageSize": "-1"}, {"pageSize": "1.5"}, {"modifiedSince": "yesterday"}]
)
def test_a_question_that_cannot_be_read_is_refused(client: CollegeClient, query: dict[str, str]) -> None:
    assert answer(client.campus("persons", **query)) == (400, "invalid")


def test_a_resource_there_is_not_is_a_404(client: CollegeClient) -> None:
    assert answer(client.campus("rooms")) == (404, "unknown_resource")


@pytest.mark.parametrize("path", ["persons", "rooms", "persons/1001/initial-password"])
def test_nobody_reads_without_the_token(client: CollegeClient, path: str) -> None:
    assert answer(client.campus(path, token="another")) == (401, "bad_token")
    assert answer(client.call("GET", f"/campuscafe/api/v1/{path}")) == (401, "bad_token")


def test_some_have_an_initial_password_and_some_have_none(client: CollegeClient) -> None:
    passwords = client.world.college.passwords
    assert client.campus("persons/1001/initial-password").json() == {"password": passwords["1001"]}
    assert answer(client.campus("persons/1002/initial-password")) == (404, "no_password")
    assert answer(client.campus("persons/1/initial-password")) == (404, "no_password")


def test_a_page_can_be_dropped_while_the_total_stays(client: CollegeClient) -> None:
    fault(client, "drop_page", match="page=2")
    assert client.campus("persons", page="2", pageSize="20").json() == {"data": [], "page": 2, "pages": 3, "total": 43}


def test_a_page_can_be_the_first_once_more(client: CollegeClient) -> None:
    fault(client, "repeated_page")
    rows = client.world.college.rows("persons")
    assert client.campus("persons", page="2", pageSize="20").json()["data"] == rows[:20]


def test_everything_can_seem_to_be_gone(client: CollegeClient) -> None:
    fault(client, "empty_list", match="registrations")
    assert client.campus("registrations").json() == {"data": [], "page": 1, "pages": 1, "total": 0}


def test_the_total_can_be_too_high(client: CollegeClient) -> None:
    fault(client, "total_high")
    assert client.campus("persons").json()["total"] == 44


def test_a_row_can_be_null_or_broken(client: CollegeClient) -> None:
    fault(client, "null_row")
    fault(client, "broken_row")
    assert client.campus("semesters").json()["data"][0] is None
    assert client.campus("semesters").json()["data"][0]["modifiedAt"] == "yesterday"
