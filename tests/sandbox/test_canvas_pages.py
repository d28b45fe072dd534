"""The people of a section on the sandbox's pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from sandbox.canvas.objects import UI, EnrollmentState
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small"))) as running:
        yield running


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    sandbox.world.reset()
    with httpx.Client(base_url=sandbox.url) as client:
        yield client


def text_of(answer: httpx.Response) -> str:
    body = answer.text.partition("<main>")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_a_section_shows_its_people_with_role_and_state(sandbox: RunningSandbox, client: httpx.Client) -> None:
    canvas = sandbox.world.canvas
    canvas.set_enrollment_state(canvas.enrollments[2], EnrollmentState.INACTIVE, UI)
    canvas.set_enrollment_state(canvas.enrollments[3], EnrollmentState.DELETED, UI)

    text = text_of(client.get("/sections/1"))

    assert text == (
        "Sandbox University System › Laget for hånd › Velkomstkurs for nytilsatte › Høstpuljen "
        "1 student, 1 teacher, whatever their state. Name Role State SIS id Login Came by "
        "Olav Oppdikten student inactive olav@sandbox.example hand "
        "Ragnhild Eksempelsen teacher active ragnhild@sandbox.example hand"
    )


def test_the_tree_and_the_search_lead_to_a_section_and_nothing_to_one_that_is_gone(
    sandbox: RunningSandbox, client: httpx.Client
) -> None:
    link = '<a class="name" href="/sections/1">Høstpuljen</a>'
    shown = link in client.get("/").text, '<a href="/sections/1">' in client.get("/?q=høstpuljen").text
    canvas = sandbox.world.canvas
    canvas.delete_section(canvas.sections[1], UI)

    assert (shown, client.get("/sections/1").status_code, client.get("/sections/99").status_code) == (
        (True, True),
        404,
        404,
    )


def test_the_names_of_people_are_escaped(sandbox: RunningSandbox, client: httpx.Client) -> None:
    canvas = sandbox.world.canvas
    user = canvas.create_user(UI, name="<script>x</script>", unique_id="x")
    (role,) = canvas.roles.where("name", "StudentEnrollment")
    canvas.create_enrollment(UI, user=user, section=canvas.sections[1], role=role, state=EnrollmentState.ACTIVE)

    assert "<script>x" not in client.get("/sections/1").text
