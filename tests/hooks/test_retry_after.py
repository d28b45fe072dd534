"""How long a far side asks us to wait: seconds or a date, and nothing that stops us for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from rosterflow.domain.errors import RetryableError
from rosterflow.hooks.coursekey_answers import understood
from rosterflow.hooks.retry_after import LONGEST, retry_after
from rosterflow.wire import coursekey_json
from rosterflow.wire.coursekey_profile import PROFILE, Operation


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), (" 7 ", 7.0), ("0", 0.0), ("9" * 400, LONGEST), ("", None), ("soon", None), ("-3", None), ("²", None)],
)
def test_seconds_are_read_and_what_is_none_is_none(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}) == seconds


def test_a_date_is_read_and_one_that_is_over_means_now() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=90)

    assert retry_after({"Retry-After": format_datetime(moment, usegmt=True)}) == pytest.approx(90, abs=3)
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert retry_after({"Retry-After": "Sat, 21 Oct 2999 07:28:00 -0000"}) == LONGEST
    assert retry_after({}) is None


def test_coursekey_may_ask_us_to_wait_until_a_moment() -> None:
    request = coursekey_json.request(PROFILE, PROFILE.calls[Operation.FIND_USERS], {"school": "548156"})
    until = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    answer = httpx.Response(429, headers={"Retry-After": until}, json={"error": {"code": "throttled"}})

    with pytest.raises(RetryableError) as caught:
        understood(PROFILE, Operation.FIND_USERS, request, answer, "key")

    assert caught.value.retry_after == pytest.approx(1800, abs=3)
