"""What can be done to the college and to CourseKey under /control, and the faults that strike them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import httpx
import pytest

from sandbox.coursekey.limiter import Limiter
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from tests.sandbox.college_client import KEY_1, KEY_2, MAIN, OWNER, WEST, CollegeClient, answer, course

USER: dict[str, Any] = {
    "schoolID": MAIN,
    "firstName": "Orvwin",
    "lastName": "Gristgarth",
    "email": "o.g@college.example",
    "isTeacher": 1,
}


@pytest.fixture
def client() -> CollegeClient:
    return CollegeClient()


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox() as sandbox:
        yield sandbox


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def test_a_day_of_change_says_in_words_what_changed(client: CollegeClient) -> None:
    changes = client.control("POST", "college/day-of-change").json()["changes"]
    assert len(changes) == 13
    assert client.world.college.days == 1


def test_a_record_is_added_changed_and_taken_away(client: CollegeClient) -> None:
    key = {"semester": "202610", "courseNumber": "MTH101", "section": "4", "personId": "900001"}

    def records(method: str, **record: Any) -> httpx.Response:
        return client.control(method, "college/records", {"resource": "registrations", "record": key | record})

    added = records("PUT").json()
    assert (added["status"], added["modifiedAt"]) == ("registered", "2026-09-01T12:00:00Z")
    assert records("PUT", status="dropped").json() == {**added, "status": "dropped"}
    assert records("DELETE").status_code == 204
    assert refusal(records("DELETE")) == (
        422,
        "There is no 202610/MTH101/4/900001 among the registrations.",
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            {"resource": "rooms", "record": {}},
            (
                "resource must be one of semesters, sections, persons, staff, registrations, attendance, "
                "enrollment-details, attendance-exceptions, not 'rooms'."
            ),
        ),
        ({"resource": "persons", "record": []}, "record must be an object with the fields of the resource."),
        ({"resource": "persons", "record": {}}, "id must be given, as a text, to name one of the persons."),
        ({"resource": "persons", "record": {"id": 1001}}, "id must be given, as a text, to name one of the persons."),
        (
            {"resource": "persons", "record": {"id": "1", "phone": ""}},
            "phone is not a field of the persons; the fields are id, firstName, lastName, email, modifiedAt.",
        ),
    ],
)
def test_a_record_there_cannot_be_is_refused_in_a_sentence(
    client: CollegeClient, body: dict[str, Any], sentence: str
) -> None:
    assert refusal(client.control("PUT", "college/records", body)) == (422, sentence)


def test_the_settings_of_coursekey_are_changed_one_by_one(client: CollegeClient) -> None:
    client.control("POST", "coursekey", {"rate_per_second": 5})
    assert client.control("POST", "coursekey", {"auto_schedule": [WEST]}).json() == {
        "rate_per_second": 5,
        "latency_seconds": 0.0,
        "owner_unknown": [],
        "refused_keys": [],
        "auto_schedule": [WEST],
        "midnight_shift": [],
        "show_deleted": False,
        "page_size": 100,
        "export_page_size": 500,
    }


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"rate_per_second": 0}, "rate_per_second must be a number above 0, or null, not 0."),
        ({"latency_seconds": -1}, "latency_seconds must be a number, 0 or more, not -1."),
        ({"show_deleted": 1}, "show_deleted must be true or false, not 1."),
        ({"export_page_size": 0}, "export_page_size must be a whole number, 1 or more, not 0."),
        ({"page_size": 0}, "page_size must be a whole number, 1 or more, not 0."),
        ({"refused_keys": ["x"]}, f"refused_keys must be a list of {KEY_1}, {KEY_2}."),
        ({"owner_unknown": "x"}, f"owner_unknown must be a list of {KEY_1}, {KEY_2}."),
        ({"auto_schedule": 7}, "auto_schedule must be a list of 548156, 548157, 612001."),
        (
            {"colour": "red"},
            (
                "colour is no setting of CourseKey; there are rate_per_second, latency_seconds, owner_unknown, "
                "refused_keys, auto_schedule, midnight_shift, show_deleted, page_size, export_page_size."
            ),
        ),
    ],
)
def test_a_setting_there_cannot_be_is_refused_in_a_sentence(
    client: CollegeClient, body: dict[str, Any], sentence: str
) -> None:
    assert refusal(client.control("POST", "coursekey", body)) == (422, sentence)


def test_one_key_can_be_refused_while_the_other_is_let_in(client: CollegeClient) -> None:
    client.control("POST", "coursekey", {"refused_keys": [KEY_1]})
    assert answer(client.coursekey("GET", "/users")) == (401, "bad_key")
    assert client.coursekey("GET", "/users", key=KEY_2, school=WEST).status_code == 200


def test_above_its_rate_a_key_is_told_to_wait_and_another_is_not(client: CollegeClient) -> None:
    client.control("POST", "coursekey", {"rate_per_second": 0.001})
    assert client.coursekey("GET", "/users").status_code == 200
    refused = client.coursekey("GET", "/users")
    assert (answer(refused), refused.headers["Retry-After"]) == ((429, "too_many_requests"), "1")
    assert client.coursekey("GET", "/users", key=KEY_2, school=WEST).status_code == 200


def test_a_key_has_a_second_worth_of_calls_and_gets_more_as_time_passes() -> None:
    now = 0.0
    limiter = Limiter(lambda: now)
    assert [limiter.admits("k", 3) for _ in range(4)] == [True, True, True, False]
    now = 0.34
    assert [limiter.admits("k", 3) for _ in range(2)] == [True, False]
    now = 100.0
    assert sum(limiter.admits("k", 3) for _ in range(10)) == 3
    assert all(limiter.admits("k", None) for _ in range(10))


def test_people_add_users_courses_and_staff_by_hand(client: CollegeClient) -> None:
    made = client.control(
        "POST",
        "coursekey/by-hand",
        {
            "staff": [{"schoolID": MAIN, "course": "By hand", "email": USER["email"]}],
            "courses": [{"schoolID": MAIN, **course("By hand")}],
            "users": [USER],
        },
    )
    assert made.status_code == 201
    picture = client.control("GET", "coursekey/state?ids=0").json()
    assert [(row["email"], row["byHand"]) for row in picture["users"] if row["schoolID"] == MAIN] == [
        ("o.g@college.example", True),
        (OWNER, True),
    ]
    (by_hand,) = picture["courses"]
    assert by_hand["byHand"] is True
    assert by_hand["staff"] == [
        {"email": "o.g@college.example", "issuedID": "", "isOwner": 0, "byHand": True},
        {"email": OWNER, "issuedID": "", "isOwner": 1, "byHand": True},
    ]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"rooms": []}, "rooms cannot be added by hand; there are users, courses, staff."),
        ({"users": [{}]}, "Each of the users must be an object with a schoolID of 548156, 548157, 612001."),
        ({"users": [{**USER, "email": OWNER}]}, "Another user of this school has this e-mail address."),
        ({"staff": [{"schoolID": MAIN, "course": "?", "email": OWNER}]}, "There is no such course at this school."),
    ],
)
def test_what_cannot_be_added_by_hand_is_refused_in_a_sentence(
    client: CollegeClient, body: dict[str, Any], sentence: str
) -> None:
    assert refusal(client.control("POST", "coursekey/by-hand", body)) == (422, sentence)


def test_the_state_is_the_same_whatever_order_it_came_about_in() -> None:
    def state(order: list[int]) -> Any:
        client = CollegeClient()
        for number in order:
            client.new_user(f"u{number}@college.example", str(number))
            client.new_course(f"Course {number}")
        for number in reversed(order):
            for made in client.coursekey("GET", "/courses", name=f"Course {number}").json()["data"]:
                given = {"email": f"u{number}@college.example", "course": made["addCode"], "isAdmin": 0}
                client.coursekey("POST", "/enrollments", **given)
        return client.control("GET", "coursekey/state?ids=0").json()

    assert state([1, 2, 3]) == state([3, 1, 2])


def test_the_state_has_the_ids_unless_it_is_asked_not_to(client: CollegeClient) -> None:
    made = client.new_course()
    (with_ids,) = client.control("GET", "coursekey/state").json()["courses"]
    (without,) = client.control("GET", "coursekey/state?ids=0").json()["courses"]
    assert with_ids["courseID"] == made["courseID"]
    assert not {"courseID", "addCode"} & without.keys()


def test_calls_are_counted_and_listed_until_they_are_forgotten(client: CollegeClient) -> None:
    client.new_user("a@college.example")
    client.coursekey("POST", "/users", email="")
    client.coursekey("GET", "/users", key=KEY_2, school=WEST)
    assert client.control("GET", "coursekey/state").json()["calls"] == {
        KEY_1: {"create user": 2},
        KEY_2: {"find users": 1},
    }
    call = {"at": "2026-09-01T12:00:00+00:00", "request_id": "request-1"}
    assert client.control("GET", "coursekey/calls").json()["calls"] == [
        {**call, "key": KEY_1, "operation": "create user", "school": MAIN, "status": 201},
        {**call, "key": KEY_1, "operation": "create user", "school": MAIN, "status": 422},
        {**call, "key": KEY_2, "operation": "find users", "school": WEST, "status": 200},
    ]
    assert client.control("DELETE", "coursekey/calls").status_code == 204
    assert client.control("GET", "coursekey/state").json()["calls"] == {}
    assert client.control("GET", "coursekey/calls").json()["calls"] == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("400", (400, "invalid")),
        ("403", (403, "bad_key")),
        ("404", (404, "unknown_course")),
        ("408", (408, "timeout")),
        ("409", (409, "conflict")),
        ("422", (422, "invalid")),
        ("425", (425, "too_early")),
        ("success_false", (200, "invalid")),
        ("unauthorized", (401, "bad_key")),
        ("429", (429, "too_many_requests")),
    ],
)
def test_coursekey_can_be_made_to_refuse_one_call_in_every_way(
    client: CollegeClient, kind: str, expected: tuple[int, str]
) -> None:
    client.world.faults.add(Fault("coursekey", kind, match="poison@"))
    client.new_user("good@college.example")
    given = {**USER, "email": "poison@college.example"}
    assert answer(client.coursekey("POST", "/users", **given)) == expected
    assert client.world.coursekey.counts()["users"] == 4
    assert client.coursekey("POST", "/users", **given).status_code == 201


def test_campus_cafe_can_be_made_to_refuse_its_token(client: CollegeClient) -> None:
    client.world.faults.add(Fault("campuscafe", "unauthorized"))
    assert answer(client.campus("persons")) == (401, "bad_token")
    assert client.campus("persons").status_code == 200


def test_a_create_can_be_done_and_answered_after_the_caller_has_left(running: RunningSandbox) -> None:
    running.world.reset()
    running.world.faults.add(Fault("coursekey", "slow_answer", match="POST /coursekey/api/v1/users", seconds=30))
    with httpx.Client(base_url=running.url, headers={"X-Auth-Key": KEY_1}) as http:
        with pytest.raises(httpx.ReadTimeout):
            http.post("/coursekey/api/v1/users", json=USER, timeout=0.2)
        found = http.get("/coursekey/api/v1/users", params={"schoolID": MAIN, "email": USER["email"]}).json()["data"]
    assert len(found) == 1


def test_a_slow_answer_comes_late_but_whole(running: RunningSandbox) -> None:
    running.world.reset()
    running.world.faults.add(Fault("coursekey", "slow_answer", seconds=0.05))
    started = perf_counter()
    users = httpx.get(
        f"{running.url}/coursekey/api/v1/users", params={"schoolID": MAIN}, headers={"X-Auth-Key": KEY_1}
    ).json()["data"]
    assert [row["email"] for row in users] == [OWNER]
    assert perf_counter() - started >= 0.05


@pytest.mark.parametrize(("kind", "done"), [("drop_before", 0), ("drop_after", 1)])
def test_a_connection_can_be_cut_before_or_after_the_work(running: RunningSandbox, kind: str, done: int) -> None:
    running.world.reset()
    running.world.faults.add(Fault("coursekey", kind))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{running.url}/coursekey/api/v1/users", json=USER, headers={"X-Auth-Key": KEY_1})
    assert running.world.coursekey.counts()["users"] == 3 + done


def test_every_call_can_take_its_time(client: CollegeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    client.control("POST", "coursekey", {"latency_seconds": 0.25})
    monkeypatch.setattr(asyncio, "sleep", sleep)
    client.coursekey("GET", "/users")
    assert waited == [0.25]


def test_a_reset_empties_coursekey_and_undoes_the_days_of_the_college(client: CollegeClient) -> None:
    before = client.control("GET", "state").json()
    client.control("POST", "coursekey", {"page_size": 3})
    client.control("POST", "college/day-of-change")
    client.new_user("a@college.example")
    assert client.control("POST", "reset").json() == before
    assert client.world.coursekey.settings.page_size == 100


def test_the_size_of_the_college_can_be_reset(client: CollegeClient) -> None:
    size = "sections=3,students=2,registrations=2,instructors=1,awkward=0"
    state = client.control("POST", "reset", {"college": size}).json()
    assert (state["settings"]["college"], state["college"]["sections"]) == (size, 3)
    assert state["settings"]["size"] == "small"
