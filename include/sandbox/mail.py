"""The mail server: takes every message sent to it, keeps it to be looked at, and sends nothing on."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session

    from sandbox.world import World

KEPT_MESSAGES = 500
"""Messages kept; older ones give way."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attached file; ``size`` in bytes, decoded."""

    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message as received. ``sender`` and ``recipients`` are the envelope's, not the headers'."""

    id: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    plain: str
    html: str
    attachments: tuple[Attachment, ...]

    def header(self, name: str) -> str:
        """The first header of that name, decoded; empty when there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def subject(self) -> str:
        """The subject, decoded; empty when there is none."""
        return self.header("Subject")

    def as_json(self) -> Mapping[str, Any]:
        """The message for a client: times in ISO 8601, headers as a list of name and value."""
        return {
            "id": self.id,
            "received_at": self.received_at.isoformat(),
            "sender": self.sender,
            "recipients": list(self.recipients),
            "subject": self.subject,
            "headers": [list(header) for header in self.headers],
            "plain": self.plain,
            "html": self.html,
            "attachments": [
                {"name": file.name, "content_type": file.content_type, "size": file.size} for file in self.attachments
            ],
        }


class Mailbox:
    """The newest messages, in order of arrival, under ids that are never given twice."""

    def __init__(self, now: Callable[[], datetime], kept: int = KEPT_MESSAGES) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._messages: deque[Message] = deque(maxlen=kept)
        self._last_id = 0

    def receive(self, sender: str, recipients: list[str], content: bytes) -> Message:
        """Keep a message given in its wire form (RFC 5322), with the envelope it came in."""
        parsed = message_from_bytes(content, policy=policy.default)
        with self._lock:
            self._last_id += 1
            message = Message(
                id=self._last_id,
                received_at=self._now(),
                sender=sender,
                recipients=tuple(recipients),
                headers=tuple((name, str(value)) for name, value in parsed.items()),
                plain=_text_of(parsed, "plain"),
                html=_text_of(parsed, "html"),
                attachments=tuple(_attachment_of(part) for part in parsed.iter_attachments()),
            )
            self._messages.append(message)
        return message

    def messages(self) -> list[Message]:
        """What is kept, oldest first."""
        with self._lock:
            return list(self._messages)

    def message(self, message_id: int) -> Message | None:
        """The message of that id, or None when it never was or has given way."""
        return next((message for message in self.messages() if message.id == message_id), None)

    def clear(self) -> None:
        """Throw every message away; ids go on counting."""
        with self._lock:
            self._messages.clear()


class Postmaster:
    """Takes what the SMTP server is given into the world's mailbox, unless the fault mail/refuse says no.

    A fault's ``match`` is looked for in the envelope's sender and recipients and the whole message.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answer the end of a message's data, as aiosmtpd asks its handler to."""
        content = envelope.content
        assert isinstance(content, bytes)
        sender, recipients = envelope.mail_from or "", envelope.rcpt_tos
        text = "\n".join([sender, *recipients, content.decode("utf-8", "replace")])
        if self._world.faults.take("mail", "refuse", text):
            return "451 4.3.0 Requested action aborted: local error in processing"
        self._world.mailbox.receive(sender, recipients, content)
        return "250 2.0.0 Message kept"


def _text_of(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    return part.get_content().replace("\r\n", "\n") if part is not None else ""


def _attachment_of(part: EmailMessage) -> Attachment:
    content = part.get_payload(decode=True)
    size = len(content) if isinstance(content, bytes) else 0
    return Attachment(part.get_filename() or "", part.get_content_type(), size)
