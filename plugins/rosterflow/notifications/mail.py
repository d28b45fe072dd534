"""Sending letters through Airflow's SMTP provider, connection ``smtp_default``.

The provider's own messages have an HTML part alone, so the message is made here and handed to the provider's client.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from email.utils import localtime, make_msgid

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.sync.letters import Letter, PartlyRefused

log = logging.getLogger(__name__)


class LetterHook(SmtpHook):
    """Airflow's SMTP hook that sends messages of ours; use it in a ``with`` block."""

    @property
    def client(self) -> smtplib.SMTP:
        """The open connection to the mail server."""
        client = self._smtp_client
        if not isinstance(client, smtplib.SMTP):
            raise TypeError("the mail server is reached only inside a with block")
        return client


def send(letter: Letter) -> None:
    """Send a letter to all its receivers, as one message with an HTML and a plain part.

    :raises RetryableError: ``mail-failed`` when the mail server cannot be reached or asks to try later.
    :raises FatalError: ``mail-failed`` when it refuses, ``connection-missing`` when Airflow has no ``smtp_default``.
    """
    with _mail_server() as hook:
        refused = hook.client.send_message(_message(letter, _sender(hook)))
    if refused:
        raise PartlyRefused(len(refused), len(letter.to))
    log.info("Mail sent to %d receivers: %s", len(letter.to), letter.subject)


def probe() -> None:
    """See that the mail server answers and lets us in, without sending anything; raises as :func:`send` does."""
    with _mail_server() as hook:
        _sender(hook)
        code, _ = hook.client.noop()
        if code != 250:
            raise RetryableError(Code.MAIL_FAILED, f"The mail server answers NOOP with {code}.")


@contextmanager
def _mail_server() -> Iterator[LetterHook]:
    """The mail server, and its errors as ours; theirs hold addresses, so they are not passed on."""
    hook = LetterHook()
    try:
        hook.get_connection(hook.smtp_conn_id)  # the provider does not say that it was this that is missing
        with hook:
            yield hook
    except AirflowNotFoundException:
        message = f"Airflow has no connection {hook.smtp_conn_id!r}."
        raise FatalError(Code.CONNECTION_MISSING, message) from None
    except (smtplib.SMTPException, OSError, AirflowException) as error:
        raise _failed(error) from None


def _failed(error: Exception) -> RosterflowError:
    codes = [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    said = f" ({type(error).__name__}{' ' if codes else ''}{', '.join(str(code) for code in sorted(set(codes)))})"
    if codes:
        for_good = any(code >= 500 for code in codes)
        return (FatalError if for_good else RetryableError)(Code.MAIL_FAILED, f"The mail server refused a mail{said}.")
    return RetryableError(Code.MAIL_FAILED, f"The mail server could not be reached{said}.")


def _sender(hook: SmtpHook) -> str:
    if not hook.from_email:
        raise FatalError(Code.MAIL_FAILED, f"Connection {hook.smtp_conn_id}: the extra 'from_email' is missing.")
    return hook.from_email


def _message(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = sender
    message["To"] = ", ".join(letter.to)
    message["Subject"] = letter.subject
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip("> "))
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: an answering machine does not answer it
    message.set_content(letter.plain, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    for one in letter.attachments:
        main, sub = one.media_type.split("/")
        message.add_attachment(one.data, main, sub, filename=one.name)
    return message
