"""Letters: what a mail says, once as HTML and once as plain text.

Each kind of letter has two templates in ``templates/``. A letter is given every word it shows, so that nothing of
Airflow's context can be missing when it is written (Airflow findings §6.5), and it names no person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup

from rosterflow.domain.errors import Code, FatalError

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that comes with a mail.

    :param media_type: like ``text/csv``.
    """

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it is sent.

    :param to: addresses of the receivers.
    :param subject: one line.
    """

    to: tuple[str, ...]
    subject: str
    plain: str
    html: str
    attachments: tuple[Attachment, ...] = ()


Post = Callable[[Letter], None]
"""Sends a letter; raises ``mail-failed`` when it could not, and :class:`PartlyRefused` when some got it."""


class PartlyRefused(FatalError):
    """The mail server took a letter for some of its receivers and refused the others."""

    def __init__(self, refused: int, receivers: int) -> None:
        super().__init__(Code.MAIL_FAILED, f"The mail server refused {refused} of {receivers} receivers of a mail.")


def write(kind: str, to: Sequence[str], subject: str, **words: Any) -> Letter:
    """Write a letter.

    :param kind: name of its two templates.
    :param words: everything the templates show.
    """
    line = " ".join(subject.split())
    shown = {**words, "subject": line}
    plain = TEMPLATES.get_template(f"{kind}.txt").render(shown)
    html = TEMPLATES.get_template(f"{kind}.html").render(shown)
    return Letter(tuple(to), f"[Rosterflow] {line}", plain, html)


def send_once(post: Post, letter: Letter, told: Callable[[], None]) -> None:
    """Send a letter, then write down that it was sent.

    A letter that only some receivers were refused is not sent again: the others have it.

    :param told: writes it down.
    :raises RosterflowError: ``mail-failed``, as ``post`` does.
    """
    try:
        post(letter)
    except PartlyRefused:
        told()
        raise
    told()


def moment_text(moment: datetime, zone: ZoneInfo) -> str:
    """A moment in local time, for people: ``2026-08-14 03:30``."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def as_html(markdown: str) -> Markup:
    """Markdown with tables as HTML; HTML inside it is shown as text."""
    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))  # noqa: S704 (escaped)
