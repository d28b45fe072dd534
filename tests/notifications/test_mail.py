from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.notifications.mail import probe, send
from rosterflow.sync.letters import Attachment, Letter, PartlyRefused, as_html, write
from sandbox.faults import Fault
from sandbox.mail import Message
from sandbox.serving import RunningSandbox

Mails = Callable[[], list[Message]]
Smtp = Callable[..., None]
LETTER = Letter(
    ("kari@fjordvik.example", "ola@fjordvik.example"),
    "[Rosterflow] Høgskolen i Fjordvik: én rad – æøå",
    "Åpne loggen.\nEn svært lang linje " + "med mange ord " * 100 + "\n",
    "<p>Åpne <b>loggen</b>.</p>\n",
)


class Server:
    """A mail server that answers RCPT and DATA as it is told."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.data = "250 OK"

    async def handle_RCPT(self, _: object, __: object, envelope: Any, address: str, ___: object) -> str:  # noqa: N802
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802
        return self.data


@pytest.fixture
def server(smtp: Smtp) -> Iterator[Server]:
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        port = probe_socket.getsockname()[1]
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=port, loop=asyncio.new_event_loop())
    controller.start()
    smtp(port)
    yield handler
    controller.stop()


def test_a_letter_arrives_as_html_with_a_plain_alternative(mails: Mails) -> None:
    send(LETTER)

    [mail] = mails()
    assert (mail.subject, mail.plain, mail.html) == (LETTER.subject, LETTER.plain, LETTER.html)
    assert mail.recipients == LETTER.to
    assert mail.header("To") == "kari@fjordvik.example, ola@fjordvik.example"
    assert mail.header("From") == "Rosterflow <rosterflow@drift.example>"
    assert mail.header("Content-Type").startswith("multipart/alternative")
    assert mail.header("Auto-Submitted") == "auto-generated"
    assert mail.header("Message-ID").endswith("@drift.example>")


def test_files_arrive_beside_the_letter(mails: Mails) -> None:
    table = Attachment("list.csv", "text/csv", "emne;på\r\n".encode())

    send(replace(LETTER, attachments=(table,)))

    [mail] = mails()
    assert (mail.plain, mail.html) == (LETTER.plain, LETTER.html)
    assert [(file.name, file.content_type, file.size) for file in mail.attachments] == [
        ("list.csv", "text/csv", len(table.data))
    ]


def test_a_subject_is_one_line_whatever_it_was_made_from() -> None:
    letter = write("held", (), "a\r\nBcc: x@y.example", name="", body="", body_html="", answer_page="")

    assert letter.subject == "[Rosterflow] a Bcc: x@y.example"


def test_html_in_markdown_is_shown_and_not_done() -> None:
    assert as_html("**1** <script>x</script>") == "<p><strong>1</strong> &lt;script&gt;x&lt;/script&gt;</p>\n"


def test_a_dead_mail_server_is_a_retryable_error_that_names_nobody(smtp: Smtp) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        smtp(nobody.getsockname()[1])

        with pytest.raises(RetryableError) as raised:
            send(LETTER)

    assert raised.value.code is Code.MAIL_FAILED
    assert raised.value.message == "The mail server could not be reached (ConnectionRefusedError)."
    assert raised.value.__cause__ is None


def test_a_mail_server_that_says_later_is_a_retryable_error(sandbox: RunningSandbox, mails: Mails) -> None:
    sandbox.world.faults.add(Fault("mail", "refuse"))

    with pytest.raises(RetryableError, match=r"refused a mail \(SMTPDataError 451\)"):
        send(LETTER)

    assert mails() == []


def test_a_mail_server_that_says_no_is_a_fatal_error_without_addresses(server: Server) -> None:
    server.answers = dict.fromkeys(LETTER.to, "550 No such user")

    with pytest.raises(FatalError) as raised:
        send(LETTER)

    assert raised.value.message == "The mail server refused a mail (SMTPRecipientsRefused 550)."
    assert "fjordvik" not in str(raised.value)


def test_a_mail_that_only_some_receivers_were_refused_says_how_many(server: Server) -> None:
    server.answers = {LETTER.to[0]: "550 No such user"}

    with pytest.raises(PartlyRefused, match="refused 1 of 2 receivers"):
        send(LETTER)


@pytest.mark.parametrize("act", [lambda: send(LETTER), probe])
def test_a_missing_connection_is_named(act: Callable[[], None]) -> None:
    with pytest.raises(FatalError) as raised:
        act()

    assert (raised.value.code, raised.value.message) == (
        Code.CONNECTION_MISSING,
        "Airflow has no connection 'smtp_default'.",
    )


def test_a_missing_sender_is_named(sandbox: RunningSandbox, smtp: Smtp) -> None:
    smtp(sandbox.smtp_port, from_email=None)

    with pytest.raises(FatalError, match="Connection smtp_default: the extra 'from_email' is missing"):
        send(LETTER)


def test_the_probe_finds_a_good_server_good_and_sends_nothing(mails: Mails) -> None:
    probe()

    assert mails() == []


def test_the_probe_finds_a_dead_server_dead(smtp: Smtp) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        smtp(nobody.getsockname()[1])

        with pytest.raises(RosterflowError, match="could not be reached"):
            probe()
