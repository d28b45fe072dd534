from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.canvas.objects import UI
from sandbox.serving import RunningSandbox

SETTINGS = {
    "seed": 1,
    "size": "small",
    "dialect": "2026",
    "year": 2026,
    "term": "HOST",
    "college": "demo",
    "college_begins": "",
}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.world.reset(**SETTINGS)  # type: ignore[arg-type]
    return running


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url) as client:
        yield client


def state(client: httpx.Client) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/control/state").json()
    return answer


def test_the_state_tells_what_the_world_is_made_from_and_what_is_in_it(
    sandbox: RunningSandbox, client: httpx.Client
) -> None:
    assert state(client) == {
        "settings": SETTINGS,
        "dialect": "2026",
        "university": sandbox.world.university.counts(),
        "canvas": {"accounts": 3, "terms": 1, "courses": 1, "sections": 1, "users": 4, "enrollments": 3, "admins": 1},
        "enrollments": {"active": 3},
        "imports": [],
        "college": sandbox.world.college.counts(),
        "coursekey": sandbox.world.coursekey.counts(),
        "faults": [],
        "mail": 0,
    }


def test_the_state_lists_the_sis_imports(client: httpx.Client) -> None:
    client.post(
        "/canvas/api/v1/accounts/1/sis_imports",
        params={"extension": "csv"},
        content="account_id,parent_account_id,name,status\nA,,Avdeling A,active\n",
        headers={"Content-Type": "text/csv", "Authorization": "Bearer sandbox-canvas-token"},
    )
    (batch,) = state(client)["imports"]
    assert batch["id"] == 1
    assert batch["workflow_state"] in ("created", "importing", "imported")


def test_a_reset_makes_everything_anew_and_keeps_the_settings_it_is_not_given(
    sandbox: RunningSandbox, client: httpx.Client
) -> None:
    untouched = state(client)
    sandbox.world.canvas.create_account(UI, name="Ny", parent_account_id=1)
    sandbox.world.mailbox.receive("a@x.example", ["b@x.example"], b"Subject: x\n\n")
    client.post("/control/faults", json={"target": "fs", "kind": "500"})
    assert state(client) != untouched

    answer = client.post("/control/reset", json={"seed": 2, "dialect": "2023"})

    settings = {**SETTINGS, "seed": 2, "dialect": "2023"}
    assert answer.json()["settings"] == settings
    assert {**state(client), "university": {}, "college": {}} == {
        **untouched,
        "settings": settings,
        "dialect": "2023",
        "university": {},
        "college": {},
    }


def test_a_reset_without_a_body_repeats_the_world(client: httpx.Client) -> None:
    before = state(client)
    assert client.post("/control/reset").json() == before


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            {"sise": "demo"},
            "sise cannot be set; a reset takes seed, size, dialect, year, term, college, college_begins, all optional.",
        ),
        ({"seed": "1"}, "seed must be a whole number, not '1'."),
        ({"dialect": "2024"}, "dialect must be one of 2026, 2023, as a text, not '2024'."),
        ({"dialect": 2023}, "dialect must be one of 2026, 2023, as a text, not 2023."),
        ({"year": 26}, "year must be a whole number from 2000 to 2100, not 26."),
        ({"term": "HØST"}, "term must be one of VAR, SOM, HOST, not 'HØST'."),
        ({"size": 3}, "size must be a text such as demo, not 3."),
        ({"college": 3}, "college must be a text such as demo, not 3."),
        ({"college_begins": "soon"}, "college_begins must be a date, YYYY-MM-DD, or empty, not 'soon'."),
        ({"college": "students=0"}, "college needs students to register."),
        ([1], "The body must be a JSON object."),
    ],
)
def test_a_reset_that_cannot_be_made_is_refused_in_a_sentence_and_changes_nothing(
    sandbox: RunningSandbox, client: httpx.Client, body: object, sentence: str
) -> None:
    university = sandbox.world.university
    answer = client.post("/control/reset", json=body)
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})
    assert sandbox.world.university is university


def test_an_unknown_size_is_refused_and_the_old_world_goes_on(sandbox: RunningSandbox, client: httpx.Client) -> None:
    university, canvas = sandbox.world.university, sandbox.world.canvas
    answer = client.post("/control/reset", json={"size": "gigantic"})
    assert answer.status_code == 422
    assert "size" in answer.json()["error"]
    assert (sandbox.world.university, sandbox.world.canvas) == (university, canvas)


def test_what_is_no_json_is_refused(client: httpx.Client) -> None:
    answer = client.post("/control/reset", content=b"{")
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("The body must be JSON: ")


def test_a_day_of_change_says_in_words_what_changed(client: httpx.Client) -> None:
    changes = client.post("/control/day-of-change").json()["changes"]
    assert changes
    assert all(isinstance(change, str) and change for change in changes)


def test_faults_are_armed_listed_and_cleared(sandbox: RunningSandbox, client: httpx.Client) -> None:
    fault = {"target": "fs", "kind": "latency", "rate": 0.5, "after": 1, "count": None, "match": "x", "seconds": 2}
    answer = client.post("/control/faults", json=fault)
    listing = {"faults": [{**fault, "seen": 0, "fired": 0, "spent": False}]}
    assert (answer.status_code, answer.json()) == (201, listing)
    assert client.get("/control/faults").json() == listing
    assert state(client)["faults"] == listing["faults"]
    assert client.delete("/control/faults").status_code == 204
    assert client.get("/control/faults").json() == {"faults": []}


def test_a_fault_that_cannot_be_armed_is_refused_in_a_sentence(client: httpx.Client) -> None:
    answer = client.post("/control/faults", json={"target": "fs", "kind": "500", "rate": 2})
    assert (answer.status_code, answer.json()) == (
        422,
        {"error": "rate must be a number above 0 and at most 1, not 2."},
    )
    assert client.get("/control/faults").json() == {"faults": []}


def test_canvas_can_be_made_to_answer_as_an_older_one(sandbox: RunningSandbox, client: httpx.Client) -> None:
    assert client.post("/control/canvas", json={"profile": "legacy"}).status_code == 204
    assert sandbox.world.canvas.settings.profile == "legacy"


def test_a_canvas_profile_there_is_not_is_refused(sandbox: RunningSandbox, client: httpx.Client) -> None:
    answer = client.post("/control/canvas", json={"profile": "older"})
    assert (answer.status_code, answer.json()) == (
        422,
        {"error": "profile must be one of hosted-2026, legacy, not 'older'."},
    )
    assert sandbox.world.canvas.settings.profile == "hosted-2026"


def test_a_canvas_setting_there_is_not_is_refused(client: httpx.Client) -> None:
    answer = client.post("/control/canvas", json={"colour": "red"})
    assert answer.status_code == 422
    assert "colour" in answer.json()["error"]
