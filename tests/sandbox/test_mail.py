from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage

import httpx
import pytest

from sandbox.faults import Fault
from sandbox.mail import Attachment, Mailbox
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


def letter(subject: str = "Nattens kjøring feilet", html: str = "<p>Se loggen.</p>") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "Rosterflow <rosterflow@hogskolen.example>"
    message["To"] = "registrar@hogskolen.example"
    message.set_content("Se loggen.\nÆØÅ\n")
    message.add_alternative(html, subtype="html")
    return message


def send(sandbox: RunningSandbox, message: EmailMessage, *more_recipients: str) -> None:
    to = ["registrar@hogskolen.example", *more_recipients]
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port) as smtp:
        smtp.send_message(message, to_addrs=to)


def test_a_message_is_kept_with_envelope_headers_parts_and_attachments(
    sandbox: RunningSandbox, client: httpx.Client
) -> None:
    message = letter()
    message.add_attachment(b"a;b\n1;2\n", maintype="text", subtype="csv", filename="avvik.csv")

    send(sandbox, message, "hidden@hogskolen.example")

    (kept,) = client.get("/mail.json").json()
    assert kept["sender"] == "rosterflow@hogskolen.example"
    assert kept["recipients"] == ["registrar@hogskolen.example", "hidden@hogskolen.example"]
    assert kept["subject"] == "Nattens kjøring feilet"
    assert ["To", "registrar@hogskolen.example"] in kept["headers"]
    assert kept["plain"] == "Se loggen.\nÆØÅ\n"
    assert kept["html"] == "<p>Se loggen.</p>\n"
    assert kept["attachments"] == [{"name": "avvik.csv", "content_type": "text/csv", "size": 8}]
    assert client.get(f"/mail/{kept['id']}.json").json() == kept


def test_the_newest_message_comes_first(sandbox: RunningSandbox, client: httpx.Client) -> None:
    for subject in ("first", "second"):
        send(sandbox, letter(subject))
    assert [message["subject"] for message in client.get("/mail.json").json()] == ["second", "first"]


def test_deleting_empties_the_mailbox_and_ids_are_not_given_again(
    sandbox: RunningSandbox, client: httpx.Client
) -> None:
    send(sandbox, letter())
    (before,) = client.get("/mail.json").json()
    assert client.delete("/mail").status_code == 204
    assert client.get("/mail.json").json() == []
    send(sandbox, letter())
    (after,) = client.get("/mail.json").json()
    assert after["id"] == before["id"] + 1
    assert client.get(f"/mail/{before['id']}").status_code == 404


def test_the_list_shows_each_message_and_leads_to_it(sandbox: RunningSandbox, client: httpx.Client) -> None:
    assert "No mail yet." in client.get("/mail").text
    send(sandbox, letter("Ukens <oversikt>"))
    (kept,) = client.get("/mail.json").json()
    assert f'<a href="/mail/{kept["id"]}">Ukens &lt;oversikt&gt;</a>' in client.get("/mail").text


def test_a_messages_html_is_caged(sandbox: RunningSandbox, client: httpx.Client) -> None:
    send(sandbox, letter(html='<script>alert(1)</script><img src="https://tracker.example/x.gif">'))
    (kept,) = client.get("/mail.json").json()
    page = client.get(f"/mail/{kept['id']}")
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert '<iframe sandbox title="The message&#39;s HTML part" srcdoc="&lt;script' in page.text.replace(
        "message's", "message&#39;s"
    )
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_refused_message_is_not_kept_and_the_sender_may_try_again(
    sandbox: RunningSandbox, client: httpx.Client
) -> None:
    sandbox.world.faults.add(Fault("mail", "refuse", match="feilet"))
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(sandbox, letter("feilet"))
    assert refusal.value.smtp_code == 451
    assert client.get("/mail.json").json() == []
    send(sandbox, letter("feilet"))
    assert len(client.get("/mail.json").json()) == 1


def test_a_full_mailbox_keeps_the_newest() -> None:
    mailbox = Mailbox(lambda: datetime(2026, 8, 17, tzinfo=UTC), kept=2)
    for number in (1, 2, 3):
        mailbox.receive("a@x.example", ["b@x.example"], f"Subject: {number}\n\n".encode())
    assert [(message.id, message.subject) for message in mailbox.messages()] == [(2, "2"), (3, "3")]
    assert mailbox.message(1) is None


def test_a_message_of_html_alone_has_no_plain_part() -> None:
    mailbox = Mailbox(lambda: datetime(2026, 8, 17, tzinfo=UTC))
    message = mailbox.receive("", [], b"Content-Type: text/html\n\n<p>Hei</p>")
    assert (message.plain, message.html, message.subject) == ("", "<p>Hei</p>", "")


def test_an_attachment_without_a_name_is_still_counted() -> None:
    outer = EmailMessage()
    outer.set_content("x")
    outer.add_attachment(b"12345", maintype="application", subtype="zip")
    mailbox = Mailbox(lambda: datetime(2026, 8, 17, tzinfo=UTC))
    message = mailbox.receive("", [], outer.as_bytes())
    assert message.attachments == (Attachment("", "application/zip", 5),)
