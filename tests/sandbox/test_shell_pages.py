from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest

from sandbox.canvas.objects import UI
from sandbox.canvas.sis.batch import BatchState, SisBatch
from sandbox.serving import RunningSandbox


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.world.reset()
    return running


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url) as client:
        yield client


def text_of(answer: httpx.Response) -> str:
    """What a reader sees of a page, in single spaces."""
    body = answer.text.partition("<main>")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


class Nesting(HTMLParser):
    """Follows which elements are open, and fails when one is closed that is not the innermost."""

    VOID = ("meta", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_front_page_shows_canvas_as_a_tree_with_counts(client: httpx.Client) -> None:
    text = text_of(client.get("/"))
    assert text.startswith(
        "Sandbox University System What is in Canvas now. There was no SIS import yet. Search Accounts 3"
    )
    assert "Accounts 3 Terms 1 Courses 1 Sections 1 Users 4 Enrollments 3 Admins 1" in text
    assert "Demohøgskolen FSDEMO empty" in text
    assert "Velkomstkurs for nytilsatte Published Default Term 1 section Høstpuljen 2 student, 1 teacher" in text


@pytest.mark.parametrize(
    ("state", "badge"),
    [("claimed", "Unpublished"), ("available", "Published"), ("completed", "Concluded")],
)
def test_a_courses_state_is_a_badge(sandbox: RunningSandbox, client: httpx.Client, state: str, badge: str) -> None:
    canvas = sandbox.world.canvas
    canvas.create_course(
        UI, name="Etikk", course_code="ETI", account_id=2, term_id=1, sis_id="UE_1", workflow_state=state
    )
    assert f"Etikk {badge} Default Term UE_1 no section" in text_of(client.get("/"))


def test_deleted_courses_are_not_shown(sandbox: RunningSandbox, client: httpx.Client) -> None:
    canvas = sandbox.world.canvas
    course = canvas.create_course(UI, name="Etikk", course_code="ETI", account_id=2, term_id=1)
    canvas.delete_course(course, UI)
    assert "Etikk" not in client.get("/").text


def test_a_cross_listed_section_says_so_where_it_is_now(sandbox: RunningSandbox, client: httpx.Client) -> None:
    canvas = sandbox.world.canvas
    home, host = (
        canvas.create_course(UI, name=name, course_code=name, account_id=2, term_id=1) for name in ("H1", "H2")
    )
    section = canvas.create_section(UI, name="Gruppe", course_id=home.id)
    canvas.crosslist(section, host, UI)
    text = text_of(client.get("/tree/2"))
    assert "H1 Unpublished Default Term no section" in text
    assert "H2 Unpublished Default Term 1 section Gruppe Cross-listed here" in text


def test_everything_from_canvas_is_escaped(sandbox: RunningSandbox, client: httpx.Client) -> None:
    canvas = sandbox.world.canvas
    evil = '<script>"x"</script>'
    account = canvas.create_account(UI, name=evil, parent_account_id=1, sis_id=evil)
    canvas.create_course(UI, name=evil, course_code=evil, account_id=account.id, term_id=1, sis_id=evil)
    for path in ("/", f"/tree/{account.id}", "/?q=script", "/?q=%3Cscript%3Enothing"):
        page = client.get(path).text
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_the_last_sis_import_is_named_with_its_state(sandbox: RunningSandbox, client: httpx.Client) -> None:
    now = sandbox.world.now()
    for number, state in ((1, BatchState.IMPORTED), (2, BatchState.IMPORTED_WITH_MESSAGES)):
        sandbox.world.canvas.sis_batches[number] = SisBatch(
            id=number,
            account_id=1,
            user_id=1,
            created_at=now,
            updated_at=now,
            filename="x.csv",
            body=b"",
            workflow_state=state,
        )
    assert "The last SIS import, number 2, is imported with messages." in text_of(client.get("/"))


def test_an_account_has_a_page_of_its_own_with_the_way_back(client: httpx.Client) -> None:
    page = client.get("/tree/3")
    assert text_of(page).startswith("Sandbox University System › Laget for hånd What is in Canvas now")
    assert '<a href="/tree/1">' in page.text


def test_a_search_lists_what_it_finds_and_where(client: httpx.Client) -> None:
    text = text_of(client.get("/?q=HØSTPULJEN"))
    assert "Section Høstpuljen Sandbox University System › Laget for hånd › Velkomstkurs" in text


def test_a_search_without_a_hit_says_so(client: httpx.Client) -> None:
    assert "Nothing here has “ingenting” in its name" in text_of(client.get("/?q=ingenting"))


def test_a_search_stays_below_its_account(client: httpx.Client) -> None:
    assert "Nothing here has “velkomst”" in text_of(client.get("/tree/2?q=velkomst"))


def test_a_search_with_too_many_hits_asks_for_a_narrower_one(sandbox: RunningSandbox, client: httpx.Client) -> None:
    for number in range(201):
        sandbox.world.canvas.create_account(UI, name=f"Emne {number}", parent_account_id=2)
    assert "There are more than 200" in text_of(client.get("/?q=emne"))


def test_a_crowded_account_is_left_through_the_pager(sandbox: RunningSandbox, client: httpx.Client) -> None:
    for number in range(250):
        sandbox.world.canvas.create_course(UI, name=f"Kurs {number:03}", course_code="K", account_id=2, term_id=1)
    first = client.get("/tree/2")
    assert "1 to 200 of 250 Later" in text_of(first)
    second = client.get("/tree/2?from=200")
    assert "Earlier 201 to 250 of 250" in text_of(second)
    assert "Kurs 249" in text_of(second)
    assert "Kurs 199" not in text_of(second)


def test_an_unknown_or_deleted_account_is_a_404(sandbox: RunningSandbox, client: httpx.Client) -> None:
    account = sandbox.world.canvas.create_account(UI, name="Bort", parent_account_id=1)
    sandbox.world.canvas.delete_account(account, UI)
    assert client.get(f"/tree/{account.id}").status_code == 404
    assert client.get("/tree/4711").status_code == 404


def test_every_element_of_a_page_is_closed_where_it_should_be(sandbox: RunningSandbox, client: httpx.Client) -> None:
    mail = b"Subject: x\nContent-Type: text/html\n\n<p>not closed"
    message = sandbox.world.mailbox.receive("a@x.example", ["b@x.example"], mail)
    for path in ("/", "/tree/2", "/tree/3", "/?q=velkomst", "/?q=zzz", "/mail", f"/mail/{message.id}"):
        nesting = Nesting()
        nesting.feed(client.get(path).text)
        assert nesting.open == []


def test_the_pages_fetch_nothing_from_anywhere(client: httpx.Client) -> None:
    for path in ("/", "/mail", "/?q=x"):
        page = client.get(path)
        assert re.findall(r'(?:src|href|action)="(?!/)[^"]*"|url\(|@import', page.text) == []
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
