"""What an answer of Canvas stands for: whole JSON, or the error that its status and shape mean (Canvas contract §9)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError, RowError
from rosterflow.hooks.retry_after import retry_after

THROTTLED = "Rate Limit Exceeded"
LONGEST_WORDS = 300


def refusal(answer: httpx.Response, where: str) -> RosterflowError:
    """The error that an answer's status and shape stand for (Canvas contract §9.4–9.6)."""
    status = answer.status_code
    if status in (403, 429) and THROTTLED in answer.text:
        return RetryableError(Code.THROTTLED, f"Canvas throttled {where}.", retry_after=retry_after(answer.headers))
    if status == 401 and "WWW-Authenticate" in answer.headers:
        return FatalError(Code.UNAUTHORIZED, f"Canvas does not accept the access token ({where}).")
    if status == 401 or (status == 403 and _says_unauthorized(answer)):
        return FatalError(Code.FORBIDDEN, f"Canvas's token lacks a permission for {where}.")
    if status < 400:
        return FatalError(Code.BAD_RESPONSE, f"Canvas sent {where} on to another address.")
    if status >= 500 or status in (408, 425, 429):
        return RetryableError(
            Code.SERVER_ERROR, f"Canvas answered {where} with {status}.", retry_after=retry_after(answer.headers)
        )
    return RowError(Code.ROW_REFUSED, f"Canvas refused {where} with {status}: {_words(answer)}")


def _says_unauthorized(answer: httpx.Response) -> bool:
    try:
        payload = answer.json()
    except ValueError:
        return False
    return isinstance(payload, dict) and payload.get("status") == "unauthorized"


def parsed(answer: httpx.Response, where: str) -> httpx.Response:
    """The answer, of which is sure that it is whole JSON."""
    if "json" not in answer.headers.get("Content-Type", ""):
        raise RetryableError(Code.BAD_RESPONSE, f"Canvas answered {where} with something that is no JSON.")
    try:
        answer.json()
    except ValueError:
        raise RetryableError(Code.BAD_RESPONSE, f"Canvas's answer to {where} was cut off.") from None
    return answer


def _words(answer: httpx.Response) -> str:
    """Canvas's own words, whatever the shape of its error (Canvas contract §9.6), without markup and short."""
    try:
        payload = answer.json()
    except ValueError:
        return "no explanation"
    if isinstance(payload, dict):
        found = payload.get("message") or payload.get("errors") or payload.get("error_message") or payload.get("error")
    else:
        found = payload
    if isinstance(found, list) and found and isinstance(found[0], dict):
        found = "; ".join(str(item.get("message", "")) for item in found)
    return str(found)[:LONGEST_WORDS]


def skew(answer: httpx.Response) -> float:
    """Seconds by which Canvas's clock is ahead of ours."""
    stamp = answer.headers.get("Date")
    return (parsedate_to_datetime(stamp) - datetime.now(UTC)).total_seconds() if stamp else 0.0


def instant(text: str) -> datetime:
    """A moment as Canvas writes it, as an aware UTC instant."""
    return datetime.fromisoformat(text).astimezone(UTC)
