"""The connections' forms and Test buttons in Airflow's UI: each wrong setting gives one clear message (issue 2.7.6)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from demo.ports import free_port
from tests.e2e.ground import Ground

SECRET = "et-hemmelig-ord"


@pytest.fixture(scope="module")
def forms(ground: Ground) -> dict[str, Any]:
    with httpx.Client(base_url=ground.stack.airflow.url, timeout=60, trust_env=False) as http:
        token = http.post("/auth/token", json={"username": "admin", "password": "admin"}).json()["access_token"]
        listed = http.get("/ui/connections/hook_meta", headers={"Authorization": f"Bearer {token}"}).json()
    return {one["connection_type"]: one for one in listed}


def pressed(ground: Ground, conn_type: str, **fields: Any) -> tuple[bool, str]:
    """What the Test button of a connection says."""
    body = {"connection_id": "proeve", "conn_type": conn_type, **fields}
    told = ground.client.request("POST", "/connections/test", json=body)
    return told["status"], told["message"]


def test_both_connection_types_have_a_form(forms: dict[str, Any]) -> None:
    assert forms["fs_graphql"]["hook_name"] == "FS GraphQL"
    assert forms["canvas"]["hook_name"] == "Canvas LMS"
    assert "institution_number" in forms["fs_graphql"]["extra_fields"]
    assert forms["canvas"]["standard_fields"]["password"]["title"] == "Access token"


def test_a_right_connection_says_what_was_reached(ground: Ground) -> None:
    assert ground.client.test_connection("fs_demo")["status"]
    assert ground.client.test_connection("canvas_demo")["status"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"host": "http://127.0.0.1:{closed}/fs/graphql"}, "could not be reached"),
        ({"password": SECRET}, "password"),
        ({"host": "{sandbox}/mail"}, "the API itself"),
        ({"host": ""}, "address"),
    ],
)
def test_a_wrong_fs_connection_says_in_a_sentence_what_is_wrong(
    ground: Ground, fields: dict[str, str], words: str
) -> None:
    right = {"host": f"{ground.stack.sandbox_url}/fs/graphql", "login": "sandbox", "password": "sandbox"}
    wrong = {k: v.format(closed=free_port(1), sandbox=ground.stack.sandbox_url) for k, v in fields.items()}

    well, message = pressed(ground, "fs_graphql", **(right | wrong))

    assert not well
    assert words.lower() in message.lower()
    assert SECRET not in message


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"host": "http://127.0.0.1:{closed}/canvas"}, "could not be reached"),
        ({"password": SECRET}, "token"),
        ({"host": "{sandbox}/mail"}, "Canvas"),
        ({"host": ""}, "address"),
    ],
)
def test_a_wrong_canvas_connection_says_in_a_sentence_what_is_wrong(
    ground: Ground, fields: dict[str, str], words: str
) -> None:
    right = {"host": f"{ground.stack.sandbox_url}/canvas", "password": "sandbox-canvas-token"}
    wrong = {k: v.format(closed=free_port(1), sandbox=ground.stack.sandbox_url) for k, v in fields.items()}

    well, message = pressed(ground, "canvas", **(right | wrong))

    assert not well
    assert words.lower() in message.lower()
    assert SECRET not in message
