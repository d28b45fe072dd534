"""How long a far side asks us to wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 7 * 24 * 3600.0
"""Seconds; whoever asks for more has made a mistake."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The header ``Retry-After`` in seconds; it is a number of seconds or a date (RFC 9110 §10.2.3).

    :returns: ``None`` when there is none, or it is neither.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), LONGEST)
